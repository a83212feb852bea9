"""`Watch` in real hand-written loops: right numbers, the user's program untouched, clear errors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture import recorder
from tb_weightwatch.capture.loop import step_recorder
from tb_weightwatch.capture.loop.hooks import EagerStepObservation
from tb_weightwatch.capture.loop.step_recorder import LoopStepRecorder
from tb_weightwatch.capture.loop.targets import WatchTargets
from tb_weightwatch.capture.measure import step_measurer
from tb_weightwatch.capture.measure.row_buffer import RowBuffer
from tb_weightwatch.capture.measure.step_measurer import StepMeasurer
from tb_weightwatch.capture.observe import model_facts, observers
from tb_weightwatch.capture.schedule.bursts import scheduled
from tb_weightwatch.diagnosis import IncrementalDiagnosis
from tb_weightwatch.statistics import fast
from tb_weightwatch.writer import EventWriter
from tests.support import loops

HANDED = ("inputs", "targets", "predictions", "gradients")
quiet = functools.partial(ww.Watch, verbose=False, overhead=None)


def kept(watches: list[ww.Watch], logs: Path, **settings: Any) -> Callable[[Any, Any], ww.Watch]:
    """Returns a function that makes a Watch and appends it to `watches`."""

    def make(model: Any, optimizer: Any) -> ww.Watch:
        watches.append(ww.Watch(logs, model, optimizer, **{"verbose": False, "overhead": None, **settings}))
        return watches[-1]

    return make


def watched(logs: Path, *arguments: Any, **settings: Any) -> tuple[ww.History, loops.Run]:
    made: list[ww.Watch] = []
    run = loops.run(*arguments, watch=kept(made, logs), **settings)
    made[0].close()
    return made[0].history, run


def trained(history: ww.History) -> list[int]:
    """Returns the places of the trainable variables on the V axis."""
    return [i for i, v in enumerate(history.variables) if v.trainable]


def near(history: ww.History, name: str, expected: Any, *, rtol: float = 0.005, atol: float = 0.0) -> None:
    """Compares a column of the trainable variables (rounded to 0.4 % when recorded) with independent numbers."""
    places = trained(history)
    assert history.known(name)[:, places].all(), name
    np.testing.assert_allclose(history.column(name)[:, places], expected, rtol=rtol, atol=atol, err_msg=name)


MODES = [("dense", "eager", ()), ("conv", "eager", ()), ("dense", "graph", HANDED), ("dense", "xla", HANDED)]


@pytest.fixture(params=["numpy", "tensorflow"])
def measured_by_both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test twice: tensors are measured by numpy, as in the host's memory, and by TensorFlow, as on a device."""
    if request.param == "tensorflow":
        monkeypatch.setattr(step_measurer, "on_host", lambda tensor: False)


by_either = pytest.mark.usefixtures("measured_by_both")


@by_either
@pytest.mark.parametrize(("net", "mode", "hand"), [*MODES, ("conv", "graph", HANDED)])
def test_numbers_agree_with_independent_ones(net: str, mode: str, hand: tuple[str, ...], tmp_path: Path) -> None:
    """Loss, gradients, weights and updates agree with float64 numpy, both from hooks and as passed to `step`.

    Tensors in the host's memory are measured by numpy, those on a device by TensorFlow; both are tested.
    """
    history, run = watched(tmp_path, net, mode, hand=hand)
    assert history.steps.tolist() == list(range(1, 11))
    np.testing.assert_allclose(history.loss, run.loss, rtol=1e-6)
    norms = [[np.linalg.norm(g) for g in row] for row in run.gradients]
    near(history, "gradient_norm", norms)
    near(history, "gradient_max", [[np.abs(g).max() for g in row] for row in run.gradients])
    near(history, "gradient_zero_share", [[(g == 0).mean() for g in row] for row in run.gradients])
    near(history, "gradient_none", np.zeros_like(norms))
    near(history, "weight_norm", [[np.linalg.norm(w) for w in row] for row in run.after])
    near(history, "weight_std", [[w.std() for w in row] for row in run.after], atol=1e-8)
    deltas = [[a - b for a, b in zip(*pair, strict=True)] for pair in zip(run.after, run.before, strict=True)]
    near(history, "update_norm", [[np.linalg.norm(d) for d in row] for row in deltas])
    near(history, "update_max", [[np.abs(d).max() for d in row] for row in deltas])
    near(history, "changed_share", [[(d != 0).mean() for d in row] for row in deltas])
    cosines = [
        [float((a * b).sum() / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-300)) for a, b in zip(*rows, strict=True)]
        for rows in zip(run.gradients[1:], run.gradients[:-1], strict=True)
    ]
    found = history.column("gradient_cosine")[1:, trained(history)]
    np.testing.assert_allclose(found, cosines, atol=0.002)
    assert not history.known("gradient_cosine")[0].any()
    assert history.facts["gradients"] == ("raw" if hand else "used")


@by_either
def test_layers_and_batch_are_seen_in_an_eager_loop(tmp_path: Path) -> None:
    """Layer outputs, inputs and predictions are observed when the model runs; they need not be passed to `step`."""
    history, _ = watched(tmp_path, "dense", "eager", steps=3)
    keras.utils.set_random_seed(3)
    model, (x, _) = loops.dense(), loops.diabetes()
    first = x[: loops.BATCH].astype("float64")
    kernel, bias, last, end = (v.numpy().astype("float64") for v in model.trainable_variables)
    hidden = np.maximum(first @ kernel + bias, 0)
    place = next(i for i, layer in enumerate(history.layers) if layer.activation == "relu")
    assert history.column("zero_share")[0, place] == pytest.approx((hidden == 0).mean(), rel=0.005)
    assert history.column("dead_share")[0, place] == pytest.approx((hidden == 0).all(axis=0).mean(), rel=0.005)
    assert history.column("output_std")[0, place] == pytest.approx(hidden.std(), rel=0.006)
    assert history.column("output_mean")[0, place] == pytest.approx(hidden.mean(), rel=1e-4)
    predicted = hidden @ last + end
    assert history.column("prediction_mean")[0] == pytest.approx(predicted.mean(), abs=1e-5)
    assert history.column("input_std")[0] == pytest.approx(first.std(), rel=0.006)
    assert history.column("batch_size").tolist() == [loops.BATCH] * 3
    assert not history.axis("target_mean")


def test_features_that_stand_out_are_named(tmp_path: Path) -> None:
    """The features of the first batch that differ most in size from the others are named, broken ones first."""
    x = np.random.default_rng(1).normal(size=(32, 12)).astype("float32")
    x[:, 7] *= 1e4
    x[:, 2] *= 1e-3
    x[3, 5] = np.nan
    for number, inputs in enumerate([x, {"wide": x[:, :7], "a": x[:, 7], "rest": x[:, 8:]}]):
        with quiet(tmp_path / str(number), variables=[tf.Variable(1.0)]) as watch:
            watch.step(1.0, inputs=inputs, targets=np.arange(32))
        (record,) = watch.history.of_kind("features")
        names = [f["name"] for f in record.data["features"]]
        assert record.data["which"] == "inputs"
        assert names[:3] == [["5", "7", "2"], ["wide[5]", "a", "wide[2]"]][number]
        assert len(names) == 8


def test_pictures_and_odd_inputs_name_no_features(tmp_path: Path) -> None:
    """Images, token ids, ragged and nested inputs are not tables; no feature is named and nothing fails."""
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    inputs = [
        np.zeros((2, 4, 4, 3), "float32"),
        np.zeros((2, 5), "int32"),
        ragged,
        (np.zeros((2, 3)), np.zeros(2)),
        3.0,
    ]
    for number, odd in enumerate(inputs):
        with quiet(tmp_path / str(number), variables=[tf.Variable(1.0)]) as watch:
            watch.step(1.0, inputs=odd)
        assert not watch.history.of_kind("features")
        assert len(watch.history) == 1


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("net", ["dense", "conv"])
def test_training_is_bit_identical(net: str, mode: str, tmp_path: Path) -> None:
    """All variables and optimizer slots have the same bytes with and without a Watch, whatever `step` is given."""
    plain = loops.run(net, mode, steps=12, look=False).bits
    for number, hand in enumerate([(), HANDED]):
        made: list[ww.Watch] = []
        run = loops.run(net, mode, steps=12, look=False, watch=kept(made, tmp_path / str(number)), hand=hand)
        assert run.bits == plain
        assert len(made[0].history) == 12


@pytest.mark.parametrize("net", ["dense", "conv"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_training_on_broken_data_is_bit_identical(value: float, net: str, tmp_path: Path) -> None:
    """NaN, infinite and overflowing data give the same bytes as well, and are counted."""

    def spoil(x: np.ndarray) -> np.ndarray:
        x[40, ..., 0] = value
        return x

    plain = loops.run(net, steps=6, look=False, spoil=spoil).bits
    made: list[ww.Watch] = []
    run = loops.run(net, steps=6, look=False, spoil=spoil, watch=kept(made, tmp_path))
    assert run.bits == plain
    seen = made[0].history.column("input_nonfinite")
    assert seen[0] == 0
    assert (seen[1] > 0) == (not np.isfinite(value))


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """After close no hook is left on model, layers and optimizer; none of them holds state of ours at any time."""
    made: list[ww.Watch] = []
    run = loops.run("dense", steps=3, watch=kept(made, tmp_path))
    objects = [run.model, *run.model.layers, run.optimizer]
    assert any("call" in o.__dict__ for o in objects)
    assert len(run.model.variables) == 4
    made[0].close()
    made[0].close()
    assert not any({"call", "apply", "_backend_update_step"} & set(o.__dict__) for o in objects)


def test_live_and_replay_agree(tmp_path: Path) -> None:
    """The History that is read back gives the same diagnosis, object for object, as the Watch gave live."""
    made: list[ww.Watch] = []
    loops.run("dense", steps=40, optimizer=lambda: keras.optimizers.Adam(0.0), watch=kept(made, tmp_path))
    made[0].close()
    (read,) = ww.read(tmp_path)
    assert ww.diagnose(read) == made[0].diagnosis
    assert made[0].diagnosis.verdicts[0].name == "learning-rate-zero"
    assert read.ended is not None
    assert read.ended.data["how"] == "completed"


def test_news_is_printed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new first verdict is printed with its fix when it appears, and not again while it holds."""
    made: list[ww.Watch] = []
    make = kept(made, tmp_path, verbose=True)
    loops.run("dense", steps=60, optimizer=lambda: keras.optimizers.Adam(0.0), watch=make)
    made[0].close()
    told = capsys.readouterr().err
    assert told.count("tb_weightwatch: ") == 1
    assert "learning rate" in told
    assert "fix: " in told


# -- what a traced function shows


def test_a_traced_function_is_not_looked_into(tmp_path: Path) -> None:
    """A traced step gives weights, loss and learning rate; without gradients= only whether gradients are None."""
    history, _ = watched(tmp_path, "dense", "graph")
    assert history.facts["gradients"] == "none"
    assert not history.axis("gradient_norm")
    assert not history.axis("dead_share")
    assert (history.column("gradient_none") == 0).all()
    assert (history.column("update_norm") > 0).all()
    assert history.column("learning_rate").tolist() == pytest.approx([0.01] * 10)


def test_the_users_graph_is_unchanged(tmp_path: Path) -> None:
    """A step traced under hooks has exactly the operations of one traced without."""

    def operations(watch: bool) -> list[str]:
        keras.utils.set_random_seed(1)
        model, optimizer = loops.dense(), keras.optimizers.Adam(clipnorm=1.0)
        optimizer.build(model.trainable_variables)
        made = quiet(tmp_path, model, optimizer) if watch else None

        @tf.function
        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = loops.squared(y, model(x, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        x, y = loops.diabetes()
        found = [op.type for op in step.get_concrete_function(x[:8], y[:8]).graph.get_operations()]
        if made is not None:
            made.close()
        return found

    assert operations(True) == operations(False)


def test_none_gradients_of_a_traced_function_are_known(tmp_path: Path) -> None:
    """A gradient of None is known while tracing and never later; it is recorded for the steps that run."""
    model = loops.dense()
    optimizer = keras.optimizers.SGD(0.1)
    watch = quiet(tmp_path, model, optimizer)

    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model.layers[0](x))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    x, _ = loops.diabetes()
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        watch.step(step(x[:16]))
    watch.step(step(x[:16]))
    watch.close()
    assert watch.history.column("gradient_none").tolist() == [[0, 0, 1, 1]] * 2


def test_autograph_still_converts_a_models_call(tmp_path: Path) -> None:
    """A model whose `call` branches on a tensor still works when `call` is used in a traced function."""

    class Branching(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            if tf.reduce_sum(x) > 0:
                return self.inner(x)
            return -self.inner(x)

    model = Branching()
    model.inner.build((None, 3))
    watch = quiet(tmp_path, model)
    x = tf.constant([[1.0, 2.0, 3.0]])
    traced = tf.function(lambda x: model.call(x) + 0)
    assert float(traced(x)[0, 0]) == pytest.approx(float(model.inner(x)[0, 0]))
    assert float(traced(-x)[0, 0]) == pytest.approx(float(model.inner(x)[0, 0]))
    watch.close()


# -- awkward programs


def test_accumulation_by_hand_is_an_exact_zero(tmp_path: Path) -> None:
    """Steps without an update are recorded with an update of exactly 0, and with gradients that are not known."""
    model, optimizer = loops.dense(), keras.optimizers.SGD(0.1)
    watch = quiet(tmp_path, model, optimizer)
    x, y = loops.diabetes()
    total: list[Any] = []
    for i in range(8):
        with tf.GradientTape() as tape:
            loss = loops.squared(y[i * 8 : i * 8 + 8], model(x[i * 8 : i * 8 + 8]))
        gradients = tape.gradient(loss, model.trainable_variables)
        total = [a + b for a, b in zip(total, gradients, strict=True)] if total else gradients
        if i % 4 == 3:
            optimizer.apply_gradients(zip(total, model.trainable_variables, strict=True))
            total = []
        watch.step(loss)
    watch.close()
    update = watch.history.column("update_norm")
    assert watch.history.known("update_norm").all()
    assert (update[[3, 7]] > 0).all()
    assert (np.delete(update, [3, 7], axis=0) == 0).all()
    assert watch.history.known("gradient_norm").all(axis=1).tolist() == [False, False, False, True] * 2
    assert watch.history.column("iterations").tolist() == [0, 0, 0, 1, 1, 1, 1, 2]


@by_either
def test_two_optimizers_in_one_step(tmp_path: Path) -> None:
    """A GAN's two models each get their own gradients and updates, in one row a step."""
    layers = keras.layers
    make = keras.Sequential([layers.Input((4,)), layers.Dense(6, activation="relu"), layers.Dense(3)])
    judge = keras.Sequential([layers.Input((3,)), layers.Dense(5, activation="tanh"), layers.Dense(1)])
    optimizers = [keras.optimizers.Adam(1e-3), keras.optimizers.SGD(1e-2)]
    watch = quiet(tmp_path, [make, judge], optimizers)
    noise, real = tf.random.normal([16, 4], seed=1), tf.random.normal([16, 3], seed=2)
    expected = []
    for _ in range(3):
        norms = []
        for model, optimizer, sign in ((judge, optimizers[1], 1.0), (make, optimizers[0], -1.0)):
            with tf.GradientTape() as tape:
                loss = sign * tf.reduce_mean(judge(make(noise)) - judge(real))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            norms.append([np.linalg.norm(g.numpy().astype("float64")) for g in gradients])
        expected.append(norms[1] + norms[0])
        watch.step(loss)
    watch.close()
    history = watch.history
    near(history, "gradient_norm", expected)
    assert (history.column("update_norm")[:, [0, 2, 4, 6]] > 0).all()
    assert history.column("iterations").tolist() == [2, 4, 6]
    assert {layer.activation for layer in history.layers} >= {"relu", "tanh"}
    assert history.known("zero_share").any(axis=0).sum() >= 2


def test_a_model_that_is_not_built_yet(tmp_path: Path) -> None:
    """Variables that are made by the first call of the model are described and measured from the first step on."""
    layers = keras.layers
    model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1)])
    optimizer = keras.optimizers.Adam(1e-2)
    watch = quiet(tmp_path, model, optimizer)
    x, y = loops.diabetes()
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = loops.squared(y[:32], model(x[:32]))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        watch.step(loss)
    watch.close()
    history = watch.history
    assert [v.shape for v in history.variables] == [(10, 8), (8,), (8, 1), (1,)]
    assert all(v.optimized for v in history.variables)
    assert history.known("update_norm").all()
    assert (history.column("update_norm") > 0).all()
    assert history.known("gradient_norm").all()


def test_weights_loaded_before_the_first_step_are_no_update(tmp_path: Path) -> None:
    """The first step's update is what the step did, not what was loaded between making the Watch and training."""
    model, optimizer = loops.dense(), keras.optimizers.SGD(1e-3)
    watch = quiet(tmp_path, model, optimizer)
    model.set_weights([np.full_like(w, 50) for w in model.get_weights()])
    x, _ = loops.diabetes()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(x[:32]))
    optimizer.apply_gradients(
        zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
    )
    watch.step(loss)
    watch.close()
    assert float(np.nanmax(watch.history.column("update_max"))) < 50


def test_plain_variables_without_keras(tmp_path: Path) -> None:
    """Variables moved by `assign_sub` are watched; gradients come as pairs or as a bare list; later ones are added."""
    w, b = tf.Variable([[1.0, 2.0]], name="w"), tf.Variable([0.5], name="b")
    late = tf.Variable([3.0], name="late")
    watch = quiet(tmp_path, variables=[w, b])
    for step in range(4):
        used = [w, b, late] if step >= 2 else [w, b]
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_sum(tf.square(v)) for v in used])
        gradients = tape.gradient(loss, used)
        for gradient, variable in zip(gradients, used, strict=True):
            variable.assign_sub(0.1 * gradient)
        if step >= 2:
            watch.step(loss, gradients=zip(gradients, used, strict=True), variables=[late])
        else:
            watch.step(loss, gradients=gradients)
    watch.close()
    history = watch.history
    assert [v.name for v in history.variables] == ["w", "b", "late"]
    assert history.column("gradient_norm")[0].tolist()[:2] == pytest.approx([2 * 5**0.5, 1.0], rel=0.005)
    assert history.known("gradient_norm").tolist() == [[True, True, False]] * 2 + [[True] * 3] * 2
    assert history.known("update_norm")[-1].all()
    assert history.column("update_norm")[-1, 2] == pytest.approx(0.1 * 2 * 3 * 0.8, rel=0.005)


@by_either
def test_sparse_gradients_add_up(tmp_path: Path) -> None:
    """Rows of an embedding that occur several times in a batch are summed; other rows are not counted as zeros."""
    table = keras.layers.Embedding(50, 4)
    table.build()
    optimizer = keras.optimizers.SGD(0.5)
    watch = quiet(tmp_path, optimizer=optimizer, variables=table.trainable_variables)
    ids = tf.constant([3, 3, 3, 7])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(table(ids) * tf.constant([[1.0, 2.0, 0.0, 0.0]]))
    gradients = tape.gradient(loss, table.trainable_variables)
    assert isinstance(gradients[0], tf.IndexedSlices)
    optimizer.apply_gradients(zip(gradients, table.trainable_variables, strict=True))
    watch.step(loss)
    watch.close()
    history = watch.history
    assert history.column("gradient_norm")[0, 0] == pytest.approx(np.sqrt(9 + 36 + 1 + 4), rel=0.005)
    assert history.column("gradient_max")[0, 0] == pytest.approx(6, rel=0.005)
    assert history.column("gradient_zero_share")[0, 0] == 0.5
    assert history.column("changed_share")[0, 0] == pytest.approx(4 / 200, rel=0.005)


@by_either
def test_clipping_shows_before_and_after(tmp_path: Path) -> None:
    """The gradient is the one that the optimizer uses; its norm before clipping is recorded as well."""
    made: list[ww.Watch] = []
    optimizer = lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.01)  # noqa: E731
    run = loops.run("dense", steps=4, optimizer=optimizer, watch=kept(made, tmp_path))
    history = made[0].history
    near(history, "raw_gradient_norm", [[np.linalg.norm(g) for g in row] for row in run.gradients])
    total = np.sqrt(np.square(history.column("gradient_norm").astype("float64")).sum(axis=1))
    np.testing.assert_allclose(total, 0.01, rtol=0.005)


@by_either
def test_loss_scaling_that_skips_a_step(tmp_path: Path) -> None:
    """A skipped step has an update of exactly 0 and does not count as an iteration; gradients are unscaled."""
    model = loops.dense()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1024.0)
    optimizer.build(model.trainable_variables)
    watch = quiet(tmp_path, model, optimizer)
    x, y = loops.diabetes()
    expected = []
    for step in range(4):
        with tf.GradientTape() as tape:
            loss = loops.squared(y[:32], model(x[:32])) * (float("inf") if step == 2 else 1.0)
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_variables)
        expected.append([np.linalg.norm(g.numpy().astype("float64")) / 1024 for g in gradients])
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        watch.step(loss)
    watch.close()
    history = watch.history
    assert (history.column("update_norm").max(axis=1) > 0).tolist() == [True, True, False, True]
    assert history.column("iterations").tolist() == [1, 2, 2, 3]
    assert history.column("loss_scale").tolist() == [1024, 1024, 1024, 512]
    np.testing.assert_allclose(history.column("gradient_norm")[:2], expected[:2], rtol=0.005)
    assert np.isinf(history.loss[2])


@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_a_schedule_is_read_at_the_step_that_used_it(mode: str, tmp_path: Path) -> None:
    """The learning rate of a row is that of its step, not that of the next step."""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.01, 0.0])
    history, _ = watched(tmp_path, "dense", mode, steps=8, optimizer=lambda: keras.optimizers.SGD(schedule))
    assert history.column("learning_rate") == pytest.approx([0.1] * 3 + [0.01] * 3 + [0.0] * 2)
    assert (history.column("update_norm")[:, 0] > 0).tolist() == [True] * 6 + [False] * 2


def test_a_frozen_layer_is_described_not_measured(tmp_path: Path) -> None:
    """Freezing a layer during training adds a dated record; the numbers of frozen variables are not recorded."""
    model, optimizer = loops.dense(), keras.optimizers.SGD(0.1)
    watch = quiet(tmp_path, model, optimizer)
    x, y = loops.diabetes()
    for step in range(4):
        if step == 2:
            model.layers[0].trainable = False
        variables = model.trainable_variables
        with tf.GradientTape() as tape:
            loss = loops.squared(y[:32], model(x[:32]))
        if not optimizer.built:
            optimizer.build(variables)
        for gradient, variable in zip(tape.gradient(loss, variables), variables, strict=True):
            variable.assign_sub(0.1 * gradient)
        watch.step(loss)
    watch.close()
    assert [v.trainable for v in watch.history.variables] == [False, False, True, True]
    assert watch.history.known("update_norm").tolist() == [[True] * 4] * 2 + [[False, False, True, True]] * 2


@by_either
def test_half_precision_variables(tmp_path: Path) -> None:
    """bfloat16 weights whose updates are rounded away have a gradient, and no element that changed."""
    w = tf.Variable(tf.ones([64], tf.bfloat16), name="w")
    watch = quiet(tmp_path, variables=[w])
    for _ in range(3):
        gradient = tf.fill([64], tf.constant(1.0, tf.bfloat16))
        w.assign_sub(tf.constant(1e-3, tf.bfloat16) * gradient)
        watch.step(gradients=[(gradient, w)])
    watch.close()
    history = watch.history
    assert (history.column("changed_share") == 0).all()
    assert (history.column("stuck_share") == 1).all()
    assert (history.column("gradient_norm") == 8).all()
    assert history.variables[0].dtype == "bfloat16"


def test_bursts_of_a_longer_run(tmp_path: Path) -> None:
    """After the first 64 steps bursts of consecutive steps are recorded; each update is of its own step alone."""
    w = tf.Variable([0.0], name="w")
    watch = quiet(tmp_path, variables=[w])
    for step in range(1, 3001):
        w.assign_add([float(step)])
        watch.step(0.0, gradients=[(tf.constant([1.0]), w)])
    watch.close()
    history = watch.history
    steps = history.steps
    assert steps[:64].tolist() == list(range(1, 65))
    assert 500 < len(steps) < 3000
    np.testing.assert_allclose(history.column("update_norm")[:, 0], steps, rtol=0.005)
    following = np.diff(steps, prepend=0) == 1
    assert history.known("gradient_cosine")[:, 0].tolist() == [False, *following[1:].tolist()]


# -- clear errors


def test_step_inside_a_traced_function_says_where_it_belongs(tmp_path: Path) -> None:
    """Calling `step` or making a Watch while a function is traced is an error that names the fix."""
    w = tf.Variable([1.0])
    watch = quiet(tmp_path, variables=[w])
    with pytest.raises(RuntimeError, match=r"(?s)outside of tf.function.*watch\.step\(loss\)"):
        tf.function(lambda: watch.step(tf.constant(1.0)))()
    with pytest.raises(RuntimeError, match="outside of tf"):
        tf.function(lambda: ww.Watch(tmp_path / "b"))()
    watch.step(1.0)
    assert len(watch.history) == 1
    watch.close()


def test_where_all_is_frozen_no_gradient_can_be_handed_over(tmp_path: Path) -> None:
    """A loop may pass empty gradients when all variables are frozen, and gets the verdict that they are."""
    w = tf.Variable([1.0, 2.0], trainable=False)
    with quiet(tmp_path, variables=[w]) as watch:
        for _ in range(8):
            watch.step(1.0, gradients=zip([], [], strict=True))
        watch.step(1.0, gradients=[])
    assert [v.name for v in watch.diagnosis.verdicts] == ["frozen-weights"]


def used_up() -> Any:
    pairs = zip([tf.constant([1.0])], [tf.Variable([1.0])], strict=True)
    list(pairs)
    return pairs


def leaked() -> Any:
    found: list[Any] = []
    tf.function(lambda x: found.append(x) or 0)(tf.constant([1.0, 2.0]))
    return found[0]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (lambda w: {"gradients": [tf.constant([1.0])] * 3}, "pairs, or one gradient for each of the 1 trainable"),
        (lambda w: {"gradients": []}, "got 0 without variables"),
        (lambda w: {"gradients": used_up()}, "a zip can be read only once"),
        (lambda w: {"gradients": [(leaked(), w)]}, "traced tf.function"),
        (lambda w: {"loss": leaked()}, "loss must be a value"),
        (lambda w: {"inputs": {"a": leaked()}}, "inputs must be a value"),
    ],
)
def test_arguments_that_do_not_fit(arguments: Callable[[Any], dict[str, Any]], text: str, tmp_path: Path) -> None:
    """Arguments that do not fit are an error that says what is expected and what came."""
    w = tf.Variable([1.0, 2.0])
    with quiet(tmp_path, variables=[w]) as watch, pytest.raises(ValueError, match=text):
        watch.step(**arguments(w))


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"model": "mlp"}, TypeError, "model must be a Keras model"),
        ({"optimizer": "adam"}, TypeError, "optimizer must be"),
        ({"variables": [np.zeros(3)]}, TypeError, "variables must be"),
        ({"overhead": 2.0}, ValueError, "between 0 and 1"),
        ({"rules": {"dead-rleu": False}}, ValueError, "dead-relu"),
    ],
)
def test_construction_fails_early(settings: dict[str, Any], error: type[Exception], text: str, tmp_path: Path) -> None:
    """Wrong arguments are an error when the Watch is made, not at step 5,000."""
    with pytest.raises(error, match=text):
        ww.Watch(tmp_path, **settings)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A log directory below a file is an OSError that names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        ww.Watch(tmp_path / "file")


def test_a_closed_watch_says_so(tmp_path: Path) -> None:
    """Calling `step` after `close` is an error."""
    watch = quiet(tmp_path)
    watch.close()
    with pytest.raises(RuntimeError, match="closed"):
        watch.step(1.0)


# -- ending and failing


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_exception_inside_with_is_recorded_and_passed_on(error: type[BaseException], tmp_path: Path) -> None:
    """The end of the run says that it was an exception, and which; the exception goes on to the caller."""
    w = tf.Variable([1.0])
    with pytest.raises(error), quiet(tmp_path, variables=[w]) as watch:
        watch.step(1.0)
        raise error("stop")
    (read,) = ww.read(tmp_path)
    assert read.ended is not None
    meaning = "interrupted" if error is KeyboardInterrupt else "other"
    assert read.ended.data == {"how": "exception", "detail": error.__name__, "meaning": meaning, "after": 1}
    assert len(read) == 1


FAULTS: list[tuple[Any, str]] = [
    (EagerStepObservation, "freeze_forward"),
    (observers, "variable_id"),
    (StepMeasurer, "measure"),
    (fast, "small_statistics"),
    (fast, "layer_statistics"),
    (fast, "batch_statistics"),
    (LoopStepRecorder, "begin_step"),
    (LoopStepRecorder, "record"),
    (RowBuffer, "drain"),
    (step_recorder, "current_value"),
    (WatchTargets, "refresh"),
    (WatchTargets, "describe"),
    (model_facts, "shape_facts"),
    (recorder, "as_stored"),
    (IncrementalDiagnosis, "__call__"),
    (EventWriter, "tick"),
]


@pytest.mark.parametrize(("owner", "name"), FAULTS, ids=[f"{o.__name__}.{name}" for o, name in FAULTS])
def test_a_failing_monitor_warns_once_and_training_goes_on(
    owner: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of ours fails while training runs, there is one warning with the traceback, and the same weights."""
    plain = loops.run("dense", steps=12, look=False).bits
    monkeypatch.setenv("TB_WEIGHTWATCH_STRICT", "0")
    made: list[ww.Watch] = []

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("ours")

    def watch(model: Any, optimizer: Any) -> ww.Watch:
        made.append(ww.Watch(tmp_path, model, optimizer, verbose=False, overhead=None))
        monkeypatch.setattr(owner, name, broken)
        return made[0]

    with pytest.warns(RuntimeWarning) as warned:
        run = loops.run("dense", steps=12, look=False, watch=watch)
        made[0].close()
    assert len([w for w in warned if "switched itself off" in str(w.message)]) == 1
    assert "ZeroDivisionError: ours" in str(warned[0].message)
    assert run.bits == plain
    monkeypatch.undo()
    assert not any("call" in layer.__dict__ for layer in run.model.layers)
    assert "apply" not in run.optimizer.__dict__


def test_a_users_exception_in_a_hooked_call_is_untouched(tmp_path: Path) -> None:
    """An exception of the user's model is passed on unchanged, and the Watch goes on recording."""
    model = loops.dense()
    watch = quiet(tmp_path, model)
    with pytest.raises(ValueError, match="expected"):
        model(np.zeros((4, 3), "float32"))
    model(np.zeros((4, 10), "float32"))
    watch.step(1.0)
    assert len(watch.history) == 1
    watch.close()


def test_late_steps_are_those_of_the_schedule(tmp_path: Path) -> None:
    """Steps between bursts are counted although no schedule is asked; those of bursts and `tensors=` are recorded."""
    steps = 12_000
    requested = next(s for s in range(steps - 500, steps) if not any(map(scheduled, range(s - 20, s + 20))))
    weight = tf.Variable(np.ones(3, "float32"), name="w")
    watch = quiet(tmp_path, variables=[weight], tensors={"w": [requested]})
    for number in range(1, steps + 1):
        watch.step(float(number))
    due = {s for s in range(1, steps + 1) if scheduled(s)} | {requested}
    assert set(watch.history.steps.tolist()) == due
    np.testing.assert_array_equal(watch.history.loss, watch.history.steps)
    watch.close()


@pytest.mark.parametrize("traced", [False, True])
def test_moving_statistics_of_a_loop_are_recorded(traced: bool, tmp_path: Path) -> None:
    """Norm and change of a moving mean agree with numpy; a moving statistic has no weight norm and no update."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    optimizer, x = keras.optimizers.SGD(0.1), np.random.default_rng(1).normal(2.0, 3.0, (16, 3)).astype("float32")

    def train_step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x, training=True) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    step = tf.function(train_step) if traced else train_step
    mean, means = model.layers[0].moving_mean, []
    with quiet(tmp_path, model=model, optimizer=optimizer) as watch:
        for _ in range(4):
            before = mean.numpy()
            watch.step(step())
            means.append((before, mean.numpy()))
    names = [v.name for v in watch.history.variables]
    position = next(i for i, name in enumerate(names) if name.endswith("moving_mean"))
    norm = watch.history.column("statistic_norm")[:, position]
    change = watch.history.column("statistic_change")[:, position]
    np.testing.assert_allclose(norm, [np.linalg.norm(after) for _, after in means], rtol=6e-3)
    np.testing.assert_allclose(change, [np.linalg.norm(after - before) for before, after in means], rtol=6e-3)
    assert not watch.history.known("weight_norm")[:, position].any()
    assert not watch.history.known("update_norm")[:, position].any()
