"""The reported programs as clinic programs: the author's runner, with the recorder attached."""

from __future__ import annotations

import functools
from typing import Any

from ..lab import PROGRAMS, Lab, Program
from . import cases_healthy, cases_real, cases_synth, cases_tape  # noqa: F401
from .common import META, REGISTRY, Hook, get, run
from .labels import DUPLICATES, accepted, amend


class Recorded(Hook):
    """A hand-written loop under a Watch; what the loop does not say is left out."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.watch = lab, None

    def begin(self, case: Any) -> None:
        """Makes the Watch: of the model, or of the variables where there is no model."""
        self.named = case.model is None
        options = {"variables": case.live_variables()} if self.named else {}
        self.watch = self.lab.watch(case.model, case.optimizer, **options)

    def after_step(self, info: dict[str, Any]) -> None:
        """Passes on what the step returned; the loss alone under `lab.bare`."""
        told: dict[str, Any] = {"variables": list(info["variables"])} if self.named else {}
        if not self.lab.bare:
            gradients = info.get("grads")
            told["gradients"] = None if gradients is None else list(zip(gradients, info["variables"], strict=False))
            told |= {"inputs": info["inputs"], "targets": info["targets"], "predictions": info.get("y_pred")}
        self.watch.step(info["loss"], **told)

    def end(self) -> None:
        """Closes the Watch."""
        self.watch.close()


def train(lab: Lab, name: str) -> None:
    """Trains one case; raises what the training raised."""
    import tb_weightwatch as ww

    case = get(name)
    if case.style == "fit":
        lab.watches.append(ww.WeightWatch(str(lab.folder), verbose=False))
        result = run(case, callbacks=[lab.watches[-1]])
    else:
        result = run(case, hook=Recorded(lab))
    if result["exception"]:
        raise result["exception"]


def kind_of(name: str) -> str:
    """Returns what a case and its twin have in common: the fault's label, or else who reported it."""
    bad = META.get(name if name.endswith("__bad") else META[name]["pair"])
    return bad["truth"][0] if bad else META[name]["source"].split("#")[0].strip()


def register() -> None:
    """Enters the cases that are scored into the clinic's registry: neither ambiguous ones nor duplicates."""
    amend(META)
    for name in REGISTRY:
        if not META[name].get("ambiguous") and name not in DUPLICATES:
            causes = accepted(META[name]["truth"])
            trained = functools.partial(train, name=name)
            PROGRAMS[name] = Program(name, causes[0] if causes else None, trained, causes[1:], kind_of(name), "field")


register()
