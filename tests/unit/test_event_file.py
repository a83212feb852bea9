"""The event file: open only while it is written, last in its folder, alone in its folder, whole or written anew."""

from __future__ import annotations

import gc
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

from tb_weightwatch.writer import event_file, event_folder
from tb_weightwatch.writer.event_file import EventFile, RecordsLost
from tb_weightwatch.writer.event_folder import EventFolder
from tests.support import synthetic_runs


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> synthetic_runs.Clock:
    clock = synthetic_runs.Clock()
    monkeypatch.setattr(event_folder.time, "time", clock)
    return clock


def new_file(logs: Path) -> EventFile:
    return EventFile(EventFolder(str(logs)))


def names(logs: Path) -> list[str]:
    return sorted(path.name for path in (logs / "weightwatch").iterdir())


def records(logs: Path) -> list[bytes]:
    """Returns the records of a folder in the order of its files, without the first one of each."""
    return [
        record
        for name in names(logs)
        for record in list(RawEventFileLoader(str(logs / "weightwatch" / name)).Load())[1:]
    ]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_nothing_is_created_or_held_before_the_first_record(tmp_path: Path) -> None:
    """A closed file holds no descriptor, and goes on in the same file."""
    before = open_files()
    file = new_file(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    file.write(b"one")
    assert open_files() == before + 1
    file.close()
    assert open_files() == before
    file.write(b"two")
    file.close()
    assert records(tmp_path / "run") == [b"one", b"two"] and len(names(tmp_path / "run")) == 1


def test_a_file_that_is_gone_with_its_recording_is_closed(tmp_path: Path) -> None:
    """Neither a descriptor nor a lock stays."""
    before = open_files()
    file = new_file(tmp_path)
    file.write(b"one")
    del file
    assert open_files() == before
    new_file(tmp_path).write(b"two")
    assert len(names(tmp_path)) == 2


def test_few_files_are_open_however_many_are_written(tmp_path: Path) -> None:
    """The one that was written least recently is closed, and is opened again."""
    gc.collect()
    of_other_tests = sum(file() is not None for file in event_file._open_files.values())  # they are closed first
    before = open_files() - of_other_tests
    files = [new_file(tmp_path / str(i)) for i in range(3 * event_file.MOST_OPEN)]
    for text in (b"one", b"two"):
        for file in files:
            file.write(text)
    assert open_files() == before + event_file.MOST_OPEN
    for i, file in enumerate(files):
        file.close()
        assert records(tmp_path / str(i)) == [b"one", b"two"]


@pytest.mark.parametrize("jump", [-3600, -10 * 365 * 86400, 200 * 365 * 86400, 10**12])
def test_a_new_file_sorts_last_however_the_clock_was_set(
    jump: float, tmp_path: Path, clock: synthetic_runs.Clock
) -> None:
    """TensorBoard's Python loader reads on in the last file only."""
    made: list[str] = []
    for text in (b"one", b"two", b"three"):
        file = new_file(tmp_path)
        file.write(text)
        file.close()
        made.append(os.path.basename(file._path))
        clock.now += jump
    assert records(tmp_path) == [b"one", b"two", b"three"]
    assert len(set(made)) == 3


def test_a_file_that_is_no_longer_the_last_goes_on_in_another_one(tmp_path: Path) -> None:
    """Its recording is then in two files, in their order."""
    first, second = new_file(tmp_path), new_file(tmp_path)
    first.write(b"a1")
    first.close()
    second.write(b"b1")
    second.close()
    first.write(b"a2")
    first.close()
    assert records(tmp_path) == [b"a1", b"b1", b"a2"]


def test_two_that_write_at_the_same_time_have_a_folder_each(tmp_path: Path) -> None:
    """The second is a run of its own below the first, and a third one another."""
    files = [new_file(tmp_path) for _ in range(3)]
    for text in (b"1", b"2"):
        for number, file in enumerate(files):
            file.write(b"%d of %s" % (number, text))
    folders = [Path(file.run_folder) for file in files]
    own = tmp_path / f"process-{os.getpid()}"
    assert folders == [tmp_path, own, Path(f"{own}-2")]
    for number, file in enumerate(files):
        file.close()
        assert records(folders[number]) == [b"%d of 1" % number, b"%d of 2" % number]
    fourth = new_file(tmp_path)  # nobody writes there any more
    fourth.write(b"4")
    assert Path(fourth.run_folder) == tmp_path


def test_one_that_went_on_beside_another_must_begin_anew(tmp_path: Path) -> None:
    """A file that was closed does not go on where another training writes by now; all is written elsewhere."""
    first, second = new_file(tmp_path), new_file(tmp_path)
    first.write(b"a1")
    first.close()
    second.write(b"b1")
    with pytest.raises(RecordsLost, match="another training"):
        first.write(b"a2")
    for text in (b"a1", b"a2"):
        first.write(text)
    assert records(Path(first.run_folder)) == [b"a1", b"a2"] and first.run_folder != str(tmp_path)


def remove_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


def truncate(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [Path.unlink, remove_folder, truncate])
@pytest.mark.parametrize("closed", [False, True])
def test_what_was_removed_is_noticed_and_begun_anew(harm: object, closed: bool, tmp_path: Path) -> None:
    """The next record says so, and the one after it begins another file, in a folder that is made again."""
    file = new_file(tmp_path)
    file.write(b"one")
    if closed:
        file.close()
    harm(Path(file._path))  # type: ignore[operator]
    with pytest.raises(RecordsLost, match="removed"):
        file.write(b"two")
    file.write(b"again")
    file.close()
    assert records(tmp_path)[-1:] == [b"again"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_record_is_written_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """A full disk leaves a file that is read to its end, and that goes on when there is room again."""
    file = new_file(tmp_path)
    file.write(b"one")
    with largest_file(1000), pytest.raises(OSError, match="File too large"):
        file.write(b"x" * 2000)
    file.write(b"two")
    file.close()
    assert records(tmp_path) == [b"one", b"two"]


def test_a_child_of_fork_gives_no_lock_up_and_holds_none(tmp_path: Path) -> None:
    """The file stays locked while its process writes, and not longer because a child lives on."""
    file = new_file(tmp_path)
    file.write(b"one")
    ready, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        file.close()
        os.write(ready[1], b".")
        os.read(go_on[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    second = new_file(tmp_path)
    second.write(b"beside")
    assert second.run_folder != str(tmp_path)
    file.close()
    third = new_file(tmp_path)
    third.write(b"after")
    assert third.run_folder == str(tmp_path)
    os.write(go_on[1], b".")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for descriptor in (*ready, *go_on):
        os.close(descriptor)


def test_a_file_that_cannot_be_looked_at_is_not_taken_for_removed(tmp_path: Path) -> None:
    """The error is that of the file system; what was written is not written again."""
    file = new_file(tmp_path)
    file.write(b"one")
    os.rename(tmp_path / "weightwatch", tmp_path / "elsewhere")
    os.symlink("weightwatch", tmp_path / "weightwatch")  # a link to itself: root, too, cannot pass it
    with pytest.raises(OSError, match="symbolic links") as caught:
        file.write(b"two")
    assert not isinstance(caught.value, RecordsLost)
