"""The first screen of a small window, and the explanations, in a real browser on a real TensorBoard."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import Page, Request, expect

from tb_weightwatch.history import Record
from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import opened, panel, panel_frame, serious_faults, shot

SICK, HEALTHY = "sick/weightwatch", "healthy/weightwatch"
PATHS = tuple(
    f"model/encoder/block_{i}/multi_head_attention/query/{kind}:0" for i in range(20) for kind in ("kernel", "bias")
)
pytestmark = needs_chromium


def with_softmax(facts: Callable[..., list[Record]], *variables: Any) -> list[Record]:
    """Returns the records of a classifier: the fix of its NaN has the most lines."""
    loss = {"name": "my_loss", "class": "", "from_logits": None}
    output = {"name": "dense_2", "activation": "softmax", "units": 4}
    return [
        replace(record, data={**record.data, "loss": loss, "output_layer": output})
        if record.kind == "facts"
        else record
        for record in facts(*variables)
    ]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of forty variables with long paths with a softmax whose loss becomes NaN; and a healthy run."""
    logdir = tmp_path_factory.mktemp("words")
    started = time.time() - 5000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic_runs, "facts", partial(with_softmax, synthetic_runs.facts))
        synthetic_runs.write(logdir / "sick", 128, variables=PATHS, nan_from=56, started=started)
    synthetic_runs.write(logdir / "healthy", 128, started=started + 1000)
    return logdir


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_sentence_fix_and_chain_are_on_the_first_screen(page: Page, site: str, dark: bool) -> None:
    """At 1024 x 768 they are visible without scrolling, the sentence in at most two lines, and its numbers below."""
    page.set_viewport_size({"width": 1024, "height": 768})
    frame = opened(page, site, "?darkMode=true" if dark else "", run=SICK)
    sentence = frame.locator("h1#sentence")
    text = sentence.inner_text()
    assert len(text) <= 120 and "multi_head_attention" not in text
    expect(frame.locator(".diagnosis-rest")).to_contain_text(PATHS[0])
    height = panel_frame(page).evaluate("innerHeight")
    for part in (sentence, frame.locator(".diagnosis-card .suggested-fix"), frame.locator("ol.chain-links")):
        box = part.evaluate("(e) => e.getBoundingClientRect().toJSON()")
        assert 0 <= box["top"] < box["bottom"] <= height, (part, box, height)
    lines = sentence.evaluate("(e) => e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight)")
    assert lines < 2.5
    shot(page, f"first-screen-{'dark' if dark else 'light'}")
    assert not serious_faults(page)


def test_names_of_variables_are_short_and_tell_them_apart(page: Page, site: str) -> None:
    """A button of a variable shows the end of its path that no other has, and the whole path as its tooltip."""
    frame = opened(page, site, run=SICK)
    frame.locator("summary", has_text="Explains").click()
    names = frame.locator(".verdict-variable")
    texts, titles = names.all_inner_texts(), names.evaluate_all("(all) => all.map((e) => e.title)")
    assert texts and dict(zip(texts, titles, strict=True)).keys() == set(texts)
    for text, title in zip(texts, titles, strict=True):
        assert title.endswith(text) and [path for path in PATHS if path.endswith(f"/{text}")] == [title]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_explanation_of_a_verdict(page: Page, site: str, dark: bool) -> None:
    """It opens by keyboard, closes by Escape, returns the focus, says where it stands, and is requested once."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/explanation?" in request.url else None)
    frame = opened(page, site, "?darkMode=true" if dark else "", run=SICK)
    button = frame.locator(".status-line").get_by_role("button", name="Explain")
    button.focus()
    page.keyboard.press("Enter")
    dialog = frame.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_have_text("303 nonfinite-loss")
    for heading in ("What it sees", "Why it matters", "When it is a false alarm", "What to try"):
        expect(dialog.get_by_role("heading", name=heading)).to_be_visible()
    expect(dialog).to_contain_text("docs/rules.md#303-nonfinite-loss")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    shot(page, f"explanation-{'dark' if dark else 'light'}")
    assert not serious_faults(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    assert len(asked) == 1


def test_the_explanation_of_checks_and_quantities(page: Page, site: str) -> None:
    """A check that passed, a curve, and the quantity of the heat map open theirs; a click outside closes it."""
    frame = opened(page, site, run=HEALTHY)
    dialog = frame.get_by_role("dialog")
    frame.locator("summary", has_text="checks passed").click()
    frame.locator(".check-rules").get_by_role("button", name="Explain dead-relu").click()
    expect(dialog.get_by_role("heading", level=2)).to_have_text("201 dead-relu")
    page.mouse.click(40, 400)
    expect(dialog).to_have_count(0)
    frame.locator(".section-head").get_by_role("button", name="Explain update ratio").click()
    expect(dialog).to_contain_text("‖w - w_before‖ / ‖w‖")
    expect(dialog).to_contain_text("docs/recording.md#quantities")
    page.keyboard.press("Escape")
    frame.locator(".curve-name").get_by_role("button", name="Explain learning rate").click()
    expect(dialog).to_contain_text("optimizer.learning_rate")


def test_an_explanation_that_cannot_be_loaded(page: Page, fast: str) -> None:
    """The dialog says where else the explanation stands, and asks again the next time."""
    frame = opened(page, fast, run=SICK)
    page.route("**/explanation?*", lambda route: route.fulfill(status=200, body="no JSON"))
    button = frame.locator(".status-line").get_by_role("button", name="Explain")
    button.click()
    dialog = panel(page).get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_have_text(
        'The explanation is not available here; "weightwatch rule 303" prints it.'
    )
    page.unroute("**/explanation?*")
    page.keyboard.press("Escape")
    button.click()
    expect(dialog).to_contain_text("Why it matters")
