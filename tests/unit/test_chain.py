"""The chain: a link works only if it was measured and is right, and its number belongs to its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from tb_weightwatch.answers.link_numbers import LINK_TABLE, link_number
from tb_weightwatch.diagnosis import catalogue
from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.verdict import Diagnosis, Evidence, Symptom, Unknown, Verdict
from tests.support import synthetic_runs
from tests.support.chain_truth import assert_chain_is_true, chain_of
from tests.support.histories import recorded_history
from tests.support.run_variants import DECOYS, SICK
from tests.support.strategies import histories
from tests.support.suspected_run import suspected
from tests.support.synthetic_history import VARIABLES, synthetic_history
from tests.support.tested_run import diagnosis_with_experiments

NAMES = [str(v["name"]) for v in VARIABLES]
SOME_STAND = np.array([0.0, 0.0, 0.004, 0.002])  # updates of which the first two are nothing


def verdict(name: str, link: str, severity: Any = "error", **more: Any) -> Verdict:
    given = {"variables": (), "evidence": (), "explains": (), **more}
    return Verdict(
        1, name, link, severity, "certain", given["variables"], 1, 9, False, f"{name} is wrong.", given["evidence"],
        "fix", given["explains"],
    )  # fmt: skip


def states(chain: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: link["state"] for name, link in chain.items()}


@pytest.mark.parametrize("name", SICK)
def test_the_chain_of_each_sick_run_is_true(name: str) -> None:
    """After any number of rows no link "works" that a finding names, that was not recorded, or after the break."""
    history = synthetic_history(120, **SICK[name])
    for rows in (1, 8, 40, 120):
        assert_chain_is_true(history[:rows])


@pytest.mark.parametrize("name", DECOYS)
def test_the_chain_of_a_healthy_run_that_looks_sick_is_true(name: str) -> None:
    """A healthy run has no broken and no affected link."""
    history = synthetic_history(120, **DECOYS[name])
    assert_chain_is_true(history)
    assert not {"broken", "affected", "suspected"} & set(states(chain_of(history)).values())


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_the_chain_of_any_history_is_true(history: History) -> None:
    """Whatever was recorded, the chain does not contradict the diagnosis."""
    assert_chain_is_true(history)


def test_a_diagnosis_by_experiments_and_one_by_suspects_are_true_on_the_chain() -> None:
    """A confirmed suspect breaks its link and is not "suspected"; other suspects are, and the rest is not green."""
    history = recorded_history(96)
    for diagnosis in (suspected(), diagnosis_with_experiments(96)):
        assert_chain_is_true(history, diagnosis)
    chain = chain_of(history, diagnosis_with_experiments(96))
    assert (chain["optimizer"]["state_text"], chain["optimizer"]["first"]) == ("breaks here, confirmed", True)
    assert "confirmed by an experiment" in chain["optimizer"]["text"]
    assert chain["optimizer"]["number"] == "1e-3"  # the confirmed cause judges the learning rate
    assert chain["gradient"]["state"] == "suspected"
    assert set(states(chain_of(history, suspected())).values()) == {"suspected", "affected", "passed"}


def test_the_chain_separates_causes_from_consequences() -> None:
    """Each link has the state that the diagnosis gives it; the first broken one is that of the answer."""
    effect = verdict("effect", "update")
    diagnosis = Diagnosis(
        "sick",
        "cause is wrong.",
        (verdict("cause", "optimizer", explains=(effect,)), verdict("hint", "data", "info")),
        passed=tuple(r.name for r in catalogue().values() if r.link in ("gradient", "loss")),
        unknown=tuple(Unknown(r.name, r.code, "the outputs") for r in catalogue().values() if r.link == "activations"),
    )
    chain = chain_of(recorded_history(8), diagnosis)
    assert states(chain) == {
        "data": "note",
        "activations": "unknown",
        "loss": "ok",
        "gradient": "ok",
        "optimizer": "broken",
        "update": "affected",
        "weight": "unknown",
    }
    assert [name for name, link in chain.items() if link["first"]] == ["optimizer"]
    assert chain["optimizer"]["text"] == "cause is wrong"
    assert chain["update"]["text"] == "follows from cause: effect is wrong"
    assert (chain["activations"]["text"], chain["activations"]["state_text"]) == ("the outputs", "cannot tell")
    assert chain["update"]["codes"] == [1]
    assert chain["loss"]["passed"] == [r.code for r in catalogue().values() if r.link == "loss"]
    assert chain["activations"]["unknown"] == [r.code for r in catalogue().values() if r.link == "activations"]


def test_what_was_not_recorded_does_not_work() -> None:
    """A link whose quantity was not recorded is "not recorded", although some of its checks passed."""
    history = synthetic_history(60, **dict.fromkeys(("input_max", "target_std", "input_mean", "input_std")))
    data = chain_of(history)["data"]
    assert data["passed"] and (data["state"], data["state_text"], data["number"]) == ("unknown", "not recorded", "")
    assert all(link["number"] == "" for link in chain_of(History("x")).values())


@pytest.mark.parametrize(
    ("columns", "broken"),
    [
        ({"gradient_none": np.array([1.0, 1, 0, 0]), "gradient_norm": np.array([0, 0, 0.3, 0.3])}, "gradient"),
        ({"variables": [{**v, "optimized": i > 1} for i, v in enumerate(VARIABLES)]}, "optimizer"),
        ({"variables": [{**v, "trainable": v["layer"] != "last"} for v in VARIABLES]}, "weight"),
    ],
)
def test_variables_that_cannot_move_are_counted_on_update_and_weight(columns: dict[str, Any], broken: str) -> None:
    """Without gradient, without optimizer, or frozen: what follows says how many variables do not move."""
    still = SOME_STAND if broken != "weight" else SOME_STAND[::-1]
    history = synthetic_history(120, update_norm=still, changed_share=(still > 0) * 1.0, **columns)
    assert_chain_is_true(history)
    chain = chain_of(history)
    assert (chain[broken]["state"], chain[broken]["first"], chain[broken]["number"]) == ("broken", True, "2")
    for name in {"update", "weight"} - {broken}:
        assert (chain[name]["state"], chain[name]["number"]) == ("affected", "2 of 4"), chain[name]
        assert chain[name]["meaning"] == "variables do not move"


def test_a_variable_stands_still_since_the_latest_finding_about_it() -> None:
    """A variable that moved after an early finding and stands since a later one is counted once more."""
    updates = np.where(np.arange(120)[:, None] < 60, 0.004, 0.0) * np.ones(4)
    early, late = (verdict(name, "gradient", variables=NAMES[:1]) for name in ("early", "late"))
    diagnosis = Diagnosis("sick", "s", (early, replace(late, first_step=61)))
    update = chain_of(synthetic_history(120, update_norm=updates), diagnosis)["update"]
    assert (update["number"], update["text"]) == ("1 of 4", "1 of 4 variables do not move: late")
    moved = chain_of(synthetic_history(120), diagnosis)["update"]
    assert moved["number"] != "1 of 4"


def test_a_frozen_base_is_a_note_and_its_variables_do_not_count() -> None:
    """A healthy run with a frozen base updates the others, and the number says of how many."""
    chain = chain_of(synthetic_history(120, **DECOYS["a frozen base"]))
    assert (chain["weight"]["state"], chain["update"]["state"]) == ("note", "ok")
    assert chain["update"]["meaning"] == "‖Δ‖/‖w‖ of 2 trainable variables, last step"


def test_a_skipped_last_step_does_not_hide_what_was_recorded() -> None:
    """The loss scale skips a step with an infinite gradient; a variable that never has one does not matter."""
    norm = np.ones((120, len(VARIABLES)))
    norm[-1, 0], norm[:, 1:] = np.inf, np.nan  # the other variables have no gradient
    every = synthetic_history(120, gradient_norm=norm)
    block = every.rows(0, 120)
    block.variable["gradient_norm"].known[:, 1:] = False
    history = History("x")
    for record in every.records:
        history.add(record)
    history.append(block)
    number = link_number(history, LINK_TABLE["gradient"], np.ones(len(VARIABLES), bool), finite=True)
    assert number.text == "1" and not number.nonfinite


def test_an_effect_before_the_broken_link_shows_it_too() -> None:
    """It comes back through the weights of earlier steps; "affected" would contradict the order of the links."""
    effect = Verdict(1, "effect", "data", "error", "certain", (), 1, 9, False, "Effect is seen.", (), "fix")
    late = Verdict(1, "late", "weight", "error", "certain", (), 1, 9, False, "Late is wrong.", (), "fix", (effect,))
    chain = chain_of(synthetic_history(120), Diagnosis("sick", "Late is wrong.", (late,)))
    assert (chain["data"]["state"], chain["data"]["state_text"]) == ("affected", "shows it too")
    early = replace(late, link="data", explains=(replace(effect, link="weight"),))
    chain = chain_of(synthetic_history(120), Diagnosis("sick", "Late is wrong.", (early,)))
    assert (chain["weight"]["state"], chain["weight"]["state_text"]) == ("affected", "affected")


def test_a_broken_link_shows_the_number_that_proves_it() -> None:
    """A broken link shows its first evidence, or the one that counts its variables; an update of 0 is affected."""
    evidence = Evidence("saturated outputs of dense", 1.0, "", quantity="saturated_share")
    diagnosis = Diagnosis("sick", "s", (verdict("cause", "activations", evidence=(evidence,)),))
    chain = chain_of(recorded_history(8), diagnosis)
    assert (chain["activations"]["number"], chain["activations"]["meaning"]) == ("100 %", evidence.name)
    assert chain["update"]["state"] != "affected"
    still, block = recorded_history(8), synthetic_runs.rows(9, 1)
    block.variable["update_norm"].values[:] = 0
    still.append(block)
    assert chain_of(still, diagnosis)["update"]["state"] == "affected"
    counts = (Evidence("steps", 0.0, ""), Evidence("variables without an update", 2.0, ""))
    named = verdict("cause", "optimizer", evidence=counts, variables=synthetic_runs.NAMES[:2])
    assert chain_of(recorded_history(8), Diagnosis("sick", "s", (named,)))["optimizer"]["number"] == "2"


def test_a_number_that_does_not_belong_to_the_state_is_not_shown() -> None:
    """A verdict without evidence, and a symptom on another number, leave the link without one."""
    chain = chain_of(recorded_history(8), Diagnosis("sick", "s", (verdict("label-problem", "data"),)))
    assert (chain["data"]["state"], chain["data"]["number"], chain["data"]["meaning"]) == ("broken", "", "")
    equal = Symptom("predictions-are-equal", "activations", "error", "All are equal", (), 1, 8)
    flat = Symptom("loss-no-better-than-constant", "loss", "error", "No better", (), 1, 8)
    chain = chain_of(recorded_history(8), Diagnosis("sick", "s", symptoms=(equal, flat)))
    assert (chain["activations"]["state"], chain["activations"]["number"]) == ("affected", "")
    assert (chain["loss"]["state"], chain["loss"]["meaning"]) == ("affected", "loss of the last batch")


def test_a_later_link_whose_quantity_proves_the_cause_is_affected() -> None:
    """A far too small update and NaN are consequences although no rule fires on their link; earlier links are not."""
    proof = (Evidence("learning rate", 1e-9, ""), Evidence("update ratio", 1e-9, "", quantity="update_ratio"))
    passed = tuple(catalogue())
    diagnosis = Diagnosis("sick", "s", (verdict("cause", "optimizer", evidence=proof),), passed=passed)
    links = chain_of(recorded_history(8), diagnosis)
    assert (links["update"]["state"], links["gradient"]["state"], links["weight"]["state"]) == (
        "affected",
        "ok",
        "passed",
    )
    assert links["update"]["text"] == "follows from cause: update ratio 1e-9"
    assert links["weight"]["text"].endswith("but the chain is broken before this link: cause")


def test_outputs_that_are_not_finite_are_on_the_chain() -> None:
    """Activations with NaN do not "work" with 0 % of dead units: their number is how many are not finite."""
    chain = chain_of(recorded_history(nan_from=200))
    assert (chain["activations"]["state"], chain["activations"]["number"]) == ("affected", "30")
    assert chain["activations"]["meaning"] == "NaN or infinite outputs, last step"
    assert_chain_is_true(recorded_history(nan_from=200))
    assert chain["loss"]["number"] == "NaN" and chain["optimizer"]["number"] == "1e-3"


def test_a_step_that_the_loss_scale_skipped_is_not_the_number_of_a_healthy_run() -> None:
    """The gradient's number is that of the last step in which it was finite."""
    norms = np.full((120, 4), 0.3)
    norms[-1] = np.nan
    skipped = {"gradient_norm": norms, "gradient_nonfinite": np.isnan(norms) * 5.0, "loss_scale": 32768.0}
    gradient = chain_of(synthetic_history(120, **skipped))["gradient"]
    assert (gradient["state"], gradient["number"]) == ("ok", "0.6")


def test_one_small_variable_does_not_decide_the_chain() -> None:
    """The number of the update link is that of the whole model, frozen variables excluded."""
    history = History("x")
    items = [{"name": "kernel"}, {"name": "bias"}, {"name": "frozen", "trainable": False}]
    history.add(Record(0, "variables", {"items": items}))
    known = np.ones((1, 3), bool)
    columns = {
        "update_norm": Column(np.array([[3e-9, 4e-9, 1e9]]), known),
        "weight_norm": Column(np.array([[5.0, 0, 0]]), known),
    }
    history.append(Rows(np.array([1]), np.zeros(1), columns))
    chain = chain_of(history, Diagnosis("undecided", ""))
    assert (chain["update"]["number"], chain["weight"]["number"]) == ("1e-9", "5")


def test_a_verdict_that_an_experiment_confirmed_says_so() -> None:
    """The state of its link has the word."""
    confirmed = replace(verdict("cause", "loss"), outcome="confirmed")
    chain = chain_of(recorded_history(8), Diagnosis("sick", "s", (confirmed,)))
    assert chain["loss"]["state_text"] == "breaks here, confirmed"
