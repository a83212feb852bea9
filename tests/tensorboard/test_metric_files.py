"""Text logs of metrics: the Hugging Face Trainer's, Lightning's, plain CSV and JSON Lines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tb_weightwatch import reader
from tb_weightwatch.answers import source, source_facts
from tb_weightwatch.cli import main
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.reader.third_party import is_metric_file, read_metric_file
from tests.support.third_party_logs import RECORDED, only_history


@pytest.mark.parametrize(
    ("run", "status", "says", "writer"),
    [
        ("trainer-healthy", "healthy", "loss 1.09 -> 0.35 over 93 steps", "Hugging Face Trainer"),
        (
            "trainer-diverges",
            "sick",
            "The norm of all gradients is NaN or infinite in the last 22 values that were logged, from step 12 on",
            "Hugging Face Trainer",
        ),
        ("lightning-healthy", "healthy", "loss 1.07 -> 0.456 over 96 steps", "Lightning's CSVLogger"),
        ("lightning-diverges", "sick", "The loss became NaN between step 8 and step 12", "Lightning's CSVLogger"),
    ],
)
def test_logs_of_the_real_libraries_are_judged(run: str, status: str, says: str, writer: str) -> None:
    """The files that the Trainer and Lightning wrote (tests/third_party/record_text_logs.py) are read and judged."""
    history = only_history(RECORDED / run)
    diagnosis = diagnose(history)
    assert diagnosis.status == status
    assert says in diagnosis.sentence
    facts = source_facts(history)
    assert facts["writer"] == writer
    assert facts["gradient_norm"] and facts["validation_loss"] and facts["learning_rate"]
    assert all(map(history.has, ("loss", "learning_rate", "total_gradient_norm", "validation_loss")))
    assert writer in source(facts)


def test_the_fix_is_in_the_terms_of_the_framework() -> None:
    """A log of Lightning gets Lightning's options, and no line of Keras."""
    (verdict,) = diagnose(only_history(RECORDED / "lightning-diverges")).verdicts
    assert "Trainer(..., detect_anomaly=True)" in verdict.fix
    assert "keras" not in verdict.fix


def _csv(path: Path, rows: list[tuple[float, ...]], header: str = "step,loss,lr") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def _falls_and_rises(steps: int = 60) -> list[tuple[float, ...]]:
    return [(i, 2.1 * 0.93**i if i < 25 else 0.4 * 1.2 ** (i - 25), 0.01) for i in range(steps)]


def test_a_loss_that_falls_and_then_rises_fails_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A loss that rises far above its beginning, after it had fallen, is a symptom, and `review` exits with 1."""
    path = _csv(tmp_path / "run" / "log.csv", _falls_and_rises())
    assert main(["review", str(tmp_path)]) == 1
    assert "diverging loss" in capsys.readouterr().out
    assert main(["review", str(path)]) == 1  # the file itself
    sentence = diagnose(only_history(path.parent)).sentence
    assert sentence.startswith("The loss diverges: 2.1 at first, 0.368 at step 25 (its lowest), 122 over the last rows")


def test_a_loss_may_rise_where_the_objective_moves(tmp_path: Path) -> None:
    """Rewards in the log tell that the loss of reinforcement learning is no measure of success."""
    rows = [(*row, 1.0) for row in _falls_and_rises()]
    _csv(tmp_path / "log.csv", rows, "step,loss,lr,rollout/ep_rew_mean")
    assert diagnose(only_history(tmp_path)).status == "undecided"


def test_json_lines_are_read_and_damaged_ones_counted(tmp_path: Path) -> None:
    """Objects may be nested; a line that is no object and a value that is no number are skipped and counted."""
    lines = [json.dumps({"iteration": i, "train": {"loss": 1 / (i + 1)}, "lr": 0.1}) for i in range(20)]
    lines[3:3] = ["not json", "[1]", json.dumps({"iteration": 3, "train": {"loss": "high"}})]
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(lines))
    collector = read_metric_file(str(path))
    assert collector.skipped == {"lines that are no JSON objects": 2, "values that are no numbers": 1}
    (launch,) = reader.launches(tmp_path)
    assert len(launch.history) == 20
    assert launch.skipped == collector.skipped


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.csv", "city,population\nBern,140000\n"),
        ("vectors.tsv", "0.1\t0.2\n"),
        ("notes.txt", "step,loss\n1,2\n"),
        ("empty.csv", ""),
        ("only.csv", "loss\n1\n"),
        ("binary.csv", "\0\0\0"),
    ],
)
def test_other_files_are_no_logs(tmp_path: Path, name: str, content: str) -> None:
    """A file counts as a log only if it names a loss and something to put it against."""
    (tmp_path / name).write_text(content)
    assert not is_metric_file(str(tmp_path / name))
    assert reader.runs(tmp_path) == []


def test_hostile_files_are_skipped_and_told(tmp_path: Path) -> None:
    """A line without end, a broken JSON and a cell of a million digits end the file, not the review."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "log.csv").write_text("step,loss\n1,2\n2," + "9" * 2_000_000 + "\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "trainer_state.json").write_text('{"log_history": [{"loss": 1')
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "log.jsonl").write_text('{"step": 1, "loss": 1}\n' + "[" * 100_000 + "\n")
    assert [name for name, _ in reader.runs(tmp_path)] == ["a", "b", "c"]
    skipped = reader.SkipCounts()
    for name in "abc":
        for launch in reader.launches(tmp_path / name, skipped):
            skipped.update(launch.skipped)
    assert len(skipped) == 3, skipped


def test_only_the_latest_checkpoint_of_a_trainer_is_a_run(tmp_path: Path) -> None:
    """Each checkpoint holds the whole history so far; the state in the directory above replaces them all."""
    state = RECORDED / "trainer-healthy" / "trainer_state.json"
    for name in ("checkpoint-500", "checkpoint-1000"):
        (tmp_path / "out" / name).mkdir(parents=True)
        shutil.copy(state, tmp_path / "out" / name)
    assert [name for name, _ in reader.runs(tmp_path)] == ["out/checkpoint-1000"]
    shutil.copy(state, tmp_path / "out")
    assert [name for name, _ in reader.runs(tmp_path)] == ["out"]


def test_a_risen_validation_loss_is_information(tmp_path: Path) -> None:
    """A training that learns stays healthy although its validation loss has tripled, which is said."""
    rows: list[tuple[float, ...]] = [(i, 0.8**i, 0.5 + (0.05 * abs(i - 8) if i > 8 else 0.0)) for i in range(30)]
    _csv(tmp_path / "history.csv", rows, "epoch,loss,val_loss")
    diagnosis = diagnose(only_history(tmp_path))
    assert diagnosis.status == "healthy"
    (symptom,) = diagnosis.symptoms
    assert (symptom.name, symptom.severity) == ("validation-loss-rises", "info")
    assert "from 0.5 at epoch 1 (its lowest) to 1.55" in symptom.message
