"""Wrong calls of public functions: each is one error that says what was expected, what came, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tests.support import loops


class Program:
    """A model that is trained by hand, and what its first step gave."""

    def __init__(self, logs: Path) -> None:
        keras.utils.set_random_seed(3)
        self.logs, self.model, self.optimizer = logs, loops.dense(), keras.optimizers.SGD(0.01)
        self.x, self.y = (part[:32] for part in loops.diabetes())
        with tf.GradientTape() as tape:
            self.p = self.model(self.x, training=True)
            self.loss = loops.squared(self.y, self.p)
        self.variables = self.model.trainable_variables
        self.gradients = tape.gradient(self.loss, self.variables)
        self.pairs = list(zip(self.gradients, self.variables, strict=True))
        self.w = tf.Variable([1.0, 2.0], name="w")
        self.table = tf.Variable(tf.ones([7, 3]), name="table")
        self.losses = [1.0]

    def watch(self, **settings: Any) -> ww.Watch:
        return ww.Watch(self.logs, **{"model": self.model, "optimizer": self.optimizer, "verbose": False, **settings})

    def rows(self, width: int) -> tf.IndexedSlices:
        return tf.IndexedSlices(tf.ones([2, width]), tf.constant([0, 5]))


class Wrong(NamedTuple):
    """A wrong call.

    Attributes:
        call: keyword arguments, or the call itself.
        error: type of the exception.
        expected: what the message says of what belongs there and of what came.
        remedy: what it says to do.
    """

    call: Callable[[Program], Any]
    error: type[Exception]
    expected: str
    remedy: str


STEPS = {
    "loss: a string": Wrong(
        lambda p: {"loss": "0.5"}, TypeError, "must be a number or a tensor of numbers", "got the string '0.5'"
    ),
    "loss: a dict": Wrong(
        lambda p: {"loss": {"accuracy": 0.1, "loss": 2.0}}, TypeError, "keys accuracy, loss", r"logs\['loss'\]"
    ),
    "loss: a list of gradients": Wrong(
        lambda p: {"loss": p.gradients}, ValueError, r"different shapes, \(10, 8\), \(8,\)", "pass their sum"
    ),
    "loss: a list of strings": Wrong(lambda p: {"loss": ["a"]}, TypeError, "a number", "got the string 'a'"),
    "loss: an empty list": Wrong(lambda p: {"loss": []}, ValueError, "a number", "got an empty list"),
    "loss: the predictions": Wrong(
        lambda p: {"loss": p.p, "predictions": p.p}, ValueError, "got the predictions", r"step\(loss, predictions="
    ),
    "loss: a metric": Wrong(lambda p: {"loss": keras.metrics.Mean()}, TypeError, "got a Mean", "the loss of this step"),
    "loss: a function": Wrong(
        lambda p: {"loss": keras.losses.MeanSquaredError()}, TypeError, "got a MeanSquaredError", "that it returned"
    ),
    "loss: text in a tensor": Wrong(lambda p: {"loss": tf.constant("1")}, TypeError, "of numbers", "dtype string"),
    "loss: complex": Wrong(lambda p: {"loss": tf.constant(1j)}, TypeError, "of numbers", "dtype complex128"),
    "loss: bool": Wrong(lambda p: {"loss": np.bool_(True)}, TypeError, "of numbers", "dtype bool"),
    "loss: ragged": Wrong(
        lambda p: {"loss": tf.ragged.constant([[1.0], [2.0, 3.0]])}, TypeError, "of numbers", "got a RaggedTensor"
    ),
    "targets: another length": Wrong(
        lambda p: {"targets": p.y, "predictions": p.p[:16]},
        ValueError,
        r"targets has shape \(32, 1\) and predictions has shape \(16, 1\)",
        "pass both of this batch",
    ),
    "targets: another length in a dict": Wrong(
        lambda p: {"targets": {"a": p.y, "b": p.y}, "predictions": {"a": p.p, "b": p.p[:9]}},
        ValueError,
        r"targets\['b'\] has shape \(32, 1\)",
        "pass both of this batch",
    ),
    "targets: another length in a tuple": Wrong(
        lambda p: {"targets": (p.y, p.y[:4]), "predictions": [p.p, p.p]},
        ValueError,
        r"targets\[1\] has shape \(4, 1\)",
        "pass both of this batch",
    ),
    "targets: a list of another length": Wrong(
        lambda p: {"targets": [0, 1, 1], "predictions": p.p}, ValueError, r"shape \(3,\)", "pass both of this batch"
    ),
    "targets: a name": Wrong(lambda p: {"targets": "y"}, TypeError, "got the string 'y'", "the targets of this batch"),
    "predictions: the model": Wrong(
        lambda p: {"predictions": p.model}, TypeError, "got a Sequential", "what the model returned"
    ),
    "predictions: a function": Wrong(
        lambda p: {"predictions": p.model.predict}, TypeError, "got the function predict", "what the model returned"
    ),
    "inputs: a data set": Wrong(
        lambda p: {"inputs": tf.data.Dataset.range(3)}, TypeError, "got a _RangeDataset", "was called with"
    ),
    "gradients: one tensor": Wrong(
        lambda p: {"gradients": p.gradients[0]}, TypeError, r"got a tensor of shape \(10, 8\)", r"\[gradient\]"
    ),
    "gradients: a dict": Wrong(
        lambda p: {"gradients": {"w": p.gradients[0]}}, TypeError, "a dict with the keys w", r"zip\(gradients.values"
    ),
    "gradients: a string": Wrong(lambda p: {"gradients": "all"}, TypeError, "a list of gradients", "got the string"),
    "gradients: two lists": Wrong(
        lambda p: {"gradients": (p.gradients, p.variables)},
        ValueError,
        "got two lists, of 4 gradients and 4 variables",
        r"list\(zip\(gradients, variables",
    ),
    "gradients: fewer than variables": Wrong(
        lambda p: {"gradients": p.gradients[:3]}, ValueError, "each of the 4 trainable .* got 3", "use zip"
    ),
    "gradients: lists of different lengths": Wrong(
        lambda p: {"gradients": p.gradients[:3], "variables": p.variables[:2]},
        ValueError,
        "got 3 without variables and variables= with 2",
        "use zip",
    ),
    "gradients: another order": Wrong(
        lambda p: {"gradients": p.gradients[::-1]},
        ValueError,
        r"kernel, with shape \(10, 8\), came shape \(1,\)",
        "in the order of their variables",
    ),
    "gradients: another shape": Wrong(
        lambda p: {"gradients": [(tf.transpose(p.gradients[0]), p.variables[0])]},
        ValueError,
        r"with shape \(10, 8\), came shape \(8, 10\)",
        "in the order of their variables",
    ),
    "gradients: a number for a vector": Wrong(
        lambda p: {"gradients": [(0.5, p.w)]}, ValueError, r"for w, with shape \(2,\), came shape \(\)", "the order"
    ),
    "gradients: rows of another width": Wrong(
        lambda p: {"gradients": [(p.rows(4), p.table)]},
        ValueError,
        r"for table, with rows of shape \(3,\), came rows of shape \(4,\)",
        "in the order of their variables",
    ),
    "gradients: swapped pairs": Wrong(
        lambda p: {"gradients": [(v, g) for g, v in p.pairs]},
        ValueError,
        "a pair whose first element is the variable .*kernel",
        r"list\(zip\(gradients, model.trainable_variables",
    ),
    "gradients: swapped pairs of a zip": Wrong(
        lambda p: {"gradients": zip(p.variables, p.gradients, strict=True)}, ValueError, "first element", "pass list"
    ),
    "gradients: text": Wrong(
        lambda p: {"gradients": [("none", p.w)]}, TypeError, "got the string 'none' for the variable w", "one flat list"
    ),
    "gradients: nested": Wrong(
        lambda p: {"gradients": [p.gradients[:1], p.gradients[1:], [], []]}, TypeError, "got a list of 1", "flat list"
    ),
    "variables: one that is no list": Wrong(
        lambda p: {"variables": p.w}, TypeError, "must be a list of Keras or TensorFlow variables", r"\[variable\]"
    ),
    "variables: a model": Wrong(
        lambda p: {"variables": p.model}, TypeError, "got a Sequential", "pass its trainable_variables"
    ),
    "variables: names": Wrong(lambda p: {"variables": ["w"]}, TypeError, "must be Keras", "got the string 'w'"),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_wrong_step_is_an_error_in_the_users_thread(name: str, tmp_path: Path) -> None:
    """The first call raises; nothing of it is recorded, no answer is healthy, and right calls go on afterwards."""
    program, wrong = Program(tmp_path), STEPS[name]
    with program.watch() as watch:
        with pytest.raises(wrong.error, match=f"(?s){wrong.expected}.*{wrong.remedy}"):
            watch.step(**{"loss": program.loss, **wrong.call(program)})
        assert len(watch.history) == 0
        assert watch.diagnosis.status == "undecided"
        for _ in range(2):
            program.optimizer.apply_gradients(program.pairs)
            watch.step(program.loss, targets=program.y, predictions=program.p, gradients=program.pairs)
        assert watch.history.steps.tolist() == [2, 3]
        update = watch.history.column("update_norm")[0, 0]
    assert update == pytest.approx(0.01 * np.linalg.norm(program.gradients[0]), rel=0.01)


def test_a_wrong_step_that_ends_the_training_is_never_healthy(tmp_path: Path) -> None:
    """Steps that were recorded before do not make a training healthy that ended with the error."""
    program = Program(tmp_path)
    with pytest.raises(ValueError, match="came shape"), program.watch() as watch:
        for i in range(12):
            program.optimizer.apply_gradients(program.pairs)
            watch.step(1.0 / (i + 1), gradients=program.pairs if i < 11 else program.gradients[::-1])
    assert watch.diagnosis.status == "sick"
    assert "ValueError" in watch.diagnosis.sentence


def test_a_list_that_grows_from_step_to_step_is_no_loss(tmp_path: Path) -> None:
    """The list in which a program collects its losses is told from a list with the losses of one step."""
    program = Program(tmp_path)
    with program.watch() as watch:
        watch.step(program.losses)
        program.losses.append(0.5)
        with pytest.raises(ValueError, match=r"grown from 1 to 2 .* watch.step\(losses\[-1\]\)"):
            watch.step(program.losses)
        watch.step([1.0, 3.0])
        watch.step([1.0, 3.0, 5.0])
        assert watch.history.loss.tolist() == [1.0, 2.0, 3.0]


def test_nothing_to_watch(tmp_path: Path) -> None:
    """A Watch without a model and variables may get them with its first step, and says so if it does not."""
    w = tf.Variable([1.0])
    for settings in ({}, {"variables": []}, {"optimizer": keras.optimizers.SGD()}):
        watch = ww.Watch(tmp_path, verbose=False, **settings)
        with pytest.raises(ValueError, match=r"neither a model nor variables.*model=model.*variables=\[w, b\]"):
            watch.step(1.0)
        watch.step(1.0, variables=[w])
        watch.step(1.0)
        assert watch.history.steps.tolist() == [2, 3]
        watch.close()
    with ww.Watch(tmp_path, verbose=False) as watch:
        watch.step(1.0, gradients=[(tf.constant([1.0]), w)])
        assert len(watch.history) == 1


RIGHT: dict[str, Callable[[Program], dict[str, Any]]] = {
    "a number": lambda p: {"loss": 1},
    "numpy": lambda p: {"loss": np.float32(1)},
    "a variable": lambda p: {"loss": tf.Variable(1.0)},
    "a Keras variable": lambda p: {"loss": keras.Variable(1.0)},
    "losses of samples": lambda p: {"loss": tf.ones([32])},
    "losses of tokens": lambda p: {"loss": tf.ones([8, 5], tf.bfloat16)},
    "a list of losses": lambda p: {"loss": [1.0, tf.constant(2.0)]},
    "no loss": lambda p: {"loss": None},
    "class ids": lambda p: {"targets": np.zeros(32, "int64"), "predictions": tf.ones([32, 4])},
    "class ids in a list": lambda p: {"targets": [0] * 32, "predictions": tf.ones([32, 4])},
    "tokens in a row": lambda p: {"targets": np.zeros((8, 4), "int32"), "predictions": tf.ones([32, 11])},
    "time before samples, as for CTC": lambda p: {
        "targets": np.zeros((8, 20), "int32"),
        "predictions": tf.ones([100, 8, 30]),
    },
    "labels in a row, as for CTC": lambda p: {"targets": np.zeros(77, "int32"), "predictions": tf.ones([100, 8, 30])},
    "boxes and anchors": lambda p: {"targets": tf.ones([4, 7, 4]), "predictions": tf.ones([4, 900, 5])},
    "one target for all": lambda p: {"targets": tf.ones([1]), "predictions": p.p},
    "a number for all": lambda p: {"targets": 1.0, "predictions": p.p},
    "ragged targets": lambda p: {"targets": tf.ragged.constant([[1.0], [2.0, 3.0]]), "predictions": tf.ones([2, 2])},
    "heads that have no target": lambda p: {"targets": {"a": p.y}, "predictions": {"a": p.p, "b": p.p[:3]}},
    "another structure": lambda p: {"targets": (p.y, p.y[:3]), "predictions": p.p},
    "text": lambda p: {"inputs": np.array(["a", "b"]), "targets": None},
    "pairs": lambda p: {"gradients": p.pairs},
    "a zip": lambda p: {"gradients": zip(p.gradients, p.variables, strict=True)},
    "lists as pairs": lambda p: {"gradients": [list(pair) for pair in p.pairs]},
    "two pairs as lists": lambda p: {"gradients": [list(pair) for pair in p.pairs[:2]]},
    "one for each variable": lambda p: {"gradients": p.gradients},
    "one for each of the given variables": lambda p: {"gradients": [p.w * 1], "variables": [p.w]},
    "None": lambda p: {"gradients": [None, *p.gradients[1:]]},
    "half precision": lambda p: {"gradients": [tf.cast(g, tf.float16) for g in p.gradients]},
    "numpy gradients": lambda p: {"gradients": [g.numpy() for g in p.gradients]},
    "accumulated in variables": lambda p: {"gradients": [(tf.Variable(g, trainable=False), v) for g, v in p.pairs]},
    "rows": lambda p: {"gradients": [(p.rows(3), p.table)]},
    "a number for a scalar": lambda p: {"gradients": [(0.5, tf.Variable(1.0))]},
    "a variable of any length": lambda p: {
        "gradients": [(tf.ones([5, 2]), tf.Variable(tf.ones([5, 2]), shape=[None, 2]))]
    },
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_legal_raises_nothing_and_is_recorded(name: str, tmp_path: Path) -> None:
    """Whatever a supported training hands over passes the checks, and the recorder does not fail on it."""
    program = Program(tmp_path)
    with program.watch() as watch:
        watch.step(**{"loss": program.loss, **RIGHT[name](program)})
        watch.step(program.loss)
        assert watch.history.steps.tolist() == [1, 2]


def test_a_model_that_its_first_step_builds_may_get_bare_gradients(tmp_path: Path) -> None:
    """One gradient for each variable is matched also where the variables were made by that very step."""
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
    x = tf.ones([4, 2])
    with ww.Watch(tmp_path, model, verbose=False) as watch:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.function(model)(x))
        watch.step(loss, gradients=tape.gradient(loss, model.trainable_variables))
        assert watch.history.known("gradient_norm").all()


def history_of(p: Program) -> ww.History:
    with p.watch() as watch:
        watch.step(p.loss, gradients=p.pairs)
    return watch.history


CALLS = {
    "Watch: no folder": Wrong(lambda p: ww.Watch(None), TypeError, "logdir must be the folder .* got None", "logs/run"),
    "Watch: an empty folder": Wrong(lambda p: ww.Watch(""), ValueError, "an empty string", "the current folder"),
    "Watch: a model class": Wrong(
        lambda p: p.watch(model=keras.Sequential), TypeError, "got the class Sequential", r"make one: Sequential\("
    ),
    "Watch: an optimizer as model": Wrong(
        lambda p: p.watch(model=p.optimizer), TypeError, "model must be a Keras model", "the model comes first"
    ),
    "Watch: models in a dict": Wrong(
        lambda p: p.watch(model={"g": p.model}), TypeError, "a dict with the keys g", r"list\(models.values"
    ),
    "Watch: an optimizer class": Wrong(
        lambda p: p.watch(optimizer=keras.optimizers.Adam),
        TypeError,
        "optimizer must be an optimizer or a list of them, got the class Adam",
        r"make one: Adam\(",
    ),
    "Watch: an optimizer class in a list": Wrong(
        lambda p: p.watch(optimizer=[p.optimizer, keras.optimizers.SGD]), TypeError, "the class SGD", "make one"
    ),
    "Watch: the name of an optimizer": Wrong(
        lambda p: p.watch(optimizer="adam"), TypeError, "got the string 'adam'", r"keras.optimizers.get\(name\)"
    ),
    "Watch: model and optimizer swapped": Wrong(
        lambda p: p.watch(model=None, optimizer=p.model), TypeError, "got a Sequential", "the model comes first"
    ),
    "Watch: a schedule": Wrong(
        lambda p: p.watch(optimizer=keras.optimizers.schedules.CosineDecay(0.1, 9)),
        TypeError,
        "got a CosineDecay",
        "apply_gradients",
    ),
    "Watch: a learning rate": Wrong(lambda p: p.watch(optimizer=0.1), TypeError, "got 0.1", "apply_gradients"),
    "Watch: variables are arrays": Wrong(
        lambda p: p.watch(variables=[np.zeros(3)]), TypeError, "must be Keras", r"a numpy array of shape \(3,\)"
    ),
    "Watch: variables in a dict": Wrong(
        lambda p: p.watch(variables={"w": p.w}), TypeError, "a dict with the keys w", r"variables.values\(\)"
    ),
    "Watch: when to probe": Wrong(
        lambda p: p.watch().probe(when="later"), ValueError, '"on-verdict" or "now"', "got the string 'later'"
    ),
    "WeightWatch: no folder": Wrong(
        lambda p: ww.WeightWatch(None), TypeError, "logdir must be the folder .* got None", "logs/run-1"
    ),
    "WeightWatch: a model": Wrong(
        lambda p: ww.WeightWatch(p.model), TypeError, "logdir must be the folder .* got a Sequential", "logs/run-1"
    ),
    "probe=: True": Wrong(lambda p: ww.WeightWatch(p.logs, probe=True), ValueError, 'must be "on-verdict"', "got True"),
    "probe=: another word": Wrong(
        lambda p: ww.WeightWatch(p.logs, probe="on_verdict"), ValueError, "None to run no", "got the string"
    ),
    "overhead=: percent": Wrong(
        lambda p: ww.WeightWatch(p.logs, overhead=2), ValueError, "between 0 and 1", "0.02 is 2 %.* got 2"
    ),
    "overhead=: zero": Wrong(lambda p: p.watch(overhead=0), ValueError, "between 0 and 1", "None for no limit"),
    "overhead=: text": Wrong(lambda p: p.watch(overhead="2%"), TypeError, "between 0 and 1", "got '2%'"),
    "overhead=: True": Wrong(lambda p: p.watch(overhead=True), TypeError, "between 0 and 1", "got True"),
    "tensors=: a number": Wrong(lambda p: p.watch(tensors=3), TypeError, "names of variables", "got int"),
    "tensors=: a step in words": Wrong(
        lambda p: p.watch(tensors={"*": "first"}), ValueError, r"steps of tensors\['\*'\] must be", "got 'first'"
    ),
    "tensors=: a step of 1.5": Wrong(lambda p: p.watch(tensors={"*": 1.5}), ValueError, "integers from 1", "got 1.5"),
    "rules=: a list": Wrong(
        lambda p: p.watch(rules=["dead-relu"]), TypeError, "rules must map names or codes", "502: False.*got list"
    ),
    "rules=: an unknown name": Wrong(
        lambda p: ww.WeightWatch(p.logs, rules={"dead-rleu": False}), ValueError, "no rule 'dead-rleu'", "'dead-relu'"
    ),
    "rules=: an unknown code": Wrong(
        lambda p: p.watch(rules={599: False}), ValueError, "no rule 599", r"did you mean 601 \('"
    ),
    "rules=: name and code": Wrong(
        lambda p: p.watch(rules={501: False, "learning-rate-zero": False}), ValueError, "twice", "its code 501"
    ),
    "rules=: an unknown threshold": Wrong(
        lambda p: p.watch(rules={"dead-relu": {"shar": 0.5}}), ValueError, "no threshold 'shar'", "share"
    ),
    "rules=: None for a rule": Wrong(
        lambda p: p.watch(rules={502: None}), ValueError, "a dict of thresholds, or False", "got None"
    ),
    "diagnose: a path": Wrong(
        lambda p: ww.diagnose(str(p.logs)), TypeError, "takes a History, got a path", r"ww.diagnose\(ww.read\('"
    ),
    "diagnose: a Path": Wrong(lambda p: ww.diagnose(p.logs), TypeError, "got a path", r"ww.read\('"),
    "diagnose: what read returns": Wrong(
        lambda p: ww.diagnose([ww.History("a")]), TypeError, "a list with 1 of them", r"ww.diagnose\(histories\[-1\]\)"
    ),
    "diagnose: a Watch": Wrong(lambda p: ww.diagnose(p.watch()), TypeError, "got Watch", "read its .diagnosis"),
    "diagnose: what fit returns": Wrong(
        lambda p: ww.diagnose(keras.callbacks.History()), TypeError, "watch.history", r"got keras.*\.History"
    ),
    "diagnose: rules": Wrong(
        lambda p: ww.diagnose(ww.History("a"), {"dead-rleu": False}), ValueError, "no rule", "did you mean 'dead-relu'"
    ),
    "read: None": Wrong(lambda p: ww.read(None), TypeError, "logdir must be a path", "got NoneType"),
    "read: a History": Wrong(lambda p: ww.read(ww.History("a")), TypeError, "logdir must be a path", "got History"),
    "read: no such folder": Wrong(lambda p: ww.read(p.logs / "no"), FileNotFoundError, "no log directory", "no'"),
    "maps: a wrong kind": Wrong(
        lambda p: history_of(p).maps("gradient_hist"), ValueError, "kind 'gradient_hist'", "'gradient_histogram'"
    ),
    "maps: a wrong variable": Wrong(
        lambda p: history_of(p).maps(variable="sequential/dense/kernl"), ValueError, "no variable", "did you mean"
    ),
    "column: a wrong name": Wrong(
        lambda p: history_of(p).column("gradient_nrom"), KeyError, "'gradient_nrom'", "'gradient_norm'"
    ),
    "columns: a wrong axis": Wrong(lambda p: history_of(p).columns("layers"), ValueError, "axis must", "got 'layers'"),
    "to_pandas: a wrong axis": Wrong(lambda p: history_of(p).to_pandas("x"), ValueError, "axis must be", "got 'x'"),
    "a name that ww has not": Wrong(lambda p: ww.WeigthWatch, AttributeError, "'WeigthWatch'", "'WeightWatch'"),
    "summary: no folder": Wrong(
        lambda p: ww.summary.create_file_writer(None), TypeError, "logdir must be the folder .* got None", "logs/run-1"
    ),
    "summary: rules": Wrong(
        lambda p: ww.summary.create_file_writer(p.logs, rules={599: False}), ValueError, "no rule 599", "did you mean"
    ),
    "summary: a path as writer": Wrong(
        lambda p: ww.summary.update(1, {}, writer=str(p.logs)), TypeError, "create_file_writer", "got str"
    ),
    "probe: the name of an experiment alone": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, experiments="gradient-check"),
        TypeError,
        "must be a list of names",
        r"\['gradient-check'\]",
    ),
    "probe: no such experiment": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, experiments=["gradient-chek"]), ValueError, "no experiment", "did you"
    ),
    "probe: a Watch as diagnosis": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, diagnosis=p.watch()), TypeError, "must be a Diagnosis", "its .diagnosis"
    ),
    "probe: a step that was made": Wrong(
        lambda p: ww.probe(step_fn=p.loss, batches=[p.x]), TypeError, "a function that makes one training step", "got"
    ),
    "probe: an optimizer class": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, loss="mse", optimizer=keras.optimizers.Adam),
        TypeError,
        "got the class Adam",
        r"Adam\(",
    ),
    "probe: a loss class": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, loss=keras.losses.Huber, optimizer=p.optimizer),
        TypeError,
        "got the class Huber",
        r"Huber\(",
    ),
    "probe: seconds in words": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, budget="30"), TypeError, "budget must be a positive number", "got"
    ),
    "probe: no steps": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, steps=0), ValueError, "steps must be positive", "got 0"
    ),
    "probe: batches of no samples": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, batch_size=0), ValueError, "batch_size must be 1 or more", "got 0"
    ),
    "probe: half a step": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, steps=0.5), ValueError, "steps must be a positive whole number", "got 0.5"
    ),
    "probe: endless steps": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, steps=float("inf")), ValueError, "a positive whole number", "got inf"
    ),
    "probe: several budgets": Wrong(
        lambda p: ww.probe(p.model, p.x, p.y, budget=np.ones(2)), TypeError, "budget must be a positive number", "array"
    ),
    "preflight: a model class": Wrong(
        lambda p: ww.preflight(keras.Model, p.x, p.y), TypeError, "must be a keras.Model", "the class Model"
    ),
    "preflight: a loss class": Wrong(
        lambda p: ww.preflight(p.model, p.x, p.y, loss=keras.losses.Huber), TypeError, "the class Huber", "make one"
    ),
    "preflight: no data": Wrong(
        lambda p: ww.preflight(p.model, None), TypeError, "x must be arrays", "got None"
    ),
    "preflight: rules": Wrong(
        lambda p: ww.preflight(p.model, p.x, p.y, rules={"dead-rleu": False}), ValueError, "no rule", "'dead-relu'"
    ),
    "assert_learns: an optimizer's name": Wrong(
        lambda p: ww.assert_learns(p.model, p.x, p.y, loss="mse", optimizer="adam"), TypeError, "got the string", "pass"
    ),
    "assert_learns: no budget": Wrong(
        lambda p: ww.assert_learns(p.model, p.x, p.y, budget=0), ValueError, "budget must be positive", "got 0"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_says_what_is_wrong(name: str, tmp_path: Path) -> None:
    """The error says what was expected, what came, and what to do."""
    wrong = CALLS[name]
    with pytest.raises(wrong.error) as raised:
        wrong.call(Program(tmp_path))
    assert re.search(f"(?s){wrong.expected}.*{wrong.remedy}", str(raised.value)), str(raised.value)


def test_rules_are_muted_and_set_by_code(tmp_path: Path) -> None:
    """Codes, as numbers or in text, are recorded under the names of their rules."""
    program = Program(tmp_path)
    with program.watch(rules={502: False, "501": {"rows": 10}, "dead-relu": False}) as watch:
        watch.step(1.0)
    expected = {"learning-rate-too-small": False, "learning-rate-zero": {"rows": 10}, "dead-relu": False}
    assert watch.history.config["rules"] == expected
    muted = ww.diagnose(watch.history, {502: False})
    assert "learning-rate-too-small" not in [*muted.passed, *(u.rule for u in muted.unknown)]


def test_maps_of_a_variable_that_has_none(tmp_path: Path) -> None:
    """A variable that is described has no maps before step 64; that is no mistake of the call."""
    history = history_of(Program(tmp_path))
    assert history.maps("update_map", history.variables[0].name) == []
