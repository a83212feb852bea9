"""What a diagnosis says of an exception that ended training: verdicts without rows, the symptom, the sentence."""

from __future__ import annotations

from typing import Any

import pytest

from tb_weightwatch import answers
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.signals import training_error
from tb_weightwatch.diagnosis.symptoms.ended_by_exception import ended_by_exception
from tb_weightwatch.history import History, Record
from tb_weightwatch.reader import Launch
from tests.support.synthetic_history import FACTS, VARIABLES, synthetic_history


def ended(end: dict[str, Any], rows: int = 0, **columns: Any) -> History:
    """Returns a History of `rows` healthy rows that ended with an exception."""
    history = synthetic_history(rows, **columns) if rows else History("empty")
    if not rows:
        history.add(Record(0, "variables", {"items": [dict(v) for v in VARIABLES]}))
        history.add(Record(0, "facts", FACTS))
    history.add(Record(rows, "end", {"how": "exception", "detail": "ValueError", **end}))
    return history


@pytest.mark.parametrize(
    ("meaning", "rule", "certainty"),
    [
        ("no-gradients", "no-gradient", "certain"),
        ("label-out-of-range", "label-problem", "certain"),
        ("target-shape-mismatch", "label-problem", "certain"),
        ("non-finite-loss", "nonfinite-loss", "certain"),
        ("non-finite-in-loss", "nonfinite-loss", "likely"),
        ("non-finite", "nonfinite-loss", "likely"),
        ("non-finite-in-gradient", "nonfinite-gradient", "likely"),
    ],
)
@pytest.mark.parametrize("rows", [0, 30])
def test_an_exception_with_a_known_cause(meaning: str, rule: str, certainty: str, rows: int) -> None:
    """The rule answers from the exception, with and without rows, and not in a prefix that ends before it."""
    history = ended({"meaning": meaning, "step": rows + 1}, rows)
    diagnosis = diagnose(history)
    verdict = diagnosis.verdicts[0]
    assert (diagnosis.status, verdict.name, verdict.certainty) == ("sick", rule, certainty)
    assert (verdict.first_step, verdict.last_step, verdict.resolved) == (rows + 1, rows + 1, False)
    assert f": training stopped at step {rows + 1} with a ValueError" in verdict.message
    assert diagnosis.sentence == f"{verdict.message}."
    assert rule not in [u.rule for u in diagnosis.unknown]
    assert answers.overview("run", Launch(history), diagnosis, 0.0)["chain"]
    symptom = ended_by_exception(history)
    assert symptom is not None
    assert (symptom.severity, symptom.first_step, symptom.link) == ("error", rows + 1, verdict.link)
    if rows:
        assert rule not in [v.name for v in diagnose(history[: rows - 1]).verdicts]
    assert rule not in [v.name for v in diagnose(history, {rule: False}).verdicts]


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ({"meaning": "out-of-memory", "step": 1}, "Memory ran out, which says nothing about the weights"),
        ({"meaning": "shape-mismatch", "after": 0}, "fit together: training stopped before the end of its"),
        ({"meaning": "other", "detail": "OSError", "after": 3}, "Training stopped after step 3 with an OSError."),
        ({}, "Training stopped before the end of its first step with a ValueError."),
        ({"detail": "", "meaning": ["x"], "step": -1}, "with an exception."),
    ],
)
def test_other_exceptions_without_a_step(end: dict[str, Any], sentence: str) -> None:
    """A run without rows says what happened instead of that no step was recorded, and no rule is blamed."""
    diagnosis = diagnose(ended(end))
    assert diagnosis.status == "sick"
    assert sentence in diagnosis.sentence
    assert not diagnosis.verdicts


def test_an_interrupt_is_no_symptom() -> None:
    """Ctrl-C, also in a log of an earlier version, is said but is not an error."""
    for end in ({"detail": "KeyboardInterrupt"}, {"detail": "Mine", "meaning": "interrupted"}):
        history = ended(end)
        assert ended_by_exception(history) is None
        assert diagnose(history).status == "undecided"
        assert str(diagnose(history)) == "Training was interrupted before the end of its first step."


def test_training_that_went_on() -> None:
    """An exception that training survived is no symptom, and its verdict is resolved."""
    history = ended({"meaning": "no-gradients", "step": 31}, 30)
    history.append(synthetic_history(40, first=31).rows(0, 40))
    error = training_error(history)
    assert error is not None
    assert not error.ended
    assert ended_by_exception(history) is None
    diagnosis = diagnose(history)
    assert "no-gradient" not in [v.name for v in diagnosis.verdicts]
    assert [(v.name, v.last_step) for v in diagnosis.resolved] == [("no-gradient", 31)]


def test_recorded_rows_that_prove_more_are_kept() -> None:
    """A certain verdict of the rows has the numbers, so the exception does not replace it."""
    history = ended({"meaning": "label-out-of-range", "step": 31}, 30, target_high=7.0)
    verdict = diagnose(history).verdicts[0]
    assert (verdict.name, verdict.first_step) == ("label-problem", 1)
    assert "7" in verdict.message
