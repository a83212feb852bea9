"""How costs grow with a size, and the table that shows it."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks.scale.growth import exponent, extrapolated, last_exponent
from tests.benchmarks.scale.parts import Part, Row
from tests.benchmarks.scale.tables import table

SIZES = (10, 100, 1000)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_is_that_of_the_power(power: float) -> None:
    """Whatever the unit of the cost."""
    costs = [7.0 * size**power for size in SIZES]
    assert exponent(SIZES, costs) == pytest.approx(power)
    assert extrapolated(SIZES, costs, 1e6) == pytest.approx(7.0 * 1e6**power)


def test_a_fixed_cost_hides_growth_except_at_the_end() -> None:
    """1,000 and one for each: nearly flat over all sizes, half linear at the end."""
    costs = [1000.0 + size for size in SIZES]
    assert exponent(SIZES, costs) == pytest.approx(0.15, abs=0.02)
    assert last_exponent(SIZES, costs) == pytest.approx(math.log10(2000 / 1100))


def test_costs_within_the_noise_are_left_out() -> None:
    """A difference may come out as zero or less; of a single cost nothing is known."""
    assert exponent(SIZES, [-3.0, 5.0, 50.0]) == pytest.approx(1.0)
    assert math.isnan(exponent(SIZES, [0.0, -1.0, 50.0]))
    assert math.isnan(last_exponent(SIZES, [5.0, 0.0, 50.0]))


def test_the_table_has_a_column_for_each_measured_size() -> None:
    """Exponents stand only where they mean something; what is extrapolated says so."""
    rows = (Row("ms", "time", "{:.1f} ms"), Row("load", "load", "{:.0f}", grows=False))
    part = Part("A title", "things", (10, 100, 1000), lambda _: {}, rows, beyond=10_000)
    assert table(part, {10: {"ms": 1, "load": 3}, 100: {"ms": 10, "load": 3}}).splitlines() == [
        "**A title**",
        "",
        "| things | 10 | 100 | exponent | at the end | 10,000 (extrapolated) |",
        "| --- | --- | --- | --- | --- | --- |",
        "| time | 1.0 ms | 10.0 ms | 1.00 | 1.00 | 1000.0 ms |",
        "| load | 3 | 3 |  |  |  |",
    ]
