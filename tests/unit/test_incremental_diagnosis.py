"""`IncrementalDiagnosis` of a growing History returns the same diagnosis as `diagnose`, object for object."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tb_weightwatch.diagnosis.signals import (
    SPAN_ROWS,
    Carry,
    RowSpan,
    SignalCache,
    anything_nonfinite,
    column,
    elements_start_equal,
    kernel_profile,
    signals_cached,
)
from tb_weightwatch.history import History, Record
from tests.support.growing_history import check_growing
from tests.support.run_variants import DECOYS, SICK
from tests.support.strategies import histories
from tests.support.synthetic_history import LAYERS, VARIABLES, synthetic_history

few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(histories(most=40, wide=20), st.lists(st.integers(0, 40), max_size=6))
def test_any_history_that_grows_gets_the_same_answers(history: History, cuts: list[int]) -> None:
    """NaN, zeros, columns that appear late, sums over many variables: the cuts change no bit."""
    check_growing(history, sorted(min(cut, len(history)) for cut in cuts))


@pytest.mark.parametrize("kind", [*SICK, *DECOYS])
def test_every_row_of_sick_and_healthy_runs_gets_the_same_answer(kind: str) -> None:
    """Also if diagnosed after every row, as a recorder may do at first."""
    history = synthetic_history(120, **(SICK | DECOYS)[kind])
    check_growing(history[:16], list(range(1, 16)))
    check_growing(history, [30, 64, 119])


@pytest.mark.parametrize("seed", range(6))
def test_wide_runs_longer_than_a_span(seed: int) -> None:
    """Cuts around the ends of spans change nothing, with many variables, whose sums are rounded."""
    rng = np.random.default_rng(seed)
    count, rows = 30, 2 * SPAN_ROWS + 90
    variables = [{"name": f"d{i}/kernel", "shape": [7, 5], "layer": f"d{i}"} for i in range(count)]
    layers = [{"name": f"d{i}", "kind": "Dense", "activation": ("relu", "tanh")[i % 2]} for i in range(count)]
    norm = np.exp(rng.normal(-seed, 2, (rows, count)))
    shares = rng.choice([0.0, 0.7, 1.0], (rows, count), p=(0.1, 0.1, 0.8))
    columns = {"gradient_norm": norm, "gradient_max": norm / 3, "raw_gradient_norm": 30 * norm, "dead_share": shares,
               "saturated_share": shares, "blocked_share": shares, "always_dead_share": shares,
               "update_norm": norm * 1e-4, "gradient_cosine": rng.uniform(-1, 0.2, (rows, count)),
               "weight_norm": np.exp(rng.normal(0, 1, (rows, count)))}  # fmt: skip
    loss = [1.1, 1.1 + 0.1 * rng.normal(size=rows)][seed % 2]
    optimizer = {"class": ("SGD", "Adam")[seed % 2], "name": "o", "config": {"weight_decay": 0.1 * (seed % 3)}}
    history = synthetic_history(
        rows, variables=variables, layers=layers, loss=loss, facts={"optimizers": [optimizer]}, **columns
    )
    check_growing(history, [SPAN_ROWS - 1, SPAN_ROWS, SPAN_ROWS + 1, 2 * SPAN_ROWS + 5, rows - 1])


def test_variables_that_appear_late_and_ones_that_freeze() -> None:
    """A description that changes during training applies to rows before and after it, as in a fresh diagnosis."""
    history = synthetic_history(90, update_norm=0.0, loss=1.1)
    history.add(Record(30, "variables", {"items": [{**VARIABLES[0], "trainable": False}]}))
    history.add(Record(50, "variables", {"items": [{**VARIABLES[2], "name": "late/kernel", "trainable": True}]}))
    history.add(Record(60, "facts", {"optimizers": [{"class": "SGD", "name": "o", "config": {}}]}))
    history.add(Record(90, "end", {"how": "completed"}))
    check_growing(history, [10, 29, 30, 31, 49, 50, 51, 60, 61, 80], late=True)


@few
@given(st.lists(st.lists(st.sampled_from([0.0, 1.5, np.nan, np.inf, -2.25]), min_size=2, max_size=2), min_size=1,
                max_size=30), st.lists(st.integers(1, 12), min_size=1, max_size=30))  # fmt: skip
def test_scans_continue_where_they_ended(rows: list[list[float]], lengths: list[int]) -> None:
    """A scan in pieces equals the scan of all rows, and a loop over the rows."""
    values = np.array(rows)
    at_once, pieces, carry, start = _scans(Carry(), values, 0), [], Carry(), 0
    for length in [*lengths, len(values)]:
        if start < len(values):
            pieces.append(_scans(carry, values[start : start + length], start))
            start += length
    for name, scan in at_once.items():
        assert np.array_equal(scan, np.concatenate([piece[name] for piece in pieces]), equal_nan=True), name
    for row in range(len(values)):
        prefix = values[: row + 1]
        finite = [c[np.isfinite(c)] for c in prefix.T]
        recent = [c[np.isfinite(c)] for c in prefix[-3:].T]
        expected = {
            "ever": (prefix > 0).any(axis=0),
            "streak": [next((n for n, v in enumerate(c[::-1]) if not v > 0), len(c)) for c in prefix.T],
            "mean": [c.mean() if len(c) else np.nan for c in finite],
            "trailing": [c.mean() if len(c) else np.nan for c in recent],
            "first": [c[0] if len(c) else np.nan for c in finite],
            "max": np.fmax.reduce(prefix, axis=0),
        }
        for name, value in expected.items():
            assert np.allclose(at_once[name][row], value, equal_nan=True), name


def _scans(carry: Carry, values: np.ndarray, start: int) -> dict[str, np.ndarray]:
    carry.begin(start)
    return {
        "ever": carry.ever(values > 0),
        "streak": carry.streak(values > 0),
        "mean": carry.running_mean(values),
        "trailing": carry.trailing_mean(values, 3),
        "first": carry.first_known(values),
        "max": carry.running_max(values),
    }


def test_cached_signals_are_read_only() -> None:
    """A rule that changed a signal in place would falsify later diagnoses."""
    history = synthetic_history(20)
    with signals_cached(history, SignalCache()), pytest.raises(ValueError, match="read-only"):
        anything_nonfinite(history)[0] = True


def test_a_span_has_the_columns_of_the_full_history() -> None:
    """A column that was recorded outside the span is a column of the span, all NaN."""
    history = synthetic_history(20, loss=np.where(np.arange(20) < 10, np.nan, 1.0))
    rows = RowSpan(history, 5, 9)
    assert rows.steps.tolist() == [6, 7, 8, 9] and len(rows.variables) == 4 and len(rows.layers) == len(LAYERS)
    assert rows.has("loss") and np.isnan(column(rows, "loss")).all()  # type: ignore[arg-type]
    assert rows.column("weight_norm").shape == (4, 4)
    assert not rows.axis("no such") and rows.columns("layer") == history.columns("layer")


@pytest.mark.parametrize("unknown", [0, 3, SPAN_ROWS + 3, 3 * SPAN_ROWS])
def test_signals_that_settle_are_as_if_every_row_was_computed(unknown: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With first values known from the first row, later, after a span, or never."""
    rows, rng = 2 * SPAN_ROWS + 90, np.random.default_rng(unknown)
    names = ("weight_norm", "weight_std", "update_norm", "gradient_norm")
    columns = {name: np.exp(rng.normal(size=(rows, len(VARIABLES)))) for name in names}
    columns["gradient_norm"][:unknown, 1] = np.nan
    columns["weight_std"][:unknown] = 0.0
    history, answers = synthetic_history(rows, **columns), []
    for is_settled in (Carry.is_settled, property(lambda _: False)):
        monkeypatch.setattr(Carry, "is_settled", is_settled)
        with signals_cached(history, SignalCache()):
            profile = kernel_profile(history)
            answers.append((profile.pull.tobytes(), profile.start.tobytes(), elements_start_equal(history).tobytes()))
    assert answers[0] == answers[1]
    assert len(np.unique(profile.pull[unknown:], axis=0)) <= 1
