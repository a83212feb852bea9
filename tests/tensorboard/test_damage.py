"""Damage and hostile content are told, never shown, and never end what reads them: the bounded part of `tests/harm`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb_weightwatch import reader
from tests.harm import bomb_files, bombs, damaged_files, hostile_records
from tests.support import synthetic_runs
from tests.support.event_files import edit, event_file, read_by_provider


def test_what_damage_costs_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever is lost by zeros, copies, another order, flipped bits and cuts is told; nothing else is shown."""
    for counts in damaged_files.run(tried=160, seed=7):
        assert counts.survived == counts.tried > 0, counts
        assert counts.told == counts.lost, counts


def test_hostile_headers_cost_themselves_only(capsys: pytest.CaptureFixture[str]) -> None:
    """Anything in any field of any record: no answer, table or report raises, and what is left out is told."""
    (counts,) = hostile_records.run(tried=14, seed=5)
    assert counts.survived == counts.tried, counts.note
    assert counts.told == counts.lost > 0, counts.note


def test_bombs_take_no_memory() -> None:
    """Small files that parse or inflate to gigabytes are skipped, in 2 GB of address space."""
    (counts,) = bombs.run(bombs=(bomb_files.nested_lists, bomb_files.empty_columns))
    assert counts.survived == 2, counts.note
    assert counts.told == counts.lost == 1, counts.note  # of the other one nothing is lost


def test_data_without_a_seal_are_read(tmp_path: Path) -> None:
    """Recordings of earlier versions have none: they give the same Histories."""
    live = synthetic_runs.write(tmp_path, 80)
    edit(event_file(tmp_path), lambda tag, datum: unsealed(datum))
    for (launch,) in (reader.launches(tmp_path), read_by_provider(tmp_path)):
        synthetic_runs.same(launch.history, live)
        assert launch.now is not None
        assert not launch.skipped


def unsealed(datum: bytes) -> bytes:
    envelope = bomb_files.pb.Envelope.FromString(datum)
    assert envelope.seal
    envelope.ClearField("seal")
    envelope.ClearField("written")
    return bytes(envelope.SerializeToString())


def test_a_datum_under_another_tag_is_not_read(tmp_path: Path) -> None:
    """A datum that stands under the tag of another one is told to be damaged."""
    synthetic_runs.write(tmp_path, 80)
    blocks: list[bytes] = []
    edit(event_file(tmp_path), lambda tag, datum: exchanged(tag.kind == "rows", datum, blocks))
    (launch,) = reader.launches(tmp_path)
    assert launch.skipped["rows: damaged: it was not written under this tag"] > 0
    assert not launch.history.complete


def exchanged(is_block: bool, datum: bytes, blocks: list[bytes]) -> bytes:
    """Returns the first block in the place of each later one."""
    if is_block:
        blocks.append(datum)
    return blocks[0] if is_block else datum
