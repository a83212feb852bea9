"""Names and texts that an attacker wrote into event files, in Chromium on a real TensorBoard: they are only text."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import FrameLocator, Page, expect

from tb_weightwatch.diagnosis import rule_set_version
from tb_weightwatch.history import Record
from tb_weightwatch.verdict import Diagnosis, Evidence, Verdict
from tb_weightwatch.writer import EventWriter, directory_sink
from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import opened, panel, panel_frame

SCRIPT = "top.executed=1"
MARKUP = f'<img src=x onerror="{SCRIPT}"><script>{SCRIPT}</script>'
HOSTILE = (
    MARKUP,
    f"\"'><svg onload={SCRIPT}>",
    f"javascript:{SCRIPT}",
    "${top.executed=1}{{top.executed=1}}",
    "\u202e\u2066\u200fdlrow\u2069",
    "😀\u200d👩\u200d👧" * 20,
    "a\x00b\x07\x1b[31m\r\n\tc",
    "W" * 10_000,
)
STEPS = 48
RUN = '<img src=x onerror="top.executed=1">'  # a folder cannot have a slash in its name
OTHER = "\u202edlrow 😀" + "w" * 200
WITHIN = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
TURNING = set("\u202e\u2066\u200f\u2069\x00\x07\x1b")
pytestmark = needs_chromium


def write_hostile(folder: Path, launch: str) -> None:
    """Writes a run in which each text that a file can hold is hostile, the verdict among them."""
    writer = EventWriter(directory_sink(folder), launch, synthetic_runs.STARTED)
    settings = {
        "model": {"name": MARKUP, "parameters": 96, "layers": []},
        "optimizers": [{"class": MARKUP, "name": HOSTILE[1], "config": {text: text for text in HOSTILE[:-1]}}],
        "loss": {"name": MARKUP, "class": HOSTILE[7], "from_logits": None},
        "precision": HOSTILE[4],
        "versions": {MARKUP: HOSTILE[7]},
    }
    _, layers, facts = synthetic_runs.facts(HOSTILE, settings)
    items = [
        {"name": n, "shape": [4, 4], "dtype": MARKUP, "layer": n, "trainable": True, "optimized": True} for n in HOSTILE
    ]
    layers = Record(0, "layers", {"items": [{"name": n, "kind": n, "activation": n} for n in HOSTILE[:3]]})
    for record in (Record(0, "variables", {"items": items}), layers, facts):
        writer.add(record)
    for start in range(1, STEPS, 8):
        writer.append(synthetic_runs.rows(start, 8, variables=len(HOSTILE), nan_from=25))
    writer.add(Record(STEPS, "end", {"how": "exception", "detail": MARKUP + HOSTILE[4] + "x" * 5000}))
    verdict = Verdict(
        code=501,
        name=MARKUP,
        link="gradient",
        severity="error",
        certainty="certain",
        variables=HOSTILE,
        first_step=1,
        last_step=STEPS,
        resolved=False,
        message=MARKUP + "y" * 5000,
        evidence=(Evidence(MARKUP, 1.0, MARKUP),),
        fix=MARKUP,
    )
    writer.judged(Diagnosis("sick", MARKUP, (verdict,), rules=rule_set_version(), rows=STEPS))
    writer.close()


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile")
    for name, launch in ((RUN, "a1"), (OTHER, "a2")):
        write_hostile(path / name, launch)
    return path


def assert_only_text(page: Page, frame: FrameLocator) -> None:
    """Nothing of the texts became an element or ran, no mark turns text around, and nothing hangs over sideways."""
    assert page.evaluate("window.executed") is None
    expect(frame.locator("img, script[src=x], svg[onload], iframe")).to_have_count(0)
    assert not TURNING & set(frame.locator("body").inner_text())
    assert panel_frame(page).evaluate(WITHIN)


def test_hostile_texts_of_a_run_are_only_text(page: Page, fast: str) -> None:
    """Run list, verdicts, heat map, curves, settings and explanations show them as they are, 1,024 pixels wide."""
    page.set_viewport_size({"width": 1024, "height": 900})
    frame = opened(page, fast, run=f"{RUN}/weightwatch", variable=MARKUP)
    expect(frame.locator(".curve-list .variable-name")).to_have_text(MARKUP)
    expect(frame.locator("nav.run-list")).to_contain_text(RUN)
    panel_frame(page).evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert_only_text(page, frame)
    page.goto("about:blank")
    frame = opened(page, fast, run=f"{RUN}/weightwatch", variable=HOSTILE[7])
    expect(frame.locator(".curve-list .variable-name")).to_contain_text("WWW")
    assert_only_text(page, frame)


def test_hostile_texts_in_table_and_comparison_are_only_text(page: Page, fast: str) -> None:
    """The table of all runs, and two runs compared."""
    page.set_viewport_size({"width": 1024, "height": 900})
    page.goto(f"{fast}/#weightwatch&p.weightwatch.view=runs")
    frame = panel(page)
    expect(frame.locator(".link-table tbody tr")).to_have_count(2, timeout=30_000)
    expect(frame.locator(".link-table")).to_contain_text(RUN)
    assert_only_text(page, frame)
    frame = opened(page, fast, run=f"{RUN}/weightwatch", compare=f"{OTHER}/weightwatch")
    expect(frame.locator(".run-comparison, .comparison").first).to_contain_text(RUN)
    assert_only_text(page, frame)
