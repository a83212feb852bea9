"""Every rule on every kind of history, so that a new rule is tested before its own test is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tb_weightwatch.diagnosis import catalogue, diagnose
from tb_weightwatch.diagnosis.rule import Rule
from tb_weightwatch.history import Column, History, Record
from tb_weightwatch.verdict import Diagnosis, Verdict
from tests.support.run_variants import DECOYS, SICK
from tests.support.strategies import histories
from tests.support.synthetic_history import VARIABLES, synthetic_history

each = pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.name)
few = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _filled(rows: int, value: float, known: bool = True) -> History:
    """A History with all columns of the synthetic one, filled with one value."""
    history = synthetic_history(rows)
    block = history.rows(0, rows)
    for _, columns in block.axes():
        for name, column in columns.items():
            columns[name] = Column(np.full_like(column.values, value), np.full_like(column.known, known))
    filled = History("filled")
    for record in history.records:
        filled.add(record)
    if rows:
        filled.append(block)
    return filled


EXTREMES = {
    "empty": _filled(0, 0),
    "one row": _filled(1, 1),
    "all NaN": _filled(30, np.nan),
    "all zero": _filled(30, 0),
    "all infinite": _filled(30, np.inf),
    "enormous": _filled(30, 1e38),
    "tiny": _filled(30, 1e-38),
    "negative": _filled(30, -1),
    "not recorded": _filled(30, 0, known=False),
    "nothing described": History(),
}


@each
@pytest.mark.parametrize("kind", EXTREMES)
def test_no_history_makes_a_rule_raise(rule: Rule, kind: str) -> None:
    """Whatever was recorded, a rule returns an answer that can be written as JSON."""
    diagnosis = diagnose(EXTREMES[kind], {name: name == rule.name for name in catalogue()})
    for verdict in diagnosis.verdicts + diagnosis.resolved:
        assert verdict.message and verdict.fix
        verdict.as_dict()


def test_an_empty_recording_raises_no_alarm() -> None:
    """If nothing was recorded no rule holds, and the run is undecided."""
    for kind in ("empty", "not recorded", "nothing described"):
        diagnosis = diagnose(EXTREMES[kind])
        assert not diagnosis.verdicts, kind
        assert diagnosis.status == "undecided"


SHAPES = {
    "falls": lambda t, rng: np.exp(-2 * t),
    "falls slowly": lambda t, rng: 1.1 - 0.3 * t,
    "noisy": lambda t, rng: np.exp(-1.5 * t) * rng.lognormal(0, 0.3, t.shape),
    "converged": lambda t, rng: 0.01 + np.exp(-30 * t),
    "negative by design": lambda t, rng: -10 * t + rng.normal(0, 0.2, t.shape),
    "stays low": lambda t, rng: np.full(t.shape, 0.02) + 0.002 * rng.normal(size=t.shape),
    "one spike": lambda t, rng: np.exp(-2 * t) + 30 * (np.arange(len(t)) == len(t) // 2),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [8, 40, 300])
def test_healthy_histories_raise_no_alarm(shape: str, rows: int) -> None:
    """No rule makes a healthy run sick, short or long."""
    loss = SHAPES[shape](np.linspace(0, 1, rows), np.random.default_rng(1))
    # A custom loss function: a cross-entropy is never negative by design.
    facts = {"loss": {"name": "my_loss", "class": "", "from_logits": None}}
    diagnosis = diagnose(synthetic_history(rows, loss=loss, facts=facts))
    assert not alarms(diagnosis)
    assert diagnosis.status != "sick"


@pytest.mark.parametrize("decoy", DECOYS)
def test_healthy_histories_that_look_broken_raise_no_alarm(decoy: str) -> None:
    """No rule makes one of them sick after any number of rows."""
    history = synthetic_history(120, **DECOYS[decoy])
    for n in (1, 2, 5, 10, 20, 40, 64, 120):
        assert not alarms(diagnose(history[:n])), f"after {n} rows"


@pytest.mark.parametrize("name", SICK)
def test_sick_histories_get_their_verdict_first_and_keep_its_first_step(name: str) -> None:
    """The rule comes first, and each rule's first step is the same in all prefixes."""
    history = synthetic_history(120, **SICK[name])
    diagnosis = diagnose(history)
    assert diagnosis.verdicts[0].name == name, [str(v) for v in diagnosis.verdicts]
    first_steps: dict[str, int] = {}
    for n in range(1, len(history) + 1):
        for verdict in all_verdicts(diagnose(history[:n])):
            assert verdict.first_step == first_steps.setdefault(verdict.name, verdict.first_step)
            assert verdict.first_step <= history.steps[n - 1]
    assert first_steps == {v.name: v.first_step for v in all_verdicts(diagnosis)}


@pytest.mark.parametrize("name", SICK)
def test_permuting_variables_permutes_verdicts(name: str) -> None:
    """No rule depends on the order of the variables of a layer."""
    order = [1, 0, 3, 2]  # within their layers
    columns = {k: v for k, v in SICK[name].items() if k != "variables"}
    variables = SICK[name].get("variables", VARIABLES)
    diagnosis = diagnose(synthetic_history(120, variables=variables, **columns))
    permuted = diagnose(synthetic_history(120, variables=[variables[i] for i in order], **columns))
    assert [v.name for v in diagnosis.verdicts] == [v.name for v in permuted.verdicts]
    assert [set(v.variables) for v in diagnosis.verdicts] == [set(v.variables) for v in permuted.verdicts]


@few
@given(histories())
def test_no_rule_ever_raises_and_every_answer_can_be_written(history: History) -> None:
    """Any mixture of columns, shapes and dtypes gets a diagnosis that survives its dictionary."""
    diagnosis = diagnose(history)
    assert diagnosis.status in ("healthy", "sick", "undecided")
    for verdict in all_verdicts(diagnosis):
        assert verdict.message and verdict.fix
        assert "\n" not in verdict.message
    assert Diagnosis.from_dict(diagnosis.as_dict()) == diagnosis


def test_a_large_healthy_history_raises_no_alarm() -> None:
    """With hundreds of variables and more than a thousand rows no rule holds, and none cannot decide."""
    variables = [{"name": f"d{i}/kernel", "shape": [8, 8], "layer": f"d{i}"} for i in range(400)]
    layers = [{"name": f"d{i}", "kind": "Dense", "activation": "relu"} for i in range(400)]
    diagnosis = diagnose(synthetic_history(1100, variables=variables, layers=layers))
    assert diagnosis.status == "healthy" and not diagnosis.verdicts and not diagnosis.unknown


def _with_layers_permuted(history: History, order: list[int]) -> History:
    permuted = History("permuted")
    for record in history.records:
        items = record.data.get("items", [])
        data = {"items": [items[i] for i in order]} if record.kind == "layers" else record.data
        permuted.add(Record(record.step, record.kind, data))
    if len(history):
        block = history.rows(0, len(history))
        block.layer = {k: Column(c.values[:, order], c.known[:, order]) for k, c in block.layer.items()}
        permuted.append(block)
    return permuted


@few
@given(histories(), st.randoms(use_true_random=False))
def test_permuting_layers_permutes_verdicts(history: History, random: Any) -> None:
    """No verdict depends on the order of the layers."""
    order = list(range(len(history.layers)))
    random.shuffle(order)
    diagnoses = [diagnose(history), diagnose(_with_layers_permuted(history, order))]
    verdicts, permuted = ([(v.code, v.severity, v.certainty, v.first_step, v.last_step, set(v.variables))
                           for v in all_verdicts(diagnosis)] for diagnosis in diagnoses)  # fmt: skip
    assert verdicts == permuted
    assert diagnoses[0].status == diagnoses[1].status


@few
@given(histories(), st.integers(0, 25))
def test_prefixes_never_change_a_first_step(history: History, n: int) -> None:
    """A rule that holds in a prefix holds in the full History, from the same step on."""
    first_steps = {v.name: v.first_step for v in all_verdicts(diagnose(history))}
    for verdict in all_verdicts(diagnose(history[:n])):
        assert first_steps[verdict.name] == verdict.first_step


def test_the_synthetic_history_is_complete() -> None:
    """Every rule can decide on the run on which these tests rest."""
    assert not diagnose(synthetic_history()).unknown


def alarms(diagnosis: Diagnosis) -> list[str]:
    """The open verdicts that make a run sick."""
    return [str(v) for v in diagnosis.verdicts if v.severity != "info"]


def all_verdicts(diagnosis: Diagnosis) -> list[Verdict]:
    """Open and resolved verdicts, with the ones that they explain."""
    return with_explained(diagnosis.verdicts + diagnosis.resolved)


def with_explained(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    return [verdict for v in verdicts for verdict in (v, *with_explained(v.explains))]
