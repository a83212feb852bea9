"""A run that is read while its files grow: the same launches as from the complete files, whatever happens between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tb_weightwatch.history import History
from tb_weightwatch.reader import GrowingRun, launches
from tests.support import synthetic_runs
from tests.support.event_files import event_file, framed_records
from tests.support.third_party_logs import RECORDED


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two launches."""
    path = tmp_path_factory.mktemp("complete")
    synthetic_runs.write(path, 120, gap=5)
    synthetic_runs.write(path, 64, launch="b2", started=synthetic_runs.STARTED + 900, seed=3)
    return path


def grow(source: Path, target: Path, share: float) -> None:
    """Copies this share of each file, cut in the middle of a record where it falls there."""
    for file in (file for file in source.rglob("*tfevents*") if file.is_file()):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        data = file.read_bytes()
        with copy.open("ab") as written:
            written.write(data[written.tell() : int(share * len(data))])


def same(run: GrowingRun, path: Path) -> None:
    """Asserts that the run holds what is read of the complete files."""
    found, expected = run.launches(), launches(path)
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        synthetic_runs.same(one.history, other.history)


def test_it_grows_to_what_the_complete_files_hold(complete: Path, tmp_path: Path) -> None:
    """Read after each growth, with records cut anywhere, it ends with the same rows and records, to the bit."""
    run, rows = GrowingRun(str(tmp_path)), []
    for share in (0.0, 0.1, 0.33, 0.34, 0.8, 1.0):
        grow(complete, tmp_path, share)
        run.read()
        rows.append(sum(len(launch.history) for launch in run.launches()))
    assert rows == sorted(rows) and 0 < rows[-2] < rows[-1]
    same(run, complete)
    assert not run.skipped
    assert not run.read()


def test_a_history_of_ours_is_the_same_object(complete: Path, tmp_path: Path) -> None:
    """Rows are appended to the History, and nothing that is known is decoded again."""
    run, seen = GrowingRun(str(tmp_path)), set[int]()
    histories: list[History] = []
    for share in (0.5, 0.9, 1.0):
        grow(complete, tmp_path, share)
        assert run.read()
        histories.append(run.launches()[0].history)
        seen.add(id(histories[-1]))
    assert len(seen) == 1


@pytest.mark.parametrize("name", ["torch-nan", "torch-healthy"])
def test_a_third_party_log_grows_too(name: str, tmp_path: Path) -> None:
    """Scalars of PyTorch's SummaryWriter are collected over all reads."""
    run = GrowingRun(str(tmp_path))
    for share in (0.4, 0.7, 1.0):
        grow(RECORDED / name, tmp_path, share)
        assert run.read()
    same(run, RECORDED / name)


@pytest.mark.parametrize("name", ["trainer-healthy", "lightning-diverges"])
def test_a_text_log_grows_too(name: str, tmp_path: Path) -> None:
    """Text files of metrics are read as a whole, each time as they are."""
    run = GrowingRun(str(tmp_path / name), str(tmp_path))
    run.read()
    assert run.launches() == []
    shutil.copytree(RECORDED / name, tmp_path / name)
    run.read()
    same(run, tmp_path / name)


def test_a_replaced_file_is_read_anew(complete: Path, tmp_path: Path) -> None:
    """Files that others take the place of, or that become shorter, leave nothing of the old ones."""
    grow(complete, tmp_path, 1.0)
    run = GrowingRun(str(tmp_path))
    run.read()
    assert len(run.launches()) == 2
    shutil.rmtree(tmp_path / "weightwatch")
    synthetic_runs.write(tmp_path, 40, launch="c3")
    assert run.read()
    assert [launch.history.launch for launch in run.launches()] == ["c3"]
    file = event_file(tmp_path)
    file.write_bytes(b"".join(framed_records(file)[:3]))
    assert run.read()
    assert sum(len(launch.history) for launch in run.launches()) < 40


def test_what_vanishes_stays_as_it_was(complete: Path, tmp_path: Path) -> None:
    """Files that are deleted keep what was read of them, and raise nothing."""
    grow(complete, tmp_path / "run", 1.0)
    run = GrowingRun(str(tmp_path / "run"))
    run.read()
    shutil.rmtree(tmp_path / "run")
    assert not run.read()
    same(run, complete)


def test_damage_is_counted_once(tmp_path: Path) -> None:
    """A file that cannot be opened, noise, and a record that claims gigabytes raise nothing, however often."""
    synthetic_runs.write(tmp_path, 24)
    (tmp_path / "events.out.tfevents.1.link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "events.out.tfevents.1.noise").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "events.out.tfevents.1.huge").write_bytes((1 << 40).to_bytes(8, "little") * 3)
    run = GrowingRun(str(tmp_path))
    for _ in range(4):
        run.read()
    assert len(run.launches()) == 1
    assert run.skipped.total() <= 1 and "link" in str(run.skipped)
