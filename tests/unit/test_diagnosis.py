"""The engine: ranking, folding, prefixes, configuration, and the sentence where no rule holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tb_weightwatch.diagnosis import catalogue, checked_rules, diagnose, rule_set_version
from tb_weightwatch.diagnosis.engine.diagnose import fold, rank
from tb_weightwatch.diagnosis.signals import round_learning_rate
from tb_weightwatch.history import History
from tb_weightwatch.verdict import Claim, Diagnosis, Verdict
from tests.support.synthetic_history import synthetic_history


def _verdict(name: str, **fields: object) -> Verdict:
    rule = catalogue()[name]
    fields_of_rule = {
        "code": rule.code, "name": name, "link": rule.link, "severity": "error", "certainty": "likely", "variables": (),
        "first_step": 1, "last_step": 2, "resolved": False, "message": name, "evidence": (), "fix": "",
    }  # fmt: skip
    return Verdict(**(fields_of_rule | fields))  # type: ignore[arg-type]


def test_consequences_are_folded_under_their_cause() -> None:
    """A dead layer explains the zero gradients before it; both stay readable."""
    verdicts = fold([_verdict("zero-gradient"), _verdict("dead-relu")])
    assert [v.name for v in verdicts] == ["dead-relu"]
    assert [v.name for v in verdicts[0].explains] == ["zero-gradient"]


def test_a_verdict_of_severity_info_explains_nothing() -> None:
    """A verdict that does not make a run sick cannot hide one that does."""
    verdicts = fold([_verdict("nonfinite-input", severity="info"), _verdict("nonfinite-gradient")])
    assert {v.name for v in verdicts} == {"nonfinite-input", "nonfinite-gradient"}


def test_explanations_form_no_circle() -> None:
    """Rules that explained each other would both vanish."""
    graph = {name: [e for e in rule.explains if e in catalogue()] for name, rule in catalogue().items()}

    def follow(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"{' -> '.join(path)} -> {name}"
        for effect in graph[name]:
            follow(effect, (*path, name))

    for name in graph:
        follow(name, ())


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
    """A diagnosis that is written to the event file and read again is the same object."""
    diagnosis = diagnose(synthetic_history(learning_rate=0.0, update_norm=0.0))
    assert diagnosis.verdicts
    assert Diagnosis.from_dict(diagnosis.as_dict()) == diagnosis


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
    """The sentence states that nothing was recorded."""
    diagnosis = diagnose(History())
    assert diagnosis.status == "undecided"
    assert "No training step" in diagnosis.sentence


def test_a_falling_loss_is_healthy_and_not_finished() -> None:
    """A run whose weights move and whose loss falls is healthy; the sentence states that the loss still falls."""
    diagnosis = diagnose(synthetic_history())
    assert diagnosis.status == "healthy"
    assert "still falling" in diagnosis.sentence
    assert not [v for v in diagnosis.verdicts if v.severity != "info"]


def test_a_loss_that_does_not_fall_is_not_called_healthy() -> None:
    """A healthy run has a loss that fell, or is low."""
    rng = np.random.default_rng(0)
    assert diagnose(synthetic_history(loss=1 + 0.05 * rng.normal(size=120))).status == "undecided"


def test_weights_that_stand_still_are_never_healthy() -> None:
    """A run without movement is not healthy; the sentence lists the checks that could not decide."""
    diagnosis = diagnose(synthetic_history(update_norm=0.0, gradient_norm=None, learning_rate=None, iterations=None))
    assert diagnosis.status != "healthy"


def test_a_nonfinite_loss_is_never_healthy() -> None:
    """A run whose loss is NaN at the end is not healthy."""
    loss = np.linspace(1, 0.5, 60)
    loss[40:] = np.nan
    assert diagnose(synthetic_history(rows=60, loss=loss)).status != "healthy"


def test_diagnosing_leaves_the_history_as_it_was() -> None:
    """`diagnose` twice returns the same, and the History can still grow."""
    history = synthetic_history()
    first = diagnose(history)
    assert diagnose(history) == first
    history.append(synthetic_history(rows=5, first=len(history) + 1).rows(0, 5))
    assert diagnose(history).rows == first.rows + 5


def test_a_diagnosis_is_printed_with_its_fix_and_what_else_is_wrong() -> None:
    """The sentence comes first; the fix stands there once; a consequence of the first finding is no other finding."""
    effect = Verdict(403, "zero-gradient", "gradient", "error", "certain", (), 1, 9, False, "It is zero", (), "Look.")
    first = Verdict(201, "dead-relu", "activations", "error", "certain", (), 1, 9, False, "It is dead", (), "Wake it.")
    other = Verdict(
        103, "unscaled-target", "data", "warning", "likely", (), 1, 9, False, "It is large", (), "Scale it."
    )
    sick = Diagnosis("sick", "It is dead.", verdicts=(replace(first, explains=(effect,)), other))
    assert str(sick) == "It is dead.\n  fix: Wake it.\n  also: 103 unscaled-target: It is large"
    assert str(Diagnosis("healthy", "Healthy.")) == "Healthy."


def test_a_verdict_claims_what_its_sentence_says() -> None:
    """The count of steps, the course of the loss and what stands still are claims of the verdict."""
    history = synthetic_history(learning_rate=0.0, update_norm=0.0, loss=1.1)
    verdict = next(v for v in diagnose(history).verdicts if v.name == "learning-rate-zero")
    assert Claim("is", "learning_rate", 0.0, 1, 120, recorded_only=True) in verdict.claims
    assert Claim("mean", "loss", 1.1, 1, 1, recorded_only=True) in [replace(c, value=1.1) for c in verdict.claims]
