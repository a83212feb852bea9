"""Settings that every test shares, and the tiers: a test's folder is its marker (`pytest -m unit`)."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TB_WEIGHTWATCH_STRICT", "1")  # an exception of the recorder fails the test

HERE = Path(__file__).parent
TIERS = ("unit", "rules", "training", "probes", "tensorboard", "browser", "clinic", "harm", "remote")


def tier_of(path: Path) -> str:
    """Returns the folder below `tests` in which a file lies; "" for a file elsewhere."""
    parts = path.relative_to(HERE).parts if path.is_relative_to(HERE) else ()
    return parts[0] if parts and parts[0] in TIERS else ""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skips the folders of other tiers where one tier is asked for, so that `-m unit` imports no TensorFlow."""
    wanted = config.getoption("markexpr")
    other = wanted in TIERS and tier_of(collection_path) not in ("", wanted)
    return True if other else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with its tier."""
    for item in items:
        tier = tier_of(item.path)
        if tier:
            item.add_marker(tier)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Sets aside what a test file leaves, of which TensorFlow keeps much: each garbage collection would look at it."""
    yield  # only afterwards the fixtures of the file's last test are gone
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run of the unit tests in which TensorFlow was imported."""
    if session.config.getoption("markexpr") == "unit" and {"tensorflow", "keras"} & set(sys.modules):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nunit tests must not import TensorFlow or Keras, but they were imported", file=sys.stderr)
