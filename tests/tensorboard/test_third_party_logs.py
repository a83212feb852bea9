"""Logs that were never written with this tool: Keras' own callback, tf.summary, PyTorch's SummaryWriter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch import reader
from tb_weightwatch.diagnosis import diagnose, symptoms
from tb_weightwatch.history import History
from tb_weightwatch.reader.third_party import TagCollector
from tb_weightwatch.reader.third_party.series import BoundedSeries
from tb_weightwatch.reader.third_party.tag_names import histogram_kind, main_loss_tag, scalar_kind, variable

RECORDED = Path(__file__).resolve().parents[1] / "foreign"


def only(directory: Path) -> History:
    (launch,) = reader.launches(directory)
    return launch.history


def kinds(history: History) -> dict[str, str]:
    return {one.kind: one.severity for one in symptoms(history)}


# -- PyTorch: recorded by tests/foreign/record.py


@pytest.mark.parametrize(
    ("run", "status", "says"),
    [
        ("torch-healthy", "healthy", "loss 1.02 -> 0.0541 over 10 steps; all 6 weights that were logged move"),
        ("torch-steps", "healthy", "over 30 steps; all 6 weights that were logged move"),
        ("torch-stops", "sick", "The learning rate fell from 1e-3 to exactly 0 after step 4 of 18"),
        ("torch-stops-untold", "sick", "All weights stopped moving after step 3: 7 snapshots since are the same"),
        (
            "torch-nan",
            "sick",
            "The weights of '0.weight' became NaN or infinite at step 6",
        ),
        ("torch-diverges", "sick", "The weights explode: their norm grew from 12,200 to 1.08e17"),
    ],
)
def test_a_run_of_pytorch_is_judged(run: str, status: str, says: str) -> None:
    """By the same `diagnose`, from what its SummaryWriter wrote."""
    history = only(RECORDED / run)
    found = diagnose(history)
    assert (found.status, found.rows) == (status, len(history))
    assert says in found.sentence
    assert {"learning-rate-too-small", "dead-relu"} <= {u.rule for u in found.unknown}


def test_what_pytorch_tells_of_its_weights_is_exact() -> None:
    """Its histograms carry sums: the norm over a snapshot's elements is no estimate; statistics are no weights."""
    history = only(RECORDED / "torch-healthy")
    assert [v.name for v in history.variables] == [
        "0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias",
    ]  # fmt: skip
    assert [v.size for v in history.variables] == [128, 16, 16, 16, 48, 3]
    assert "weight_norm" not in history.facts["foreign"]["estimates"]
    norm, largest = history.column("weight_norm")[0], history.column("weight_max")[0]
    assert np.all(norm <= largest * np.sqrt([v.size for v in history.variables]))
    assert norm[2] == pytest.approx(4.0, abs=0.1)  # BatchNorm's scale begins as sixteen ones
    assert history.has("gradient_norm", "gradient_max", "loss", "learning_rate")


def test_another_clock_is_set_by_the_time_of_writing() -> None:
    """Losses by step and histograms by epoch: an epoch's snapshot stands where its last step is."""
    history = only(RECORDED / "torch-steps")
    rows = np.flatnonzero(history.known("weight_norm")[:, 0])
    assert (history.steps[rows] % 3).tolist() == [0] * 10
    assert history.facts["foreign"]["by_time"]


# -- Keras: trained here


def trained(
    path: Path, rate: float, *, epochs: int = 5, schedule: Any = None, frozen: bool = False, freq: Any = "epoch"
) -> None:
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 6)).astype("float32")
    y = np.argmax(x[:, :3], axis=1)
    first = keras.layers.Dense(12, activation="relu", trainable=not frozen)
    last = keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((6,)), first, keras.layers.BatchNormalization(), last])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="sparse_categorical_crossentropy", run_eagerly=True)
    board = keras.callbacks.TensorBoard(path, histogram_freq=1, update_freq=freq)
    callbacks = [board, keras.callbacks.LearningRateScheduler(schedule)] if schedule else [board]
    model.fit(x, y, epochs=epochs, batch_size=16, validation_split=0.25, verbose=0, callbacks=callbacks)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras")
    trained(path / "healthy", 0.3)
    trained(path / "batches", 0.3, freq=1)
    trained(path / "still", 1e-12)
    trained(path / "nan", 1e38, epochs=3)
    trained(path / "spent", 0.05, epochs=14, schedule=lambda epoch, _: 0.05 if epoch < 2 else 0.0)
    trained(path / "base", 0.3, frozen=True)
    return path


def test_a_run_is_listed_once(fitted: Path) -> None:
    """The validation half of a run is no run of its own."""
    assert [name for name, _ in reader.runs(fitted)] == [
        f"{name}/train" for name in ("base", "batches", "healthy", "nan", "spent", "still")
    ]


def test_a_healthy_fit_is_healthy(fitted: Path) -> None:
    """No alarm; steps are epochs; model, optimizer and loss are known from what the callback wrote of the model."""
    history = only(fitted / "healthy" / "train")
    found = diagnose(history)
    assert found.status == "healthy", found.sentence
    assert "5 epochs; all 6 weights that were logged move" in found.sentence
    assert not found.verdicts
    assert history.steps.tolist() == [1, 2, 3, 4, 5]
    facts = history.facts
    assert facts["foreign"]["writer"] == "keras.callbacks.TensorBoard"
    assert facts["optimizers"][0]["class"] == "SGD"
    assert facts["loss"]["name"] == "sparse_categorical_crossentropy"
    assert facts["output_layer"]["activation"] == "softmax"
    assert facts["output_layer"]["units"] == 3
    assert not any("moving" in v.name for v in history.variables)


def test_batch_scalars_give_rows_by_step(fitted: Path) -> None:
    """With `update_freq=1` rows are training steps, and each epoch's histograms stand at its last one."""
    history = only(fitted / "batches" / "train")
    assert history.steps.tolist() == list(range(1, 16))
    assert history.steps[history.known("weight_norm")[:, 0]].tolist() == [3, 6, 9, 12, 15]
    assert history.facts["foreign"]["loss"] == "batch_loss"
    assert diagnose(history).status == "healthy"


def test_what_is_broken_in_fit_is_seen(fitted: Path) -> None:
    """Weights that never move, NaN, and a learning rate that fell to zero."""
    still = only(fitted / "still" / "train")
    assert diagnose(still).status == "sick"
    assert kinds(still) == {"motionless": "error"}
    assert "No weight moves: all 6 that were logged stand still over 5 epochs" in diagnose(still).sentence
    nan = only(fitted / "nan" / "train")
    assert diagnose(nan).status == "sick"
    assert kinds(nan) == {"nonfinite weights": "error", "nonfinite loss": "error"}
    spent = diagnose(only(fitted / "spent" / "train"))
    assert [v.code for v in spent.verdicts] == [501]
    assert "after epoch 2 of 14, before the model had learned" in spent.sentence
    assert "keras.optimizers" in spent.verdicts[0].fix
    (torch,) = diagnose(only(RECORDED / "torch-stops")).verdicts
    assert "optimizer.param_groups" in torch.fix
    assert "keras" not in torch.fix
    lost = diagnose(only(RECORDED / "torch-nan"))  # PyTorch logs no histogram of NaN any more: it stays
    assert [v.code for v in lost.verdicts] == [703]
    assert not lost.resolved
    assert kinds(only(fitted / "spent" / "train"))["stopped"] == "error"


def test_a_frozen_base_is_a_remark(fitted: Path) -> None:
    """What the model itself calls frozen is not taken for stuck."""
    history = only(fitted / "base" / "train")
    assert [v.name.rsplit("/", 1)[-1] for v in history.variables if not v.trainable] == ["kernel", "bias"]
    found = diagnose(history)
    assert found.status == "healthy"
    assert [(v.code, v.severity) for v in found.verdicts] == [(701, "info")]


def test_estimates_from_buckets_are_near_and_say_so(tmp_path: Path) -> None:
    """The largest element is exact; norm and spread come from 30 buckets, and the facts call them estimates."""
    values = np.random.default_rng(3).normal(0.1, 2.0, 4000).astype("float32")
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for step in range(3):
            tf.summary.histogram("dense/kernel", values * (step + 1), step=step)
    history = only(tmp_path)
    assert history.column("weight_max")[0, 0] == np.abs(values).max()
    assert history.column("weight_norm")[0, 0] == pytest.approx(np.linalg.norm(values), rel=0.01)
    assert history.column("weight_std")[0, 0] == pytest.approx(values.std(), rel=0.01)
    assert {"weight_norm", "weight_std"} <= set(history.facts["foreign"]["estimates"])
    largest = np.abs(values).max()
    assert 0 < history.column("weight_drift")[1, 0] <= largest * 1.001  # a lower bound: one element moved so far


# -- tf.summary, by hand


def curves(path: Path, steps: int, **series: Callable[[int], Any]) -> History:
    """Writes scalars, and histograms of arrays; "__" in a name stands for "/"."""
    writer = tf.summary.create_file_writer(str(path))
    with writer.as_default():
        for step in range(steps):
            for name, value in series.items():
                found = value(step)
                if found is None:  # not logged at this step
                    continue
                write = tf.summary.scalar if np.ndim(found) == 0 else tf.summary.histogram
                write(name.replace("__", "/"), found, step=step)
    writer.close()
    return only(path)


W = np.random.default_rng(0).normal(size=50).astype("float32")
HEALTHY: dict[str, dict[str, Callable[[int], Any]]] = {
    "falls": {"loss": lambda t: 2 * 0.9**t, "w": lambda t: W + 0.01 * t},
    "converged and stopped by design": {
        "train__loss": lambda t: 2 * 0.5 ** min(t, 10), "kernel": lambda t: W + 0.1 * min(t, 10)
    },
    "a critic's loss rises as it learns": {"loss": lambda t: 0.01 + 0.1 * t, "w": lambda t: W * (1 + 0.05 * t)},
    "generator and discriminator": {"g_loss": lambda t: 1.0 + t, "d_loss": lambda t: 1 / (t + 1), "w": lambda t: W + t},
    "one weight is frozen": {"loss": lambda t: 2 * 0.9**t, "a__w": lambda t: W, "b__w": lambda t: W + 0.1 * t},
    "warm-up and decay": {"loss": lambda t: 2 * 0.9**t, "lr": lambda t: np.interp(t, [0, 4, 29], [0.0, 1.0, 0.0])},
    "one spike of NaN": {"loss": lambda t: np.nan if t == 7 else 2 * 0.9**t},
    "activations that never change": {"loss": lambda t: 2 * 0.9**t, "dense__activations": lambda t: W},
    "growing weights": {"loss": lambda t: 2 * 0.9**t, "w": lambda t: W * 1.2**t},
    "flat, of unknown kind": {"loss": lambda t: 1.0 + 0.01 * (t % 3), "w": lambda t: W + 0.01 * t},
    "accuracy alone": {"accuracy": lambda t: t / 30, "epoch": lambda t: t, "w": lambda t: W + t},
    "one frozen weight, several losses": {"a_loss": lambda t: 1.0, "b_loss": lambda t: 1.0, "w": lambda t: W},
    "weights that begin near zero": {"loss": lambda t: 1.0 + 0.01 * (t % 3), "w": lambda t: 0.01 * W * (t + 1)},
    "a rate logged with too few digits": {"loss": lambda t: 1.0, "lr": lambda t: 0.0, "w": lambda t: W + 0.1 * t},
    "a loss of zero": {"loss": lambda t: 0.0, "w": lambda t: W},
}  # fmt: skip


@pytest.mark.parametrize("kind", HEALTHY)
def test_a_healthy_log_raises_no_alarm(kind: str, tmp_path: Path) -> None:
    """What may be healthy is healthy or undecided, never sick."""
    history = curves(tmp_path, 30, **HEALTHY[kind])
    found = diagnose(history)
    assert found.status != "sick", found.sentence
    assert not [v for v in found.verdicts if v.severity != "info"]
    assert set(kinds(history).values()) <= {"info"}


SICK: dict[str, tuple[str, dict[str, Callable[[int], Any]]]] = {
    "explode": ("exploding weights", {"loss": lambda t: 1.0 + t, "w": lambda t: W * 1.5**t}),
    "stop": ("stopped", {"loss": lambda t: 1.0 + 0.01 * (t % 3), "w": lambda t: W + 0.1 * min(t, 9)}),
    "still": (
        "motionless",
        {"loss": lambda t: 1.0 + 0.01 * (t % 3), "a__kernel": lambda t: W, "a__bias": lambda t: 0 * W},
    ),
    "still, no loss": ("motionless", {"a__w": lambda t: W, "c__w": lambda t: W + 1}),
    "infinite": ("nonfinite weights", {"loss": lambda t: 1.0, "w": lambda t: np.where(t > 9, np.inf, W)}),
    "NaN loss": ("nonfinite loss", {"loss": lambda t: 1.0 if t < 9 else np.nan}),
    "diverges": ("diverging loss", {"loss": lambda t: 10.0**t}),
}


@pytest.mark.parametrize("kind", SICK)
def test_a_sick_log_is_told(kind: str, tmp_path: Path) -> None:
    """With the step at which it began."""
    symptom, series = SICK[kind]
    history = curves(tmp_path, 30, **series)
    assert diagnose(history).status == "sick"
    found = next(one for one in symptoms(history) if one.kind == symptom)
    assert found.severity == "error"
    assert found.first_step == {"stop": 10, "NaN loss": 10, "infinite": 11}.get(kind, found.first_step)


def test_a_rate_of_zero_claims_nothing_of_gradients_that_nobody_logged(tmp_path: Path) -> None:
    """From the first step on, with weights that stand still."""
    found = diagnose(curves(tmp_path, 30, loss=lambda t: 1.0, lr=lambda t: 0.0, w=lambda t: W))
    assert [v.name for v in found.verdicts] == ["learning-rate-zero"]
    assert "exactly 0 and has been for all 30 steps, so no weight moves" in found.sentence
    assert "gradient" not in found.sentence


def test_a_rate_of_zero_stands_between_snapshots_of_gradients(tmp_path: Path) -> None:
    """Where gradients were logged last counts; that they are not known at the last step resolves nothing."""
    alive: dict[str, Callable[[int], Any]] = {
        "loss": lambda t: 1.0,
        "lr": lambda t: 0.0,
        "w": lambda t: W if t % 10 == 0 else None,
        "w__grad": lambda t: 0.1 * W if t % 10 == 0 else None,
    }
    found = diagnose(curves(tmp_path / "alive", 36, **alive))
    assert [v.name for v in found.verdicts] == ["learning-rate-zero"]
    assert "no weight changes although gradients are non-zero" in found.sentence
    assert not found.resolved
    found = diagnose(curves(tmp_path / "dead", 36, **{**alive, "w__grad": lambda t: 0 * W if t % 10 == 0 else None}))
    assert "learning-rate-zero" not in [v.name for v in found.verdicts]


def test_gradients_of_zero_are_counted_by_snapshots(tmp_path: Path) -> None:
    """Between two snapshots nothing is known of them, which is no gradient above zero."""
    found = diagnose(
        curves(
            tmp_path,
            58,
            loss=lambda t: 1.0,
            **{
                f"{name}{kind}": lambda t, value=value: value if t % 10 == 0 else None
                for name, moved, slope in (("0.weight", 0.0, 0.0), ("2.weight", 0.0, 0.0), ("2.bias", 0.01, 0.1))
                for kind, value in (("", W + moved), (".grad", slope * W))
            },
        )
    )
    assert [v.name for v in found.verdicts] == ["zero-gradient"]
    assert "'0.weight' and '2.weight' (2 of 3 trainable variables) is exactly zero, 6 recorded steps" in found.sentence
    assert "no layer from the input to '2' is learning" in found.sentence


def test_a_loss_that_becomes_nan_claims_nothing_that_was_not_logged(tmp_path: Path) -> None:
    """Neither which step came before, nor that weights were finite."""
    found = diagnose(curves(tmp_path, 60, loss=lambda t: (2.0 if t < 20 else np.nan) if t % 5 == 0 else None))
    assert "became NaN at step 21, after 2 at step 16; not finite in 8 of 12" in found.sentence


def test_what_stands_still_is_told_with_its_rate(tmp_path: Path) -> None:
    """A logged learning rate is the first thing to look at."""
    found = diagnose(curves(tmp_path, 30, loss=lambda t: 1.0, lr=lambda t: 1e-9, w=lambda t: W))
    assert "No weight moves" in found.sentence and "learning rate 1e-9)" in found.sentence


def test_a_flat_loss_at_its_no_skill_level_is_a_warning(tmp_path: Path) -> None:
    """Where Keras has told the loss function and the number of classes, ln 3 for ten epochs is no learning."""
    trained(tmp_path, 1e-3, epochs=1)
    told = TagCollector()
    (path,) = (tmp_path / "train").glob("*tfevents*")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for event in EventFileLoader(str(path)).Load():
        told.put(event)
    told.scalars["epoch_loss"] = BoundedSeries(1, 100)
    for epoch in range(12):
        told.scalars["epoch_loss"].put(epoch, float(epoch), (float(np.log(3) + 0.001 * (-1) ** epoch),))
    told.histograms.clear()
    from tb_weightwatch.reader.third_party.history import third_party_launches

    (launch,) = third_party_launches([told], "train")
    assert kinds(launch.history) == {"flat loss": "warning"}
    assert "flat at 1.1, the loss of a constant prediction" in diagnose(launch.history).sentence


def test_a_restart_is_a_launch_of_its_own(tmp_path: Path) -> None:
    """Steps that go back begin another launch, in one file or in the next; they are never merged."""
    for _ in range(2):
        curves_path = tmp_path / "run"
        writer = tf.summary.create_file_writer(str(curves_path))
        with writer.as_default():
            for step in [*range(6), *range(4)]:
                tf.summary.scalar("loss", 1.0 / (step + 1), step=step)
                tf.summary.histogram("w", W * (step + 1), step=step)
        writer.close()
    found = reader.launches(tmp_path / "run")
    assert [len(launch.history) for launch in found] == [6, 4, 6, 4]
    assert len({launch.history.launch for launch in found}) == 4
    assert all(launch.history.known("weight_norm").all() for launch in found)


def test_read_gives_foreign_histories_too(fitted: Path) -> None:
    """`ww.read` of a directory that we never wrote: arrays by column, judged by `ww.diagnose`."""
    (history,) = ww.read(fitted / "healthy" / "train")
    assert history.loss.shape == (5,)
    assert ww.diagnose(history).status == "healthy"


def test_what_was_watched_hides_its_curves(tmp_path: Path) -> None:
    """Beside our own rows, the curves of the same training are not judged a second time."""
    from ..support import synthetic_runs

    synthetic_runs.write(tmp_path / "run", 40)
    curves(tmp_path / "run" / "train", 5, loss=lambda t: 1.0, w=lambda t: W)
    assert [name for name, _ in reader.runs(tmp_path)] == ["run"]


# -- names, bounds, hostile files


def test_tags_are_told_apart_by_their_words() -> None:
    """Losses, learning rates, weights and gradients as people name them; what is not sure is left alone."""
    for tag in ("loss", "Loss/train", "epoch_loss", "train/loss_epoch", "trainLoss"):
        assert scalar_kind(tag) == "loss", tag
    for tag in ("val_loss", "Loss/test", "evaluation_loss_vs_iterations", "accuracy", "glossary", "eval/lr"):
        assert scalar_kind(tag) == "", tag
    for tag in ("lr", "train/learning_rate", "lr-Adam", "LearningRate", "epoch_learning_rate"):
        assert scalar_kind(tag) == "learning_rate", tag
    for tag in (
        "sequential/dense_1/kernel/histogram",
        "0.weight",
        "rnn.weight_ih_l0",
        "weights/conv1",
        "w",
        "layer1/b",
    ):
        assert histogram_kind(tag) == "weight", tag
    for tag in ("0.weight.grad", "gradients/conv1.weight", "grad/w", "conv/kernel/gradient"):
        assert histogram_kind(tag) == "gradient", tag
    for tag in (
        "logits",
        "dense/activations",
        "bn/moving_mean",
        "bn.running_var",
        "kernel/momentum",
        "hidden",
        "updates/w",
    ):
        assert histogram_kind(tag) == "", tag
    assert variable("0.weight.grad") == variable("gradients/0.weight") == "0.weight"
    assert variable("sequential/dense/kernel/histogram") == "sequential/dense/kernel"
    assert main_loss_tag({"g_loss": 5, "d_loss": 5}) == ""
    assert main_loss_tag({"mlm_loss": 5}) == "mlm_loss"
    assert main_loss_tag({"epoch_loss": 5, "batch_loss": 50, "epoch_head_loss": 90}) == "batch_loss"


def test_a_series_is_bounded_and_keeps_what_matters() -> None:
    """However long: its first value that is not finite, its last, and values spread over all of it."""
    series = BoundedSeries(1, 64)
    for step in range(100_001):
        series.put(step, float(step), (np.nan if step == 77_777 else 1.0,))
    points = series.points()
    assert series.thinned
    assert len(points.steps) <= 66
    assert points.steps[0] == 0
    assert points.steps[-1] == 100_000
    assert points.steps[np.isnan(points.values[:, 0])].tolist() == [77_777]
    assert np.all(np.diff(points.steps) > 0)
    assert np.diff(points.steps).max() <= 2 * 100_000 / 32


def test_a_thinned_history_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`complete` is False where rows were left out, and no motion is lost with them."""
    monkeypatch.setattr("tb_weightwatch.reader.third_party.tag_collector.MAX_POINTS", 16)
    monkeypatch.setattr("tb_weightwatch.reader.third_party.tag_collector.MAX_SNAPSHOTS", 8)
    history = curves(tmp_path, 60, loss=lambda t: 1.0 / (t + 1), w=lambda t: W + (0.5 if t == 31 else 0.0))
    assert not history.complete
    assert history.column("weight_drift")[history.known("weight_drift")[:, 0], 0].max() == pytest.approx(1.0, rel=1e-5)
    assert curves(tmp_path / "short", 10, loss=lambda t: 1.0 / (t + 1)).complete


def test_hostile_summaries_are_counted_and_skipped(tmp_path: Path) -> None:
    """Wrong shapes, sizes that lie, negative counts and steps, models that are no JSON: none of it raises."""
    from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter

    def event(step: int, plugin: str, **content: Any) -> bytes:
        value = summary_pb2.Summary.Value(tag="keras" if plugin.startswith("graph") else "w", **content)
        value.metadata.plugin_data.plugin_name = plugin
        return event_pb2.Event(
            step=step, wall_time=1e9 + step, summary=summary_pb2.Summary(value=[value])
        ).SerializeToString()

    def tensor(shape: list[int], floats: list[float], kind: int = types_pb2.DT_DOUBLE) -> Any:
        dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=n) for n in shape]
        return tensor_pb2.TensorProto(
            dtype=kind, tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=dims), double_val=floats
        )

    def model(text: bytes) -> Any:
        return tensor_pb2.TensorProto(string_val=[text])

    records = [
        event(0, "histograms", tensor=tensor([2, 3], [0, 1, 5, 1, 2, 5])),
        event(1, "histograms", tensor=tensor([1 << 40, 3], [1.0])),
        event(2, "histograms", tensor=tensor([4], [1, 2, 3, 4])),
        event(3, "histograms", tensor=tensor([1, 3], [0, 1, -5])),
        event(4, "histograms", tensor=tensor([1, 3], [], types_pb2.DT_STRING)),
        event(-5, "histograms", tensor=tensor([2, 3], [0, 1, 5, 1, 2, 5])),
        event(5, "histograms", histo=summary_pb2.HistogramProto(num=-1)),
        event(6, "graph_keras_model", tensor=model(b'{"config": [' * 5000)),
        event(
            7,
            "graph_keras_model",
            tensor=model(b'{"config": {"layers": 7}, "compile_config": []}'),
        ),
        event(8, "histograms", tensor=tensor([2, 3], [0, 1, 5, 1, 2, 5])),
        b"\xff\xff\xff\xff no event",
    ]
    with (tmp_path / "events.out.tfevents.1.hostile").open("wb") as file:
        writer = RecordWriter(file)
        for record in records:
            writer.write(record)
    skipped = reader.SkipCounts()
    (launch,) = reader.launches(tmp_path, skipped)
    assert launch.history.steps.tolist() == [1, 9]
    assert launch.skipped["histograms: damaged"] == 5
    assert launch.skipped["steps that are negative or too large"] == 1
    assert skipped["damaged: not an event"] == 1
    diagnose(launch.history)


def test_facts_of_a_strange_type_end_no_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can not be judged is undecided and says why; the others are judged as ever."""
    from tb_weightwatch import answers
    from tb_weightwatch.cli.review_workers import Job, diagnose_run

    def strange(_: bytes) -> dict[str, Any]:
        return {"loss": ["no", "name"], "model": 7, "output_layer": "last"}

    monkeypatch.setattr("tb_weightwatch.reader.third_party.records.keras_facts", strange)
    trained(tmp_path, 0.1, epochs=1)
    done = diagnose_run(Job("logs", "train", str(tmp_path / "train"), 0))
    assert [one.diagnosis.status for one in done.launches] == ["undecided"]
    assert "could not be diagnosed" in done.launches[0].diagnosis.sentence
    with pytest.raises(AttributeError):
        symptoms(only(tmp_path / "train"))
    assert answers.safe_symptoms(only(tmp_path / "train")) == done.launches[0].symptoms == ()
