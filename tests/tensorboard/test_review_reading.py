"""A review reads records in blocks and together; it says what it says of records that are read singly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

from tb_weightwatch.reader import event_records
from tb_weightwatch.reader.third_party import AlikeRecords
from tests.support import reviewed_runs
from tests.support.event_files import with_flipped_bit
from tests.support.reviewed_runs import printed
from tests.support.third_party_logs import fit_with_tensorboard, write_series


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of ours, of PyTorch, the Trainer, Lightning, Keras and tf.summary, and files that are cut off or damaged."""
    path = reviewed_runs.write(tmp_path_factory.mktemp("logs"))
    rng = np.random.default_rng(0)
    fit_with_tensorboard(path / "keras", 0.1, update_freq=1)
    weights = rng.normal(size=(300, 40))
    weights[200:, 3] = np.nan
    write_series(
        path / "summary",
        300,
        train__loss=lambda step: 1 / (step + 1) if step != 250 else np.inf,
        dense__kernel=lambda step: weights[step],
        dense__bias=lambda step: weights[step, : 1 + step % 3] if step % 2 else None,
        other=lambda step: step,
    )
    for run in ("summary", "healthy/weightwatch"):
        (file,) = (path / run).iterdir()
        data = file.read_bytes()
        for name, damaged in (("damaged", with_flipped_bit(data)), ("cut", data[: 2 * len(data) // 3])):
            copy = path / name / run / file.name
            copy.parent.mkdir(parents=True)
            copy.write_bytes(damaged)
    return path


def test_a_review_is_the_same_however_records_are_read(
    logs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By TensorBoard's loader and one by one, or in blocks and those that are alike together: the same JSON."""
    taken: list[bool] = []
    put_record = AlikeRecords.put_record

    def counted(self: AlikeRecords, *record: Any) -> bool:
        taken.append(put_record(self, *record))
        return taken[-1]

    monkeypatch.setattr(AlikeRecords, "put_record", counted)
    together = printed(logs, "json", capsys)
    assert sum(taken) > len(taken) / 2
    monkeypatch.setattr(AlikeRecords, "put_record", lambda *_: False)
    monkeypatch.setattr(event_records, "_record_batches", loaded_by_tensorboard)
    assert printed(logs, "json", capsys) == together


def loaded_by_tensorboard(path: str) -> Iterator[list[bytes]]:
    return ([record] for record in RawEventFileLoader(path).Load())
