"""A part of the clinic in every test run; all of it: `python -m tests.clinic`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb_weightwatch.diagnosis import catalogue, diagnose
from tests.clinic.lab import Lab
from tests.clinic.programs import PROGRAMS, SEEN_BY_EXPERIMENTS_ONLY

# Sick programs of each link, under fit or by hand, and healthy ones that are most easily misjudged. The two examples of
# each rule run in tests/rules.
CHOSEN = (
    "raw-breast-cancer-sgd",
    "labels-minus-one-and-one-loop",
    "dead-by-a-negative-bias",
    "saturated-output-log-loss-by-hand",
    "square-root-at-zero",
    "seed-1",
    "sgd-of-hundred-classifier",
    "huge-float32-weights",
    "raw-diabetes-targets-sgd-loop",
    "mean-over-the-batch-loop",
    "softmax-twice-loop",
    "broadcast-squared-error-loop",
    "loss-times-a-million-loop",
    "float16-overflows-every-step",
    "weights-set-again-every-epoch",
    "all-kernels-zero-tanh-loop",
    "breast-cancer-sgd-momentum",
    "ten-steps-only",
    "seed-3-normalised",
    "accumulation-by-hand",
    "frozen-base-trainable-head",
    "warm-up-from-zero",
    "converged-and-going-on",
    "zero-initialised-gate",
    "negative-log-likelihood",
    "raw-inputs-behind-normalization",
    "unused-branch-without-gradient",
    "gan",
    "deep-q-with-a-target-network",
    "affine-coupling-flow",
    "lr_zero_schedule__bad",
)


@pytest.mark.clinic
@pytest.mark.filterwarnings("ignore")  # the sick programs make TensorFlow, Keras and numpy warn
@pytest.mark.parametrize("name", CHOSEN)
def test_programs_get_the_verdict_they_deserve(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sick program's first verdict is its cause; a healthy one is never called sick."""
    monkeypatch.setenv("TB_WEIGHTWATCH_STRICT", "1")
    program = PROGRAMS[name]
    lab = Lab(tmp_path)
    try:
        program.run(lab)
    except ValueError as error:  # Keras refuses to apply gradients that are all None
        assert "No gradients" in str(error)
    found = diagnose(lab.history)
    if program.expected is None:
        assert found.status != "sick", found.sentence
        return
    assert found.status == "sick", found.sentence
    assert found.verdicts[0].name in (program.expected, *program.also), [str(v) for v in found.verdicts]


def test_every_rule_has_sick_programs_in_the_clinic() -> None:
    """The clinic knows two sick programs and more for each rule that a recording can prove, and many healthy ones."""
    expected = [program.expected for program in PROGRAMS.values() if program.source == "ours"]
    assert {name for name in expected if name} <= set(catalogue())
    assert {name for name in catalogue() if expected.count(name) < 2} == SEEN_BY_EXPERIMENTS_ONLY
    assert expected.count(None) > 60
    assert set(CHOSEN) <= set(PROGRAMS)


def test_new_kinds_are_kinds_and_expect_causes_that_exist() -> None:
    """A program that was written by kind says which; there are many healthy kinds."""
    new = [program for program in PROGRAMS.values() if program.source == "kinds"]
    assert all(program.kind for program in new)
    assert {cause for one in new for cause in (one.expected, *one.also) if cause} <= set(catalogue())
    assert len({program.kind for program in new if program.expected is None}) > 40
    assert sum(program.expected is None for program in new) > 200
