"""The progress of a search: numbers, a bar in a terminal, lines in a file."""

import io
import os
import select
import sys

import pytest
from small_searches import run

from fastnn.search.objectives import Objective
from fastnn.search.report import progress as progress_module
from fastnn.search.report.progress import Progress, clock

LOSS = Objective("loss", "minimize", lambda judged: 0.0)
SCORE = Objective("score", "maximize", lambda judged: 0.0)


class Time:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def time(monkeypatch):
    made = Time()
    monkeypatch.setattr(progress_module, "time", made)
    return made


def front(*values):
    return [v if isinstance(v, tuple) else (v,) for v in values]


def test_rate_and_time_left_follow_the_trials_of_this_search(time):
    shown = Progress([LOSS], 24, done=4, front=[(0.5,)], shown=False)
    assert shown.text == "4/24 trials, best=0.5, 0:00 gone"
    time.now += 10
    for _ in range(5):
        shown.ended(front(0.25), failed=1)
    shown.training(8, 27)
    assert shown.text == (
        "9/24 trials, best=0.25, 2 s/trial, 0:30 left, failed=1, 8 to epoch 27, 0:10 gone"
    )
    assert shown.share == 9 / 24


def test_time_left_is_what_ends_first(time):
    shown = Progress([LOSS], 100, 60.0, shown=False)
    assert "1:00 left" in shown.text
    time.now += 15
    for _ in range(30):
        shown.ended(front(1.0), failed=0)
    assert "30/100 trials, best=1, 2 trials/s, 0:35 left" in shown.text
    assert shown.share == 0.3
    time.now += 30
    assert "0:15 left" in shown.text
    assert shown.share == 0.75
    time.now += 90
    assert "0:00 left" in shown.text
    assert shown.share == 1.0
    forever = Progress([LOSS], None, 3600.0, shown=False)
    forever.ended(front(1.0), failed=0)
    assert "1 trial," in forever.text
    assert "1:00:00 left" in forever.text


def test_the_best_value_includes_earlier_trials(time):
    shown = Progress([SCORE], 4, done=1, front=[(0.9,)], shown=False)
    shown.ended(front(0.8), failed=0)
    assert "best=0.9" in shown.text
    shown.ended(front(0.95), failed=0)
    assert "best=0.95" in shown.text


def test_fronts_show_their_size_and_the_best_of_each_objective(time):
    shown = Progress([SCORE, LOSS], 9, done=1, front=[(0.5, 10.0)], shown=False)
    shown.ended(front((0.7, 30.0), (0.6, 20.0)), failed=0)
    assert "front=3, best=0.7/10" in shown.text
    shown.ended(front((0.7, 9.0)), failed=0)
    assert "front=1, best=0.7/9" in shown.text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3725, "1:02:05")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_a_terminal_has_one_line_that_fits_and_a_clock_that_goes_on(monkeypatch):
    pty = pytest.importorskip("pty")
    fcntl, struct, termios = (__import__(n) for n in ("fcntl", "struct", "termios"))
    ours, theirs = pty.openpty()
    columns = 70
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    monkeypatch.setattr(progress_module, "TICK", 0.01)
    monkeypatch.setattr(progress_module, "PICTURE", 0.0)
    text = b""
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress([LOSS], 3) as shown:
            shown.training(3, 9)
            for _ in range(3):
                shown.ended(front(0.123456789), failed=0)
            # Five pictures for what happened; all others are those of the clock.
            while text.count(b"\r") < 20 and select.select([ours], [], [], 10.0)[0]:
                text += os.read(ours, 65536)
        terminal.flush()
        assert text.count(b"\r") >= 20
        text += os.read(ours, 65536)
    frames = text.decode().split("\r")
    os.close(ours)
    assert not shown._clock.is_alive()
    assert all(len(frame.rstrip("\n")) <= columns for frame in frames)
    last = next(frame for frame in reversed(frames) if frame.strip())
    assert last.startswith("search 100%|")
    assert "3/3 trials, best=0.12346" in last


def test_a_file_gets_lines_now_and_then(time, monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    with Progress([LOSS], 40) as shown:
        for _ in range(40):
            time.now += 1
            shown.ended(front(0.5), failed=0)
    lines = file.getvalue().splitlines()
    assert lines == [
        "search 25%: 10/40 trials, best=0.5, 1 trials/s, 0:30 left, 0:10 gone",
        "search 50%: 20/40 trials, best=0.5, 1 trials/s, 0:20 left, 0:20 gone",
        "search 75%: 30/40 trials, best=0.5, 1 trials/s, 0:10 left, 0:30 gone",
        "search 100%: 40/40 trials, best=0.5, 1 trials/s, 0:00 left, 0:40 gone",
        "search 100%: 40/40 trials, best=0.5, 1 trials/s, 0:40 gone",
    ]


def test_a_search_that_goes_on_shows_the_best_so_far(capsys):
    from optuna.storages import InMemoryStorage

    storage = InMemoryStorage()
    first = run(trials=4, storage=storage)
    run(trials=4, storage=storage, verbose=1)
    assert f"4/4 trials, best={first.best_value:.5g}" in capsys.readouterr().err


@pytest.mark.parametrize("verbose", [True, False])
def test_verbose_may_be_a_boolean(verbose, capsys):
    run(trials=2, verbose=verbose)
    assert bool(capsys.readouterr().err) == verbose
