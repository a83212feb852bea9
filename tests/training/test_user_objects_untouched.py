"""The recorder leaves no trace in model, layers and optimizer: they are compared with those of a training without it.

Each style of training runs twice, plain and recorded, and does the same in both runs: it trains, is copied and saved in
every way in the middle and at the end, trains a second time recorded, and finally without the recorder.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pickle
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tests.supported.observe import diabetes

BATCH, MIDDLE, END, SECOND, THIRD = 32, 4, 8, 10, 12  # counts of steps
layers = keras.layers
Middle = Callable[[keras.Model], None]


class Fragile(layers.Layer):
    """The identity; raises when armed, and in a graph when its input is large."""

    armed = False

    def call(self, x: Any) -> Any:
        if self.armed:
            raise ValueError("fragile")
        tf.debugging.assert_less(tf.reduce_max(tf.abs(x)), 1e6, message="fragile")
        return x


def build(*first: layers.Layer, **compiled: Any) -> keras.Model:
    """The same model each time, down to the names."""
    keras.utils.set_random_seed(3)
    parts = [
        layers.Dense(8, activation="relu", name="a"),
        layers.BatchNormalization(name="b"),
        layers.Dense(1, name="c"),
    ]
    model = keras.Sequential([keras.Input((10,), name="x"), *first, *parts], name="model")
    model.compile(keras.optimizers.Adam(1e-2, name="adam"), loss="mse", metrics=["mae"], **compiled)
    model.optimizer.build(model.trainable_variables)
    return model


def batches(steps: range) -> tuple[np.ndarray, np.ndarray]:
    x, y = diabetes(THIRD * BATCH)
    part = slice(steps.start * BATCH, steps.stop * BATCH)
    return x[part], y[part]


# -- attributes of the objects


def tracked_objects(model: keras.Model) -> list[Any]:
    return [model, *model.layers, model.optimizer, *model.metrics, *model.variables, *model.optimizer.variables]


def fingerprint(value: Any) -> Any:
    """Returns what a hook would change: the value of a setting, the code of a function, else the type."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    function = getattr(value, "python_function", value)
    return type(value), getattr(function, "__code__", None), hasattr(value, "__wrapped__")


def attributes(model: keras.Model) -> list[dict[str, Any]]:
    # _self_update_uid: TensorFlow numbers all restores of a process
    return [
        {k: fingerprint(v) for k, v in vars(tracked).items() if k != "_self_update_uid"}
        for tracked in tracked_objects(model)
    ]


def callables(model: keras.Model) -> list[tuple[Any, str, Any]]:
    return [(o, key, value) for o in tracked_objects(model) for key, value in vars(o).items() if callable(value)]


def replaced(before: list[tuple[Any, str, Any]]) -> list[str]:
    return [f"{o}.{key}" for o, key, value in before if vars(o).get(key) is not value]


def differences(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Returns the object's position and the key of each attribute that differs."""
    assert len(one) == len(other)
    return [
        (i, k) for i, (a, b) in enumerate(zip(one, other, strict=True)) for k in a | b if a.get(k, ()) != b.get(k, ())
    ]


def names(model: keras.Model) -> tuple[list[str], list[str]]:
    return [v.path for v in model.variables], [v.path for v in model.optimizer.variables]


def bits(model: keras.Model) -> list[bytes]:
    """All weights and all the optimizer's slots; metrics begin anew in each `fit`."""
    return [v.numpy().tobytes() for v in [*model.weights, *model.optimizer.variables]]


# -- styles of training


class At(keras.callbacks.Callback):
    """Calls a function at the end of a batch."""

    def __init__(self, step: int, do: Middle) -> None:
        super().__init__()
        self.step, self.do = step, do

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.step - 1:
            self.do(self.model)


class Fit:
    """Trains by `fit`."""

    compiled: ClassVar[dict[str, Any]] = {}
    watch_last = False

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        model.make_train_function()

    def train(self, steps: range, logs: Path | None = None, middle: Middle | None = None) -> Any:
        watch = ww.WeightWatch(logs, verbose=False, overhead=None) if logs else None
        both = [watch] if watch else []
        own = [At(MIDDLE, middle)] if middle else []
        both = own + both if self.watch_last else both + own
        self.model.fit(*batches(steps), batch_size=BATCH, shuffle=False, verbose=0, callbacks=both)
        return watch


class FitExecutions(Fit):
    """Trains with two steps per execution, and the recorder after the user's callbacks."""

    compiled: ClassVar[dict[str, Any]] = {"steps_per_execution": 2}
    watch_last = True


class FitEager(Fit):
    compiled: ClassVar[dict[str, Any]] = {"run_eagerly": True}


class Loop:
    """Trains in an eager loop, under an open Watch."""

    compiled: ClassVar[dict[str, Any]] = {}

    def __init__(self, model: keras.Model) -> None:
        self.model = model

        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(y - model(x, training=True)))
            gradients = tape.gradient(loss, model.trainable_variables)
            model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss, gradients

        self.step = step
        self.given: tuple[str, ...] = ()

    def train(self, steps: range, logs: Path | None = None, middle: Middle | None = None) -> Any:
        model, (x, y) = self.model, batches(steps)
        made = (
            ww.Watch(logs, model, model.optimizer, verbose=False, overhead=None) if logs else contextlib.nullcontext()
        )
        with made as watch:
            for number in range(len(steps)):
                part = slice(number * BATCH, (number + 1) * BATCH)
                loss, gradients = self.step(x[part], y[part])
                if watch:
                    watch.step(loss, **dict.fromkeys(self.given, gradients))
                if middle and number == MIDDLE - 1:
                    middle(model)
        return watch


class LoopTraced(Loop):
    """Trains with a step in a `tf.function`, which is traced while the hooks are installed."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__(model)
        self.step, self.given = tf.function(self.step), ("gradients",)


STYLES: dict[str, type[Fit | Loop]] = {
    "fit": Fit,
    "fit, two steps an execution": FitExecutions,
    "fit, eager": FitEager,
    "loop": Loop,
    "loop, traced": LoopTraced,
}
WIDE = (Fit, Loop)  # copied in every way, in the middle and at the end; the others in one way, in the middle


# -- copies and files


def blank(model: keras.Model) -> keras.Model:
    """Returns a model of the same configuration, compiled alike, with its own weights."""
    made = type(model).from_config(model.get_config())
    made.compile_from_config(model.get_compile_config())
    return made


def saved(model: keras.Model, folder: Path) -> keras.Model:
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def weights_only(model: keras.Model, folder: Path) -> keras.Model:
    model.save_weights(folder / "model.weights.h5")
    made = blank(model)
    made.load_weights(folder / "model.weights.h5")
    return made


def checkpointed(model: keras.Model, folder: Path) -> keras.Model:
    written = tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(str(folder / "checkpoint"))
    made = blank(model)
    tf.train.Checkpoint(model=made, optimizer=made.optimizer).restore(written).assert_existing_objects_matched()
    return made


def cloned(model: keras.Model, folder: Path) -> keras.Model:
    made = keras.models.clone_model(model)
    made.compile_from_config(model.get_compile_config())
    for one, other in zip(
        made.weights + made.optimizer.variables, model.weights + model.optimizer.variables, strict=True
    ):
        one.assign(other)
    return made


COPIES: dict[str, Callable[[keras.Model, Path], keras.Model]] = {
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "save": saved,
    "save_weights": weights_only,
    "clone_model": cloned,
    "tf.train.Checkpoint": checkpointed,
}


SHORT = ("save",)


def arrays(file: Any) -> list[str]:
    entries: list[str] = []
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: entries.append(f"{name} {getattr(item, 'shape', '')}"))
    return entries


def exported(model: keras.Model, folder: Path) -> dict[str, Any]:
    model.export(folder / "export", verbose=False)
    read = tf.saved_model.load(str(folder / "export"))
    graph = read.signatures["serving_default"].graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return {
        "answers": read.serve(batches(range(1))[0]).numpy(),
        "operations": Counter(n.op for n in nodes),
        "signatures": list(read.signatures),
        "variables": sorted(shape for _, shape in tf.train.list_variables(str(folder / "export/variables/variables"))),
    }


def files(folder: Path) -> dict[str, Any]:
    """Returns names and shapes of the arrays in the files."""
    with zipfile.ZipFile(folder / "model.keras") as archive:
        config = json.loads(archive.read("config.json"), object_hook=lambda x: {**x, "shared_object_id": 0})
        return {
            "members": sorted(archive.namelist()),
            "config": config,
            "arrays": arrays(io.BytesIO(archive.read("model.weights.h5"))),
            "weights": arrays(folder / "model.weights.h5"),
            "checkpoint": tf.train.list_variables(str(folder)),
        }


def attempt(do: Callable[[], Any]) -> Any:
    """Returns the result or the exception, which the test of that result raises."""
    try:
        return do()
    except Exception as error:
        return error


def unwrap(result: Any) -> Any:
    if isinstance(result, Exception):
        raise result
    return result


@dataclass
class Snapshot:
    """The state of the objects at one point of a training."""

    attributes: list[dict[str, Any]]
    names: tuple[list[str], list[str]]
    bits: list[bytes]
    replaced: list[str]
    copies: dict[str, Any] = field(default_factory=dict)
    files: Any = None
    exported: Any = None


class Training:
    """A training in one style, plain or recorded. The plain one is copied only in the middle, for comparison."""

    def __init__(self, style: type[Fit | Loop], folder: Path, recorded: bool) -> None:
        self.style, self.folder, self.called = style, folder, 0
        self.model = build(**style.compiled)
        self.trainer = style(self.model)
        self.own = callables(self.model)
        self.snapshots: dict[str, Snapshot] = {}
        logs = folder / "logs" if recorded else None
        self.watches = [self.trainer.train(range(END), logs, lambda _: self.take_snapshot("middle", copies=True))]
        self.take_snapshot("end", copies=recorded and style in WIDE)
        self.watches += [self.trainer.train(range(END, SECOND), logs)]
        self.take_snapshot("second")
        if issubclass(style, Fit):
            self.counted()
        self.trainer.train(range(SECOND, THIRD))
        self.take_snapshot("unwatched")

    def counted(self) -> None:
        own = self.model.train_function

        def train_function(iterator: Any) -> Any:
            self.called += 1
            return own(iterator)

        self.model.train_function = train_function

    def take_snapshot(self, name: str, copies: bool = False) -> None:
        model, folder = self.model, self.folder / name
        snapshot = Snapshot(attributes(model), names(model), bits(model), replaced(self.own))
        self.snapshots[name] = snapshot
        if not copies:
            return
        folder.mkdir(parents=True)
        for how in COPIES if self.style in WIDE else SHORT:
            snapshot.copies[how] = attempt(lambda how=how: COPIES[how](model, folder))  # type: ignore[misc]
        if self.style in WIDE:
            snapshot.files = attempt(lambda: files(folder))
            snapshot.exported = attempt(lambda: exported(model, folder))


@pytest.fixture(scope="module", params=STYLES)
def trainings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Training, Training]]:
    """The same training plain and recorded."""
    style, folder = STYLES[request.param], tmp_path_factory.mktemp("objects")
    yield Training(style, folder / "plain", recorded=False), Training(style, folder / "recorded", recorded=True)


def test_the_recorder_did_record(trainings: tuple[Training, Training]) -> None:
    """Every step of both recorded trainings has its row, so that the other tests compare a real recording."""
    plain, recorded = trainings
    assert plain.watches == [None, None]
    assert [watch.history.steps.tolist() for watch in recorded.watches] == [list(range(1, END + 1)), [1, 2]]


@pytest.mark.parametrize("snapshot", ["middle", "end", "second", "unwatched"])
def test_objects_are_those_of_a_plain_training(snapshot: str, trainings: tuple[Training, Training]) -> None:
    """Attributes, variables' names and values, and the user's own callables are those of the plain training."""
    plain, recorded = (training.snapshots[snapshot] for training in trainings)
    assert recorded.names == plain.names
    assert recorded.bits == plain.bits
    assert recorded.replaced == plain.replaced
    assert not plain.replaced or snapshot == "unwatched"  # where the test has put a function of its own
    different = differences(recorded.attributes, plain.attributes)
    if snapshot == "middle" and issubclass(trainings[0].style, Loop):  # hooks of an open Watch, where no state is kept
        assert all(callable(vars(tracked_objects(trainings[1].model)[i]).get(key, print)) for i, key in different)
        assert not {i for i, _ in different} - set(range(5))  # model, its layers, optimizer
    else:
        assert not different


def test_the_users_own_function_runs_afterwards(trainings: tuple[Training, Training]) -> None:
    """With the callback gone each execution of `fit` calls the train function that the user has set."""
    plain, recorded = trainings
    executions = (THIRD - SECOND) // plain.model.steps_per_execution
    assert recorded.called == plain.called == (executions if issubclass(plain.style, Fit) else 0)


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_complete_and_can_be_trained(how: str, trainings: tuple[Training, Training]) -> None:
    """A copy has the weights and slots, bit for bit, and no hook; its training continues like the plain one."""
    plain, recorded = trainings
    for name, steps, later in (("middle", range(MIDDLE, END), "end"), ("end", range(END, SECOND), "second")):
        if how not in recorded.snapshots[name].copies:
            continue
        made, other = unwrap(recorded.snapshots[name].copies[how]), unwrap(plain.snapshots["middle"].copies[how])
        assert made is not recorded.model
        assert bits(made) == plain.snapshots[name].bits
        assert names(made) == names(other)
        if name == "middle":  # before one of the two has been trained
            fresh = attributes(other)
        assert not differences(attributes(made), fresh)
        if name == "middle" or how == "save":
            plain.style(made).train(steps)
            assert bits(made) == plain.snapshots[later].bits


def test_files_hold_nothing_of_the_recorder(trainings: tuple[Training, Training]) -> None:
    """Names and shapes in .keras, .weights.h5 and tf.train.Checkpoint are those that a plain training writes."""
    plain, recorded = trainings
    for name in ("middle", "end") if plain.style in WIDE else ():
        expected, actual = unwrap(plain.snapshots["middle"].files), unwrap(recorded.snapshots[name].files)
        assert len(actual["checkpoint"]) > 20
        assert actual == expected
        assert "weightwatch" not in str(actual).lower()


def test_an_export_is_the_users_model(trainings: tuple[Training, Training]) -> None:
    """A SavedModel has the operations, signatures and variables of a plain one, and the same outputs in the middle."""
    plain, recorded = trainings
    for name in ("middle", "end") if plain.style in WIDE else ():
        expected, actual = unwrap(plain.snapshots["middle"].exported), unwrap(recorded.snapshots[name].exported)
        for key in ("operations", "signatures", "variables"):
            assert actual[key] == expected[key]
        assert name == "end" or (actual["answers"] == expected["answers"]).all()


# -- parts


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_parts_are_copied_beside_an_open_watch(how: str, tmp_path: Path) -> None:
    """Layers, and an optimizer that is not built yet (Keras loads no built one), are copied without hooks."""
    make = copy.deepcopy if how == "deepcopy" else lambda part: pickle.loads(pickle.dumps(part))
    states = []
    for recorded in (False, True):
        model = build()
        optimizer = keras.optimizers.Adam(1e-2, name="adam")
        with ww.Watch(tmp_path, model, optimizer, verbose=False) if recorded else contextlib.nullcontext():
            for part in (*model.layers, optimizer):
                made = make(part)
                weights = [v.numpy().tobytes() for v in made.variables]
                states.append((made.get_config(), weights, {k: fingerprint(v) for k, v in vars(made).items()}))
    assert states[:4] == states[4:]


# -- exceptions


def stop(_: keras.Model) -> None:
    raise KeyboardInterrupt("stop")


def failing(how: str, model: keras.Model, callbacks: list[Any]) -> None:
    """Trains, and fails in the third step, or (trace) in the first."""
    x, y = batches(range(4))
    settings = {"shuffle": False, "verbose": 0, "callbacks": callbacks}
    if how == "step":
        x[2 * BATCH, 0] = 1e9

    def pairs() -> Iterator[tuple[Any, Any]]:
        for step in range(2):
            yield x[step * BATCH : (step + 1) * BATCH], y[step * BATCH : (step + 1) * BATCH]
        raise ValueError("fragile")

    if how == "data":
        model.fit(pairs(), **settings)
    elif how == "callback":
        model.fit(x, y, batch_size=BATCH, **{**settings, "callbacks": [*callbacks, At(3, stop)]})
    elif how == "trace":
        model.make_train_function(force=True)
        model.layers[0].armed = True
        try:
            model.fit(x, y, batch_size=BATCH, **settings)
        finally:
            model.layers[0].armed = False
    else:
        model.fit(x, y, batch_size=BATCH, **settings)


@pytest.mark.parametrize(
    ("ways", "compiled"),
    [(("callback", "data", "step", "trace"), {}), (("step",), {"run_eagerly": True})],
    ids=["graph", "eager"],
)
def test_after_an_exception_in_fit(ways: tuple[str, ...], compiled: dict[str, Any], tmp_path: Path) -> None:
    """A `fit` that fails, and is run again with and without the callback, leaves the objects of a plain training."""
    states: list[list[Any]] = [[], []]
    for recorded in (False, True):
        model = build(Fragile(name="fragile"), **compiled)
        model.make_train_function()

        def take_snapshot(states: list[Any] = states[recorded], model: Any = model) -> None:
            states.append((attributes(model), names(model), bits(model)))

        callbacks = [ww.WeightWatch(tmp_path, verbose=False, overhead=None)] if recorded else []
        for how in ways:
            own = [] if how == "trace" else callables(model)
            with pytest.raises((Exception, KeyboardInterrupt), match=r"fragile|stop"):
                failing(how, model, callbacks)
            take_snapshot()
            for again in (callbacks, []):
                model.fit(*batches(range(2)), batch_size=BATCH, shuffle=False, verbose=0, callbacks=again)
                take_snapshot()
            assert not replaced(own)
        if recorded:
            assert len(callbacks[0].history) >= 2 * len(ways)
    assert len(states[0]) == len(states[1]) == 3 * len(ways)
    for plain, watched in zip(*states, strict=True):
        assert not differences(watched[0], plain[0])
        assert watched[1:] == plain[1:]


@pytest.mark.parametrize(
    ("style", "how"), [("loop", "layer"), ("loop", "between"), ("loop", "interrupt"), ("loop, traced", "layer")]
)
def test_after_an_exception_in_a_loop(how: str, style: str, tmp_path: Path) -> None:
    """A loop that fails in the model, between update and `step`, or after it leaves the objects of a plain loop."""
    states: list[list[Any]] = [[], []]
    for recorded in (False, True):
        model = build(Fragile(name="fragile"))
        trainer, own = STYLES[style](model), callables(model)
        inner = trainer.step

        def step(x: Any, y: Any, model: Any = model, inner: Any = inner) -> Any:
            model.layers[0].armed = how == "layer" and int(model.optimizer.iterations) == 3
            if model.layers[0].armed and style == "loop, traced":
                x, y = x[:5], y[:5]  # traced anew, which the armed layer breaks
            result = inner(x, y)
            if how == "between" and int(model.optimizer.iterations) == 4:
                raise ValueError("fragile")
            return result

        def take_snapshot(states: list[Any] = states[recorded], model: Any = model, own: Any = own) -> None:
            states.append((attributes(model), names(model), bits(model), replaced(own)))

        trainer.step = step
        logs = tmp_path if recorded else None
        with pytest.raises(KeyboardInterrupt if how == "interrupt" else ValueError, match=r"fragile|stop"):
            trainer.train(range(END), logs, stop)
        take_snapshot()
        model.layers[0].armed, trainer.step = False, inner
        for again in (logs, None):
            trainer.train(range(END, SECOND), again)
            take_snapshot()
    for plain, watched in zip(*states, strict=True):
        assert not differences(watched[0], plain[0])
        assert watched[1:] == plain[1:]
        assert watched[3] == []


# -- callbacks that save


def test_checkpoints_of_every_epoch(tmp_path: Path) -> None:
    """`ModelCheckpoint` writes models and weights while training; training continued from each gives the same bits."""
    states = []
    fit = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    for recorded in (False, True):
        folder, model = tmp_path / str(recorded), build()
        checkpoint = keras.callbacks.ModelCheckpoint
        own = [
            checkpoint(folder / "{epoch}.keras"),
            checkpoint(folder / "{epoch}.weights.h5", save_weights_only=True),
            checkpoint(folder / "latest.keras", save_freq=3),  # at last of step 6
        ]
        watches = [ww.WeightWatch(folder / "logs", verbose=False, overhead=None)] if recorded else []
        model.fit(*batches(range(4)), epochs=2, callbacks=[*own[:1], *watches, *own[1:]], **fit)
        restored = blank(model)
        restored.load_weights(folder / "1.weights.h5")
        loaded = [keras.models.load_model(folder / name) for name in ("1.keras", "2.keras", "latest.keras")]
        arrayed = {p.name: arrays(p) for p in sorted(folder.glob("*.h5"))}
        states.append((arrayed, [bits(m) for m in (model, restored, *loaded)]))
        assert bits(restored) == bits(loaded[0])
        assert bits(loaded[1]) == bits(model)
    assert len(states[1][0]) == 2
    assert states[0] == states[1]
    loaded[0].fit(*batches(range(4)), **fit)
    loaded[2].fit(*batches(range(2, 4)), **fit)
    assert bits(loaded[0]) == bits(loaded[2]) == bits(model)


def test_an_interrupted_training_is_resumed(tmp_path: Path) -> None:
    """`BackupAndRestore` brings a new process's model to where an interrupted, recorded training was."""
    plain = build(run_eagerly=True)
    fit = {"batch_size": BATCH, "shuffle": False, "verbose": 0, "epochs": 2}
    plain.fit(*batches(range(4)), **fit)

    def callbacks() -> list[Any]:
        return [
            keras.callbacks.BackupAndRestore(tmp_path / "backup"),
            ww.WeightWatch(tmp_path / "logs", verbose=False, overhead=None),
        ]

    class Stops(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(run_eagerly=True).fit(*batches(range(4)), callbacks=[*callbacks(), Stops()], **fit)
    model = build(run_eagerly=True)
    model.fit(*batches(range(4)), callbacks=callbacks(), **fit)
    assert bits(model) == bits(plain)


# -- copies and classes beside an open recorder


def test_copies_trained_beside_an_open_watch_are_not_recorded(tmp_path: Path) -> None:
    """Training copies between two steps changes neither the original's recording nor its weights."""
    states, made = [], {}
    for beside in (False, True):
        model = build()

        def middle(model: keras.Model, beside: bool = beside) -> None:
            for how, make in COPIES.items() if beside else ():
                made[how] = make(model, tmp_path)
                Loop(made[how]).train(range(MIDDLE, MIDDLE + 2))

        watch = Loop(model).train(range(END), tmp_path / f"logs-{beside}", middle)
        columns = ("gradient_norm", "update_norm", "loss", "dead_share")
        states.append((bits(model), {name: watch.history.column(name).tobytes() for name in columns}))
    assert states[0] == states[1]
    assert len({tuple(bits(one)) for one in made.values()}) == 1


def test_a_copy_can_be_watched_itself(tmp_path: Path) -> None:
    """While one Watch is open, a copy has its own: each records its own steps, and neither leaves a hook."""
    states = []
    for recorded in (False, True):
        model, watches, made = build(), [], []
        logs = {name: tmp_path / name if recorded else None for name in ("original", "copy")}

        def middle(model: Any, watches: list[Any] = watches, made: list[Any] = made, logs: Any = logs) -> None:
            made.append(copy.deepcopy(model))
            watches.append(Loop(made[0]).train(range(MIDDLE, END), logs["copy"]))

        watches.append(Loop(model).train(range(END), logs["original"], middle))
        assert bits(made[0]) == bits(model)
        states.append([*attributes(made[0]), *attributes(model)])
    assert not differences(*states)
    assert [len(watch.history) for watch in watches] == [END - MIDDLE, END]
    for name in ("loss", "gradient_norm", "update_norm"):
        one, other = (watch.history.column(name) for watch in watches)
        np.testing.assert_array_equal(one, other[MIDDLE:])


@pytest.mark.parametrize("style", ["fit, eager", "loop"])
def test_classes_are_untouched(style: str, tmp_path: Path) -> None:
    """No class has another function while or after a model is recorded."""
    model = build(**STYLES[style].compiled)
    classes = {c for tracked in tracked_objects(model) for c in type(tracked).__mro__ if c is not object}
    before = {c: {k: v for k, v in vars(c).items() if callable(v)} for c in classes}
    snapshots = []
    STYLES[style](model).train(range(END), tmp_path, lambda _: snapshots.append(1))
    snapshots.append(1)
    for c, functions in before.items():
        assert [k for k, v in functions.items() if vars(c).get(k) is not v] == []
    assert len(snapshots) == 2
