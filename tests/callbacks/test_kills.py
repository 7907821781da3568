"""Training that is killed again and again ends with the bits of training that was not."""

import os

import pytest
import resumed_jobs
from programs import output_of

# Trains in children of fork, which start at once; each is killed some time into its training, until
# so many were. Prints the digest of each training that came to its end, in a folder of its own.
PROGRAM = """
    import os, random, signal, sys, time
    import resumed_jobs, safetensors.numpy

    folder, kills = sys.argv[1], int(sys.argv[2])
    moment, runs = random.Random(0), 0

    def start(here):
        child = os.fork()
        if child == 0:
            net, _ = resumed_jobs.trained(here)
            os.write(1, f"{resumed_jobs.digest(net, here)}\\n".encode())  # whole, or not at all
            os._exit(0)
        return child

    while kills:
        here = os.path.join(folder, str(runs))
        os.mkdir(here)
        status = None
        while status != 0:
            child = start(here)
            if kills:
                time.sleep(moment.uniform(0, 0.3))
                os.kill(child, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert status in (0, -signal.SIGKILL), status
            kills -= status != 0
        runs += 1
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_kills_leave_no_trace(kills, tmp_path):
    net, (*_, stopping) = resumed_jobs.trained(tmp_path)
    assert stopping.best_epoch < stopping.stopped_epoch == net.state.epoch < 150  # both came to act
    assert net._model.learning_rates.plateau.scale < 1
    digests = output_of(PROGRAM, tmp_path, kills).split()
    assert set(digests) == {resumed_jobs.digest(net, tmp_path)}
