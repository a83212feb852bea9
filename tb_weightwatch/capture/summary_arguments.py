"""Checks of the arguments of the summary functions, with messages that say what was expected and what came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..verdict import LINKS, SEVERITIES, Evidence
from .observe.as_numpy import scalar


def named_variables(variables: Any) -> Iterable[tuple[str, Any]]:
    """Returns the items of name -> arrays; raises TypeError for anything else."""
    if not isinstance(variables, Mapping):
        raise TypeError(f"expected {{name: (gradient, weight_before, weight_after)}}, got {type(variables).__name__}")
    for name in variables:
        if not isinstance(name, str):
            raise TypeError(f"names of variables must be strings, got {name!r}")
    return variables.items()


def run_numbers(**values: Any) -> dict[str, float]:
    """Returns those of the run-wide numbers that are given; raises TypeError or ValueError."""
    return {name: scalar(name, value) for name, value in values.items() if value is not None}


def check_labels(link: str, severity: str, variables: Any) -> None:
    """Raises an error if a verdict cannot have this link or severity, or these names of variables."""
    for argument, value, allowed in (("link", link, LINKS), ("severity", severity, SEVERITIES)):
        if value not in allowed:
            raise ValueError(f"{argument} must be one of {', '.join(allowed)}; got {value!r}")
    if isinstance(variables, str):
        raise TypeError(f"variables must be names, like [{variables!r}]; got one string")


def evidence_items(evidence: Any, step: int) -> Iterator[Evidence]:
    """Yields `Evidence`, or makes it from name -> number; raises TypeError for anything else."""
    if isinstance(evidence, Mapping):
        yield from (Evidence(str(name), scalar(str(name), v), "", step=step) for name, v in evidence.items())
        return
    for item in evidence:
        if not isinstance(item, Evidence):
            raise TypeError(f"evidence must be ww.Evidence, or {{name: number}}; got {type(item).__name__}")
        yield item
