"""Whatever experiments do, and however they end, the training is as it was, bit for bit."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.probes import catalogue
from tb_weightwatch.probes.budget import Spending
from tb_weightwatch.probes.state import SavedState

from .programs import BATCHES, CASES, Case, loop_step

EVERYTHING = {"budget": 300.0, "steps": 5000, "verbose": False}


class Bits:
    """The bytes of all variables that a program has now, of `trainable` flags and of random generators."""

    def __init__(self, case: Case) -> None:
        self.variables = case.variables()
        self.saved = self.read()

    def read(self) -> list[bytes]:
        """Returns the present bytes of the same variables."""
        flags = bytes(bool(getattr(variable, "trainable", True)) for variable in self.variables)
        generators = [repr(random.getstate()).encode(), repr(np.random.get_state()[1:]).encode()]
        return [*(np.asarray(variable).tobytes() for variable in self.variables), flags, *generators]

    def assert_unchanged(self) -> None:
        """Compares with the bytes that were saved."""
        different = [i for i, (now, then) in enumerate(zip(self.read(), self.saved, strict=True)) if now != then]
        assert not different, [getattr(self.variables[i], "path", i) for i in different if i < len(self.variables)]


def attributes(case: Case) -> list[set[str]]:
    """Returns the names of the attributes of model and optimizers, among which a hook would be."""
    model = case.arguments.get("model")
    objects = [] if model is None else [model, getattr(model, "optimizer", None), *model._flatten_layers()]
    objects.append(case.arguments.get("optimizer"))
    return [set(vars(item)) for item in objects if item is not None]


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("eager", "schedule")])
def test_all_experiments_leave_the_training_as_it_was(name: str) -> None:
    """All variables keep their bits, no hook is left, and further training is that of one without experiments."""
    case = CASES[name]()
    before, names, settings = Bits(case), attributes(case), _settings(case)
    report = ww.probe(**case.arguments, **EVERYTHING)
    before.assert_unchanged()
    assert _settings(case) == settings
    assert attributes(case) == names
    assert {e.name for e in report.experiments} == set(catalogue())
    assert not [str(e) for e in report.experiments if e.end == "failed"]
    ran = [e.name for e in report.experiments if e.end == "completed"]
    assert bool(ran) is (name != "mirrored"), str(report)
    case.train()
    plain = CASES[name]()
    plain.train()
    assert [np.asarray(v).tobytes() for v in case.variables()] == [np.asarray(v).tobytes() for v in plain.variables()]


def _settings(case: Case) -> list[Any]:
    """Returns what else must be as before: functions and optimizers, whether these are in use, and global settings."""
    model, optimizer = case.arguments.get("model"), case.arguments.get("optimizer")
    used = optimizer if optimizer is not None else getattr(model, "optimizer", None)
    slots = None if used is None else (used.built, len(used.variables))
    eager = tf.config.functions_run_eagerly()
    return [getattr(model, "train_function", None), used, slots, keras.config.dtype_policy().name, eager]


class Fault:
    """Raises an exception at the n-th step of all experiments together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException) -> None:
        self.steps, add_step = 0, Spending.add_step

        def add(spending: Spending) -> None:
            self.steps += 1
            if self.steps == at:
                raise error
            add_step(spending)

        monkeypatch.setattr(Spending, "add_step", add)


@pytest.mark.parametrize("name", catalogue())
def test_an_exception_at_any_step_of_an_experiment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is restored wherever an experiment fails; the report says which one failed, and how.

    Of a long experiment a few steps are tried; WW_EVERY_STEP=1 tries all (some ten minutes).
    """
    case = CASES["eager"]()
    before, names = Bits(case), attributes(case)
    total = ww.probe(**case.arguments, **EVERYTHING, experiments=[name]).steps
    assert total
    few = {1, total // 2}
    for at in range(1, total + 1) if total < 5 or os.environ.get("WW_EVERY_STEP") else sorted(few):
        with monkeypatch.context() as patch:
            Fault(patch, at, MemoryError("no more"))
            report = ww.probe(**case.arguments, **EVERYTHING, experiments=[name])
        before.assert_unchanged()
        assert attributes(case) == names
        assert report[name].end == "failed"
        assert report[name].message == "MemoryError (out of memory) ended it; the state was restored"


def test_ctrl_c_ends_the_experiments(monkeypatch: pytest.MonkeyPatch) -> None:
    """The experiment that runs is said to be interrupted, and later ones are skipped."""
    case = CASES["fit"]()
    before = Bits(case)
    Fault(monkeypatch, 20, KeyboardInterrupt())
    report = ww.probe(**case.arguments, **EVERYTHING)
    before.assert_unchanged()
    ends = [e.end for e in report.experiments]
    assert ends.count("interrupted") == 1 and set(ends[ends.index("interrupted") + 1 :]) <= {"skipped"}


def test_ctrl_c_while_the_state_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal during the restoration waits until all is restored."""
    case = CASES["fit"]()
    before = Bits(case)
    model = case.arguments["model"]
    value = model.variables[0].value
    assign, sent = type(value).assign, []

    def interrupting(self: Any, *arguments: Any, **options: Any) -> Any:
        if not sent and self is value:
            sent.append(True)
            signal.raise_signal(signal.SIGINT)
        return assign(self, *arguments, **options)

    monkeypatch.setattr(type(value), "assign", interrupting)
    with contextlib.suppress(KeyboardInterrupt):
        ww.probe(**case.arguments, **EVERYTHING, experiments=["update-precision"])
    assert sent
    before.assert_unchanged()


class _Counter(keras.layers.Layer):  # type: ignore[misc]
    """Counts its calls in a TensorFlow variable, which Keras does not list."""

    def __init__(self) -> None:
        super().__init__(name="counter")
        self.calls = tf.Variable(0.0)

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1.0)
        return x + 0.01 * keras.random.normal(keras.ops.shape(x))  # by Keras' global generator


def test_variables_that_nobody_lists_are_restored() -> None:
    """A counter in a layer, Keras' global generator, slots of an optimizer that is not passed, and statistics."""
    keras.utils.set_random_seed(1)
    counter = _Counter()
    model = keras.Sequential([keras.Input((6,)), counter, keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(1e-3)

    step = loop_step(model, optimizer)
    step(*BATCHES[0])
    everything = [*model.variables, *optimizer.variables, counter.calls]
    before = [np.asarray(v) for v in everything]
    keras.utils.set_random_seed(1)
    expected = float(keras.random.uniform(()))
    keras.utils.set_random_seed(1)
    ww.probe(step_fn=step, variables=model.trainable_variables, batches=BATCHES, **EVERYTHING)
    assert all((np.asarray(v) == old).all() for v, old in zip(everything, before, strict=True))
    assert float(keras.random.uniform(())) == expected


def test_a_variable_of_a_graph_is_left_out() -> None:
    """Saving a model leaves variables of its graph behind, which have no value outside of it."""
    with tf.Graph().as_default():
        left = tf.Variable(1.0)
    own = tf.Variable(2.0)
    with SavedState([left, own]).restored():
        own.assign(3.0)
    assert float(own) == 2.0
