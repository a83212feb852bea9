"""The equation of one update: the optimizer's own rule, and numbers that multiply to what is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tb_weightwatch import schema
from tb_weightwatch.answers.equation import equation, step_numbers
from tb_weightwatch.history import History, Record
from tests.support.chain_truth import chain_of
from tests.support.synthetic_history import VARIABLES, synthetic_history

GRADIENT = np.array([0.3, 0.02, 0.4, 0.01])  # norms of the four variables


def optimizer(name: str, **config: Any) -> dict[str, Any]:
    return {"optimizers": [{"class": name, "name": name.lower(), "config": config}]}


def trained(facts: dict[str, Any], rate: float = 0.1, factor: float = 1.0, **columns: Any) -> History:
    """Returns a run whose updates are `factor` times learning rate times gradient."""
    given = {"gradient_norm": GRADIENT, "learning_rate": rate, "update_norm": factor * rate * GRADIENT, **columns}
    return synthetic_history(8, facts=facts, **given)


def shown_equation(history: History) -> dict[str, Any]:
    """Returns the equation of a run, with the states of its chain."""
    return equation(history, chain_of(history).values())


def formula(answer: dict[str, Any]) -> str:
    """Returns the update as plain text: "lr · gradient"."""
    return " ".join(
        term["symbol"] + (f"_{term['sub']}" if term["sub"] else "") + (f"/({term['over']})" if term["over"] else "")
        for term in answer["update"]
    )


def numbers(answer: dict[str, Any]) -> dict[str, float]:
    return {
        t["symbol"]: float(t["number"].replace(",", ""))
        for t in [*answer["update"], answer["brace"]]
        if t and t["number"]
    }


@hypothesis_settings(deadline=None)
@given(st.floats(1e-6, 10), st.floats(1e-6, 1e3))
def test_learning_rate_times_gradient_is_the_update_that_is_shown(rate: float, scale: float) -> None:
    """For plain SGD the three numbers multiply, as they are stored and shown, and nothing is remarked."""
    history = History("x")
    source = trained(optimizer("SGD"), rate, gradient_norm=scale * GRADIENT, update_norm=rate * scale * GRADIENT)
    for record in source.records:
        history.add(record)
    history.append(schema.as_stored(source.rows(0, 8)))
    answer = shown_equation(history)
    shown = numbers(answer)
    assert formula(answer) == "lr · gradient"
    assert shown["update"] == pytest.approx(shown["lr"] * shown["gradient"], rel=0.02)
    assert answer["note"] == ""
    assert answer["caption"] == "Norms over the 4 trainable variables at step 8"
    assert answer["words"] == "new weight equals old weight minus learning rate times gradient"
    assert [t["link"] for t in answer["update"] if t["link"]] == ["optimizer", "gradient"]


@pytest.mark.parametrize(
    ("facts", "columns", "reason"),
    [
        ({}, {}, "something else than this rule changes the weights"),
        ({"gradients": "raw"}, {}, "clipping was not observed"),
        ({}, {"rate": 1e-9}, "so small an update is rounded when it is added to the weights"),
    ],
)
def test_numbers_that_do_not_multiply_are_told(facts: dict[str, Any], columns: dict[str, Any], reason: str) -> None:
    """Where the measured update is another one than the rule gives, the equation says so, and why if that is known."""
    answer = shown_equation(trained({**optimizer("SGD"), **facts}, factor=0.5, **columns))
    assert reason in answer["note"]
    assert f"{answer['brace']['number']}:" in answer["note"]


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (optimizer("SGD", momentum=0.0, weight_decay=None), "lr · gradient"),
        (optimizer("SGD", momentum=0.9), "( 0.9 · v_old + lr · gradient )"),
        (optimizer("SGD", momentum=0.9, nesterov=True), "( 0.9 · v_new + lr · gradient )"),
        (optimizer("SGD", weight_decay=0.01), "( lr · gradient + lr · 0.01 · w_old )"),
        (optimizer("Adam"), "lr · m̂/(√v̂ + ε)"),
        (optimizer("Nadam"), "lr · m̂/(√v̂ + ε)"),
        (optimizer("AdamW", weight_decay=0.004), "( lr · m̂/(√v̂ + ε) + lr · 4e-3 · w_old )"),
        (optimizer("Adam", amsgrad=True), "lr · m̂/(√max v̂ + ε)"),
        (optimizer("Adamax"), "lr · m̂/(u + ε)"),
        (optimizer("RMSprop"), "lr · gradient/(√(v + ε))"),
        (optimizer("RMSprop", momentum=0.5, centered=True), "( 0.5 · Δ_old + lr · gradient/(√(v - ḡ² + ε)) )"),
        (optimizer("Adagrad"), "lr · gradient/(√(Σ gradient² + ε))"),
        (optimizer("Adadelta"), "lr · RMS(Δ)/(RMS(gradient)) · gradient"),
        (optimizer("Lion"), "lr · sign(m̂)"),
        (optimizer("Lamb"), "lr · ‖w‖/(‖a‖) · a"),
    ],
)
def test_each_optimizer_has_its_own_rule(facts: dict[str, Any], rule: str) -> None:
    """The rule is that of the recorded class and settings; only terms that were recorded have numbers."""
    answer = shown_equation(trained(facts, factor=3.0))
    assert formula(answer) == rule
    plain = [t["symbol"] for t in answer["update"] if t["number"]]
    assert set(plain) <= {"lr", "gradient"} and "lr" in plain
    fractions = [t for t in answer["update"] if t["over"]]
    assert all(t["number"] == "" for t in fractions)
    assert answer["note"] == "" or rule == "lr · gradient"  # no product is claimed, so none can be wrong
    assert answer["words"].startswith("new weight equals old weight minus ")
    for term in answer["update"]:
        assert term["operator"] or term["meaning"], term


@pytest.mark.parametrize(
    ("facts", "remark"),
    [
        ({"optimizers": None}, "The optimizer was not recorded."),
        ({"optimizers": "odd"}, "The optimizer was not recorded."),
        ({"optimizers": [3, {"class": 4, "config": "x"}]}, "The update rule of 4 is not written here."),
        (optimizer("Ftrl"), "The update rule of Ftrl is not written here."),
        ({"optimizers": [{"class": "SGD", "own": True}]}, "The program defines the update rule of SGD itself."),
        (
            {"optimizers": [{"class": "SGD", "config": {}}, {"class": "Adam", "config": {}}]},
            "Several optimizers make the updates: Adam and SGD.",
        ),
    ],
)
def test_an_unknown_rule_is_an_update(facts: dict[str, Any], remark: str) -> None:
    """Where the rule is not known the equation is w_new = w_old - update, with the measured norm, and says why."""
    answer = shown_equation(trained(facts))
    assert formula(answer) == "update"
    assert answer["update"][0]["number"] == "0.05" and answer["brace"] is None
    assert answer["note"] == remark


def test_several_optimizers_of_one_rule_keep_it_without_a_common_rate() -> None:
    """Two SGDs with different rates share the rule; the learning rate of one of them is not shown for both."""
    items = [{"class": "SGD", "config": {"learning_rate": rate}} for rate in (0.1, 0.2)]
    answer = shown_equation(trained({"optimizers": items}))
    assert formula(answer) == "lr · gradient" and set(numbers(answer)) == {"gradient", "update"}
    same = shown_equation(trained({"optimizers": items[:1] * 2}))
    assert set(numbers(same)) == {"lr", "gradient", "update"}


def test_accumulated_gradients_are_explained() -> None:
    """Only each k-th step updates, so no product is claimed."""
    answer = shown_equation(trained(optimizer("SGD", gradient_accumulation_steps=4), factor=0.0))
    assert answer["note"] == "The gradient is the mean over 4 steps, and only the last of them updates."


def test_variables_that_the_optimizer_does_not_have_do_not_count() -> None:
    """The norms are of what is updated, so that they still multiply."""
    variables = [{**v, "optimized": i > 1} for i, v in enumerate(VARIABLES)]
    moved = 0.1 * GRADIENT * (np.arange(4) > 1)
    answer = shown_equation(trained(optimizer("SGD"), variables=variables, update_norm=moved))
    shown = numbers(answer)
    assert shown["gradient"] == pytest.approx(0.4, rel=0.01) and answer["note"] == ""
    assert shown["update"] == pytest.approx(shown["lr"] * shown["gradient"], rel=0.02)
    assert "the 2 variables in the optimizer's list" in answer["caption"]


def test_numbers_are_of_one_step_and_only_where_recorded() -> None:
    """The last row that has most of the numbers is taken; without any there are none, and no caption."""
    gradients = np.where(np.arange(8)[:, None] < 5, GRADIENT, np.nan)
    history = trained(optimizer("SGD"))
    block = history.rows(0, 8)
    block.variable["gradient_norm"].values[:] = gradients
    block.variable["gradient_norm"].known[5:] = False
    partly = History("x")
    for record in history.records:
        partly.add(record)
    partly.append(block)
    assert step_numbers(partly).step == 5
    empty = History("x")
    empty.add(Record(0, "facts", optimizer("SGD")))
    answer = shown_equation(empty)
    assert (numbers(answer), answer["caption"], answer["note"]) == ({}, "", "")
    alone = shown_equation(trained(optimizer("SGD"), gradient_norm=None, update_norm=None))
    assert (numbers(alone), alone["caption"]) == ({"lr": 0.1}, "Learning rate at step 8")


def test_a_gradient_that_is_not_finite_is_shown_and_no_product_is_claimed() -> None:
    """NaN stands under its term."""
    answer = shown_equation(trained(optimizer("SGD"), gradient_norm=np.nan, update_norm=np.nan))
    assert [t["number"] for t in answer["update"] if t["symbol"] == "gradient"] == ["NaN"]
    assert answer["note"] == ""


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"learning_rate": 1e-10, "update_norm": 1e-10, "loss": 1.1}, "broken"),
        ({"iterations": 0, "update_norm": 0.0, "loss": 1.1}, ""),  # the optimizer's fault is not the rate
        ({}, "ok"),
    ],
)
def test_the_learning_rate_is_marked_only_if_it_is_what_is_wrong(changes: dict[str, Any], state: str) -> None:
    """A term has the state of its link; the rate has none where the optimizer is broken for another reason."""
    answer = shown_equation(synthetic_history(120, **changes))
    (rate,) = (term for term in answer["update"] if term["symbol"] == "lr")
    assert (rate["link"], rate["state"]) == ("optimizer", state)
