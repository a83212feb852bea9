"""The engine: ranking, folding, prefixes, configuration; and the answer where no rule fires."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis import catalogue, checked_rules, diagnose, rule_set_version
from tb_weightwatch.diagnosis.engine.diagnose import fold, rank
from tb_weightwatch.diagnosis.signals import round_learning_rate
from tb_weightwatch.history import History
from tb_weightwatch.verdict import Diagnosis, Verdict
from tests.support.synthetic_history import synthetic_history


def _verdict(name: str, **fields: object) -> Verdict:
    rule = catalogue()[name]
    known = {
        "code": rule.code, "name": name, "link": rule.link, "severity": "error", "certainty": "likely", "variables": (),
        "first_step": 1, "last_step": 2, "resolved": False, "message": name, "evidence": (), "fix": "",
    }  # fmt: skip
    return Verdict(**(known | fields))  # type: ignore[arg-type]


def test_consequences_are_folded_under_their_cause() -> None:
    """A dead layer explains the zero gradients before it; both stay readable."""
    found = fold([_verdict("zero-gradient"), _verdict("dead-relu")])
    assert [v.name for v in found] == ["dead-relu"]
    assert [v.name for v in found[0].explains] == ["zero-gradient"]


def test_a_remark_explains_nothing() -> None:
    """A finding that does not make a run sick can not hide one that does."""
    found = fold([_verdict("nonfinite-input", severity="info"), _verdict("nonfinite-gradient")])
    assert {v.name for v in found} == {"nonfinite-input", "nonfinite-gradient"}


def test_no_rule_explains_itself_in_a_circle() -> None:
    """Explanations lead from cause to effect and never back, or both would vanish."""
    graph = {name: [e for e in rule.explains if e in catalogue()] for name, rule in catalogue().items()}

    def reach(name: str, seen: tuple[str, ...]) -> None:
        assert name not in seen, f"{' -> '.join(seen)} -> {name}"
        for effect in graph[name]:
            reach(effect, (*seen, name))

    for name in graph:
        reach(name, ())


def test_worse_then_certain_then_earlier_comes_first() -> None:
    """Ranking follows severity, certainty, link of the chain, share of variables, code."""
    order = [
        _verdict("zero-gradient", certainty="certain"),
        _verdict("unscaled-input"),
        _verdict("learning-rate-too-large"),
        _verdict("no-gradient", severity="warning", certainty="certain"),
    ]
    assert rank(order[::-1]) == order


def test_diagnosis_survives_its_own_dictionary() -> None:
    """What is written into the event file is read back as the same object."""
    found = diagnose(synthetic_history(learning_rate=0.0, update_norm=0.0))
    assert found.verdicts
    assert Diagnosis.from_dict(found.as_dict()) == found


def test_a_rule_can_be_muted_and_tuned() -> None:
    """A rule's keyword-only arguments are its configuration; False mutes it."""
    history = synthetic_history(learning_rate=0.0, update_norm=0.0)
    assert diagnose(history).verdicts[0].name == "learning-rate-zero"
    muted = diagnose(history, {"learning-rate-zero": False})
    assert "learning-rate-zero" not in [v.name for v in muted.verdicts]
    assert not diagnose(history, {"learning-rate-zero": {"rows": 1000}}).verdicts


def test_misspelt_names_get_a_suggestion() -> None:
    """A wrong rule name or threshold is an error that names the nearest one."""
    with pytest.raises(ValueError, match="did you mean 'dead-relu'"):
        checked_rules({"dead-rely": False})
    with pytest.raises(ValueError, match="did you mean 'share'"):
        checked_rules({"dead-relu": {"shore": 1}})


def test_the_version_names_the_rule_set() -> None:
    """The same rules have the same version."""
    assert rule_set_version() == rule_set_version()
    assert len(rule_set_version()) == 12


def test_a_suggested_learning_rate_does_not_depend_on_the_last_bit() -> None:
    """Neighbouring floats get the same learning rate, also at the bounds between 1, 3 and 10."""
    for value in (1e-3, 2e-3, 6e-3, 0.1, 0.2, 0.6, 3e-5):
        lower, upper = np.nextafter(value, 0), np.nextafter(value, 1)
        assert round_learning_rate(lower) == round_learning_rate(value) == round_learning_rate(upper)
    assert [round_learning_rate(value) for value in (1.9e-3, 2e-3, 5.9e-3, 6e-3)] == [1e-3, 3e-3, 3e-3, 1e-2]


def test_an_empty_history_is_undecided() -> None:
    """Nothing recorded is said so."""
    found = diagnose(History())
    assert found.status == "undecided"
    assert "No training step" in found.sentence


def test_a_falling_loss_is_healthy_and_the_slope_is_told() -> None:
    """A run that moves and whose loss falls is healthy; unfinished ones say so."""
    found = diagnose(synthetic_history())
    assert found.status == "healthy"
    assert "not finished" in found.sentence
    assert not [v for v in found.verdicts if v.severity != "info"]


def test_a_loss_that_does_not_fall_is_not_called_healthy() -> None:
    """Healthy needs a loss that fell, or is low."""
    rng = np.random.default_rng(0)
    assert diagnose(synthetic_history(loss=1 + 0.05 * rng.normal(size=120))).status == "undecided"


def test_weights_that_stand_still_are_never_healthy() -> None:
    """Without any movement the answer says so, and what was missing."""
    found = diagnose(synthetic_history(update_norm=0.0, gradient_norm=None, learning_rate=None, iterations=None))
    assert found.status != "healthy"


def test_a_nonfinite_loss_is_never_healthy() -> None:
    """A loss that is NaN at the end is not called healthy, whatever came before."""
    loss = np.linspace(1, 0.5, 60)
    loss[40:] = np.nan
    assert diagnose(synthetic_history(rows=60, loss=loss)).status != "healthy"


def test_diagnosing_leaves_the_history_as_it_was() -> None:
    """`diagnose` is pure: twice gives the same, and appending goes on."""
    history = synthetic_history()
    first = diagnose(history)
    assert diagnose(history) == first
    history.append(synthetic_history(rows=5, first=len(history) + 1).rows(0, 5))
    assert diagnose(history).rows == first.rows + 5
