"""Third-party logs are converted and judged: those of Keras' own callback, tf.summary and PyTorch's SummaryWriter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch import reader
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.reader.third_party import TagCollector, third_party_launches
from tb_weightwatch.reader.third_party.series import BoundedSeries
from tb_weightwatch.reader.third_party.tag_names import histogram_kind, main_loss_tag, scalar_kind, variable
from tests.support import synthetic_runs
from tests.support.third_party_logs import (
    RECORDED,
    WEIGHTS,
    fit_with_tensorboard,
    only_history,
    symptom_severities,
    write_series,
)

# -- PyTorch: recorded by tests/third_party/record.py


@pytest.mark.parametrize(
    ("run", "status", "says"),
    [
        (
            "torch-healthy",
            "healthy",
            "loss 1.02 -> 0.0541 over 10 steps, mean of the last 3 logged; all 6 weights that were logged move",
        ),
        ("torch-steps", "healthy", "over 30 steps, mean of the last 3 logged; all 6 weights that were logged move"),
        ("torch-stops", "sick", "had learned: from 1e-3 at step 5 of 18"),
        ("torch-stops-untold", "sick", "All weights stopped moving after step 3: 7 snapshots since are the same"),
        (
            "torch-nan",
            "sick",
            "Weights became NaN or infinite at step 6: '0.weight'",
        ),
        ("torch-diverges", "sick", "The weights explode: their norm grew from 12,200 to 1.08e17"),
    ],
)
def test_a_run_of_pytorch_is_judged(run: str, status: str, says: str) -> None:
    """`diagnose` judges the logs of PyTorch's SummaryWriter as it does recorded runs."""
    history = only_history(RECORDED / run)
    found = diagnose(history)
    assert (found.status, found.rows) == (status, len(history))
    assert says in found.sentence
    assert {"learning-rate-too-small", "dead-relu"} <= {u.rule for u in found.unknown}


def test_norms_from_pytorch_are_exact() -> None:
    """PyTorch's histograms contain sums, so norms are no estimates; running statistics are not taken for weights."""
    history = only_history(RECORDED / "torch-healthy")
    assert [v.name for v in history.variables] == [
        "0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias",
    ]  # fmt: skip
    assert [v.size for v in history.variables] == [128, 16, 16, 16, 48, 3]
    assert "weight_norm" not in history.facts["foreign"]["estimates"]
    norm, largest = history.column("weight_norm")[0], history.column("weight_max")[0]
    assert np.all(norm <= largest * np.sqrt([v.size for v in history.variables]))
    assert norm[2] == pytest.approx(4.0, abs=0.1)  # BatchNorm's scale begins as sixteen ones
    assert history.has("gradient_norm", "gradient_max", "loss", "learning_rate")


def test_series_that_count_differently_are_aligned_by_time() -> None:
    """With losses by step and histograms by epoch, the snapshot of an epoch is in the row of its last step."""
    history = only_history(RECORDED / "torch-steps")
    rows = np.flatnonzero(history.known("weight_norm")[:, 0])
    assert (history.steps[rows] % 3).tolist() == [0] * 10
    assert history.facts["foreign"]["by_time"]


# -- Keras: trained here


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras")
    fit_with_tensorboard(path / "healthy", 0.3)
    fit_with_tensorboard(path / "batches", 0.3, update_freq=1)
    fit_with_tensorboard(path / "still", 1e-12)
    fit_with_tensorboard(path / "nan", 1e38, epochs=3)
    fit_with_tensorboard(path / "spent", 0.05, epochs=14, schedule=lambda epoch, _: 0.05 if epoch < 2 else 0.0)
    fit_with_tensorboard(path / "base", 0.3, frozen=True)
    return path


def test_a_run_is_listed_once(fitted: Path) -> None:
    """The validation half of a run is not a run of its own."""
    assert [name for name, _ in reader.runs(fitted)] == [
        f"{name}/train" for name in ("base", "batches", "healthy", "nan", "spent", "still")
    ]


def test_a_healthy_fit_is_healthy(fitted: Path) -> None:
    """A healthy fit raises no alarm; model, optimizer and loss are known from what the callback writes."""
    history = only_history(fitted / "healthy" / "train")
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
    """With `update_freq=1` rows are training steps, and the histograms of an epoch are in its last row."""
    history = only_history(fitted / "batches" / "train")
    assert history.steps.tolist() == list(range(1, 16))
    assert history.steps[history.known("weight_norm")[:, 0]].tolist() == [3, 6, 9, 12, 15]
    assert history.facts["foreign"]["loss"] == "batch_loss"
    assert diagnose(history).status == "healthy"


def test_a_broken_fit_is_sick(fitted: Path) -> None:
    """Weights that never move, NaN, and a learning rate that fell to zero are found."""
    still = only_history(fitted / "still" / "train")
    assert diagnose(still).status == "sick"
    assert symptom_severities(still) == {"motionless": "error"}
    assert "No weight moves: all 6 that were logged stand still over 5 epochs" in diagnose(still).sentence
    nan = only_history(fitted / "nan" / "train")
    assert diagnose(nan).status == "sick"
    assert symptom_severities(nan) == {"nonfinite-weights": "error", "nonfinite-loss": "error"}
    spent = diagnose(only_history(fitted / "spent" / "train"))
    assert [v.code for v in spent.verdicts] == [501]
    assert "before the model had learned: from 0.05 at epoch 3 of 14" in spent.sentence
    assert "keras.optimizers" in spent.verdicts[0].fix
    (torch,) = diagnose(only_history(RECORDED / "torch-stops")).verdicts
    assert "optimizer.param_groups" in torch.fix
    assert "keras" not in torch.fix
    lost = diagnose(only_history(RECORDED / "torch-nan"))  # PyTorch logs no histogram of NaN any more: it stays
    assert [v.code for v in lost.verdicts] == [703]
    assert not lost.resolved
    assert symptom_severities(only_history(fitted / "spent" / "train"))["stopped"] == "error"


def test_a_frozen_base_is_a_remark(fitted: Path) -> None:
    """Layers that the model declares as not trainable are not taken for stuck."""
    history = only_history(fitted / "base" / "train")
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
    history = only_history(tmp_path)
    assert history.column("weight_max")[0, 0] == np.abs(values).max()
    assert history.column("weight_norm")[0, 0] == pytest.approx(np.linalg.norm(values), rel=0.01)
    assert history.column("weight_std")[0, 0] == pytest.approx(values.std(), rel=0.01)
    assert {"weight_norm", "weight_std"} <= set(history.facts["foreign"]["estimates"])
    largest = np.abs(values).max()
    assert 0 < history.column("weight_drift")[1, 0] <= largest * 1.001  # a lower bound: one element moved so far


# -- tf.summary


HEALTHY: dict[str, dict[str, Callable[[int], Any]]] = {
    "falls": {"loss": lambda t: 2 * 0.9**t, "w": lambda t: WEIGHTS + 0.01 * t},
    "converged and stopped by design": {
        "train__loss": lambda t: 2 * 0.5 ** min(t, 10), "kernel": lambda t: WEIGHTS + 0.1 * min(t, 10)
    },
    "a critic's loss rises as it learns": {"loss": lambda t: 0.01 + 0.1 * t, "w": lambda t: WEIGHTS * (1 + 0.05 * t)},
    "generator and discriminator": {
        "g_loss": lambda t: 1.0 + t, "d_loss": lambda t: 1 / (t + 1), "w": lambda t: WEIGHTS + t
    },
    "one weight is frozen": {
        "loss": lambda t: 2 * 0.9**t, "a__w": lambda t: WEIGHTS, "b__w": lambda t: WEIGHTS + 0.1 * t
    },
    "warm-up and decay": {"loss": lambda t: 2 * 0.9**t, "lr": lambda t: np.interp(t, [0, 4, 29], [0.0, 1.0, 0.0])},
    "one spike of NaN": {"loss": lambda t: np.nan if t == 7 else 2 * 0.9**t},
    "activations that never change": {"loss": lambda t: 2 * 0.9**t, "dense__activations": lambda t: WEIGHTS},
    "growing weights": {"loss": lambda t: 2 * 0.9**t, "w": lambda t: WEIGHTS * 1.2**t},
    "flat, of unknown kind": {"loss": lambda t: 1.0 + 0.01 * (t % 3), "w": lambda t: WEIGHTS + 0.01 * t},
    "accuracy alone": {"accuracy": lambda t: t / 30, "epoch": lambda t: t, "w": lambda t: WEIGHTS + t},
    "one frozen weight, several losses": {"a_loss": lambda t: 1.0, "b_loss": lambda t: 1.0, "w": lambda t: WEIGHTS},
    "weights that begin near zero": {"loss": lambda t: 1.0 + 0.01 * (t % 3), "w": lambda t: 0.01 * WEIGHTS * (t + 1)},
    "a rate logged with too few digits": {"loss": lambda t: 1.0, "lr": lambda t: 0.0, "w": lambda t: WEIGHTS + 0.1 * t},
    "a loss of zero": {"loss": lambda t: 0.0, "w": lambda t: WEIGHTS},
}  # fmt: skip


@pytest.mark.parametrize("kind", HEALTHY)
def test_a_healthy_log_raises_no_alarm(kind: str, tmp_path: Path) -> None:
    """A log that may be healthy is judged healthy or undecided, never sick."""
    history = write_series(tmp_path, 30, **HEALTHY[kind])
    found = diagnose(history)
    assert found.status != "sick", found.sentence
    assert not [v for v in found.verdicts if v.severity != "info"]
    assert set(symptom_severities(history).values()) <= {"info"}


SICK: dict[str, tuple[str, dict[str, Callable[[int], Any]]]] = {
    "explode": ("exploding-weights", {"loss": lambda t: 1.0 + t, "w": lambda t: WEIGHTS * 1.5**t}),
    "stop": ("stopped", {"loss": lambda t: 1.0 + 0.01 * (t % 3), "w": lambda t: WEIGHTS + 0.1 * min(t, 9)}),
    "still": (
        "motionless",
        {"loss": lambda t: 1.0 + 0.01 * (t % 3), "a__kernel": lambda t: WEIGHTS, "a__bias": lambda t: 0 * WEIGHTS},
    ),
    "still, no loss": ("motionless", {"a__w": lambda t: WEIGHTS, "c__w": lambda t: WEIGHTS + 1}),
    "infinite": ("nonfinite-weights", {"loss": lambda t: 1.0, "w": lambda t: np.where(t > 9, np.inf, WEIGHTS)}),
    "NaN loss": ("nonfinite-loss", {"loss": lambda t: 1.0 if t < 9 else np.nan}),
    "diverges": ("diverging-loss", {"loss": lambda t: 10.0**t}),
}


@pytest.mark.parametrize("kind", SICK)
def test_a_sick_log_has_its_symptom(kind: str, tmp_path: Path) -> None:
    """The symptom is found, with the step at which it began."""
    symptom, series = SICK[kind]
    history = write_series(tmp_path, 30, **series)
    assert diagnose(history).status == "sick"
    found = next(one for one in diagnose(history).symptoms if one.name == symptom)
    assert found.severity == "error"
    assert found.first_step == {"stop": 10, "NaN loss": 10, "infinite": 11}.get(kind, found.first_step)


def test_a_learning_rate_of_zero_without_logged_gradients(tmp_path: Path) -> None:
    """The sentence claims nothing about gradients that were not logged."""
    found = diagnose(write_series(tmp_path, 30, loss=lambda t: 1.0, lr=lambda t: 0.0, w=lambda t: WEIGHTS))
    assert [v.name for v in found.verdicts] == ["learning-rate-zero"]
    assert "exactly 0: it has been so in all 30 steps, so no weight changes" in found.sentence
    assert "gradient" not in found.sentence


def test_a_learning_rate_of_zero_between_snapshots_of_gradients(tmp_path: Path) -> None:
    """The last logged gradients count; that none are known at the last step resolves nothing."""
    alive: dict[str, Callable[[int], Any]] = {
        "loss": lambda t: 1.0,
        "lr": lambda t: 0.0,
        "w": lambda t: WEIGHTS if t % 10 == 0 else None,
        "w__grad": lambda t: 0.1 * WEIGHTS if t % 10 == 0 else None,
    }
    found = diagnose(write_series(tmp_path / "alive", 36, **alive))
    assert [v.name for v in found.verdicts] == ["learning-rate-zero"]
    assert "no weight changes although gradients are non-zero" in found.sentence
    assert not found.resolved
    dead = {**alive, "w__grad": lambda t: 0 * WEIGHTS if t % 10 == 0 else None}
    found = diagnose(write_series(tmp_path / "dead", 36, **dead))
    assert "learning-rate-zero" not in [v.name for v in found.verdicts]


def test_gradients_of_zero_are_counted_by_snapshots(tmp_path: Path) -> None:
    """A gradient that is not known between two snapshots does not count as one above zero."""
    found = diagnose(
        write_series(
            tmp_path,
            58,
            loss=lambda t: 1.0,
            **{
                f"{name}{kind}": lambda t, value=value: value if t % 10 == 0 else None
                for name, moved, slope in (("0.weight", 0.0, 0.0), ("2.weight", 0.0, 0.0), ("2.bias", 0.01, 0.1))
                for kind, value in (("", WEIGHTS + moved), (".grad", slope * WEIGHTS))
            },
        )
    )
    assert [v.name for v in found.verdicts] == ["zero-gradient"]
    assert "'2.weight' in 6 recorded steps" in found.sentence
    assert "no layer from the input to '2' is learning" in found.sentence


def test_a_loss_that_becomes_nan_between_logged_steps(tmp_path: Path) -> None:
    """The sentence claims neither which step came before, nor that weights were finite."""
    found = diagnose(write_series(tmp_path, 60, loss=lambda t: (2.0 if t < 20 else np.nan) if t % 5 == 0 else None))
    assert (
        "became NaN between step 16 and step 21 (steps 17 to 20 were not recorded): it was 2 at step 16; it is not "
        "finite in 8 of 12" in found.sentence
    )


def test_motionless_weights_are_reported_with_the_learning_rate(tmp_path: Path) -> None:
    """The sentence names the logged learning rate, the first thing to look at."""
    found = diagnose(write_series(tmp_path, 30, loss=lambda t: 1.0, lr=lambda t: 1e-9, w=lambda t: WEIGHTS))
    assert "No weight moves" in found.sentence and "learning rate 1e-9)" in found.sentence


def test_a_flat_loss_at_its_no_skill_level_is_a_warning(tmp_path: Path) -> None:
    """If the loss function and the number of classes are known from Keras, ln 3 for ten epochs is no learning."""
    fit_with_tensorboard(tmp_path, 1e-3, epochs=1)
    collector = TagCollector()
    (path,) = (tmp_path / "train").glob("*tfevents*")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for event in EventFileLoader(str(path)).Load():
        collector.put(event)
    collector.scalars["epoch_loss"] = BoundedSeries(1, 100)
    for epoch in range(12):
        collector.scalars["epoch_loss"].put(epoch, float(epoch), (float(np.log(3) + 0.001 * (-1) ** epoch),))
    collector.histograms.clear()
    (launch,) = third_party_launches([collector], "train")
    assert symptom_severities(launch.history) == {"flat-loss": "warning"}
    assert "flat at 1.1, the loss of a constant prediction" in diagnose(launch.history).sentence


def test_a_restart_is_a_launch_of_its_own(tmp_path: Path) -> None:
    """Steps that go back begin another launch, in the same file or in the next; launches are never merged."""
    for _ in range(2):
        curves_path = tmp_path / "run"
        writer = tf.summary.create_file_writer(str(curves_path))
        with writer.as_default():
            for step in [*range(6), *range(4)]:
                tf.summary.scalar("loss", 1.0 / (step + 1), step=step)
                tf.summary.histogram("w", WEIGHTS * (step + 1), step=step)
        writer.close()
    found = reader.launches(tmp_path / "run")
    assert [len(launch.history) for launch in found] == [6, 4, 6, 4]
    assert len({launch.history.launch for launch in found}) == 4
    assert all(launch.history.known("weight_norm").all() for launch in found)


def test_read_gives_third_party_histories_too(fitted: Path) -> None:
    """`ww.read` of a third-party directory gives a History, which `ww.diagnose` judges."""
    (history,) = ww.read(fitted / "healthy" / "train")
    assert history.loss.shape == (5,)
    assert ww.diagnose(history).status == "healthy"


def test_a_recorded_training_hides_its_third_party_logs(tmp_path: Path) -> None:
    """The third-party logs of a training that was recorded are not judged a second time."""
    synthetic_runs.write(tmp_path / "run", 40)
    write_series(tmp_path / "run" / "train", 5, loss=lambda t: 1.0, w=lambda t: WEIGHTS)
    assert [name for name, _ in reader.runs(tmp_path)] == ["run"]


# -- names, bounds, hostile files


def test_the_kind_of_a_tag_follows_from_its_words() -> None:
    """Losses, learning rates, weights and gradients are recognised as people name them; uncertain tags have no kind."""
    for tag in ("loss", "Loss/train", "epoch_loss", "train/loss_epoch", "trainLoss"):
        assert scalar_kind(tag) == "loss", tag
    for tag in ("Loss/test", "best_val_loss", "accuracy", "glossary", "eval/lr", "grad_norm/dense/kernel"):
        assert scalar_kind(tag) == "", tag
    for tag in ("val_loss", "eval/loss", "Loss/val", "evaluation_loss_vs_iterations"):
        assert scalar_kind(tag) == "validation_loss", tag
    for tag in ("train/grad_norm", "grad_2.0_norm_total", "gradient_norm"):
        assert scalar_kind(tag) == "gradient_norm", tag
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


def test_a_series_is_bounded() -> None:
    """However long it is, it has its first value that is not finite, its last, and values spread over all of it."""
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
    """`complete` is False if rows were dropped, and no movement of weights is lost with them."""
    monkeypatch.setattr("tb_weightwatch.reader.third_party.tag_collector.MAX_POINTS", 16)
    monkeypatch.setattr("tb_weightwatch.reader.third_party.tag_collector.MAX_SNAPSHOTS", 8)
    history = write_series(tmp_path, 60, loss=lambda t: 1.0 / (t + 1), w=lambda t: WEIGHTS + (0.5 if t == 31 else 0.0))
    assert not history.complete
    assert history.column("weight_drift")[history.known("weight_drift")[:, 0], 0].max() == pytest.approx(1.0, rel=1e-5)
    assert write_series(tmp_path / "short", 10, loss=lambda t: 1.0 / (t + 1)).complete


def test_hostile_summaries_are_counted_and_skipped(tmp_path: Path) -> None:
    """Wrong shapes and sizes, negative counts and steps, and models that are not JSON raise nothing."""
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


def test_facts_of_a_wrong_type_end_no_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts that do not fit are left out and told, and the run is judged by its curves."""
    from tb_weightwatch.cli.review_workers import Job, diagnose_run

    def strange(_: bytes) -> dict[str, Any]:
        return {"loss": ["no", "name"], "model": 7, "output_layer": "last"}

    monkeypatch.setattr("tb_weightwatch.reader.third_party.records.keras_facts", strange)
    fit_with_tensorboard(tmp_path, 0.1, epochs=1)
    done = diagnose_run(Job(str(tmp_path), "train", str(tmp_path / "train"), 0))
    (launch,) = done.launches
    assert sum(launch.skipped.values()) == 3
    assert all(reason.startswith("a record 'facts':") for reason in launch.skipped)
    assert diagnose(only_history(tmp_path / "train")) == launch.diagnosis


def test_the_validation_half_of_a_keras_run_is_read(fitted: Path) -> None:
    """The validation loss, which Keras logs to a directory of its own, belongs to the training beside it."""
    history = only_history(fitted / "healthy" / "train")
    assert history.known("validation_loss").all()
    assert history.facts["foreign"]["validation_loss"] == "validation/epoch_loss"


def test_each_of_several_fits_of_one_epoch_counts(tmp_path: Path) -> None:
    """Keras numbers the epoch of every `fit(epochs=1)` 0; each of them is a row."""
    for _ in range(5):
        fit_with_tensorboard(tmp_path, 0.1, epochs=1)
    history = only_history(tmp_path / "train")
    assert history.steps.tolist() == [1, 2, 3, 4, 5]
