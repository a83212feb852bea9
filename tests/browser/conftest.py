"""Fixtures of the panel's tests: the browser, a page that fails on errors, and a TensorBoard with each loader.

A module states its runs in a fixture `logs` of the scope module or session: a directory with one folder for each run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.chromium import chromium
from tests.support.tensorboard_process import tensorboard, wait_for_runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which a script error, a refused request or an alert fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 1100})
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def collect(message: ConsoleMessage) -> None:  # TensorBoard looks for its own icons in vain below a path prefix
        if message.type == "error" and ("/plugin" in message.location["url"] or "404" not in message.text):
            faults.append(f"{message.text} {message.location['url']}")

    page.on("console", collect)
    yield page
    context.close()
    assert not faults


@pytest.fixture(scope="module")
def fast(logs: Path) -> Iterator[str]:
    """The address of a TensorBoard with the fast loader, without TensorFlow."""
    with tensorboard(logs, "--load_fast=true", tensorflow=False) as url:
        wait_for_runs(url, len(list(logs.iterdir())))
        yield url


@pytest.fixture(scope="module")
def prefixed(logs: Path) -> Iterator[str]:
    """The address of a TensorBoard with the Python loader, behind a path prefix."""
    with tensorboard(logs, "--load_fast=false", "--path_prefix=/some/prefix") as url:
        wait_for_runs(url, len(list(logs.iterdir())))
        yield url


@pytest.fixture(params=["fast", "prefixed"], ids=["fast", "python"])
def site(request: pytest.FixtureRequest) -> str:
    """The address of a TensorBoard with each of the two loaders; all tests of a module share the processes."""
    address: str = request.getfixturevalue(request.param)
    return address
