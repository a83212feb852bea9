"""Checks of the arguments of `ww.probe`, with messages that say what was expected and what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..capture.arguments import check_training, received
from ..history import nearest
from ..verdict import Diagnosis
from .experiment import ExperimentKind, catalogue


def chosen_kinds(names: Sequence[str] | None) -> list[ExperimentKind]:
    """Returns the experiments with these names; None: all.

    Raises:
        TypeError: `names` is one string.
        ValueError: there is no such experiment.
    """
    known: Mapping[str, ExperimentKind] = catalogue()
    if isinstance(names, str):
        raise TypeError(f"experiments must be a list of names, got one string; pass [{names!r}]")
    for name in names or ():
        if name not in known:
            raise ValueError(f"there is no experiment {name!r}; {nearest(name, list(known))}")
    return [known[name] for name in (known if names is None else names)]


def check_probe(diagnosis: Any, step_fn: Any, loss: Any, optimizer: Any) -> None:
    """Raises TypeError for arguments that cannot be what `ww.probe` needs."""
    if diagnosis is not None and not isinstance(diagnosis, Diagnosis):
        hint = "; pass its .diagnosis" if hasattr(diagnosis, "diagnosis") else "; pass watch.diagnosis"
        raise TypeError(f"diagnosis must be a Diagnosis, got {received(diagnosis)}{hint}")
    if step_fn is not None and not callable(step_fn):
        raise TypeError(f"step_fn must be a function that makes one training step, got {received(step_fn)}")
    check_training(loss, optimizer)
