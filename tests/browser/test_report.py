"""The report: one file that opens from disk in a real browser, without server or network."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch import answers, cli, report, schema
from tb_weightwatch.history import Column, History, Rows
from tb_weightwatch.maps import HISTOGRAMS, MOTION, Map
from tb_weightwatch.reader import Launch, launches, runs
from tb_weightwatch.writer import directory_sink
from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.histories import recorded_history
from tests.support.suspected_run import MESSAGE, suspected
from tests.support.tested_run import diagnosis_with_experiments

HOSTILE = "</script><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs")
    synthetic_runs.write(path / "healthy", 700)
    with_pictures(path / "healthy")
    synthetic_runs.write(path / "sick", 400, launch="a1", nan_from=300, variables=(HOSTILE, "<!-- x", "\u202eevil"))
    synthetic_runs.write(path / "sick", 80, launch="b2", started=synthetic_runs.STARTED + 900)
    (path / "third_party").symlink_to(Path(__file__).resolve().parents[1] / "third_party" / "torch-nan")
    return path


def with_pictures(path: Path) -> None:
    """Adds histograms and motion maps of two variables at three steps to the launch there, and a full tensor."""
    rng = np.random.default_rng(0)
    sink = directory_sink(path)
    for number, step in enumerate((1, 64, 700)):
        maps = [Map(step, synthetic_runs.NAMES[0], "weight", np.ones((4, 4), np.float32))]
        for name in synthetic_runs.NAMES[:2]:
            maps += [Map(step, name, kind, rng.integers(0, 9, 256).astype(float)) for kind in HISTOGRAMS]
            maps += [Map(step, name, kind, rng.lognormal(size=(64, 40))) for kind in MOTION]
        (data,) = schema.encode_maps(maps, started=synthetic_runs.STARTED)
        sink.emit(schema.to_summary(schema.Tag("a1", "maps", number), data), step, synthetic_runs.STARTED + 60)
    sink.close()


@pytest.fixture(scope="module")
def page(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert cli.main(["report", "--follow-links", str(logs), "-o", str(path)]) == 0
    return path


def data_of(page: Path) -> dict[str, Any]:
    packed = re.search(r'<script id="data" type="text/plain">([A-Za-z0-9+/=]+)</script>', page.read_text())
    assert packed
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    return data


def test_the_report_holds_the_answers_of_the_backend(logs: Path, page: Path) -> None:
    """The file holds what `answers` gives; curves that refer to heat maps are complete when resolved."""
    data = data_of(page)
    runs_answer = data['["runs"]']
    assert [run["run"] for run in runs_answer["runs"]] == ["healthy", "sick", "third_party"]
    assert [launch["launch"] for launch in runs_answer["runs"][1]["launches"]] == ["a1", "b2"]
    rows = data['["table"]']["rows"]
    assert [(row["run"], row["launch"], len(row["links"])) for row in rows] == [
        ("healthy", "a1", 7),
        ("sick", "b2", 7),
        ("third_party", rows[2]["launch"], 7),
    ]
    history = launches(logs / "healthy")[0].history
    where = '["launch","a1"]'
    expected = json.loads(json.dumps(answers.heatmap(history, "update_ratio", 300)))
    assert data[f'["heatmap",{where},["quantity","update_ratio"],["run","healthy"]]'] == expected
    sick = launches(logs / "sick")[0].history
    worst = answers.heatmap(sick, "weight_std", 300, diagnosis=answers.safe_diagnose(sick))["worst"]
    assert data[f'["heatmap",{where},["quantity","weight_std"],["run","sick"]]']["worst"] == worst
    name = history.variables[0].name
    held = data[f'["curves",{where},["name","{name}"],["run","healthy"]]']
    assert held["buckets"]
    unpacked = []
    for curve in held["curves"]:
        if isinstance(curve, dict):  # derived: no heat map holds it
            unpacked.append(curve)
            continue
        key, row, last, rest = curve
        high = data[key]["high"][row]
        given = {"low": data[key]["low"][row], "high": high, "last": high if last is None else last}
        unpacked.append({"quantity": data[key]["quantity"], **rest, **given})
    curves = json.loads(json.dumps(answers.curves(history, name, 300)))
    assert unpacked == curves["curves"]
    for field in ("covered", "first", "last", "recorded"):
        assert data[held["buckets"]][field] == curves[field]
    assert any(isinstance(curve, list) and curve[2] is not None for curve in held["curves"])


def test_the_report_explains_what_it_shows(page: Path) -> None:
    """It holds the explanations of the verdicts and quantities that it shows, and of no other rule."""
    data = data_of(page)
    explained = {key: value for key, value in data.items() if key.startswith('["explanation"')}
    overviews = [value for key, value in data.items() if key.startswith('["overview"')]
    shown = {code for overview in overviews for code in answers.explained_rules(overview)}
    quantities = {q["name"] for overview in overviews for q in overview["quantities"]}
    expected = {f'["explanation",["rule","{code}"]]': answers.explanation(rule=str(code)) for code in shown}
    assert len(shown) > 1 and expected.items() <= explained.items()
    assert {key for key in explained if '"rule"' in key} == set(expected)
    assert {f'["explanation",["quantity","{name}"]]' for name in quantities} <= set(explained)


def test_the_report_holds_histograms_and_motion_maps(logs: Path, page: Path) -> None:
    """Maps are those of the panel; runs and variables without maps do not claim to have any."""
    data = data_of(page)
    (launch,) = launches(logs / "healthy", maps=True)
    overviews = {key: value["maps"] for key, value in data.items() if key.startswith('["overview"')}
    assert [key for key, maps in overviews.items() if maps] == ['["overview",["launch","a1"],["run","healthy"]]']
    held = {key: value for key, value in data.items() if key.startswith('["maps"')}
    assert len(held) == 2
    for variable in launch.history.variables[:2]:
        answer = held[f'["maps",["launch","a1"],["name","{variable.name}"],["run","healthy"]]']
        expected = answers.maps(variable, launch.history.maps(variable=variable.name), revision="report")
        assert answer == json.loads(json.dumps(expected))
        assert [frame["step"] for frame in answer["motion"][0]["frames"]] == [1, 64, 700]


def test_maps_are_made_coarser_where_room_is_short(logs: Path) -> None:
    """The largest value of each block stays; at the worst there are no maps, and the file fits."""
    (launch,) = launches(logs / "healthy", maps=True)
    sizes, sides = {}, {}
    for limit in (report.MOST_BYTES, 480_000, 330_000):
        sizes[limit] = report.write("/dev/null", {"healthy": [launch]}, most_bytes=limit)
        assert sizes[limit] <= limit
    assert sizes[330_000] < sizes[480_000] < sizes[report.MOST_BYTES]
    for side in (64, 32, 16):
        coarse = report.coarser(launch.history.maps(variable=synthetic_runs.NAMES[0]), 2, side)
        motion = [one for one in coarse if one.kind == "update_map"]
        sides[side] = [one.values.shape for one in motion]
        assert [one.step for one in motion] == [1, 700]
        whole = next(m for m in launch.history.maps("update_map", synthetic_runs.NAMES[0]) if m.step == 700)
        assert motion[-1].values.max() == whole.values.max()
    assert sides == {64: [(64, 40)] * 2, 32: [(32, 20)] * 2, 16: [(16, 14)] * 2}
    assert np.isnan(report.pooled(np.array([[1.0, np.nan], [2.0, 3.0]]), 1)).all()


def test_the_symptoms_of_a_third_party_log_are_on_the_chain(page: Path) -> None:
    """A link with a symptom is affected, and the broken link is that of a cause."""
    data = data_of(page)
    (key,) = (k for k in data if k.startswith('["overview"') and '"third_party"' in k)
    chain = {link["link"]: link for link in data[key]["chain"]}
    assert (chain["loss"]["state"], chain["weight"]["state"]) == ("affected", "broken")
    # A symptom is no cause; NaN in a weight is one (703).
    assert [name for name, link in chain.items() if link["first"]] == ["weight"]
    assert chain["weight"]["codes"] == [703] and "became NaN or infinite" in chain["weight"]["text"]
    assert "PyTorch's SummaryWriter" in data[key]["detail"]


def test_a_large_run_stays_below_three_megabytes() -> None:
    """With 60 variables of pure noise, the number of columns is reduced until the file fits."""
    rng = np.random.default_rng(0)
    history = recorded = History("big")
    for record in synthetic_runs.facts(tuple(f"v{i}" for i in range(60))):
        recorded.add(record)
    rows = Rows(np.arange(1, 601), np.arange(600.0))
    for name in (
        "update_norm",
        "weight_norm",
        "gradient_norm",
        "gradient_max",
        "update_max",
        "weight_max",
        "weight_std",
    ):
        rows.variable[name] = Column(rng.lognormal(size=(600, 60)), np.ones((600, 60), bool))
    history.append(rows)
    pages = {}
    for limit in (400_000, report.MOST_BYTES):
        pages[limit] = report.write("/dev/null", {"run": [Launch(history)]}, most_bytes=limit)
        assert pages[limit] <= limit
    assert pages[400_000] > 200_000  # it was not made smaller than it had to be


def test_nothing_to_report_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what to do, and no file is written."""
    assert cli.main(["report", str(tmp_path), "-o", str(tmp_path / "r.html")]) == 2
    assert "ww.WeightWatch" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()
    with pytest.raises(ValueError, match="nothing to report"):
        report.write(str(tmp_path / "r.html"), {name: launches(path) for name, path in runs(tmp_path)})


class TestInABrowser:
    """The report opened from a file:// address, offline."""

    pytestmark = needs_chromium

    def test_it_opens_from_disk_without_requests(self, page: Path, browser: Any) -> None:
        """Sentence, heat map and curves are drawn without errors, and the file itself is the only request."""
        from playwright.sync_api import expect

        context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
        tab = context.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        tab.goto(page.as_uri())
        tab.get_by_text("healthy", exact=True).first.click()
        # Not wait_for_function: where it has to wait, it evaluates a string, which the page forbids.
        expect(tab.locator("#sentence")).to_contain_text("Healthy", timeout=30_000)
        assert tab.locator("canvas").count() > 1
        assert tab.locator(".variable-maps").count() == 1
        assert tab.locator(".page-error").count() == 0
        tab.get_by_text("sick", exact=True).first.click()
        expect(tab.locator(".diagnosis-rest")).to_contain_text("over 80 steps", timeout=30_000)  # its newest launch
        tab.get_by_role("button", name="Compare all").click()
        expect(tab.locator(".link-table tbody tr")).to_have_count(3)
        tab.wait_for_timeout(200)
        assert tab.locator(".page-error").count() == 0
        assert tab.title() == "weightwatch"  # hostile names are text
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert asked[0] == page.as_uri()
        assert wrong == []
        context.close()

    def test_suspects_are_in_the_file(self, tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run without a verdict shows its symptom and its suspects, as the panel does."""
        from playwright.sync_api import expect

        monkeypatch.setattr(answers, "safe_diagnose", lambda history: suspected(len(history)))
        report.write(str(tmp_path / "report.html"), {"slow": [Launch(recorded_history(64))]})
        context = browser.new_context()
        tab = context.new_page()
        tab.goto((tmp_path / "report.html").as_uri())
        tab.wait_for_selector("#sentence")
        assert tab.locator("#sentence").inner_text().startswith(f"{MESSAGE.partition(': ')[0]}; suspected cause: ")
        assert tab.locator(".run-entry-headline").inner_text().endswith("probably learning-rate-too-small")
        assert tab.locator("ol.suspect-items > li").count() == 3
        tab.get_by_role("button", name="Explain learning-rate-too-small").first.click()
        expect(tab.get_by_role("dialog")).to_contain_text("docs/rules.md#502-learning-rate-too-small")
        tab.keyboard.press("Escape")
        tab.locator("summary", has_text="checks passed").click()
        tab.locator(".check-rules").get_by_role("button", name="Explain dead-relu").click()
        expect(tab.get_by_role("alert")).to_contain_text('"weightwatch rule 201" prints it')
        context.close()

    def test_experiments_are_in_the_file(self, tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run with experiments shows them with the learning-rate curve, as the panel does."""
        monkeypatch.setattr(answers, "safe_diagnose", lambda history: diagnosis_with_experiments(len(history)))
        report.write(str(tmp_path / "report.html"), {"slow": [Launch(recorded_history(64))]})
        context = browser.new_context()
        tab = context.new_page()
        tab.goto((tmp_path / "report.html").as_uri())
        tab.wait_for_selector(".rate-plot svg")
        assert tab.locator(".experiment").count() == 4
        assert tab.locator(".rate-readout").inner_text().startswith("Learning rate 1e-3: the loss falls by 41")
        context.close()

    def test_the_network_is_closed_to_it(self, page: Path, browser: Any) -> None:
        """The page's own policy forbids requests to other addresses."""
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(page.as_uri())
        tab.wait_for_selector("#sentence")
        blocked = tab.evaluate(
            "() => new Promise((done) => {"
            " document.addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective));"
            " const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; setTimeout(() => done(''), 3000); })"
        )
        assert blocked == "img-src"
        context.close()
