"""The catalogue of all rules in the folder `rules`, one file per rule, and the check of a rule configuration."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Protocol, TypeAlias

from ..history import nearest
from .rule import Rule

RuleSetting: TypeAlias = Mapping[str, float] | bool  # thresholds by name, or False to mute the rule


class RuleItems(Protocol):
    """A mapping of names or of codes: the keys of a Mapping are invariant, those of its items are not."""

    def items(self) -> Iterable[tuple[str | int, RuleSetting]]:
        """Returns the items."""


RuleSettings: TypeAlias = Mapping[str | int, RuleSetting] | RuleItems


@cache
def catalogue() -> Mapping[str, Rule]:
    """Returns all rules by name, in the order of their codes; an import error in a rule is raised."""
    package = importlib.import_module(f"{__package__}.rules")
    rules: list[Rule] = []
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        content = vars(importlib.import_module(module.name))
        rules += [item for item in content.values() if isinstance(item, Rule)]
    return {r.name: r for r in sorted(rules, key=lambda r: r.code)}


def checked_rules(config: RuleSettings | None) -> dict[str, dict[str, float] | bool]:
    """Checks a rule configuration and returns it: rule name -> thresholds by name, or False to mute the rule.

    Args:
        config: the same by name or code of the rule; None: no rule is configured.

    Raises:
        TypeError: it is no mapping.
        ValueError: there is no such rule or threshold (the error suggests the nearest one), a value has the wrong type,
            or a rule is configured twice.
    """
    if config is not None and not isinstance(config, Mapping):
        raise TypeError(
            "rules must map names or codes of rules to thresholds, or to False to mute a rule, as "
            f"{{502: False, 'dead-relu': {{'share': 0.9}}}}; got {type(config).__name__}"
        )
    checked: dict[str, dict[str, float] | bool] = {}
    for key, setting in (config or {}).items():
        name = rule_name(key)
        if name in checked:
            raise ValueError(f"rule {name!r} is configured twice, by its name and by its code {catalogue()[name].code}")
        if isinstance(setting, Mapping):
            _check_thresholds(catalogue()[name], setting)
            checked[name] = dict(setting)
        elif isinstance(setting, bool):
            checked[name] = setting
        else:
            raise ValueError(f"rule {name!r}: expected a dict of thresholds, or False to mute it, got {setting!r}")
    return checked


def rule_name(key: object) -> str:
    """Returns the name of the rule with this name or code; raises ValueError if there is none."""
    rules = catalogue()
    if isinstance(key, str) and key in rules:
        return key
    codes = {rule.code: rule.name for rule in rules.values()}
    text = str(key)
    code = int(text) if text.isdecimal() and not isinstance(key, bool) else None
    if code in codes:
        return codes[code]
    if code is not None:
        other = min(codes, key=lambda known: abs(known - code))
        raise ValueError(f"there is no rule {code}; did you mean {other} ({codes[other]!r})?")
    raise ValueError(f"there is no rule {key!r}; {nearest(text, list(rules))}")


def _check_thresholds(rule: Rule, setting: Mapping[str, float]) -> None:
    for threshold, value in setting.items():
        if threshold not in rule.thresholds:
            hint = nearest(threshold, list(rule.thresholds))
            raise ValueError(f"rule {rule.name!r} has no threshold {threshold!r}; {hint}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"rule {rule.name!r}: threshold {threshold!r} must be a number, got {value!r}")
