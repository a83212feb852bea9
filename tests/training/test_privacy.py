"""What leaves the training machine: all bytes of an event file are searched for data, paths, environment and source."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch import reader
from tests.support.event_files import event_file, framed_records

MARK = "XyZzY"  # of everything that must not leave
HIDDEN = "data vocabulary environment folder argument source comment local message document"
SECRETS = tuple(MARK + name for name in HIDDEN.split())
KNOWN = ("embedding/embeddings", "learning_rate", "ValueError", "StringLookup", socket.gethostname())
RUNS = ("numbers", "words")
NUMBER = 31415.9265  # in the data, neither the smallest nor the largest of a batch
PROGRAM = f'''
"""{MARK}document"""
import keras
import numpy as np
import tb_weightwatch as ww
import tensorflow as tf

# {MARK}comment
local = "{MARK}local"
words = np.array([["{MARK}data"], ["{MARK}vocabulary"]] * 32, dtype=object)


def loss(y_true, y_pred):
    keras.ops.shape("{MARK}source" and y_pred)
    return keras.losses.mean_squared_error(y_true, y_pred)


class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 6:
            raise ValueError("{MARK}message of " + local + " in " + __file__)


rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
x[::8, 0], x[4::8, 0] = 7e6, {NUMBER}
numbers = keras.Input((4,))
scaled = keras.layers.Lambda(lambda t: t if "{MARK}source" else t)(numbers)
hidden = keras.layers.Dense(3, activation="relu")(scaled)
model = keras.Model(numbers, keras.layers.Dense(1)(hidden), name="plain")
model.compile(keras.optimizers.SGD(1e-9), loss=loss)
watch = ww.WeightWatch("{MARK}folder/numbers", verbose=False)
model.fit(x, x[:, 1:2], batch_size=8, verbose=0, shuffle=False, callbacks=[watch])

text = keras.Input((1,), dtype="string")
lookup = keras.layers.StringLookup(vocabulary=["{MARK}data", "{MARK}vocabulary"])
model = keras.Sequential([text, lookup, keras.layers.Embedding(4, 3), keras.layers.Flatten(), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1e-9), loss=loss)
data = tf.data.Dataset.from_tensor_slices((words.astype(str), np.ones((64, 1), "float32"))).batch(8)
watch = ww.WeightWatch("{MARK}folder/words", verbose=False)
model.fit(data, verbose=0, epochs=2, shuffle=False, callbacks=[watch, Stop()])
'''


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log directory of two trainings with secrets all around them; the second one ends with an exception."""
    folder = tmp_path_factory.mktemp(f"{MARK}folder")
    (folder / "train.py").write_text(PROGRAM)
    environment = {**os.environ, "WW_TEST_SECRET": f"{MARK}environment", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "train.py", f"--token={MARK}argument"]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert f"ValueError: {MARK}message of {MARK}local" in ended.stderr
    return folder / f"{MARK}folder"


def searched(run: Path) -> list[bytes]:
    """Returns everything that an event file holds: its records, and what is compressed in them."""
    found = [event_file(run).name.encode()]
    for record in framed_records(event_file(run)):
        found.append(record)
        for start in range(len(record)):
            if record[start : start + 1] == b"\x78":  # zlib
                try:
                    found.append(zlib.decompressobj().decompress(record[start:], 1 << 24))
                except zlib.error:
                    continue
    return found


def forms(secret: str) -> list[bytes]:
    """Returns a text as it may be hidden: encoded, or as base64 at any offset."""
    plain = secret.encode()
    shifted = [base64.b64encode(bytes(shift) + plain)[4 if shift else 0 : -4] for shift in range(3)]
    return [plain, secret.encode("utf-16-le"), plain.hex().encode(), *shifted]


def test_no_data_path_environment_or_source_leaves(logdir: Path) -> None:
    """None of the marks is in the files, compressed or encoded; the search finds what is known to be there."""
    found = [blob for run in RUNS for blob in searched(logdir / run)]
    held = {text for text in (*SECRETS, *KNOWN) if any(form in blob for blob in found for form in forms(text))}
    assert held == set(KNOWN)
    assert not any(MARK.encode() in blob for blob in found)


def test_a_number_of_the_data_that_is_no_extreme_does_not_leave(logdir: Path) -> None:
    """Of a batch the largest input, the largest and the smallest target are recorded, and no other number of it."""
    (launch,) = reader.launches(logdir / "numbers")
    history = launch.history
    assert np.allclose(history.column("input_max"), 7e6, rtol=0.01)
    for name in history.columns():
        values = np.asarray(history.column(name), float)[np.asarray(history.known(name))]
        assert not np.any(np.isclose(np.abs(values), NUMBER, rtol=0.005)), name
    assert "31415" not in json.dumps([record.data for record in history.records], default=str)


def test_the_end_has_the_type_of_the_exception_only(logdir: Path) -> None:
    """Type, meaning and step are recorded; message, file and line are not."""
    (launch,) = reader.launches(logdir / "words")
    ended: Any = launch.history.ended
    assert (ended.data["how"], ended.data["detail"]) == ("exception", "ValueError")
    assert set(ended.data) == {"how", "detail", "meaning", "after"}
