"""Ctrl-C from a thread, some time into a call."""

import os
import signal
import threading
import time


def seconds_to_interrupt(call, after):
    """Return the processor time from SIGINT, sent `after` seconds, to its exception in `call`.

    Processor time, unlike time, is no longer on a busy machine.
    """
    sent = []

    def send():
        time.sleep(after)
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Thread(target=send)
    try:
        timer.start()
        call()
    except KeyboardInterrupt:
        return time.process_time() - sent[0]
    finally:
        timer.join()
