"""Which calls of the watched models and optimizers were seen, and which variables the optimizers were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..observe.model_layers import variable_name
from ..observe.observation import variable_id

ENOUGH = 5  # recorded steps after which a model or an optimizer that was not seen being called is described


class ObservedCalls:
    """Notes the calls of recorded steps, and those made while a function is traced.

    A function that was traced before the hooks were installed calls the methods without being seen.
    """

    def __init__(self) -> None:
        self._model = self._optimizer = "never"
        self._steps = 0  # recorded steps so far
        self._applied: dict[int, str] = {}  # id -> name of the variables that `apply` was given since the last step
        self._watched: set[int] = set()  # ids of watched variables that `apply` was ever given
        self._others: list[str] = []  # names of the others, of the first step in which there were any
        self._described: Any = None

    def model_called(self, *, traced: bool) -> None:
        """Notes a call of a watched model."""
        self._model = _state(self._model, traced)

    def optimizer_called(self, variables: Sequence[Any], *, traced: bool) -> None:
        """Notes a call of a watched optimizer's `apply` for these variables."""
        self._optimizer = _state(self._optimizer, traced)
        self._applied |= {variable_id(v): variable_name(v) for v in variables}

    def facts(self, models: int, optimizers: int, watched: Mapping[int, Any]) -> dict[str, Any]:
        """Ends a recorded step and returns what there is to describe; {} if nothing has changed.

        Args:
            models: number of watched models.
            optimizers: number of watched optimizers.
            watched: the trainable watched variables: id -> variable.
        """
        self._steps += 1
        if self._applied:
            self._watched |= self._applied.keys() & watched.keys()
            self._others = self._others or [name for key, name in self._applied.items() if key not in watched]
            self._applied = {}
        if self._steps < ENOUGH:
            return {}
        called = self._model if models else None, self._optimizer if optimizers else None
        described = called, len(self._watched), len(self._others)
        if described == self._described:
            return {}
        self._described = described
        facts: dict[str, Any] = {"called": dict(zip(("model", "optimizer"), called, strict=True))}
        if self._watched or self._others:
            facts["updated_variables"] = {
                "watched": len(self._watched), "trainable": len(watched), "other": len(self._others),
                "names": self._others[:3],
            }  # fmt: skip
        return facts


def _state(state: str, traced: bool) -> str:
    """Returns how a method was called so far; of a traced call further ones are not seen."""
    return "traced" if traced or state == "traced" else "eager"
