"""One sweep over the whole catalogue, so that a new rule is held to these before its own test is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tb_weightwatch.diagnosis import catalogue, checked_rules, diagnose
from tb_weightwatch.diagnosis.rule import HEADINGS, Rule
from tb_weightwatch.history import Column, History, Record
from tb_weightwatch.verdict import LINKS
from tests.support.strategies import histories
from tests.support.synthetic_history import LAYERS, VARIABLES, synthetic_history

RULES = list(catalogue().values())
FIRST = (101, 102, 105, 201, 202, 401, 402, 405, 501, 502, 503, 507, 601, 701)
each = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
few = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def test_codes_are_unique_and_the_first_fourteen_are_there() -> None:
    """A code belongs to one rule for ever."""
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert set(FIRST) <= set(codes)


@each
def test_a_rule_explains_itself(rule: Rule) -> None:
    """The code lies in its link's hundred, the docstring has a one-line summary and all headings in order."""
    assert LINKS.index(rule.link) == rule.code // 100 - 1
    assert rule.summary.endswith(".")
    places = [rule.doc.find(f"\n{heading}:") for heading in HEADINGS]
    assert -1 not in places
    assert places == sorted(places)
    assert rule.check.__module__.rpartition(".")[2] == rule.name.replace("-", "_")
    for threshold in rule.thresholds:
        assert f"{threshold}: " in rule.doc, f"threshold {threshold} is not explained"


@each
def test_misspelt_thresholds_get_a_suggestion(rule: Rule) -> None:
    """A typo in a threshold names the right one."""
    for name in rule.thresholds:
        with pytest.raises(ValueError, match=f"did you mean '{name}'|known are"):
            checked_rules({rule.name: {name + "x": 1}})


def _blank(rows: int, fill: float, known: bool) -> History:
    history = synthetic_history(rows)
    block = history.rows(0, rows)
    for _, columns in block.axes():
        for name, column in columns.items():
            columns[name] = Column(np.full_like(column.values, fill), np.full_like(column.known, known))
    emptied = History("blank")
    for record in history.records:
        emptied.add(record)
    if rows:
        emptied.append(block)
    return emptied


EXTREMES = {
    "empty": _blank(0, 0, True),
    "one row": _blank(1, 1, True),
    "all NaN": _blank(30, np.nan, True),
    "all zero": _blank(30, 0, True),
    "all infinite": _blank(30, np.inf, True),
    "enormous": _blank(30, 1e38, True),
    "minute": _blank(30, 1e-38, True),
    "negative": _blank(30, -1, True),
    "not recorded": _blank(30, 0, False),
    "nothing described": History(),
}


@each
@pytest.mark.parametrize("kind", EXTREMES)
def test_no_history_makes_a_rule_raise(rule: Rule, kind: str) -> None:
    """Whatever was recorded, a rule answers."""
    history = EXTREMES[kind]
    found = diagnose(history, {name: name == rule.name for name in catalogue()})
    for verdict in found.verdicts + found.resolved:
        assert verdict.message and verdict.fix
        verdict.as_dict()


def test_nothing_recorded_fires_nothing() -> None:
    """What was not recorded is never an alarm: the answer is undecided."""
    for kind in ("empty", "not recorded", "nothing described"):
        found = diagnose(EXTREMES[kind])
        assert not found.verdicts, kind
        assert found.status == "undecided"


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
    """No rule makes a healthy run sick, long or short."""
    loss = SHAPES[shape](np.linspace(0, 1, rows), np.random.default_rng(1))
    # A loss function of their own: cross-entropies are not negative by design.
    facts = {"loss": {"name": "my_loss", "class": "", "from_logits": None}}
    found = diagnose(synthetic_history(rows, loss=loss, facts=facts))
    assert not [str(v) for v in found.verdicts if v.severity != "info"]
    assert found.status != "sick"


def _accumulating(rows: int) -> dict[str, Any]:
    moves = (np.arange(rows) % 8 == 7)[:, None]
    size = np.sqrt([np.prod(v["shape"]) for v in VARIABLES])
    return {
        "update_norm": 0.003 * size * moves,
        "update_max": 0.003 * moves,
        "changed_share": 1.0 * moves,
        "stuck_share": 1.0 * ~moves,
    }


DECOYS: dict[str, dict[str, Any]] = {
    "gradient accumulation in the optimizer": _accumulating(120)
    | {"facts": {"optimizers": [{"class": "Adam", "name": "a", "config": {"gradient_accumulation_steps": 8}}]}},
    "gradient accumulation by hand": _accumulating(120) | {"iterations": np.arange(1, 121) // 8},
    "warm-up from zero": {"learning_rate": np.linspace(0, 1e-3, 120)},
    "cosine to zero": {"learning_rate": 0.5e-3 * (1 + np.cos(np.linspace(0, np.pi, 120)))},
    "sparse relu": {"zero_share": 0.8, "dead_share": 0.3, "always_dead_share": 0.2},
    "large steps at first": {"update_norm": np.linspace(3, 0.01, 120)[:, None] * np.ones(4)},
    "sure of its answers": {
        "loss": 0.7 * np.exp(-np.linspace(0, 6, 120)),
        "saturated_share": np.linspace(0, 1, 120)[:, None],
        "layers": [{"name": "last", "kind": "Dense", "activation": "sigmoid"}],
        "facts": {
            "loss": {"name": "binary_crossentropy", "class": "", "from_logits": False},
            "output_layer": {"name": "last", "activation": "sigmoid", "units": 1},
        },
        "target_high": 1.0,
        "target_mean": 0.5,
    },
    "momentum moves while the gradient rests": {"gradient_norm": np.where(np.arange(120) % 20 >= 10, 0, 0.3)[:, None]},
    "loss scaling skips now and then": {
        "gradient_nonfinite": (np.arange(120) % 40 == 3)[:, None] * 5.0,
        "loss_scale": 32768.0,
    },
    "a frozen base": {"variables": [{**v, "trainable": v["layer"] == "last"} for v in VARIABLES]},
}


@pytest.mark.parametrize("decoy", DECOYS)
def test_what_only_looks_broken_raises_no_alarm(decoy: str) -> None:
    """Every entry of "looks broken, is fine" that numbers can show stays silent, at every row."""
    history = synthetic_history(120, **DECOYS[decoy])
    for n in (1, 2, 5, 10, 20, 40, 64, 120):
        found = diagnose(history[:n])
        assert not [str(v) for v in found.verdicts if v.severity != "info"], f"after {n} rows"


SICK: dict[str, dict[str, Any]] = {
    "nonfinite-input": {
        "input_nonfinite": (np.arange(120) == 9) * 3.0,
        "loss": np.where(np.arange(120) < 9, 1.0, np.nan),
    },
    "no-gradient": {
        "gradient_none": 1.0,
        "gradient_norm": None,
        "gradient_max": None,
        "update_norm": 0.0,
        "gradient_nonfinite": None,
        "loss": 1.1,
    },
    "zero-gradient": {
        "gradient_norm": 0.0,
        "gradient_max": 0.0,
        "update_norm": 0.0,
        "loss": 1.1,
        "prediction_std": None,
    },
    "nonfinite-gradient": {"gradient_nonfinite": (np.arange(120) > 50)[:, None] * 7.0},
    "learning-rate-zero": {"learning_rate": 0.0, "update_norm": 0.0, "loss": 1.1},
    "learning-rate-too-small": {"learning_rate": 1e-10, "update_norm": 1e-10, "loss": 1.1},
    "updates-not-applied": {"iterations": 0, "update_norm": 0.0, "loss": 1.1},
    "frozen-weights": {"variables": [{**v, "trainable": False} for v in VARIABLES], "update_norm": 0.0},
    "dead-relu": {"dead_share": 1.0, "always_dead_share": 1.0, "zero_share": 1.0, "loss": 1.1},
    "label-problem": {"target_high": 5.0},
    "saturated-activation": {
        "layers": [{"name": "first", "kind": "Dense", "activation": "tanh"}],
        "saturated_share": 0.99,
        "loss": 1.1,
    },
    "learning-rate-too-large": {
        "learning_rate": 1.0,
        "update_norm": np.linspace(20, 1, 120)[:, None] * np.ones(4),
        "weight_norm": np.linspace(30, 200, 120)[:, None] * np.ones(4),
        "dead_share": 0.0,
        "loss": np.where(np.arange(120) < 1, 1.1, 300 * np.exp(-np.arange(120) / 8.0) + 1.2),
    },
    "update-below-precision": {
        "variables": [{**v, "dtype": "bfloat16"} for v in VARIABLES],
        "update_norm": 0.0,
        "stuck_share": 1.0,
        "loss": 1.1,
    },
    "unscaled-input": {
        "input_mean": 300.0,
        "input_std": 200.0,
        "input_scale_ratio": 1e4,
        "loss": 50 - np.arange(120) * 0.1,
    },
}


@pytest.mark.parametrize("name", SICK)
def test_sick_histories_get_their_verdict_first_and_keep_its_first_step(name: str) -> None:
    """What an observer had at row n is what the whole run says of row n: the first step never changes."""
    history = synthetic_history(120, **SICK[name])
    whole = diagnose(history)
    assert whole.verdicts[0].name == name, [str(v) for v in whole.verdicts]
    everything = {v.name: v.first_step for v in _flat(whole.verdicts + whole.resolved)}
    seen: dict[str, int] = {}
    for n in range(1, len(history) + 1):
        part = diagnose(history[:n])
        for verdict in _flat(part.verdicts + part.resolved):
            first = seen.setdefault(verdict.name, verdict.first_step)
            assert verdict.first_step == first
            assert verdict.first_step <= history.steps[n - 1]
    assert seen == everything


def _flat(verdicts: Any) -> list[Any]:
    return [x for v in verdicts for x in (v, *_flat(v.explains))]


@pytest.mark.parametrize("name", SICK)
def test_permuting_variables_permutes_verdicts(name: str) -> None:
    """No rule depends on the order in which variables came, except for what "before" means."""
    order = [1, 0, 3, 2]  # within their layers
    options = {k: v for k, v in SICK[name].items() if k != "variables"}
    listed = SICK[name].get("variables", VARIABLES)
    straight = diagnose(synthetic_history(120, variables=listed, **options))
    shuffled = diagnose(synthetic_history(120, variables=[listed[i] for i in order], **options))
    assert [v.name for v in straight.verdicts] == [v.name for v in shuffled.verdicts]
    assert [set(v.variables) for v in straight.verdicts] == [set(v.variables) for v in shuffled.verdicts]


@few
@given(histories())
def test_no_rule_ever_raises_and_every_answer_can_be_written(history: History) -> None:
    """Any mixture of columns, shapes, types and nonsense gets an answer that survives its dictionary."""
    found = diagnose(history)
    assert found.status in ("healthy", "sick", "undecided")
    for verdict in _flat(found.verdicts + found.resolved):
        assert verdict.message and verdict.fix
        assert "\n" not in verdict.message
    assert type(found).from_dict(found.as_dict()) == found


def test_a_huge_history_gets_an_answer() -> None:
    """Hundreds of variables over more than a thousand rows, healthy ones: silence."""
    variables = [{"name": f"d{i}/kernel", "shape": [8, 8], "layer": f"d{i}"} for i in range(400)]
    layers = [{"name": f"d{i}", "kind": "Dense", "activation": "relu"} for i in range(400)]
    found = diagnose(synthetic_history(1100, variables=variables, layers=layers))
    assert found.status == "healthy" and not found.verdicts and not found.unknown


def _reordered(history: History, order: list[int]) -> History:
    """The same, with its layers in another order."""
    other = History("reordered")
    for record in history.records:
        items = record.data.get("items", [])
        moved = {"items": [items[i] for i in order]} if record.kind == "layers" else record.data
        other.add(Record(record.step, record.kind, moved))
    if len(history):
        block = history.rows(0, len(history))
        block.layer = {k: Column(c.values[:, order], c.known[:, order]) for k, c in block.layer.items()}
        other.append(block)
    return other


@few
@given(histories(), st.randoms(use_true_random=False))
def test_permuting_layers_permutes_verdicts(history: History, random: Any) -> None:
    """What is said does not depend on the order in which layers came."""
    order = list(range(len(history.layers)))
    random.shuffle(order)
    told = [diagnose(one) for one in (history, _reordered(history, order))]
    kept = [[(v.code, v.severity, v.certainty, v.first_step, v.last_step, set(v.variables))
             for v in _flat(found.verdicts + found.resolved)] for found in told]  # fmt: skip
    assert kept[0] == kept[1] and told[0].status == told[1].status


@few
@given(histories(), st.integers(0, 25))
def test_prefixes_never_change_a_first_step(history: History, n: int) -> None:
    """Rules are causal on any History: what fired in a prefix fires there in the whole."""
    whole = {v.name: v.first_step for v in _flat(diagnose(history).verdicts + diagnose(history).resolved)}
    part = diagnose(history[:n])
    for verdict in _flat(part.verdicts + part.resolved):
        assert whole[verdict.name] == verdict.first_step


def test_layers_of_a_made_history_are_described() -> None:
    """The synthetic run the sweep rests on is complete: no rule lacks anything, none fires."""
    found = diagnose(synthetic_history())
    assert {u.rule for u in found.unknown} == set()
    assert len(LAYERS) == 1
