"""Makes the pictures in docs/images from recorded runs, in a real TensorBoard: `python -m demo.screenshots`.

Trains what is to be seen (a minute), then photographs it with Playwright and Chromium (tests/requirements.txt;
WW_CHROMIUM says where the browser is).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from playwright.sync_api import Browser

from tests.support import synthetic_runs
from tests.support.chromium import chromium
from tests.support.sweep_runs import write_sweep
from tests.support.tensorboard_process import tensorboard, wait_for_runs

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LAYERS = ("attention/query", "attention/value", "dense_1", "dense_2")
MANY = tuple(f"encoder/block_{i // 8}/{LAYERS[i % 8 // 2]}/{'bias' if i % 2 else 'kernel'}" for i in range(1000))


class Shot(NamedTuple):
    """What a picture shows.

    Attributes:
        selection: the panel's part of the address; runs are named without our own directory.
        dark: whether TensorBoard is dark.
        width: in CSS pixels.
        height: in CSS pixels.
        scroll: a CSS selector of what is scrolled to the top.
        many: whether it is of the log directory with 200 runs.
    """

    selection: dict[str, str]
    dark: bool = False
    width: int = 1280
    height: int = 1000
    scroll: str = ""
    many: bool = False


SHOTS = {
    "panel": Shot({"run": "too-small"}),
    "dark": Shot({"run": "too-small"}, dark=True),
    "small-screen": Shot({"run": "too-small"}, width=1024, height=768),
    "healthy": Shot({"run": "healthy"}),
    "healthy-dark": Shot({"run": "healthy"}, dark=True),
    "undecided": Shot({"run": "just-begun"}, height=760),
    "suspects": Shot({"run": "suspected"}, height=1400),
    "not-recorded": Shot({"run": "tensorboard-callback/train"}),
    "map": Shot({"run": "healthy"}, height=900, scroll="#heatmap-title"),
    "inside": Shot({"run": "healthy"}, height=900, scroll="#variable-maps-title"),
    "special-values": Shot({"run": "special-values", "quantity": "gradient_norm"}, scroll="#heatmap-title"),
    "special-values-dark": Shot({"run": "special-values"}, dark=True, scroll="#heatmap-title"),
    "gaps": Shot({"run": "special-values", "from": "190", "to": "330"}, scroll="#heatmap-title"),
    "compare": Shot({"run": "healthy", "compare": "too-small"}),
    "thousand": Shot({"run": "thousand", "order": "block", "variable": MANY[8]}, dark=True, scroll="#heatmap-title"),
    "narrow": Shot({"run": "too-small"}, width=400, height=900),
    "experiment": Shot({"run": "tested"}, height=1724),
    "experiment-dark": Shot({"run": "tested"}, dark=True, height=1724),
    "sweep": Shot({"run": "sweep/trial-000", "view": "runs", "runFilter": "trial"}, many=True),
    "sweep-dark": Shot({"run": "sweep/trial-000", "view": "runs"}, dark=True, width=1024, height=768, many=True),
    "two-hundred-runs": Shot({"run": "sweep/trial-003", "sort": "severity"}, many=True),
}


def train(logdir: Path) -> None:
    """Trains a model with two learning rates, begins a third run, and one whose cause is suspected, then tested.

    Adds a log of Keras' own TensorBoard callback, a large run, and one with zeros, NaN and None.
    """
    import keras
    from sklearn.datasets import load_digits

    import tb_weightwatch as ww

    from . import programs

    x, y = load_digits(return_X_y=True)
    for name, rate, epochs in (("too-small", 1e-10, 5), ("healthy", 1e-3, 5), ("just-begun", 1e-3, 0)):
        keras.utils.set_random_seed(1)
        stack = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(32, activation="relu")]
        model = keras.Sequential([keras.Input((64,)), *stack, keras.layers.Dense(10)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss=loss)
        watch = ww.WeightWatch(str(logdir / name), verbose=False, overhead=None)
        steps = len(x) if epochs else 64  # hardly begun: two batches
        model.fit(x[:steps] / 16, y[:steps], batch_size=32, epochs=max(1, epochs), verbose=0, callbacks=[watch])
    keras.utils.set_random_seed(1)
    other = keras.callbacks.TensorBoard(str(logdir / "tensorboard-callback"), update_freq="batch", histogram_freq=1)
    model.fit(x[:640] / 16, y[:640], batch_size=32, epochs=2, verbose=0, callbacks=[other])
    for name, settled in (("suspected", False), ("tested", True)):
        keras.utils.set_random_seed(1)
        program = programs.suspected_rate(str(logdir / name), broken=True)
        if settled:
            programs.settle_rate(program)
    synthetic_runs.write(logdir / "thousand", 300, variables=MANY, nan_from=240)
    synthetic_runs.write(logdir / "special-values", 392, dense=64, gap=24, change=synthetic_runs.with_special_values)


def run_name(label: str) -> str:
    """Returns TensorBoard's name of a run; a log of Keras' callback has no directory of ours."""
    return label if label.startswith("tensorboard-callback") else f"{label}/weightwatch"


def shoot(browser: Browser, address: str, shot: Shot, picture: Path) -> None:
    """Opens the panel as a link does, waits until it stands, and keeps the picture."""
    selection, dark, width, height, scroll, _ = shot
    runs = {key: run_name(value) for key, value in selection.items() if key in ("run", "compare")}
    fragment = "".join(f"&p.weightwatch.{key}={quote(value, safe='')}" for key, value in (selection | runs).items())
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(f"{address}/?darkMode={str(dark).lower()}#weightwatch{fragment}")
    frame = page.frame_locator('iframe[src*="name=weightwatch"]')
    shown = ".link-table tbody tr" if "view" in selection else ".heatmap-plot canvas"
    frame.locator(shown).first.wait_for(timeout=60_000)
    if "view" in selection:
        frame.locator(".run-table [role=status]").wait_for(state="detached", timeout=60_000)
    if "compare" in selection:
        frame.locator(".comparison").wait_for()
    if scroll:
        frame.locator(scroll).wait_for()
        frame.locator(scroll).evaluate("element => element.closest('section').scrollIntoView()")
    page.wait_for_timeout(600)
    page.screenshot(path=picture)
    context.close()


def main() -> None:
    """Makes all pictures, or those that are named."""
    ask = argparse.ArgumentParser(prog="python -m demo.screenshots", description=__doc__)
    ask.add_argument("names", nargs="*", help=f"some of: {', '.join(SHOTS)} (default: all)")
    ask.add_argument("--logdir", type=Path, help="where the runs are, or go; they are trained if it does not exist")
    ask.add_argument("--target", type=Path, default=IMAGES, help="where the pictures go (default: docs/images)")
    given = ask.parse_args()
    logdir = given.logdir or Path(tempfile.mkdtemp())
    runs, many = logdir / "runs", logdir / "many"
    if not runs.exists():
        train(runs)
        write_sweep(many, 200)
    given.target.mkdir(parents=True, exist_ok=True)
    names = given.names or list(SHOTS)
    for directory, is_many, least in ((runs, False, 8), (many, True, 200)):
        wanted = [name for name in names if SHOTS[name].many == is_many]
        if not wanted:
            continue
        with tensorboard(directory) as address, chromium() as browser:
            wait_for_runs(address, least)
            for name in wanted:
                shoot(browser, address, SHOTS[name], given.target / f"{name}.png")
                print(given.target / f"{name}.png")


if __name__ == "__main__":
    main()
