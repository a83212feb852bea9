"""The settings in which many launches differ, as the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .setting_differences import INITIAL_RATE, setting_label

MOST_COLUMNS = 24
# By the beginning of their names. What a user sets by hand comes first, the versions of packages last.
_ORDER = (INITIAL_RATE, "batch size", "optimizers", "loss", "precision", "model", "output_layer", "gradients", "rules")
_LAST = "versions"
_DERIVED = ("weights", "parameters", "_shape", "_dtype", "trainable")  # by the end: they follow from other settings


class SettingColumn(NamedTuple):
    """A setting that differs.

    Attributes:
        name: its dotted name.
        label: the same for display.
        also: labels of settings that differ between the same launches, so that they cannot be told apart.
        values: its value in each launch, as text; "" if it is None or off; None if it was not recorded.
    """

    name: str
    label: str
    also: tuple[str, ...]
    values: tuple[str | None, ...]


def setting_columns(launches: Sequence[dict[str, str] | None]) -> list[SettingColumn]:
    """Returns the settings that differ between launches, the most telling first.

    Settings that divide the launches in the same way (`_division`) share a column.

    Args:
        launches: the settings of each launch (`settings_of`), None for a launch that was not read.
    """
    sections = [{_section(name) for name in settings} if settings else set() for settings in launches]
    names = dict.fromkeys(name for settings in launches if settings for name in settings)
    columns: dict[tuple[int, ...], list[tuple[str, tuple[str | None, ...]]]] = {}
    for name in sorted(names, key=_rank):  # sorted is stable: the settings of a model stay in the model's order
        values = tuple(
            settings.get(name, "") if settings and _section(name) in recorded else None
            for settings, recorded in zip(launches, sections, strict=True)
        )
        if len(set(values) - {None}) > 1:
            columns.setdefault(_division(values), []).append((name, values))
    return [_column(same) for same in columns.values()]


def _section(name: str) -> str:
    """Returns the recorded fact that a setting is part of: a section is recorded as a whole."""
    return name.partition(".")[0].partition("[")[0]


def _rank(name: str) -> tuple[bool, bool, int]:
    place = next((i for i, start in enumerate(_ORDER) if name.startswith(start)), len(_ORDER))
    return name.startswith(_LAST), name.endswith(_DERIVED), place


def _division(values: Sequence[str | None]) -> tuple[int, ...]:
    """Returns how a setting divides the launches: equal for settings that cannot be told apart; -1: not recorded.

    Two settings whose numbers differ from launch to launch can be told apart by the order of these numbers.
    """
    distinct = dict.fromkeys(value for value in values if value is not None)
    numbers = [_number(value) for value in distinct]
    known = [number for number in numbers if number is not None]
    if len(distinct) <= 2 or len(known) < len(numbers):
        places = {value: place for place, value in enumerate(distinct)}
    else:
        ascending = sorted(known)
        if known[0] > known[-1]:  # a setting that falls where another one rises divides the launches in the same way
            ascending.reverse()
        places = {value: len(values) + ascending.index(n) for value, n in zip(distinct, known, strict=True)}
    return tuple(-1 if value is None else places[value] for value in values)


def _number(value: str) -> float | None:
    try:
        return float(value.replace(",", ""))
    except ValueError:
        return None


def _column(same: list[tuple[str, tuple[str | None, ...]]]) -> SettingColumn:
    (name, values), *others = same
    alike = [other for other, other_values in others if other_values == values and _last(other) == _last(name)]
    label = f"{_last(name)} of {1 + len(alike)} layers" if alike and ".layers[" in name else _short_label(name)
    also = tuple(setting_label(other) for other, _ in others if other not in alike)
    return SettingColumn(name, label, also, values)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _short_label(name: str) -> str:
    """Returns the label of a setting; the class of an optimizer is the optimizer."""
    return setting_label(name).removesuffix(": class")
