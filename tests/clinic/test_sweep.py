"""The sweep: what is drawn, how it is judged, what is said of it. The whole: `python -m tests.clinic --all --sweep`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tb_weightwatch.diagnosis import catalogue
from tests.clinic.programs import SEEN_BY_EXPERIMENTS_ONLY
from tests.clinic.sweep import report, run, tables
from tests.clinic.sweep.draw import CALIBRATED_SINCE, draw
from tests.clinic.sweep.faults import FAULTS, drawn
from tests.clinic.sweep.judge import Judged


def test_every_rule_has_a_fault_that_is_drawn() -> None:
    """A rule that a recording can prove is met in programs that nobody wrote for it."""
    assert {fault.expected for fault in FAULTS.values()} == set(catalogue()) - SEEN_BY_EXPERIMENTS_ONLY


@pytest.mark.parametrize("kind", ["healthy", "sick"])
def test_a_name_says_all_of_a_run(kind: str) -> None:
    """A run is found again by its name, and its repeats differ in numbers alone."""
    names = [name for name in run.drawn_names() if name.startswith(kind)]
    assert len(names) == len(set(names))
    assert [drawn(name).name for name in names] == names
    one, other = drawn("healthy-013.0"), drawn("healthy-013.1")
    assert (one.data, one.architecture, one.optimizer) == (other.data, other.architecture, other.optimizer)
    assert one.rate != other.rate


def test_held_out_families_are_in_every_second_program_and_no_other() -> None:
    """So that calibration never sees them, but for what has been moved there since."""
    for i in range(run.HEALTHY):
        one = draw("healthy", i)
        assert bool(one.held_out or one.optimizer in CALIBRATED_SINCE) is bool(i % 2)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 300, 0.0, 1.27), (0, 381, 0.0, 1.0), (5, 10, 23.7, 76.3), (10, 10, 72.2, 100)],
)
def test_intervals(hits: int, total: int, low: float, high: float) -> None:
    """Wilson's interval, against published values."""
    assert [100 * x for x in tables.wilson(hits, total)] == pytest.approx([low, high], abs=0.06)


def _outcome(group: str, causes: tuple[str, ...], *suspects: tuple[str, float], found: str = "") -> report.Outcome:
    judged = Judged("sick", (found,) if found else (), suspects, (), 3 if causes else None, None, "Why.", bool(found))
    return report.Outcome("program-x", group, causes, (), judged)


def test_the_first_suspect_answers_where_no_verdict_does() -> None:
    """Groups are counted apart; a run that is sick without a verdict is told its suspects, best first."""
    dead, rate = ("dead-relu", 0.7), ("learning-rate-too-small", 0.25)
    found = [
        _outcome("field", ("dead-relu",), dead, rate),
        _outcome("field", ("learning-rate-too-small",), dead, rate),
        _outcome("field", ("wrong-loss",), found="wrong-loss"),
        _outcome("healthy kinds", (), dead),
    ]
    assert [one.right for one in found] == [True, False, True, False]
    text = "\n".join(tables.tables(found, report.Left()))
    assert "Field: 3 sick; new healthy kinds: 1 healthy." in text
    assert "| sick: right cause first | 2 of 3 (20.8 to 93.9 %) | - |" in text
    assert "| sick: cause in the first three | 3 of 3 (43.8 to 100.0 %) | - |" in text
    assert "| healthy: called sick | - | 1 of 1 (20.7 to 100.0 %) |" in text
    assert "| 201 dead-relu | - | 1 of 1 | - | - | 3 |  |" in text
    assert "| 502 learning-rate-too-small | - | 0 of 1 | - | - | 3 | dead-relu 1 |" in text
    assert "| 0.6 to 0.8 | 3 | 0.70 | 1 of 3 (6.1 to 79.2 %) |" in text
    judged = found[0].judged
    assert Judged.from_json(json.loads(json.dumps(judged._asdict()))) == judged


def test_reported_programs_keep_their_names_and_accept_their_labels() -> None:
    """Ambiguous programs and duplicates are left out; a label that is no rule stands for the rules that mean it."""
    from tests.clinic.field.labels import accepted
    from tests.clinic.programs import PROGRAMS

    field = {name: one for name, one in PROGRAMS.items() if one.source == "field"}
    assert len(field) == 122 and sum(one.expected is not None for one in field.values()) == 58
    assert {cause for one in field.values() for cause in (one.expected, *one.also) if cause} <= set(catalogue())
    assert field["t_apply_never_called__bad"].kind == "updates-not-applied"
    assert accepted(("weights-reset", "updates-not-applied"))[0] == "update-undone"
    assert accepted(("healthy",)) == ()


@pytest.mark.clinic
@pytest.mark.filterwarnings("ignore")
def test_a_drawn_run_is_trained_proven_and_judged(tmp_path: Path) -> None:
    """From the name to the tables: a healthy run counts as such by its predictions, a sick one gets its cause."""
    from tests.clinic.sweep.train import main

    main(tmp_path, ["healthy-013.0", "sick-002.0"])
    lines = run.results(tmp_path)
    assert lines["healthy-013.0"]["skill"] > report.PROVEN > lines["sick-002.0"]["skill"]
    found, left = report.outcomes(tmp_path, lines)
    assert left == report.Left()
    assert [one.right for one in found] == [True, True]
    assert found[1].causes == ("learning-rate-zero",) and 3 <= (found[1].judged.right or 0) <= 20
    again, _ = report.outcomes(tmp_path, lines)  # read back, not judged again
    assert again == found
    text = "\n".join(tables.tables(found, left))
    assert "501 learning-rate-zero | - | - | - | 1 of 1 |" in text
    assert json.loads((tmp_path / "runs.jsonl").read_text().splitlines()[0])["name"] == "healthy-013.0"
