"""Makes a picture of the panel for both examples of each rule, for the documentation: `python -m demo.rule_pictures`.

Trains the examples (some minutes) and photographs them in a real TensorBoard, as demo/screenshots.py does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from tb_weightwatch.diagnosis import KINDS, PREAMBLE, catalogue, example
from tests.support.chromium import chromium
from tests.support.tensorboard_process import tensorboard, wait_for_runs

from .screenshots import IMAGES, Shot, shoot


@contextlib.contextmanager
def working_directory(folder: Path) -> Iterator[None]:
    """Works in a folder inside the block (`contextlib.chdir` needs Python 3.11)."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def train(logdir: Path, names: list[str]) -> list[str]:
    """Runs the examples of these rules, each in a folder of its own below `logdir`; returns the names of the runs."""
    runs = []
    for name in names:
        for heading in KINDS:
            kind = heading.partition(" ")[0].lower()
            folder = logdir / f"{name}-{kind}"
            folder.mkdir(parents=True)
            code = f"{PREAMBLE}\n{example(catalogue()[name], heading)}"
            with working_directory(folder), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the sick ones make TensorFlow, Keras and NumPy warn
                exec(compile(code, f"{name}-{kind}", "exec"), {})
            if any(folder.glob("logs/weightwatch/*")):
                runs.append(folder.name)
    return runs


def main() -> None:
    """Makes the pictures of all rules, or of those that are named."""
    ask = argparse.ArgumentParser(prog="python -m demo.rule_pictures", description=__doc__)
    ask.add_argument("names", nargs="*", help="names of rules (default: all)")
    ask.add_argument("--target", type=Path, default=IMAGES / "rules", help="where the pictures go")
    given = ask.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logdir = Path(tempfile.mkdtemp())
    target = given.target.resolve()
    target.mkdir(parents=True, exist_ok=True)
    runs = train(logdir, given.names or list(catalogue()))
    with tensorboard(logdir) as address, chromium() as browser:
        wait_for_runs(address, len(runs))
        for run in runs:
            shoot(browser, address, Shot({"run": f"{run}/logs"}, width=1100, height=640), target / f"{run}.png")
            print(target / f"{run}.png")


if __name__ == "__main__":
    main()
