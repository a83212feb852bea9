"""What the dated records hold, kind by kind: the one table by which records are checked when they are read.

Consumers rely on it: what `checked` returns has these types and ranges. Numbers that a rule or the panel computes with
are finite here; settings of the user's objects may be anything of bounded size. To add a field, add it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .bounds import MAX_WIDTH
from .field_types import (
    MAX_LABEL,
    FieldType,
    Flag,
    Invalid,
    Number,
    Optional,
    Plain,
    Problems,
    Shape,
    Text,
    Whole,
)
from .finding_schema import EXPERIMENT, VERDICT
from .list_types import Many, Texts
from .object_types import Fields, Named

_NAME, _LABEL, _TEXT, _COUNT, _FLAG = Text(MAX_LABEL, shortest=1), Text(MAX_LABEL), Text(), Whole(), Flag()
_NAMES = Texts(MAX_LABEL)
_STEPS = dict.fromkeys(("steps", "of", "first_step", "variables", "given"), _COUNT)

_BATCH_NORMALIZATION = Fields({"momentum": Number()}, {"input_rank": Optional(_COUNT), "synchronized": _FLAG})
_LAYER = Fields(
    optional={
        "name": _LABEL,
        "class": _LABEL,
        "activation": _LABEL,
        "units": Optional(_COUNT),
        "trainable": _FLAG,
        "weights": _COUNT,
        "batch_normalization": _BATCH_NORMALIZATION,
    },
    check=lambda layer: "" if "name" in layer or "batch_normalization" not in layer else "an object with a name",
)
_UNTRACKED = Fields(optional={"layer": _LABEL, "attribute": _LABEL, "name": _LABEL, "shape": Shape(), "size": _COUNT})
_MODEL = Fields(
    optional={
        "name": _LABEL,
        "class": _LABEL,
        "parameters": _COUNT,
        "layers": Many(_LAYER),
        "untracked": Many(_UNTRACKED),
        "own_train_step": _FLAG,
    }
)
_OPTIMIZER = Fields(
    optional={
        "class": _LABEL,
        "name": _LABEL,
        "own": _FLAG,
        "config": Fields(optional={"gradient_accumulation_steps": Optional(Number(0, 1 << 31))}),
    }
)
_SOURCE = Fields(  # of a third-party log
    optional={
        "writer": _LABEL,
        "unit": _LABEL,
        "loss": _LABEL,
        "learning_rate": _LABEL,
        "gradient_norm": _LABEL,
        "validation_loss": _LABEL,
        "moving_objective": _FLAG,
        "estimates": Named(_LABEL),
        "others": _COUNT,
        "shifted": _COUNT,
        "by_time": _NAMES,
    },
    others=None,
)
_FACTS = Fields(
    optional={
        "recorder": Fields(optional={"kind": _LABEL}),
        "gradients": _LABEL,
        "versions": Named(_LABEL),
        "model": _MODEL,
        "precision": _LABEL,
        "output_layer": Fields(optional={"name": _LABEL, "activation": _LABEL, "units": Optional(_COUNT)}),
        "optimizers": Many(_OPTIMIZER),
        "optimizer_state": _LABEL,
        "loss": Fields(optional={"name": _LABEL, "class": _LABEL}),
        **{f"{name}_shape": Shape(unknown_lengths=True) for name in ("input", "target", "prediction")},
        **{f"{name}_dtype": _LABEL for name in ("input", "target", "prediction")},
        "distribution": Fields(optional={"strategy": _LABEL, "replicas": Whole(1, 1 << 31)}),
        "preflight": Fields(optional={"batches": _COUNT}),
        "made_in_step": Fields(optional={"variables": _COUNT, "elements": _COUNT, "names": _NAMES}),
        "made_anew": Fields(optional={**_STEPS, "names": _NAMES, "start": _LABEL}),
        "called": Fields(optional={"model": Optional(_LABEL), "optimizer": Optional(_LABEL)}),
        "updated_variables": Fields(
            optional={"watched": _COUNT, "trainable": _COUNT, "other": _COUNT, "names": _NAMES}
        ),
        "released": _COUNT,
        "tensors_for_variables": Fields(optional={"tensors": _COUNT, "of": _COUNT, "first_step": _COUNT}),
        "foreign": _SOURCE,
    }
)
_VARIABLE = Fields(
    {"name": _NAME},
    {"shape": Shape(), "dtype": _LABEL, "layer": _LABEL, "trainable": _FLAG, "optimized": Optional(_FLAG)},
    others=None,
)
_LAYER_USE = Fields({"name": _NAME}, {"kind": _LABEL, "activation": _LABEL}, others=None)
_FEATURE = Fields({"name": _LABEL}, {name: Number(nonfinite=True) for name in ("mean", "std", "low", "high")})
_EARLIER_VERDICT = Fields(optional={"code": _COUNT, "name": _LABEL, "severity": _LABEL, "message": _TEXT})

KINDS: Mapping[str, FieldType] = {
    "facts": _FACTS,
    "variables": Fields({"items": Many(_VARIABLE, MAX_WIDTH, unique="name")}, others=None),
    "layers": Fields({"items": Many(_LAYER_USE, MAX_WIDTH, unique="name")}, others=None),
    "config": Fields(optional={"rules": Named(Plain()), "overhead": Optional(Number(0, 1))}),
    "cost": Fields(
        optional={"overhead": Optional(Number(0)), "seconds": Number(0), "once": Number(0), "saved": Number(0)}
    ),
    "features": Fields({"which": _LABEL, "features": Many(_FEATURE)}),
    "preflight": Fields(
        optional={
            "status": _LABEL,
            "sentence": _TEXT,
            "verdicts": Many(_EARLIER_VERDICT),
            "passed": _NAMES,
        }
    ),
    "stopped": Fields(optional={"reason": _TEXT}),
    "dropped": Fields(optional={"rows": _COUNT, "maps": _COUNT, "steps": _COUNT}),
    "end": Fields(optional={"how": _LABEL, "detail": _LABEL, "meaning": _LABEL, "step": _COUNT, "after": _COUNT}),
    "verdict": VERDICT,
    "experiment": EXPERIMENT,
}
_LATER_KIND = Fields()  # of a later version: kept, but nothing reads it


def checked(kind: str, data: Any, problems: Problems) -> dict[str, Any] | None:
    """Returns the content of a dated record without what does not fit its kind; None if nothing of it can be used.

    Args:
        kind: of the record.
        data: its content.
        problems: gets what was left out, and why.
    """
    own_problems = Problems()
    try:
        result: dict[str, Any] | None = KINDS.get(kind, _LATER_KIND).read(data, own_problems)
    except Invalid as error:
        own_problems[f"expected {error}"] += 1
        result = None
    name = f"a record {kind!r}" if kind in KINDS else "a record of an unknown kind"
    for reason, count in own_problems.items():
        problems[f"{name}: {reason}"] += count
    return result
