"""The chain in a real browser on a real TensorBoard: what works, what does not, what was not recorded; the equation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import FrameLocator, Page, expect

from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import ROOT, opened, serious_faults, shot

pytestmark = needs_chromium

# "forgotten": the optimizer gets the variables of the last layer only. "loop": a healthy run whose data are not seen.
TRAIN = """
import sys, numpy as np, keras, tensorflow as tf, tb_weightwatch as ww
x = np.random.default_rng(0).normal(size=(1280, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]
for name, given in (("forgotten", slice(4, None)), ("loop", slice(None))):
    keras.utils.set_random_seed(1)
    hidden = [keras.layers.Dense(16, "relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((8,)), *hidden, keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables[given])
    with ww.Watch(f"{sys.argv[1]}/{name}", model=model, optimizer=optimizer, verbose=False, overhead=None) as watch:
        for step in range(208):
            batch = np.arange(32 * step, 32 * step + 32) % len(x)
            with tf.GradientTape() as tape:
                output = x[batch]
                for layer in model.layers:  # the model itself is not called, so nobody sees the data
                    output = layer(output)
                loss = tf.reduce_mean((output - y[batch]) ** 2)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients[given], model.trainable_variables[given]))
            watch.step(loss, gradients=list(zip(gradients, model.trainable_variables)))
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two trained loops, a healthy run with its data, and one that becomes NaN."""
    logdir = tmp_path_factory.mktemp("chain")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run([sys.executable, "-c", TRAIN, str(logdir)], cwd=ROOT, env=environment, check=True, timeout=200)
    synthetic_runs.write(logdir / "healthy", 200)
    synthetic_runs.write(logdir / "nan", 200, nan_from=120)
    return logdir


def link(frame: FrameLocator, title: str) -> dict[str, str]:
    """Returns what one link of the chain shows: its state as class, the words, the number, and the icon's shape."""
    item = frame.locator(f".chain-link:has(.chain-link-title:text-is('{title}'))")
    parts = {name: item.locator(f".chain-link-{name}").inner_text() for name in ("state", "number", "meaning")}
    shapes = item.locator(".status-icon path").evaluate_all("all => all.map((path) => path.getAttribute('d')).join()")
    return {**parts, "class": item.get_attribute("class") or "", "shape": shapes}


def numbers(frame: FrameLocator) -> dict[str, float]:
    """Returns the numbers below the terms of the equation."""
    terms = frame.locator(".equation-term:has(.equation-number:not(:empty))")
    shown = {
        term.locator("var").first.inner_text(): term.locator(".equation-number").inner_text() for term in terms.all()
    }
    name, _, update = frame.locator(".equation-brace").inner_text().partition(" ")
    return {key: float(text) for key, text in {**shown, name: update}.items()}


def test_links_after_variables_that_cannot_move_do_not_work(page: Page, fast: str) -> None:
    """Four of six variables are not in the optimizer's list: update and weight say so, and no tick is green there."""
    frame = opened(page, fast, run="forgotten/weightwatch")
    expect(frame.locator(".chain-link.first")).to_contain_text("Optimizer")
    expect(frame.locator(".chain-link.first")).to_contain_text("breaks here")
    for title in ("Update", "Weight"):
        shown = link(frame, title)
        assert (shown["state"], shown["number"]) == ("affected", "4 of 6"), shown
        assert shown["meaning"] == "variables do not move"
    expect(frame.locator(".chain-link.broken .status-icon.ok, .chain-link.affected .status-icon.ok")).to_have_count(0)
    shown = numbers(frame)
    assert shown["update"] == pytest.approx(shown["lr"] * shown["gradient"], rel=0.02)
    expect(frame.locator(".equation-caption").first).to_contain_text("2 variables in the optimizer's list")
    shot(page, "chain-forgotten")


def test_the_equation_multiplies_and_says_itself_in_words(page: Page, fast: str) -> None:
    """Learning rate times norm of the gradient is the norm of the update that is shown."""
    frame = opened(page, fast, run="loop/weightwatch")
    shown = numbers(frame)
    assert set(shown) == {"lr", "gradient", "update"}
    assert shown["update"] == pytest.approx(shown["lr"] * shown["gradient"], rel=0.02)
    words = "new weight equals old weight minus learning rate times gradient"
    expect(frame.get_by_role("math", name=words)).to_be_visible()
    frame = opened(page, fast, run="healthy/weightwatch")
    expect(frame.locator(".equation-fraction")).to_have_count(1)  # Adam's own rule
    expect(frame.locator(".equation-fraction")).to_contain_text("√v̂ + ε")


def test_what_was_not_recorded_has_a_look_of_its_own(page: Page, fast: str) -> None:
    """The data of a loop that does not pass them are neither green nor red; the link says what to pass."""
    frame = opened(page, fast, run="loop/weightwatch")
    data, loss = link(frame, "Data"), link(frame, "Loss")
    assert (data["state"], data["number"], loss["state"]) == ("not recorded", "–", "works")
    assert "unknown" in data["class"] and data["shape"] != loss["shape"]
    frame.locator(".chain-link button").first.click()
    expect(frame.locator(".chain-text")).to_contain_text("pass inputs=x and targets=y to watch.step")
    expect(frame.locator(".link-checks")).to_contain_text("102 unscaled input")
    shot(page, "chain-not-recorded")


def test_outputs_that_are_not_finite_are_on_the_chain(page: Page, fast: str) -> None:
    """Activations do not "work" with 0 % of dead units where outputs are NaN; every state has its own icon."""
    frame = opened(page, fast, run="nan/weightwatch")
    shown = link(frame, "Activations")
    assert (shown["state"], shown["number"]) == ("shows it too", "30"), shown
    shapes = {link(frame, t)["class"]: link(frame, t)["shape"] for t in ("Data", "Activations", "Loss", "Optimizer")}
    assert len(set(shapes.values())) == len(shapes) == 4, shapes
    shot(page, "chain-nan")


def test_a_healthy_link_names_the_checks_that_passed_and_leads_to_them(page: Page, fast: str) -> None:
    """A click on a check opens the list of checks and scrolls to it; the keyboard does the same."""
    page.set_viewport_size({"width": 1280, "height": 500})
    frame = opened(page, fast, run="healthy/weightwatch")
    expect(frame.locator(".link-checks")).to_have_count(0)
    frame.locator(".chain-link button", has_text="Activations").click()
    checks = frame.locator(".link-checks")
    expect(checks).to_contain_text("Passed")
    expect(checks.get_by_role("button")).to_have_count(4)
    row = frame.locator(".check-rules li", has_text="dead-relu")
    expect(row).to_be_hidden()
    checks.get_by_role("button", name="201 dead relu").focus()
    page.keyboard.press("Enter")
    expect(row).to_be_in_viewport()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chain_can_be_read_by_everyone_in_a_narrow_window(page: Page, fast: str, theme: str) -> None:
    """At 1024 pixels all seven links stand in one row, nothing runs out of a link, and axe-core finds no fault."""
    page.set_viewport_size({"width": 1024, "height": 768})
    for run in ("forgotten", "healthy", "nan"):
        frame = opened(page, fast, f"?darkMode={str(theme == 'dark').lower()}", run=f"{run}/weightwatch")
        frame.locator(".chain-link button").first.click()
        boxes = frame.locator(".chain-link button").evaluate_all(
            "all => all.map((b) => [b.getBoundingClientRect().top, b.scrollWidth <= b.clientWidth])"
        )
        assert len(boxes) == 7 and len({top for top, _ in boxes}) == 1
        assert all(fits for _, fits in boxes), run
        assert serious_faults(page) == []
        frame.locator("section.chain").evaluate("section => section.scrollIntoView()")
        shot(page, f"chain-{run}-{theme}")
