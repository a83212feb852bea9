"""What notebooks show, in a real browser: on light and dark pages, and the panel in the frame of `ww.show`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tb_weightwatch as ww
from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import shot
from tests.support.synthetic_history import synthetic_history
from tests.support.tensorboard_process import wait_for_runs
from tests.support.tested_run import EXPERIMENTS, diagnosis_with_experiments

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium
NOTEBOOKS = {"light": ("#ffffff", "rgb(20, 20, 20)"), "dark": ("#111111", "rgb(225, 225, 225)")}


def shown_pages() -> dict[str, Any]:
    history = synthetic_history(120, learning_rate=1e-10, update_norm=1e-12, loss=1.1)
    return {
        "history": history,
        "diagnosis": ww.diagnose(history),
        "report": ww.ProbeReport(EXPERIMENTS, diagnosis_with_experiments(), 177, 4.1),
    }


@pytest.mark.parametrize("kind", NOTEBOOKS)
def test_text_has_the_colour_of_the_notebook(page: Page, kind: str) -> None:
    """All text, also that of pictures and code, has the colour of the page, and nothing is wider than the page."""
    background, colour = NOTEBOOKS[kind]
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    body = "<hr>".join(shown._repr_html_() for shown in shown_pages().values())
    page.set_viewport_size({"width": 860, "height": 1500})
    page.set_content(f'<body style="background:{background};color:{colour}">{body}</body>')
    shot(page, f"notebook-{kind}")
    colours = page.evaluate(
        """() => [...document.querySelectorAll("div, b, span, pre, li, text")].map(
            (e) => e.tagName === "text" ? getComputedStyle(e).fill : getComputedStyle(e).color)"""
    )
    assert len(colours) > 50
    assert set(colours) == {colour}
    assert page.evaluate("document.documentElement.scrollWidth") <= 860
    assert requests == []


@contextlib.contextmanager
def ended_afterwards() -> Iterator[None]:
    """Ends the processes of TensorBoard that are started inside the block."""
    from tensorboard import manager

    before = {info.pid for info in manager.get_all()}
    try:
        yield
    finally:
        for info in manager.get_all():
            if info.pid not in before:
                os.kill(info.pid, signal.SIGTERM)
                os.waitpid(info.pid, 0)


# TensorBoard's manager leaves the process running, and drops the object that stands for it.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_show_opens_the_panel_with_the_run(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame that IPython gets shows our tab of a real TensorBoard, with the run that was asked for."""
    from playwright.sync_api import expect

    displayed: list[str] = []
    display = types.SimpleNamespace(HTML=str, display=displayed.append)
    shell = types.SimpleNamespace(has_trait=lambda name: True)
    ipython = types.SimpleNamespace(get_ipython=lambda: shell, display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setenv("TENSORBOARD_BINARY", str(Path(sys.executable).with_name("tensorboard")))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # TensorBoard writes there which processes serve what
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, nan_from in (("first", None), ("second", 40), ("third", None)):
        synthetic_runs.write(tmp_path / "logs" / name, 80, nan_from=nan_from)
    with ended_afterwards():
        ww.show(tmp_path / "logs", run="second/weightwatch", height=700)
        (frame,) = displayed
        port = frame.partition("url.port = ")[2].partition(";")[0]
        wait_for_runs(f"http://localhost:{port}", 3)
        page.goto(f"http://localhost:{port}/data/environment")  # the notebook's page is on the same host
        page.set_content(f"<body><h3>A cell</h3>{frame}</body>")
        panel = page.frame_locator("iframe").frame_locator('iframe[src*="name=weightwatch"]')
        expect(panel.locator("h1").first).to_be_visible(timeout=30_000)
        expect(panel.locator("body")).to_contain_text("second")
        shot(page, "notebook-show")
        assert "p.weightwatch.run=second%2Fweightwatch" in page.frames[1].url
        page.goto("about:blank")  # the panel would go on asking a server that has ended
