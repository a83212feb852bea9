"""Makes the pictures in docs/images from recorded runs, in a real TensorBoard: `python -m demo.screenshots`.

Trains what is to be seen (a minute), then photographs it with Playwright and Chromium (tests/requirements.txt;
WW_CHROMIUM says where the browser is).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser

from tests.support import synthetic_runs
from tests.support.chromium import chromium
from tests.support.tensorboard_process import tensorboard, wait_for_runs

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LAYERS = ("attention/query", "attention/value", "dense_1", "dense_2")
MANY = tuple(f"encoder/block_{i // 8}/{LAYERS[i % 8 // 2]}/{'bias' if i % 2 else 'kernel'}" for i in range(1000))
# name -> selection, dark, width, height, how far to scroll (a CSS selector)
SHOTS: dict[str, tuple[dict[str, str], bool, int, int, str]] = {
    "panel": ({"run": "too-small"}, False, 1280, 1000, ""),
    "dark": ({"run": "too-small"}, True, 1280, 1000, ""),
    "healthy": ({"run": "healthy"}, False, 1280, 1000, ""),
    "healthy-dark": ({"run": "healthy"}, True, 1280, 1000, ""),
    "undecided": ({"run": "just-begun"}, False, 1280, 760, ""),
    "map": ({"run": "healthy"}, False, 1280, 900, "#heatmap-title"),
    "inside": ({"run": "healthy"}, False, 1280, 900, "#variable-maps-title"),
    "compare": ({"run": "healthy", "compare": "too-small"}, False, 1280, 1000, ""),
    "thousand": ({"run": "thousand", "order": "block", "variable": MANY[8]}, True, 1280, 900, "#heatmap-title"),
    "narrow": ({"run": "too-small"}, False, 400, 900, ""),
    "experiment": ({"run": "suspected"}, False, 1280, 1724, ""),
    "experiment-dark": ({"run": "suspected"}, True, 1280, 1724, ""),
}


def train(logdir: Path) -> None:
    """Trains a model with two learning rates, begins a third, experiments on a fourth run, and writes a large one."""
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
    programs.settle_rate(programs.suspected_rate(str(logdir / "suspected"), broken=True))
    synthetic_runs.write(logdir / "thousand", 300, variables=MANY, nan_from=240)


def shoot(browser: Browser, address: str, name: str, target: Path) -> None:
    """Opens the panel as a link does, waits until it stands, and keeps the picture."""
    selection, dark, width, height, scroll = SHOTS[name]
    told = {key: f"{value}/weightwatch" if key in ("run", "compare") else value for key, value in selection.items()}
    fragment = "".join(f"&p.weightwatch.{key}={quote(value, safe='')}" for key, value in told.items())
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(f"{address}/?darkMode={str(dark).lower()}#weightwatch{fragment}")
    frame = page.frame_locator('iframe[src*="name=weightwatch"]')
    frame.locator(".heatmap-plot canvas").first.wait_for(timeout=60_000)
    if "compare" in selection:
        frame.locator(".comparison").wait_for()
    if scroll:
        frame.locator(scroll).wait_for()
        frame.locator(scroll).evaluate("element => element.closest('section').scrollIntoView()")
    page.wait_for_timeout(600)
    page.screenshot(path=target / f"{name}.png")
    context.close()


def main() -> None:
    """Makes all pictures, or those that are named."""
    ask = argparse.ArgumentParser(prog="python -m demo.screenshots", description=__doc__)
    ask.add_argument("names", nargs="*", help=f"some of: {', '.join(SHOTS)} (default: all)")
    ask.add_argument("--logdir", type=Path, help="where the runs are, or go; they are trained if it does not exist")
    ask.add_argument("--target", type=Path, default=IMAGES, help="where the pictures go (default: docs/images)")
    given = ask.parse_args()
    logdir = given.logdir or Path(tempfile.mkdtemp())
    if not logdir.exists() or not any(logdir.iterdir()):
        train(logdir)
    with tensorboard(logdir) as address, chromium() as browser:
        wait_for_runs(address, 5)
        for name in given.names or SHOTS:
            shoot(browser, address, name, given.target)
            print(given.target / f"{name}.png")


if __name__ == "__main__":
    main()
