"""Studies as optuna-dashboard shows them."""

import json
import shutil
import socket
import subprocess
import sysconfig
import urllib.error
import urllib.request

import pytest
from optuna.trial import TrialState
from searching_jobs import RATES, wait_until
from small_searches import fails_for_two_units, run

pytestmark = pytest.mark.slow


def program():
    scripts = sysconfig.get_path("scripts")
    return shutil.which("optuna-dashboard", path=scripts) or shutil.which("optuna-dashboard")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def study(tmp_path):
    """The URL of a search with trials that are complete, failed, pruned, and cut short."""

    def interrupt(study, trial):
        if trial.number >= 6 and trial.state == TrialState.PRUNED:
            raise KeyboardInterrupt

    url = f"sqlite:///{tmp_path}/search.db"
    options = {"build": fails_for_two_units, "trials": 12, "pruner": "halving", "epochs": 3}
    result = run(RATES, **options, storage=url, callbacks=[interrupt], concurrent_trials=6)
    assert set(result.trials["state"]) == {"complete", "fail", "pruned", "cut short"}
    return url


@pytest.fixture
def dashboard(study):
    """Serve a study by the dashboard; yield its address."""
    if program() is None:
        pytest.skip("optuna-dashboard is not installed")
    port = free_port()
    command = [program(), "--host", "127.0.0.1", "--port", str(port), study]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(600)


def fetched(url):
    try:
        with urllib.request.urlopen(url, timeout=600) as answer:
            return answer.read().decode()
    except urllib.error.URLError:  # not yet
        return None


def test_the_dashboard_of_optuna_shows_a_search(dashboard):
    wait_until(lambda: fetched(dashboard) is not None)
    assert "Optuna Dashboard" in fetched(dashboard)
    [summary] = json.loads(fetched(f"{dashboard}/api/studies"))["study_summaries"]
    assert summary["study_name"] == "fastnn"
    shown = json.loads(fetched(f"{dashboard}/api/studies/{summary['study_id']}"))
    assert shown["objective_names"] == ["val_loss"], shown.keys()
    states = {trial["state"] for trial in shown["trials"]}
    assert states == {"Complete", "Fail", "Pruned", "Waiting"}
    assert {param["name"] for param in shown["trials"][0]["params"]} == {"units", "rate"}
