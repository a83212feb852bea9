"""The catalogue of all rules in the folder `rules`, one file per rule, and the check of a rule configuration."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from .rule import Rule


@cache
def catalogue() -> Mapping[str, Rule]:
    """Returns all rules by name, in the order of their codes; an import error in a rule is raised."""
    package = importlib.import_module(f"{__package__}.rules")
    rules: list[Rule] = []
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        content = vars(importlib.import_module(module.name))
        rules += [item for item in content.values() if isinstance(item, Rule)]
    return {r.name: r for r in sorted(rules, key=lambda r: r.code)}


def checked_rules(config: Mapping[str, Any] | None) -> dict[str, dict[str, Any] | bool]:
    """Checks a rule configuration and returns it: rule name -> thresholds by name, or False to mute the rule.

    Raises:
        ValueError: there is no such rule or threshold (the error suggests the nearest name), or a value has the wrong
            type.
    """
    checked: dict[str, dict[str, Any] | bool] = {}
    for name, setting in (config or {}).items():
        if name not in catalogue():
            raise ValueError(f"there is no rule {name!r}; {suggestion(name, list(catalogue()))}")
        if isinstance(setting, Mapping):
            _check_thresholds(catalogue()[name], setting)
            checked[name] = dict(setting)
        elif isinstance(setting, bool):
            checked[name] = setting
        else:
            raise ValueError(f"rule {name!r}: expected a dict of thresholds, or False to mute it, got {setting!r}")
    return checked


def _check_thresholds(rule: Rule, setting: Mapping[str, Any]) -> None:
    for threshold, value in setting.items():
        if threshold not in rule.thresholds:
            hint = suggestion(threshold, list(rule.thresholds))
            raise ValueError(f"rule {rule.name!r} has no threshold {threshold!r}; {hint}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"rule {rule.name!r}: threshold {threshold!r} must be a number, got {value!r}")


def suggestion(name: str, names: list[str]) -> str:
    """Returns "did you mean 'x'?" for the name that is nearest to an unknown one, or else all names."""
    close = get_close_matches(name, names, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names) or 'none'}"
