"""What verdicts state is true of every step, recorded or not; and the check finds what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch.verdict import Claim, Verdict
from tests.clinic import sick  # noqa: F401
from tests.clinic.lab import PROGRAMS
from tests.clinic.truth import NoBudget, check, check_program, thinned, until
from tests.support.synthetic_history import synthetic_history

STEPS = np.arange(1, 41)
LOSS = np.where(STEPS < 30, 1.0 / STEPS, np.nan)
FULL = synthetic_history(40, loss=LOSS, learning_rate=0.1, weight_nonfinite=(STEPS >= 35)[:, None] * 2.0)

TRUE = [
    Claim("steps", "step", 40, 1, 40),
    Claim("is", "loss", 0.5, 2, 2),
    Claim("is", "loss", np.nan, 30, 40),
    Claim("finite", "loss", 0, 1, 29),
    Claim("is", "learning_rate", 0.1, 1, 40),
    Claim("since", "weight_nonfinite", 2, 35, 40, ("first/kernel",)),
    Claim("at most", "weight_nonfinite", 0, 1, 34),
    Claim("above", "weight_nonfinite", 0, 35, 40),
    Claim("sum", "weight_nonfinite", 8, 35, 35),
    Claim("at least", "loss", 0.1, 1, 10),
    Claim("reached", "loss", 0.1, 1, 40),
    Claim("mean", "loss", (1 + 1 / 2 + 1 / 3) / 3, 1, 3),
]
FALSE = [
    Claim("steps", "step", 39, 1, 39),
    Claim("is", "loss", 0.6, 2, 2),
    Claim("is", "loss", np.nan, 29, 40),
    Claim("finite", "loss", 0, 1, 30),
    Claim("is", "learning_rate", 0.0, 1, 40),
    Claim("since", "weight_nonfinite", 2, 36, 40, ("first/kernel",)),
    Claim("at most", "weight_nonfinite", 0, 1, 35),
    Claim("above", "weight_nonfinite", 0, 34, 40),
    Claim("sum", "weight_nonfinite", 2, 35, 35),
    Claim("at least", "loss", 0.2, 1, 10),
    Claim("reached", "loss", 3.0, 1, 40),
    Claim("mean", "loss", 0.4, 1, 3),
    Claim("is", "dead_share", 1.0, 50, 60),
]


@pytest.mark.parametrize("claim", TRUE, ids=str)
def test_what_is_true_is_not_reported(claim: Claim) -> None:
    """Each kind of claim, as the recording shows it."""
    assert check(claim, FULL) is None


@pytest.mark.parametrize("claim", FALSE, ids=str)
def test_what_is_false_is_reported(claim: Claim) -> None:
    """Each kind of claim, with a number, a step or a variable that is wrong."""
    assert check(claim, FULL)


def test_a_claim_of_recorded_steps_is_held_against_these_only() -> None:
    """What was between them is not claimed; the same claim of all steps is false."""
    claim = Claim("at most", "weight_nonfinite", 0, 30, 40, recorded_only=True)
    assert check(claim, FULL, np.array([30, 34])) is None
    assert check(claim, FULL, np.array([30, 34, 35]))
    assert check(Claim("at most", "weight_nonfinite", 0, 30, 40), FULL, np.array([30, 34]))


def test_a_claim_survives_being_written_and_read() -> None:
    """Verdicts of earlier versions have none."""
    claim = Claim("is", "loss", np.nan, 3, 9, ("a",), recorded_only=True)
    assert Claim.from_dict(claim.as_dict()) == claim != Claim("is", "loss", 1.0, 3, 9, ("a",), recorded_only=True)
    verdict = Verdict(101, "n", "data", "error", "certain", (), 1, 2, False, "m", (), "f", claims=(claim,))
    assert Verdict.from_dict(verdict.as_dict()) == verdict
    earlier: dict[str, Any] = verdict.as_dict()
    del earlier["claims"]
    assert not Verdict.from_dict(earlier).claims


def test_a_thinned_recording_has_the_steps_of_the_schedule() -> None:
    """The first sixteen steps, and bursts as the step count grows; numbers are those of the full one."""
    full = synthetic_history(200)
    seen = thinned(full, NoBudget())
    assert seen.steps[:16].tolist() == list(range(1, 17)) and 30 < len(seen) < 150
    assert (seen.loss == full.loss[seen.steps - 1]).all()
    assert len(until(full, 50)) == 50


# Dead layers, NaN, a rate of zero, and a divergence, by fit and by hand.
CHOSEN = ("dead-by-a-negative-bias", "log-of-zero-softmax", "rate-zero-loop", "sgd-explodes-to-nan")


@pytest.mark.clinic
@pytest.mark.filterwarnings("ignore")  # the sick programs make TensorFlow, Keras and numpy warn
@pytest.mark.parametrize("name", CHOSEN)
def test_all_that_is_said_of_a_program_is_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every claim of every verdict, as an observer makes it who recorded some of the steps."""
    monkeypatch.setenv("TB_WEIGHTWATCH_STRICT", "1")
    count, false = check_program(PROGRAMS[name].run, tmp_path)
    assert count and not false, list(false)
