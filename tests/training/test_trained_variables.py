"""Loops in which what is watched is not what is trained, and healthy loops that resemble them."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.loop import made_anew
from tests.support.rule_runs import first_name

quiet = functools.partial(ww.Watch, verbose=False, overhead=None)
NAMES = ("W1", "b1", "W2", "b2")
STEPS = 30
Call = tuple[Any, list[Any], list[Any]]  # loss, gradients, variables


def data(step: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(step).normal(size=(32, 6)).astype("float32")
    return x, x[:, :1] - x[:, 1:2]


def arrays() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    shapes = ((6, 16), (16,), (16, 1), (1,))
    return [random.normal(size=s).astype("float32") * 0.4 if len(s) > 1 else np.zeros(s, "float32") for s in shapes]


def variables() -> list[tf.Variable]:
    return [tf.Variable(value, name=name) for name, value in zip(NAMES, arrays(), strict=True)]


def net() -> keras.Model:
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(1)])


def gradients_of(predict: Callable[[Any], Any], trained: list[Any], x: Any, y: Any) -> Call:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(predict(x) - y))
    return loss, tape.gradient(loss, trained), trained


def of_variables(v: list[Any], step: int) -> Call:
    return gradients_of(lambda x: tf.tanh(x @ v[0] + v[1]) @ v[2] + v[3], v, *data(step))


def of_model(model: Any, step: int) -> Call:
    return gradients_of(lambda x: model(x, training=True), model.trainable_variables, *data(step))


def report(watch: ww.Watch, call: Call, *, pairs: bool) -> None:
    loss, gradients, trained = call
    watch.step(loss, gradients=list(zip(gradients, trained, strict=True))) if pairs else watch.step(loss)


def descend(call: Call, rate: float = 0.05) -> None:
    for gradient, variable in zip(call[1], call[2], strict=True):
        variable.assign_sub(rate * gradient)


class AssignsNothing(keras.optimizers.SGD):
    """Computes the new value and does not store it."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        _ = variable - learning_rate * gradient


class Assigns(keras.optimizers.SGD):
    """An update rule of one's own that works."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self.assign_sub(variable, learning_rate * gradient)


@pytest.mark.parametrize("rule", ["descent", "adam"])
def test_variables_made_from_the_same_arrays_in_each_step_do_not_widen_the_history(tmp_path: Path, rule: str) -> None:
    """200 steps with new variables: the V axis keeps its width, and the verdict says that nothing is continued."""
    v = variables()
    with quiet(tmp_path, variables=v) as watch:
        for step in range(200):
            v = variables()
            call = of_variables(v, step)
            if rule == "descent":
                descend(call)
            else:
                keras.optimizers.Adam(0.01).apply_gradients(zip(*call[1:], strict=True))
            report(watch, call, pairs=True)
            del call
    verdict = watch.diagnosis.verdicts[0]
    assert len(watch.history.variables) == 4 and len(watch._targets.variables) == len(watch._targets.own.variables) == 4
    assert (verdict.name, verdict.certainty, verdict.first_step) == ("update-undone", "certain", 5)
    assert "each time with the same values" in verdict.message and len(watch.history.records) < 40


def test_a_model_made_anew_in_each_step_is_named_and_takes_few_places(tmp_path: Path) -> None:
    """Objects that refer to each other are released late, so that up to three sets of variables have places."""
    with quiet(tmp_path, variables=net().trainable_variables) as watch:
        for step in range(STEPS):
            call = of_model(net(), step)
            descend(call)
            report(watch, call, pairs=True)
            if step % 3 == 2:
                gc.collect()  # when Python does it by itself depends on its version
    verdict = watch.diagnosis.verdicts[0]
    assert verdict.name == "update-undone" and "each time with other values" in verdict.message
    assert len(watch.history.variables) <= 12


def test_variables_that_continue_those_they_replace_are_healthy(tmp_path: Path) -> None:
    """In the functional style each step makes new variables from the updated values; the updates are recorded."""
    v = variables()
    with quiet(tmp_path, variables=v) as watch:
        for step in range(60):
            loss, gradients, _ = of_variables(v, step)
            v = [tf.Variable(a - 0.05 * g, name=n) for a, g, n in zip(v, gradients, NAMES, strict=True)]
            report(watch, (loss, gradients, v), pairs=True)
    assert watch.diagnosis.status == "healthy" and len(watch.history.variables) <= 12
    assert watch.history.facts["made_anew"]["start"] == "carried"
    assert (watch.history.column("update_norm")[-1] > 0).sum() == 4


def test_a_single_rebuild_is_healthy(tmp_path: Path) -> None:
    """A model that is built again once, with its optimizer, goes on training."""
    model, optimizer = net(), keras.optimizers.Adam(0.01)
    with quiet(tmp_path) as watch:
        for step in range(80):
            if step == 20:
                model, optimizer = net(), keras.optimizers.Adam(0.01)
            call = of_model(model, step)
            optimizer.apply_gradients(zip(*call[1:], strict=True))
            report(watch, call, pairs=True)
    assert "update-undone" not in str(watch.diagnosis.as_dict()["verdicts"])
    assert first_name(watch.diagnosis) not in ("update-undone", "updates-not-applied")


def test_variables_that_the_program_no_longer_holds_cannot_be_trained(tmp_path: Path) -> None:
    """Only the recorder refers to them: this is certain without any argument of `step`, and they are released."""
    v = variables()
    with quiet(tmp_path, variables=v) as watch:
        for step in range(STEPS):
            v = variables()
            call = of_variables(v, step)
            descend(call)
            watch.step(call[0])
    verdict = watch.diagnosis.verdicts[0]
    assert (verdict.name, verdict.certainty, verdict.first_step) == ("updates-not-applied", "certain", 8)
    assert not watch._targets.variables and len(watch.history.variables) == 4


def test_variables_that_the_program_holds_are_kept(tmp_path: Path) -> None:
    """A variable that is held without its Keras wrapper is not released."""
    wrapped = [keras.Variable(value, name=name) for name, value in zip(NAMES, arrays(), strict=True)]
    watch = quiet(tmp_path, variables=wrapped)
    held = [v.value for v in wrapped]
    del wrapped
    for step in range(STEPS):
        call = of_variables(held, step)
        descend(call)
        watch.step(call[0])
    watch.close()
    assert len(watch._targets.variables) == 4 and (watch.history.column("update_norm")[1:] > 0).all()


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("pairs", [False, True])
def test_updates_of_another_model_are_reported(tmp_path: Path, graph: bool, pairs: bool) -> None:
    """The optimizer's list is seen in eager calls and while a function is traced."""
    model, other, optimizer = net(), net(), keras.optimizers.Adam(0.01)

    def train_step(x: Any, y: Any) -> Any:
        loss, gradients, _ = gradients_of(lambda x: model(x, training=True), model.trainable_variables, x, y)
        optimizer.apply_gradients(zip(gradients, other.trainable_variables, strict=True))
        return loss, gradients

    train = tf.function(train_step) if graph else train_step
    with quiet(tmp_path, model=model, optimizer=optimizer) as watch:
        for step in range(STEPS):
            loss, gradients = train(*data(step))
            report(watch, (loss, gradients, model.trainable_variables), pairs=pairs)
    verdict = watch.diagnosis.verdicts[0]
    assert verdict.name == "updates-not-applied" and not verdict.explains and len(watch.diagnosis.verdicts) == 1
    assert verdict.message.startswith("Updates go to other variables: the optimizer was given 4 variables")
    assert verdict.message.endswith(f"in {STEPS} training steps no watched weight changed")


@pytest.mark.parametrize(("optimizer", "sick"), [(AssignsNothing, True), (Assigns, False)])
@pytest.mark.parametrize("pairs", [False, True])
def test_an_update_rule_of_ones_own(tmp_path: Path, optimizer: Any, sick: bool, pairs: bool) -> None:
    """One that assigns nothing is named; one that works is healthy."""
    model, optimizer = net(), optimizer(0.05)
    with quiet(tmp_path, model=model, optimizer=optimizer) as watch:
        for step in range(STEPS):
            call = of_model(model, step)
            optimizer.apply_gradients(zip(*call[1:], strict=True))
            report(watch, call, pairs=pairs)
    assert watch.history.facts["optimizers"][0]["own"] is True
    assert first_name(watch.diagnosis) == ("updates-not-applied" if sick else "healthy")
    assert not sick or watch.diagnosis.verdicts[0].message.startswith("The optimizer AssignsNothing assigns nothing")


@pytest.mark.parametrize("with_optimizer", [False, True])
def test_a_model_that_is_never_called_is_not_what_is_trained(tmp_path: Path, with_optimizer: bool) -> None:
    """The loop makes model and optimizer anew, and the watched ones are never called."""
    watched, optimizer = net(), keras.optimizers.Adam(0.01) if with_optimizer else None
    with quiet(tmp_path, model=watched, optimizer=optimizer) as watch:
        for step in range(STEPS):
            call = of_model(net(), step)
            descend(call)
            watch.step(call[0])
    verdict = watch.diagnosis.verdicts[0]
    assert verdict.name == "updates-not-applied" and "watched model" in verdict.message
    assert watch.history.facts["called"] == {"model": "never", "optimizer": "never" if with_optimizer else None}


def test_gradients_of_a_rebuilt_model_that_update_the_old_one(tmp_path: Path) -> None:
    """The loop goes on updating the list of variables that it took before the model was built again."""
    model = net()
    taken = list(model.trainable_variables)
    with quiet(tmp_path, variables=taken) as watch:
        for step in range(40):
            model = net() if step == 3 else model
            loss, gradients, trained = of_model(model, step)
            descend((loss, gradients, taken))
            report(watch, (loss, gradients, trained), pairs=True)
    verdict = watch.diagnosis.verdicts[0]
    assert verdict.name == "updates-not-applied" and len(verdict.variables) == 4
    assert verdict.message.startswith("Gradients and updates belong to different variables")


def gan(watch: ww.Watch, networks: tuple[Any, Any], optimizers: tuple[Any, Any]) -> None:
    """Trains the two in turn."""
    for step in range(60):
        call = of_model(networks[step % 2], step)
        optimizers[step % 2].apply_gradients(zip(*call[1:], strict=True))
        report(watch, call, pairs=step % 3 > 0)


def stages(watch: ww.Watch, networks: tuple[Any, Any], optimizers: tuple[Any, Any]) -> None:
    """Trains first the second network, then the first."""
    for step in range(120):
        turn = int(step < 60)
        call = of_model(networks[turn], step)
        optimizers[turn].apply_gradients(zip(*call[1:], strict=True))
        watch.step(call[0])


def teacher(watch: ww.Watch, networks: tuple[Any, Any], optimizers: tuple[Any, Any]) -> None:
    """Trains one network and leaves the other out."""
    for step in range(60):
        call = of_model(networks[0], step)
        optimizers[0].apply_gradients(zip(*call[1:], strict=True))
        networks[1](data(step)[0])
        report(watch, call, pairs=step % 2 > 0)


def accumulation(watch: ww.Watch, networks: tuple[Any, Any], optimizers: tuple[Any, Any]) -> None:
    """Applies the sum of eight gradients."""
    total: list[Any] = []
    for step in range(96):
        loss, gradients, trained = of_model(networks[0], step)
        total = [a + g / 8 for a, g in zip(total, gradients, strict=True)] if total else [g / 8 for g in gradients]
        if step % 8 == 7:
            optimizers[0].apply_gradients(zip(total, trained, strict=True))
            total = []
        report(watch, (loss, gradients, trained), pairs=True)


@pytest.mark.parametrize("loop", [gan, stages, teacher, accumulation])
@pytest.mark.parametrize("watched", [1, 2])
def test_healthy_loops_that_resemble_them(tmp_path: Path, loop: Callable[..., None], watched: int) -> None:
    """Two optimizers in turn, stages, a teacher that is left out, accumulation: no update is missed or undone."""
    networks, optimizers = (net(), net()), (keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01))
    with quiet(tmp_path, model=list(networks[:watched]), optimizer=list(optimizers)) as watch:
        loop(watch, networks, optimizers)
    names = {verdict.name for verdict in watch.diagnosis.verdicts}
    assert not names & {"updates-not-applied", "update-undone"}, str(watch.diagnosis)
    assert watch.history.facts.get("made_anew", {"steps": 0})["steps"] <= 1 and len(watch.history.records) < 40


def test_training_is_the_same_with_variables_made_anew(tmp_path: Path) -> None:
    """The weights at the end of each step are those of a loop without a Watch, bit for bit."""

    def train(watch: ww.Watch | None) -> list[bytes]:
        ends = []
        for step in range(20):
            call = of_variables(variables(), step)
            descend(call)
            if watch is not None:
                report(watch, call, pairs=True)
            ends += [v.numpy().tobytes() for v in call[2]]
        return ends

    with quiet(tmp_path, variables=variables()) as watch:
        assert train(watch) == train(None)


GRADIENT = np.random.default_rng(1).normal(size=200)
FIRST, LAST = np.random.default_rng(2).normal(size=(2, 200))
BEFORE = made_anew.Predecessor(("w", (200,), "float32"), FIRST, LAST)


@pytest.mark.parametrize(
    ("value", "gradient", "start"),
    [
        (FIRST - 0.1 * GRADIENT, GRADIENT, "same"),
        (FIRST - 0.1 * np.sign(GRADIENT), GRADIENT, "same"),
        (FIRST, None, "same"),
        (LAST - 0.1 * GRADIENT, GRADIENT, "carried"),
        (LAST, None, "carried"),
        (LAST + 0.01 * FIRST, None, "unknown"),
        (np.random.default_rng(3).normal(size=200), GRADIENT, "other"),
    ],
)
def test_where_a_variable_began(value: Any, gradient: Any, start: str) -> None:
    """The way from the first values, or from the last ones, is one update."""
    assert made_anew.start_of(value, BEFORE, gradient) == start
