"""What is idle holds nothing: no thread, no open file, no handler, and no memory of recordings that are gone."""

from __future__ import annotations

import gc
import os
import signal
import tracemalloc
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture import exit_handlers
from tb_weightwatch.writer.sinks import DISK
from tests.support.other_recordings import close_other_recordings
from tests.support.until import until

# By hand: WW_CALLBACKS=10000 WW_FITS=300
CALLBACKS, FITS = int(os.environ.get("WW_CALLBACKS", "1000")), int(os.environ.get("WW_FITS", "4"))
pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="counts threads and files by /proc")


@pytest.fixture(autouse=True)
def no_other_recordings() -> None:
    close_other_recordings()


def held() -> tuple[int, int]:
    """Returns how many threads and open files this process has."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def tiny_fit(logs: Path | str, callback: ww.WeightWatch | None = None) -> ww.WeightWatch:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    watch = callback or ww.WeightWatch(logs, verbose=False)
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=4, verbose=0, callbacks=[watch])
    return watch


def test_callbacks_that_are_kept_hold_nothing(tmp_path: Path) -> None:
    """As in a hyperparameter search that keeps them all: no thread, file, folder or handler for any of them."""
    tiny_fit(tmp_path / "first")
    before, handler = held(), signal.getsignal(signal.SIGTERM)
    kept = [ww.WeightWatch(tmp_path / str(i), verbose=False) for i in range(CALLBACKS)]
    assert held()[1] == before[1] and held()[0] <= before[0] + 1  # the thread that has checked the folders
    assert signal.getsignal(signal.SIGTERM) is handler and not exit_handlers.watched()
    assert os.listdir(tmp_path) == ["first"] and len(kept) == CALLBACKS


def test_callbacks_that_are_gone_leave_no_memory(tmp_path: Path) -> None:
    """What they needed is free again."""
    gone = weakref.ref(ww.WeightWatch(tmp_path, verbose=False))
    gc.collect()
    assert gone() is None
    tracemalloc.start()
    try:
        for _ in range(2):
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(CALLBACKS // 2):
                ww.WeightWatch(tmp_path, verbose=False)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 100 * CALLBACKS
    finally:
        tracemalloc.stop()


def test_after_fit_a_callback_holds_nothing(tmp_path: Path) -> None:
    """Neither threads nor files nor handlers stay, although all callbacks are kept; each recorded its training."""
    tiny_fit(tmp_path / "first")
    handler = signal.getsignal(signal.SIGTERM)
    threads, files = held()
    kept = [tiny_fit(tmp_path / str(i)) for i in range(FITS)]
    until(lambda: held()[1] <= files)
    until(lambda: held()[0] <= threads)
    assert signal.getsignal(signal.SIGTERM) is handler and not exit_handlers.watched()
    for i in range(FITS):
        (history,) = ww.read(tmp_path / str(i))
        assert len(history) == 2 and history.ended is not None
    assert all(len(watch.history) == 2 for watch in kept)


def test_a_further_fit_goes_on_in_the_same_file(tmp_path: Path) -> None:
    """The file that was closed after the first one holds the whole launch."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    for _ in range(3):
        model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=4, verbose=0, callbacks=[watch])
    assert len(list((tmp_path / "weightwatch").iterdir())) == 1
    (history,) = ww.read(tmp_path)
    assert history.steps.tolist() == [1, 2, 3, 4, 5, 6] and history.complete


def test_a_loop_that_is_never_closed_is_written_when_the_next_one_begins(tmp_path: Path) -> None:
    """A Watch that is gone is not kept alive, and nothing of it is lost."""

    def train(logs: Path) -> weakref.ref[ww.Watch]:
        w = tf.Variable([1.0, 2.0])
        watch = ww.Watch(logs, variables=[w], verbose=False)
        for _ in range(3):
            w.assign_sub([0.1, 0.1])
            watch.step(1.0)
        return weakref.ref(watch)

    gone = [train(tmp_path / str(i)) for i in range(3)]
    gc.collect()
    assert [one() for one in gone] == [None] * 3
    assert exit_handlers.watched()  # the last one at least, until another recording begins or the program ends
    ww.WeightWatch(tmp_path / "next", verbose=False)
    assert DISK.wait(20)
    assert not exit_handlers.watched()
    for i in range(3):
        (history,) = ww.read(tmp_path / str(i))
        assert len(history) == 3 and history.ended is not None
