"""What stands behind `Watch`: the open step with its snapshot, and the rows of steps that are over."""

from __future__ import annotations

import time
from typing import Any

import keras
import tensorflow as tf

from ..maps import Map
from ..statistics import _tensorflow as measure
from ..statistics._numpy import UNSEEN
from . import _facts as facts
from ._features import worst_features
from ._frame import leaves
from ._mapping import Plan, array, pictures, whole
from ._measuring import Layout
from ._outside import Change, Outside, in_order
from ._pending import Pending
from ._recorder import Recorder
from ._sight import Seen, Sight
from ._watched import Watched

NOTHING = {axis: in_order({}, axis) for axis in ("variable", "layer")}
Data = dict[str, Any]  # "x", "y", "y_pred": as given, or None


class Loop:
    """Opens a step that is to be recorded, measures it when it is over, keeps its numbers until the host reads them."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._sight = Sight(self._began)
        self._outside = Outside()
        self._before: dict[int, Any] = {}  # weights at the start of the open step
        self._sketches: dict[int, Any] = {}  # gradients of the step before, if that was recorded
        self._dead: dict[str, Any] = {}
        self._stood: dict[str, Any] = {}  # where the optimizers stood at the start of the open step
        self._gradients = ""  # "used", "raw" or "none", as last described
        self._first = True
        self._changes: dict[int, Change] = {}  # of a step whose arrays are wanted
        self.pending = Pending()

    # -- the open step

    def open(self) -> None:
        """Gets ready to record the step that begins."""
        self.watched.refresh(self._sight)
        self._sight.seen = Seen()
        self._before = {k: _value(v) for k, v in self.watched.trained.items()}
        self._stood = self._stand()

    def shut(self) -> None:
        """Lets go: the step that begins is not recorded."""
        self._sight.seen = None
        self._before, self._sketches = {}, {}

    def remove(self) -> None:
        """Takes all hooks off the user's objects."""
        self.shut()
        self._sight.remove()

    def _began(self, seen: Seen, forward: bool) -> None:
        """In the first step, weights may have been made, or loaded, since the Watch was."""
        if self._first and not seen.applied:
            self.watched.refresh(self._sight)
            trained = self.watched.trained.items()
            self._before |= {k: _value(v) for k, v in trained if forward or k not in self._before}

    def _stand(self) -> dict[str, Any]:
        """Returns the optimizers' counts, the loss scale, and the count that a schedule goes by."""
        found: dict[str, Any] = {}
        counts = [getattr(leaf, "iterations", None) for leaf in self.watched.leaves]
        known = [_number(count) for count in counts if count is not None]
        if known and len(known) == len(counts):
            found["iterations"] = tf.add_n(known)
        for one in self.watched.optimizers[:1]:
            leaf = leaves(one)[0]
            # Until its first update a LossScaleOptimizer is not built, and scales by what it was made with.
            scale = getattr(one, "dynamic_scale" if getattr(one, "built", False) else "initial_scale", None)
            if scale is not None:
                found["loss_scale"] = _number(scale)
            if isinstance(getattr(leaf, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule):
                found["count"] = tf.identity(tf.convert_to_tensor(leaf._iterations))
        return found

    def _rate(self, seen: Seen) -> Any:
        """Returns the learning rate that this step used, or None."""
        if seen.rate is not None:
            return seen.rate
        for leaf in self.watched.leaves[:1]:
            scheduled = "count" in self._stood
            return leaf._learning_rate(self._stood["count"]) if scheduled else getattr(leaf, "learning_rate", None)
        return None

    # -- its row

    def record(self, recorder: Recorder, step: int, loss: Any, data: Data, pairs: dict[int, Any] | None) -> None:
        """Measures the step that has just ended; the host reads the numbers later."""
        seen = self._sight.seen or Seen()
        self._sight.seen = None
        if seen.fault is not None:
            raise seen.fault
        seen.settle()
        if len(self.watched.models) == 1:
            data = {n: seen.held_data.get(n) if given is None else given for n, given in data.items()}
        self.watched.refresh(self._sight)
        outputs = seen.held or {}
        for name in outputs:
            self.watched.use(name)
        self.watched.describe(recorder, step)
        self._describe(recorder, step, "used" if seen.used else "raw" if pairs else "none", data)
        parts = [self._variable(seen, k, v, pairs or {}) for k, v in self.watched.variables.items()]
        parts += [self._layer(outputs.get(name), name) for name in self.watched.uses]
        parts.append(measure.in_order(self._run(seen, loss, data), "run"))
        layout = Layout(*(tuple(i["name"] for i in recorder.history.described(k)) for k in ("variables", "layers")))
        self.pending.add(step, layout, parts)
        self._first = False
        plan = recorder.wanted.plan(step, step)
        if plan:
            began = time.perf_counter()
            recorder.keep(
                step, self._arrays(dict(zip(layout.variables, self.watched.variables, strict=True)), step, plan)
            )
            recorder.wanted.takes(time.perf_counter() - began)
        self._changes = {}

    def _arrays(self, ids: dict[str, int], step: int, plan: Plan) -> list[Map]:
        known = {name: self._changes[k] for name, k in ids.items() if k in self._changes}
        now, found = time.time(), []
        for name, change in known.items():
            if plan.pictures:
                found += pictures(name, change, len(known), step, now)
        for name in plan.chosen(known):
            found += [Map(step, name, kind, array(value), now) for kind, value in whole(known[name]).items()]
        return found

    def _variable(self, seen: Seen, name: int, variable: Any, pairs: dict[int, Any]) -> Any:
        if not getattr(variable, "trainable", True):
            return NOTHING["variable"]
        gradient: Any = UNSEEN
        raw: Any = None
        if name in seen.handed and seen.handed[name] is None:
            gradient = None
        elif name in seen.used:
            gradient, raw = seen.used[name], seen.unclipped.get(name, seen.used[name])
        elif name in pairs:
            gradient = pairs[name]
        change = Change(gradient, self._before.get(name), _value(variable), raw, self._sketches.pop(name, None))
        self._changes[name] = change
        values, known, sketch = self._outside.variable(change, none=self._sight.none.get(name))
        if sketch is not None:
            self._sketches[name] = sketch
        return values, known

    def _layer(self, output: Any, name: str) -> Any:
        if output is None or not measure.measurable(output.dtype):
            return NOTHING["layer"]
        activation = self.watched.uses[name]["activation"]
        values, known, mask = self._outside.layer(output, activation, self._dead.get(name))
        if mask is not None:
            self._dead[name] = mask
        return values, known

    def _run(self, seen: Seen, loss: Any, data: Data) -> dict[str, Any]:
        run = self._outside.batch(data["x"], data["y"], data["y_pred"])
        stands = self._stand()
        told = {"loss": loss, "learning_rate": self._rate(seen), "loss_scale": self._stood.get("loss_scale")}
        run |= {name: tf.reduce_mean(_number(value)) for name, value in told.items() if value is not None}
        return run | ({"iterations": stands["iterations"]} if "iterations" in stands else {})

    def _describe(self, recorder: Recorder, step: int, gradients: str, data: Data) -> None:
        if gradients != self._gradients and (gradients != "none" or not self._gradients):
            self._gradients = gradients
            recorder.describe(step, "facts", {"gradients": gradients})
        if self._first:
            recorder.describe(step, "facts", facts.shape_facts(data["x"], data["y"], data["y_pred"]))
            for which, part in (("inputs", data["x"]), ("targets", data["y"])):
                found = worst_features(part) if part is not None else []
                if found:
                    recorder.describe(step, "features", {"which": which, "features": found})


def _number(value: Any) -> Any:
    return tf.cast(tf.convert_to_tensor(value), tf.float64)


def _value(variable: Any) -> Any:
    """Returns the variable's value as it is now; later updates do not change it."""
    return (variable if isinstance(variable, tf.Variable) else variable.value).read_value()
