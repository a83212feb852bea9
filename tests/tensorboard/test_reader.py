"""Event files and TensorBoard's data provider give the same Histories; damage is skipped, counted and reported."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from tb_weightwatch import reader, schema
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.reader import ProviderReader, SkipCounts
from tb_weightwatch.reader.provider import tag_listing
from tb_weightwatch.schema import Tag
from tests.support import synthetic_runs
from tests.support.event_files import (
    CTX,
    CountingProvider,
    edit,
    event_file,
    framed_records,
    read_by_provider,
    tags,
    with_flipped_bit,
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Files and provider give the live History, to the bit, and so the same diagnosis."""
    live = synthetic_runs.write(tmp_path, 400, nan_from=300)
    (by_file,) = reader.launches(tmp_path)
    (by_provider,) = read_by_provider(tmp_path)
    for launch in (by_file, by_provider):
        synthetic_runs.same(launch.history, live)
        assert diagnose(launch.history) == diagnose(live) == launch.now.diagnosis
        assert launch.now.step == 400
        assert not launch.skipped
    assert [h.launch for h in reader.read(tmp_path)] == ["a1"]
    assert [h.launch for h in reader.read(tmp_path / "weightwatch")] == ["a1"]
    assert [h.launch for h in reader.read(event_file(tmp_path))] == ["a1"]


def test_five_thousand_steps_survive_ten_samples_a_tag(tmp_path: Path) -> None:
    """The smallest number of data that TensorBoard keeps of a tag loses no row."""
    live = synthetic_runs.write(tmp_path, 5000)
    (launch,) = read_by_provider(tmp_path)
    synthetic_runs.same(launch.history, live)
    assert launch.history.complete


def test_launches_stay_apart_and_in_order(tmp_path: Path) -> None:
    """A restart is another launch, and launches are ordered by their start."""
    for launch, started in (("b2", synthetic_runs.STARTED + 500), ("a1", synthetic_runs.STARTED)):
        synthetic_runs.write(tmp_path, 80, launch=launch, started=started)
    for found in (reader.launches(tmp_path), read_by_provider(tmp_path)):
        assert [launch.history.launch for launch in found] == ["a1", "b2"]
        assert [len(launch.history) for launch in found] == [80, 80]


def test_a_launch_may_go_on_in_another_file(tmp_path: Path) -> None:
    """Blocks of one launch are joined across files."""
    synthetic_runs.write(tmp_path, 300)
    path = event_file(tmp_path)
    framed = framed_records(path)
    middle = len(framed) // 2
    path.write_bytes(b"".join(framed[:middle]))
    Path(f"{path}.later").write_bytes(b"".join([framed[0], *framed[middle:]]))
    for found in (reader.launches(tmp_path), read_by_provider(tmp_path)):
        (launch,) = found
        assert len(launch.history) == 300
        assert launch.history.complete


def test_a_truncated_file_is_read_up_to_its_last_whole_record(tmp_path: Path) -> None:
    """A file that ends within a record gives all before it, with a warning."""
    synthetic_runs.write(tmp_path, 400, end=None)
    path = event_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    skipped = SkipCounts()
    (launch,) = reader.launches(tmp_path, skipped)
    assert len(launch.history) == 400
    assert "to its end" in str(skipped)
    with pytest.warns(RuntimeWarning, match="not all could be read: .*to its end"):
        reader.read(tmp_path)


def test_zeros_at_the_end_are_reported(tmp_path: Path) -> None:
    """Zeros that a file system appended after a crash cost no whole record."""
    live = synthetic_runs.write(tmp_path, 200)
    path = event_file(tmp_path)
    path.write_bytes(path.read_bytes() + bytes(5000))
    skipped = SkipCounts()
    (launch,) = reader.launches(tmp_path, skipped)
    synthetic_runs.same(launch.history, live)
    assert skipped.total() == 1


def test_a_flipped_bit_on_disk_is_reported(tmp_path: Path) -> None:
    """TensorBoard stops reading there; rows before it are complete, and the damage is reported."""
    synthetic_runs.write(tmp_path, 400)
    path = event_file(tmp_path)
    data = path.read_bytes()
    place = len(data) * 2 // 3
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    skipped = SkipCounts()
    (launch,) = reader.launches(tmp_path, skipped)
    assert 0 < len(launch.history) < 400
    assert launch.history.complete
    assert "damaged" in str(skipped)


LIGHT = """
import sys
from tb_weightwatch import reader
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow as stub
data = bytes(range(256)) * 3
slow = [stub.crc32c(data[:size]) for size in (0, 1, 8, 700)]
reader.read_without_tensorflow()
assert slow == [stub.crc32c(data[:size]) for size in (0, 1, 8, 700)]
skipped = reader.SkipCounts()
print([len(launch.history) for launch in reader.launches(sys.argv[1], skipped)], skipped)
assert "tensorflow" not in sys.modules
"""


def test_without_tensorflow_the_same_is_read_and_reported(tmp_path: Path) -> None:
    """The faster checksum equals TensorBoard's, and finds the same flipped bit in a file."""
    synthetic_runs.write(tmp_path, 400)
    path, place = event_file(tmp_path), 9_000
    data = path.read_bytes()
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    skipped = SkipCounts()
    expected = f"{[len(launch.history) for launch in reader.launches(tmp_path, skipped)]} {skipped}"
    done = subprocess.run([sys.executable, "-c", LIGHT, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "damaged" in expected
    assert done.stdout.strip() == expected


def test_a_damaged_block_is_skipped_and_makes_the_history_incomplete(tmp_path: Path) -> None:
    """Damage that TensorBoard does not notice is found by our own checksum; the rows around it are read."""
    live = synthetic_runs.write(tmp_path, 400)
    edit(event_file(tmp_path), lambda tag, data: with_flipped_bit(data) if tag == Tag("a1", "rows", 2) else data)
    for (launch,) in (reader.launches(tmp_path), read_by_provider(tmp_path)):
        assert len(launch.history) < len(live)
        assert launch.history.steps[-1] == 400
        assert not launch.history.complete
        assert dict(launch.skipped) == {"rows: damaged: the checksum does not match": 1}


@pytest.mark.parametrize("kind", ["rows", "header", "now"])
def test_any_damage_is_counted(tmp_path: Path, kind: str) -> None:
    """Damage of the last block, of the facts or of the status is counted, and nothing raises."""
    live = synthetic_runs.write(tmp_path, 100)
    last = len([t for t in tags(event_file(tmp_path)) if t.kind == kind]) - 1
    bad = Tag("a1", kind, 0 if kind == "now" else last)
    edit(event_file(tmp_path), lambda tag, data: with_flipped_bit(data) if tag == bad else data)
    for (launch,) in (reader.launches(tmp_path), read_by_provider(tmp_path)):
        assert launch.skipped.total() >= 1
        assert launch.history.complete == (kind != "rows")
        assert (launch.now is None) == (kind == "now")
        assert len(launch.history.records) < len(live.records) or kind != "header"
        diagnose(launch.history)


def test_a_missing_block_makes_the_history_incomplete(tmp_path: Path) -> None:
    """A block that is missing is noticed by the number of the next one."""
    synthetic_runs.write(tmp_path, 400)
    path = event_file(tmp_path)
    framed = framed_records(path)
    path.write_bytes(b"".join(r for r in framed if b"weightwatch/a1/rows/000002" not in r))
    for (launch,) in (reader.launches(tmp_path), read_by_provider(tmp_path)):
        assert not launch.history.complete
        assert dict(launch.skipped) == {"rows: missing": 1}


def test_a_bomb_and_noise_are_skipped(tmp_path: Path) -> None:
    """Malicious and damaged data are skipped with a reason, the others are read."""
    import zlib

    live = synthetic_runs.write(tmp_path, 80)
    body = zlib.compress(bytes(100_000_000))
    crc = zlib.crc32(body, zlib.crc32(struct.pack("<Id", 50, 0.0)))
    bomb = schema.envelope.pb.Envelope(version=1, crc32=crc, raw_size=50, kind="ROWS", body=body)
    writer = EventFileWriter(str(tmp_path / "weightwatch"))
    for number, data in enumerate((bomb.SerializeToString(), b"", b"noise")):
        summary = schema.to_summary(Tag("zz", "rows", number), data)
        writer.add_event(event_pb2.Event(wall_time=1.0, step=1, summary=summary))
    odd = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="weightwatch/zz/now", simple_value=3.0)])
    writer.add_event(event_pb2.Event(wall_time=1.0, step=1, summary=odd))
    writer.close()
    skipped = SkipCounts()
    (launch,) = reader.launches(tmp_path, skipped)
    synthetic_runs.same(launch.history, live)
    assert skipped.total() == 4
    assert len(read_by_provider(tmp_path)) == 1


def test_a_newer_schema_says_upgrade(tmp_path: Path) -> None:
    """Data of a later version are skipped, and the reason says to upgrade."""
    synthetic_runs.write(tmp_path, 80)

    def newer(tag: Tag, data: bytes) -> bytes:
        envelope = schema.envelope.pb.Envelope.FromString(data)
        envelope.version = 9
        return envelope.SerializeToString()

    edit(event_file(tmp_path), newer)
    skipped = SkipCounts()
    assert reader.launches(tmp_path, skipped) == []
    assert "upgrade" in str(skipped)


def test_a_killed_trainer_loses_nothing_that_it_had_flushed(tmp_path: Path) -> None:
    """After SIGKILL all that was flushed can be read, from files and through TensorBoard."""
    code = f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
        from tests.support import synthetic_runs
        synthetic_runs.write({str(tmp_path)!r}, 240, end=None, close=False)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False)
    assert done.returncode == -9
    for (launch,) in (reader.launches(tmp_path), read_by_provider(tmp_path)):
        assert len(launch.history) == 240
        assert launch.history.ended is None
        assert launch.now.step == 240


def test_a_run_is_read_as_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only new data are read, in few calls, and the History is the same object with more rows."""
    monkeypatch.setattr(tag_listing, "MAX_AGE", 0.0)  # rows without a state
    sink = synthetic_runs.directory_sink(tmp_path)
    synthetic_runs.write(tmp_path, 400, sink=sink, end=None, close=False)
    provider = CountingProvider(tmp_path)
    run = ProviderReader(provider)
    with run.locked_run(CTX, "", "weightwatch") as opened:
        (first,) = opened.launches
        revision, history = opened.revision, first.history
        opened.memo["kept"] = True
    assert max(provider.requested) <= 64
    provider.requested.clear()
    with run.locked_run(CTX, "", "weightwatch") as opened:
        assert opened.revision == revision
        assert opened.memo == {"kept": True}
    assert provider.requested == []
    later = schema.encode_rows(synthetic_runs.rows(401, 8), 400, started=synthetic_runs.STARTED)
    number = len([t for t in tags(event_file(tmp_path)) if t.kind == "rows"])
    sink.emit(schema.to_summary(Tag("a1", "rows", number), later), 408, time.time())
    sink.flush()
    provider.reload()
    with run.locked_run(CTX, "", "weightwatch") as opened:
        assert opened.revision != revision
        assert opened.memo == {}
        assert opened.launches[0].history is history
        assert len(history) == 408
    assert provider.requested == [1]
    sink.close()


def test_while_no_status_changes_no_complete_list_is_requested(tmp_path: Path) -> None:
    """A poll lists the statuses alone, and finds launches that go on, and runs that come or go, at once."""
    sink = synthetic_runs.directory_sink(tmp_path / "a")
    synthetic_runs.write(tmp_path / "a", 400, sink=sink, end=None, close=False)
    synthetic_runs.write(tmp_path / "b", 40)
    provider = CountingProvider(tmp_path)
    source = ProviderReader(provider)

    def poll() -> tuple[list[str], int, bool]:
        """Returns runs, rows of the one that goes on, and whether a complete list was requested."""
        provider.reload()
        provider.complete_lists.clear()
        run_names = sorted(source.poll(CTX, ""))
        with source.locked_run(CTX, "", "a/weightwatch") as opened:
            return run_names, len(opened.launches[0].history), any(provider.complete_lists)

    both = ["a/weightwatch", "b/weightwatch"]
    assert poll() == (both, 400, True)
    assert poll() == (both, 400, False)
    later = schema.encode_rows(synthetic_runs.rows(401, 8), 400, started=synthetic_runs.STARTED)
    number = len([t for t in tags(event_file(tmp_path / "a")) if t.kind == "rows"])
    sink.emit(schema.to_summary(Tag("a1", "rows", number), later), 408, time.time())
    state = reader.launches(tmp_path / "a")[0].now
    assert state is not None
    sink.emit(schema.to_summary(Tag("a1", "now"), schema.encode_now(state)), 408, time.time())
    sink.flush()
    assert poll() == (both, 408, True)
    assert poll() == (both, 408, False)
    synthetic_runs.write(tmp_path / "c", 40)
    assert poll() == ([*both, "c/weightwatch"], 408, True)
    sink.close()
    shutil.rmtree(tmp_path / "b")
    provider.restart()
    assert poll() == (["a/weightwatch", "c/weightwatch"], 408, True)


def test_a_run_that_is_opened_after_the_list_is_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A panel asks for the list and at once for a run, which needs no list then; when it goes on, it does."""
    live = synthetic_runs.write(tmp_path, 400)
    provider = CountingProvider(tmp_path)

    def lists_to_open(source: ProviderReader) -> int:
        """Opens the run, and returns how many lists that took."""
        provider.complete_lists.clear()
        with source.locked_run(CTX, "", "weightwatch") as opened:
            synthetic_runs.same(opened.launches[0].history, live)
        return len(provider.complete_lists)

    for seconds, lists in ((60.0, 0), (0.0, 1)):
        monkeypatch.setattr(tag_listing, "FRESH", seconds)
        source = ProviderReader(provider)
        source.poll(CTX, "")
        assert lists_to_open(source) == lists
        assert lists_to_open(source) == 1
    assert lists_to_open(ProviderReader(provider)) == 1  # nothing was listed before


def test_a_run_without_a_status_is_listed_each_time(tmp_path: Path) -> None:
    """Without a status that would show a change, rows are read as soon as TensorBoard has them."""
    sink = synthetic_runs.directory_sink(tmp_path)

    def put(number: int) -> None:
        block = schema.encode_rows(synthetic_runs.rows(8 * number + 1, 8), 8 * number, started=synthetic_runs.STARTED)
        sink.emit(schema.to_summary(Tag("a1", "rows", number), block), 8 * number + 8, time.time())
        sink.flush()

    put(0)
    provider = CountingProvider(tmp_path)
    source = ProviderReader(provider)
    for rows in (8, 16, 24):
        with source.locked_run(CTX, "", "weightwatch") as opened:
            assert len(opened.launches[0].history) == rows
        put(rows // 8)
        provider.reload()
    sink.close()


def test_a_poll_reads_no_rows(tmp_path: Path) -> None:
    """The list of runs costs a few small calls for all of them; a run that is opened later is complete."""
    live = {name: synthetic_runs.write(tmp_path / name, 400, launch=name) for name in ("a", "b", "c")}
    provider = CountingProvider(tmp_path)
    source = ProviderReader(provider)
    runs = source.poll(CTX, "")
    assert sorted(runs) == ["a/weightwatch", "b/weightwatch", "c/weightwatch"]
    assert len(provider.requested) == 1
    for run in runs.values():
        (launch,) = run.launches
        assert launch.now.step == 400
        assert launch.history.ended.data["how"] == "completed"
        assert len(launch.history) == 0
    with source.locked_run(CTX, "", "b/weightwatch") as opened:
        synthetic_runs.same(opened.launches[0].history, live["b"])


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    """The least recently used run is dropped when the Histories get too large, and read again on demand."""
    for name in ("a", "b"):
        synthetic_runs.write(tmp_path / name, 400)
    provider = CountingProvider(tmp_path)
    source = ProviderReader(provider, budget=1)
    for name in ("a", "b", "a"):
        with source.locked_run(CTX, "", f"{name}/weightwatch") as opened:
            assert len(opened.launches[0].history) == 400
    assert len(source._runs) == 1


def test_a_run_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    """A launch that was deleted is forgotten."""
    synthetic_runs.write(tmp_path, 80)
    provider = CountingProvider(tmp_path)
    source = ProviderReader(provider)
    with source.locked_run(CTX, "", "weightwatch"):
        pass
    shutil.rmtree(tmp_path / "weightwatch")
    synthetic_runs.write(tmp_path, 40, launch="b2")
    provider.restart()
    with source.locked_run(CTX, "", "weightwatch") as opened:
        assert [(x.history.launch, len(x.history)) for x in opened.launches] == [("b2", 40)]


def test_an_unknown_run_is_a_key_error(tmp_path: Path) -> None:
    """A run that does not exist is a KeyError, and leaves nothing in the cache."""
    source = ProviderReader(CountingProvider(tmp_path))
    with pytest.raises(KeyError), source.locked_run(CTX, "", "nothing"):
        pass
    assert source._runs == {}


def test_a_reply_that_is_too_large_is_requested_in_parts(tmp_path: Path) -> None:
    """Tags whose data are too large for one reply are requested in halves."""
    live = synthetic_runs.write(tmp_path, 400)

    class Narrow(CountingProvider):
        def read_tensors(self, *args: Any, **kwargs: Any) -> Any:
            if len(kwargs["run_tag_filter"].tags) > 3:
                raise ValueError("RESOURCE_EXHAUSTED")
            return super().read_tensors(*args, **kwargs)

    with ProviderReader(Narrow(tmp_path)).locked_run(CTX, "", "weightwatch") as opened:
        synthetic_runs.same(opened.launches[0].history, live)


def test_a_users_own_data_stay_as_they_are(tmp_path: Path) -> None:
    """The user's writer and ours can be open at the same time, and neither loses data."""
    user = EventFileWriter(str(tmp_path))
    sink = synthetic_runs.directory_sink(tmp_path)
    for step in range(50):
        value = summary_pb2.Summary.Value(tag="loss", simple_value=step)
        user.add_event(event_pb2.Event(wall_time=1.0 + step, step=step, summary=summary_pb2.Summary(value=[value])))
        user.flush()
    live = synthetic_runs.write(tmp_path, 80, sink=sink)
    user.close()
    provider = CountingProvider(tmp_path).provider
    (scalars,) = provider.read_scalars(CTX, experiment_id="", plugin_name="scalars", downsample=1000)["."].values()
    assert [s.step for s in scalars] == list(range(50))
    (launch,) = reader.launches(tmp_path)
    synthetic_runs.same(launch.history, live)


def test_a_callers_own_writer_is_read_beside_the_callers_data(tmp_path: Path) -> None:
    """Data written by a tf.summary writer are in the user's own directory, and are read from there."""
    tf = pytest.importorskip("tensorflow")
    from tb_weightwatch.capture.tf_summary_sink import SummarySink

    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        for step in range(50):
            tf.summary.scalar("loss", float(step), step=step)
    live = synthetic_runs.write(tmp_path, 200, sink=SummarySink(writer))
    writer.close()
    (launch,) = reader.launches(tmp_path)
    synthetic_runs.same(launch.history, live)
    synthetic_runs.same(read_by_provider(tmp_path, ".")[0].history, live)
    provider = CountingProvider(tmp_path).provider
    found = provider.list_scalars(CTX, experiment_id="", plugin_name="scalars")
    assert found["."]["loss"].max_step == 49


def test_directories(tmp_path: Path) -> None:
    """A missing directory is an error that names it, an empty one gives []; names of runs are relative."""
    with pytest.raises(FileNotFoundError, match="nowhere"):
        reader.read(tmp_path / "nowhere")
    assert reader.read(tmp_path) == []
    assert reader.runs(tmp_path) == []
    synthetic_runs.write(tmp_path / "x" / "y", 8)
    synthetic_runs.write(tmp_path, 8)
    assert reader.runs(tmp_path) == [(".", str(tmp_path)), ("x/y", str(tmp_path / "x" / "y"))]
    assert reader.runs(str(tmp_path / "weightwatch")) == [(".", str(tmp_path / "weightwatch"))]


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    """Markup, direction marks and line breaks in names are not changed."""
    names = ("<img src=x onerror=alert(1)>", "\u202eevil", "a\nb", "x" * 5000)
    synthetic_runs.write(tmp_path, 8, variables=names)
    (launch,) = reader.launches(tmp_path)
    assert tuple(v.name for v in launch.history.variables) == names


def test_reading_needs_no_tensorflow(tmp_path: Path) -> None:
    """With TensorBoard's stub, no TensorFlow is loaded."""
    synthetic_runs.write(tmp_path, 80)
    code = f"""
        import sys, types
        sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")
        from tb_weightwatch import reader
        assert len(reader.read({str(tmp_path)!r})[0]) == 80
        assert not {{"tensorflow", "keras"}} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_ten_thousand_steps_stay_small(tmp_path: Path) -> None:
    """A run of 2,000 rows x 40 variables has its share of the budget of 10 MB, and few tags."""
    names = tuple(f"v{i}" for i in range(40))
    synthetic_runs.write(tmp_path, 2000, variables=names)
    path = event_file(tmp_path)
    assert path.stat().st_size < 10e6 * (2000 / 3400) * (40 / 200) * 1.3
    assert len(set(tags(path))) < 120


def test_data_frames_keep_not_recorded_apart_from_nan(tmp_path: Path) -> None:
    """Data frames are by axis; a recorded NaN is NaN, a value that was not recorded is NA."""
    pandas = pytest.importorskip("pandas")
    history = synthetic_runs.write(tmp_path, 40, nan_from=32)
    run, variable = history.to_pandas(), history.to_pandas("variable")
    assert list(run.index) == history.steps.tolist()
    assert np.array_equal(run["loss"].to_numpy(float), history.loss, equal_nan=True)
    assert variable.loc[(40, "dense_0/kernel"), "weight_norm"] is not pandas.NA
    assert set(variable.columns) == set(history.columns("variable"))
    assert len(variable) == 40 * len(history.variables)


def test_data_frames_need_pandas_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas the error says what to install; a misspelt axis is named."""
    history = synthetic_runs.write(tmp_path, 8)
    with pytest.raises(ValueError, match="axis must be one of"):
        history.to_pandas("variables")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        history.to_pandas()
