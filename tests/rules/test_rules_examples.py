"""Each rule with sick and healthy examples, and what its sentence and its fix say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History, Record
from tb_weightwatch.verdict import Verdict
from tests.support.synthetic_history import VARIABLES, synthetic_history

T = np.arange(120)


def found(history: History, name: str) -> Verdict | None:
    """Returns the open verdict of that name, folded or not."""

    def search(verdicts: Any) -> Verdict | None:
        for verdict in verdicts:
            inner = verdict if verdict.name == name else search(verdict.explains)
            if inner is not None:
                return inner
        return None

    return search(diagnose(history).verdicts)


# -- 401, 402, 405


def test_all_gradients_none_is_a_broken_tape() -> None:
    """It is told at the very first step, with the tape's code."""
    history = synthetic_history(gradient_none=1, gradient_norm=None, gradient_max=None, update_norm=0.0)
    verdict = found(history[:1], "no-gradient")
    assert verdict and verdict.severity == "error" and "GradientTape" in verdict.fix


def test_layers_before_a_cut_are_sick_and_an_unused_branch_is_a_remark() -> None:
    """Where the gradients are missing says what it is."""
    before, after = np.array([1, 1, 0, 0.0]), np.array([0, 0, 1, 1.0])
    moves = lambda none: {"update_norm": (1 - none) * 0.01, "gradient_norm": np.where(none > 0, np.nan, 0.3)}  # noqa: E731
    cut = found(synthetic_history(gradient_none=before, **moves(before)), "no-gradient")
    assert cut and cut.severity == "warning" and cut.variables == ("first/kernel", "first/bias")
    unused = found(synthetic_history(gradient_none=after, **moves(after)), "no-gradient")
    assert unused and unused.severity == "info" and "harmless" in unused.message


def test_zero_gradients_name_the_depth() -> None:
    """Exactly zero up to a layer: the sentence says from where on."""
    verdict = found(synthetic_history(gradient_norm=np.array([0, 0, 0.3, 0.3]), loss=1.1), "zero-gradient")
    assert verdict and "from 'first' back to the input" in verdict.message


def test_a_resting_part_and_a_perfect_fit_are_healthy() -> None:
    """A loss at 0 has zero gradients by right; a bias alone is no break in the chain."""
    assert not diagnose(synthetic_history(gradient_norm=0.0, loss=0.0)).verdicts
    assert found(synthetic_history(gradient_norm=np.array([0.3, 0, 0.3, 0.3]), loss=1.1), "zero-gradient") is None


def test_a_nonfinite_gradient_tells_what_came_before() -> None:
    """With a finite loss the derivative is to blame; after a NaN loss the forward pass."""
    lost = (T > 50)[:, None] * 7.0
    backward = found(synthetic_history(gradient_nonfinite=lost), "nonfinite-gradient")
    assert backward and backward.first_step == 52 and "still finite" in backward.message and "sqrt" in backward.fix
    forward = found(
        synthetic_history(gradient_nonfinite=lost, loss=np.where(T > 50, np.nan, 1.0)), "nonfinite-gradient"
    )
    assert forward and "together with the loss" in forward.message


# -- 501, 502, 503, 507


def test_a_rate_of_zero_and_a_schedule_that_ended_too_soon() -> None:
    """Both are named with the value to set; a planned decay stays silent."""
    zero = found(synthetic_history(learning_rate=0.0, update_norm=0.0, loss=1.1), "learning-rate-zero")
    assert zero and zero.certainty == "certain" and "Adam(1e-3)" in zero.fix
    assert "although the gradients are alive" in zero.message
    early = found(
        synthetic_history(learning_rate=np.where(T < 10, 1e-3 * (1 - T / 10), 0), loss=1.05), "learning-rate-zero"
    )
    assert early is None, "updates that go on contradict the rate"
    moves = 0.01 * (T < 10)[:, None]
    early = found(
        synthetic_history(learning_rate=np.where(T < 10, 1e-3 * (1 - T / 10), 0), loss=1.05, update_norm=moves),
        "learning-rate-zero",
    )
    assert early and "after step 10 of 120" in early.message and "decay_steps=120" in early.fix


@pytest.mark.parametrize("kind", ["fit", "loop"])
def test_a_tiny_rate_is_named_with_a_better_one_in_the_users_own_terms(kind: str) -> None:
    """The fix has the old value, the new value and code for `fit` or for a loop."""
    history = synthetic_history(learning_rate=1e-10, update_norm=1e-10, loss=1.1, facts={"recorder": {"kind": kind}})
    verdict = diagnose(history).verdicts[0]
    assert verdict.name == "learning-rate-too-small"
    assert "from 1e-10 to about 1e-3" in verdict.fix
    assert ("model.compile" in verdict.fix) == (kind == "fit")
    assert ("optimizer.learning_rate = 1e-3" in verdict.fix) == (kind == "loop")


def test_a_tiny_rate_explains_that_nothing_is_stored() -> None:
    """Adam with 1e-10: no float32 weight changes at all, and the learning rate is why."""
    history = synthetic_history(learning_rate=1e-10, update_norm=0.0, stuck_share=1.0, changed_share=0.0, loss=1.1)
    assert [v.name for v in diagnose(history).verdicts] == ["learning-rate-too-small"]


def test_small_steps_that_get_ahead_or_have_arrived_are_healthy() -> None:
    """Fine-tuning, long trainings that fall, converged models."""
    small = {"learning_rate": 1e-5, "update_norm": 1e-5}
    assert not diagnose(synthetic_history(**small)).verdicts
    assert not diagnose(synthetic_history(loss=0.01, **small)).verdicts


def test_a_rate_too_large_is_judged_by_its_effect() -> None:
    """Large steps with a falling loss are healthy; with a loss that jumped and stayed up they are not."""
    large = {"learning_rate": 1.0, "update_norm": np.linspace(8, 2, 120)[:, None] * np.ones(4)}
    assert not diagnose(synthetic_history(**large)).verdicts
    burst = np.where(T < 1, 1.1, 500 * np.exp(-T / 8.0) + 1.3)
    verdict = diagnose(synthetic_history(loss=burst, **large)).verdicts[0]
    assert verdict.name == "learning-rate-too-large" and "1.1" in verdict.message and "Adam(1e-3)" in verdict.fix
    nan = np.where(T < 6, 1.1 * 10.0**T, np.nan)
    lost = diagnose(synthetic_history(loss=nan, gradient_nonfinite=(T >= 6)[:, None] * 9.0, **large)).verdicts[0]
    assert lost.name == "learning-rate-too-large"
    assert [v.name for v in lost.explains] == ["nonfinite-loss"]
    assert [v.name for v in lost.explains[0].explains] == ["nonfinite-gradient"]


def test_updates_never_applied_and_variables_left_out() -> None:
    """A count that stands still, and a variable that is not the optimizer's."""
    verdict = found(synthetic_history(iterations=0, update_norm=0.0, loss=1.1), "updates-not-applied")
    assert verdict and verdict.certainty == "certain" and verdict.first_step == 20 and "apply_gradients" in verdict.fix
    listed = [{**v, "optimized": v["layer"] == "last"} for v in VARIABLES]
    moves = np.array([0, 0, 0.01, 0.01])
    left = found(synthetic_history(variables=listed, update_norm=moves), "updates-not-applied")
    assert left and left.variables == ("first/kernel", "first/bias") and "Compile again" in left.fix
    assert found(synthetic_history(variables=listed), "updates-not-applied") is None, "they move, by whatever hand"


# -- 601, 701


@pytest.mark.parametrize(
    ("dtype", "weight", "rate"), [("bfloat16", 1.0, 1e-3), ("float16", 1.0, 1e-4), ("float32", 100.0, 1e-6)]
)
def test_steps_under_the_last_place_are_certain(dtype: str, weight: float, rate: float) -> None:
    """1 + 0.001 is 1 in bfloat16, and 100 + 0.000001 is 100 in float32: not the learning rate's fault."""
    size = np.sqrt([np.prod(v["shape"]) for v in VARIABLES])
    history = synthetic_history(
        variables=[{**v, "dtype": dtype} for v in VARIABLES], weight_norm=weight * size, weight_max=weight, loss=1.1,
        learning_rate=rate, update_norm=0.0, update_max=0.0, changed_share=0.0, stuck_share=1.0,
    )  # fmt: skip
    verdict = diagnose(history).verdicts[0]
    assert verdict.name == "update-below-precision" and verdict.certainty == "certain"
    assert dtype in verdict.message


def test_everything_frozen_the_head_or_the_base() -> None:
    """All frozen is an error, the head a warning, the base a remark."""

    def frozen(*layers: str) -> History:
        listed = [{**v, "trainable": v["layer"] not in layers} for v in VARIABLES]
        moves = np.array([0.0 if v["layer"] in layers else 0.01 for v in VARIABLES])
        return synthetic_history(variables=listed, update_norm=moves)

    severity = {
        name: found(frozen(*name), "frozen-weights").severity for name in (("first", "last"), ("last",), ("first",))
    }  # type: ignore[union-attr]
    assert severity == {("first", "last"): "error", ("last",): "warning", ("first",): "info"}
    assert diagnose(frozen("first")).status == "healthy"


def test_freezing_later_keeps_its_date() -> None:
    """`trainable` is a dated fact: the verdict begins where it changed."""
    history = synthetic_history()
    history.add(Record(100, "variables", {"items": [{"name": v["name"], "trainable": False} for v in VARIABLES]}))
    verdict = found(history, "frozen-weights")
    assert verdict is None or verdict.first_step == 100
