"""The page of benchmarks/site says what was measured, and a real browser shows it."""

from __future__ import annotations

import importlib
import json
import os
import re
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from project import ROOT

BENCHMARKS = ROOT / "benchmarks"
MODULES = ("cases", "results", "targets", "report")
SIZES = {"desktop": (1200, 900), "phone": (390, 844)}
SHOTS = Path(os.environ.get("FASTNN_SCREENSHOTS", ROOT / "build" / "screenshots"))


# Made-up results, in the forms that benchmarks/peers and asv write

SECONDS = {"fastnn": 2e-6, "torch": 8e-6, "scikit-learn": 1e-6, "limit": 1e-12}
SLOWDOWNS = (1.0, 1.1, 0.9, 5.0, 1.0)  # of rounds: hit all tasks alike


def write_peers(path: Path, bench) -> None:
    """Two networks, a product and a prediction, on one thread and on two; jax did not run."""
    chosen = ("train 8-32-32-2, 32", "train 64-100-10, 200", "gemm 64×64×64")
    cases = [c for c in bench.cases.all_cases([1, 2], smoke=False) if c.name in chosen]
    results = bench.results.Results()
    for case in cases:
        for task in case.tasks:
            if task.label not in SECONDS:
                results.miss(case.name, task, "no <jax> & co")
                continue
            for slowdown in SLOWDOWNS:
                seconds = slowdown * SECONDS[task.label] / task.threads
                results.add(case.name, task, seconds)
    rows = bench.targets.rows(results, [1, 2], [case.name for case in cases])
    about = {
        "machine": {"processor": "Made-up processor", "cores": 2},
        "date": "2030-01-02 03:04",
        "versions": {"fastnn": "1.2.3", "torch": "9.9", "machine": "Made-up"},
        "settings": {},
    }
    bench.report.write_json(path, rows, cases, results, about)


#: Values of each benchmark, by commit, for all combinations of parameters.
HISTORY = {
    "networks.TrainingEpochs.time_call": ([1.0, 4.0], [1.0, 1.0], [2.0, None]),
    "limits.Training.track_share_of_fma_peak": ([0.4], [0.5], [0.5]),
    "kernels.adam_step.time_call": ([1e-6], [1e-6], [1e-6]),
    "package.track_wheel_size": ([1.1e6], None, [1.2e6]),
}
UNITS = {
    "limits.Training.track_share_of_fma_peak": "share of the FMA peak",
    "package.track_wheel_size": "bytes",
}


def write_asv(folder: Path) -> None:
    """Three commits on one machine, written in another order than they came in."""
    (folder / "made-up").mkdir(parents=True)
    (folder / "made-up" / "machine.json").write_text("{}")
    described = {name: {"unit": UNITS.get(name, "seconds"), "type": "time"} for name in HISTORY}
    (folder / "benchmarks.json").write_text(json.dumps({**described, "version": 2}))
    for commit in (2, 0, 1):
        values = {name: [history[commit], []] for name, history in HISTORY.items()}
        result = {
            "commit_hash": f"{commit}" * 40,
            "env_name": "virtualenv-py3.11",
            "date": 1_900_000_000_000 + commit,
            "result_columns": ["result", "params"],
            "results": {name: row for name, row in values.items() if row[0] is not None},
        }
        path = folder / "made-up" / f"{9 - commit}-virtualenv-py3.11.json"
        path.write_text(json.dumps(result).replace("null", "NaN"))


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function that builds the page from made-up results, or from those of other files."""
    pytest.importorskip("jinja2")
    folder = tmp_path_factory.mktemp("dashboard")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        peers = {name: importlib.import_module(f"peers.{name}") for name in MODULES}
        write_peers(folder / "results.json", SimpleNamespace(**peers))
        write_asv(folder / "asv")

        def built(out, peers=folder / "results.json", asv=folder / "asv"):
            argv = ["--peers", str(peers), "--asv", str(asv), "--out", str(out)]
            status = runpy.run_path(str(BENCHMARKS / "site"))["main"](argv)
            return status, out / "index.html"

        yield built


@pytest.fixture(scope="module")
def page(build, tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    (out / "asv").mkdir()
    (out / "asv" / "index.html").write_text("asv's")
    status, page = build(out)
    assert status == 0
    return page


@pytest.fixture(scope="module")
def data(page):
    return embedded(page)


def embedded(page):
    text = page.read_text(encoding="utf-8")
    [found] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    return json.loads(found)


def test_ratios_are_taken_within_rounds(data):
    [case] = [c for c in data["cases"] if (c["name"], c["threads"]) == ("gemm 64×64×64", 1)]
    [torch] = [p for p in case["peers"] if p["peer"] == "torch"]
    assert case["seconds"] == pytest.approx(2e-6)
    # A slow round was slow for both.
    assert [torch[k] for k in ("low", "middle", "high")] == pytest.approx([4.0] * 3)
    [numpy] = [p for p in case["peers"] if p["peer"] == "numpy"]
    assert numpy == {"peer": "numpy", "missing": "no <jax> & co"}


def test_shares_are_work_over_time_at_the_limit(data):
    shares = {(s["name"], s["threads"]): s for s in data["shares"]}
    # 2 · 64³ operations of 1 ps in 2 µs; 32 · (4 · 256 + 6 · 1024 + 6 · 64) of them in a step.
    assert shares["gemm 64×64×64", 1]["middle"] == pytest.approx(2 * 64**3 * 1e-12 / 2e-6)
    assert shares["train 8-32-32-2, 32", 2]["middle"] == pytest.approx(241_664e-12 / 2e-6)
    assert {s["limit"] for s in data["shares"]} == {"FMA peak"}


def test_trend_is_relative_to_the_first_commit_and_in_order_of_dates(data):
    assert [commit["hash"] for commit in data["commits"]] == ["0" * 8, "1" * 8, "2" * 8]
    trend = {series["name"]: series for series in data["series"]}
    # 1 and 4, then 1 and 1: the geometric mean halves; then 2, the other one failed.
    assert trend["networks.TrainingEpochs.time_call"]["relative"] == [1.0, 0.5, 2.0]
    assert trend["networks.TrainingEpochs.time_call"]["last"] == 2.0
    assert trend["package.track_wheel_size"]["relative"] == [1.0, None, 1.091]
    assert trend["limits.Training.track_share_of_fma_peak"]["more_is_better"]
    assert not trend["kernels.adam_step.time_call"]["more_is_better"]


def test_page_needs_nothing_else(page):
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    assert "{{" not in text
    assert "<jax>" not in text  # as JSON in HTML


def test_without_any_results_there_is_no_page(build, tmp_path, capsys):
    missing = tmp_path / "missing"
    status, page = build(tmp_path, peers=missing, asv=missing)
    assert status == 1
    assert not page.exists()
    assert "has results" in capsys.readouterr().err


def test_asv_alone_makes_a_page(build, tmp_path):
    status, page = build(tmp_path, peers=tmp_path / "missing")
    assert status == 0
    assert embedded(page)["cases"] == []
    assert len(embedded(page)["series"]) == len(HISTORY)


# In a browser


def binary(*names):
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def chromium():
    webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
    browser, driver = (
        binary("chromium", "chromium-browser", "google-chrome"),
        binary("chromedriver"),
    )
    if browser is None or driver is None:
        pytest.skip("there is no Chromium with its driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    # Nothing listens on the proxy's port: a request to any other machine fails, and is logged.
    for argument in ("--headless=new", "--proxy-server=127.0.0.1:9", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options, webdriver.ChromeService(driver))
    window.set_page_load_timeout(60)
    SHOTS.mkdir(parents=True, exist_ok=True)
    yield window
    window.quit()


@pytest.fixture
def opened(chromium, page):
    """The page in a window of a desktop's size, light."""
    show(chromium, page, "desktop", "light")
    return chromium


def show(window, page, size, scheme):
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    for kind in ("browser", "performance"):
        window.get_log(kind)  # what came before is not this page's
    window.get(page.as_uri())


def texts(window, selector):
    return [element.text for element in window.find_elements("css selector", selector)]


def choose(window, select, value):
    script = """const [select, value] = arguments;
        document.getElementById(select).value = value;
        document.getElementById(select).dispatchEvent(new Event("input", {bubbles: true}));"""
    window.execute_script(script, select, value)


def requested(window):
    """Addresses of all requests since the page was opened."""
    messages = [json.loads(entry["message"])["message"] for entry in window.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [message["request"]["url"] for message in sent]


def test_browser_shows_ratios_shares_and_trend(opened):
    assert texts(opened, ".tile b") == ["0.50×", "4.0×"]
    assert len(texts(opened, "#bars .card")) == 2  # of the training, which is shown first
    assert "torch\n4.0×" in texts(opened, "#bars .bar")
    assert "not run: no <jax> & co" in texts(opened, "#bars .missing .track")
    assert texts(opened, "#shares .figure")[0].startswith("12 %")
    assert texts(opened, "#lines h3") == ["networks: TrainingEpochs"]
    assert texts(opened, "#lines .worse") == ["+300.0 % since the commit before"]
    assert (
        opened.find_element("css selector", "#details a")
        .get_attribute("href")
        .endswith("asv/index.html")
    )


def test_bars_are_as_long_as_they_say(opened):
    def width(peer, classes):
        [row] = [
            r
            for r in opened.find_elements("css selector", "#bars .card:first-child .bar")
            if r.text.splitlines()[0] == peer
        ]
        return row.find_element("css selector", f".{classes}").rect["width"]

    # Logarithms of 4 and of 1/2.
    assert width("torch", "fill") == pytest.approx(2 * width("scikit-learn", "behind"), rel=0.02)


def test_filters_work(opened):
    choose(opened, "kind", "matrix products")
    assert texts(opened, "#bars h3") == ["Matrix product 64×64×64"]
    choose(opened, "kind", "")
    assert len(texts(opened, "#bars .card")) == 3
    choose(opened, "threads", "2")
    assert len(texts(opened, "#bars .card")) == 2
    assert "fastnn: 1 µs a step" in texts(opened, "#bars .card p")
    opened.find_element("css selector", "#peers input[value=torch]").click()
    assert not any("torch\n" in text for text in texts(opened, "#bars .bar"))
    choose(opened, "group", "")
    assert len(texts(opened, "#lines .card")) == len(HISTORY)
    opened.find_element("id", "named").send_keys("ADAM")
    assert texts(opened, "#lines h3") == ["kernels: adam_step"]
    opened.find_element("id", "named").send_keys("x")
    assert texts(opened, "#lines .empty") == ["No benchmark is called so."]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_error_no_request_and_nothing_too_wide(chromium, page, size, scheme):
    show(chromium, page, size, scheme)
    choose(chromium, "kind", "")
    choose(chromium, "group", "")
    script = "return [document.documentElement.scrollWidth, innerWidth, "
    script += "getComputedStyle(document.body).backgroundColor]"
    width, window, ground = chromium.execute_script(script)
    assert width <= window
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) > 384) == (scheme == "light")
    chromium.save_screenshot(str(SHOTS / f"dashboard-{size}-{scheme}.png"))
    assert chromium.get_log("browser") == []
    elsewhere = [url for url in requested(chromium) if not url.startswith(("file:", "data:"))]
    assert elsewhere == []


def test_the_page_of_this_build(chromium):
    """The page in FASTNN_SITE shows what asv measured just now."""
    site = os.environ.get("FASTNN_SITE")
    if site is None:
        pytest.skip("FASTNN_SITE names no folder that benchmarks/site has built")
    page, published = Path(site, "index.html"), Path(site, "asv", "index.json")
    names = [series["name"] for series in embedded(page)["series"]]
    assert set(names) <= set(json.loads(published.read_text())["benchmarks"])
    show(chromium, page, "desktop", "light")
    choose(chromium, "group", "")
    assert len(texts(chromium, "#lines svg")) == len(names)
    chromium.save_screenshot(str(SHOTS / "dashboard-of-this-build.png"))
    assert chromium.get_log("browser") == []
    assert {url.split(":")[0] for url in requested(chromium)} <= {"file", "data"}


def test_a_request_would_be_noticed(chromium, tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><img src="http://example.invalid/x.png">')
    show(chromium, page, "desktop", "light")
    assert "http://example.invalid/x.png" in requested(chromium)
    assert chromium.get_log("browser") != []
