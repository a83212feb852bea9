"""What is recorded of a training by `model.fit` besides its steps: settings, variables, layers and the first batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..measure.step_data import StepData
from ..observe import model_facts as facts
from ..observe import replicas
from ..observe.batch_features import feature_records
from ..observe.library_versions import library_versions
from ..observe.optimizer_facts import optimizer_facts
from ..recorder import Recorder
from .step_layout import StepLayout
from .step_outputs import listed_variables


def describe_settings(recorder: Recorder, step: int, model: Any, optimizers: list[Any]) -> None:
    """Records what is known before the first step; `step`: completed steps."""
    settings = {**facts.model_facts(model), **optimizer_facts(optimizers), **facts.loss_facts(model)}
    settings |= replicas.distribution_facts(model.distribute_strategy)
    recorder.describe(step, "facts", {**settings, "gradients": "used", "versions": library_versions()})
    recorder.adopt_preflight(model)


def describe_variables(recorder: Recorder, step: int, model: Any, optimizers: list[Any]) -> None:
    """Records what the variables are now."""
    items = facts.variable_items(listed_variables(model), model, optimizers)
    recorder.describe(step, "variables", {"items": items})


def describe_traced_step(
    recorder: Recorder, step: int, layout: StepLayout, data: StepData, known: Iterable[Mapping[str, Any]]
) -> None:
    """Records what is known once a step has run recorded.

    Args:
        recorder: gets the records.
        step: completed steps.
        layout: of the step that has run.
        data: of the step that has run.
        known: further facts.
    """
    recorder.describe(step, "variables", {"items": layout.variables})
    recorder.describe(step, "layers", {"items": layout.layers})
    for described in (layout.batch_shapes, *known):
        recorder.describe(step, "facts", described)
    for features in feature_records(data.data["x"], data.data["y"]):
        recorder.describe(step, "features", features)
