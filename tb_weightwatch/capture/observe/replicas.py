"""The replicas of a distributed step: each one shows its part of the batch, one row is made of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .observation import StepObservation


def strategy_of(*objects: Any) -> Any:
    """Returns the strategy under which these models and variables train.

    Raises:
        NotImplementedError: it can not be recorded.
    """
    found = [tf.distribute.get_strategy()]
    for one in objects:
        value = one if isinstance(one, tf.Variable) else getattr(one, "value", None)
        known = (getattr(one, "distribute_strategy", None), getattr(value, "_distribute_strategy", None))
        found += [strategy for strategy in known if strategy is not None]
    for strategy in found:
        refuse(strategy)
    return max(found, key=lambda strategy: strategy.num_replicas_in_sync)


def refuse(strategy: Any) -> None:
    """Raises NotImplementedError for a strategy whose variables no single process sees."""
    if "ParameterServer" in type(strategy).__name__:
        raise NotImplementedError(
            f"{type(strategy).__name__} can not be recorded: its variables live on other machines and are updated "
            "asynchronously, so that no step has a before and an after; use MirroredStrategy or "
            "MultiWorkerMirroredStrategy, or train on one device to have it diagnosed"
        )


def facts(strategy: Any) -> dict[str, Any]:
    """Returns {"distribution": ...} of a step with several replicas; {} of one with a single replica."""
    count = strategy.num_replicas_in_sync
    return {"distribution": {"strategy": type(strategy).__name__, "replicas": count}} if count > 1 else {}


class Replicas:
    """The frames of one step of `model.fit`; the replicas are traced one after the other, each in its own thread.

    Args:
        strategy: the model's.
    """

    def __init__(self, strategy: Any) -> None:
        self.in_sync = strategy.num_replicas_in_sync
        self._frames: list[StepObservation] = []

    def start(self) -> None:
        """Forgets what an interrupted step has left."""
        self._frames = []

    def frame(self) -> StepObservation:
        """Returns a new frame for the replica that is about to run."""
        frame = StepObservation(None if tf.executing_eagerly() else tf.compat.v1.get_default_graph(), self.in_sync)
        self._frames.append(frame)
        return frame

    def finish(self, end: Callable[[StepObservation], None]) -> None:
        """Calls `end`, once, with what all replicas have shown, when the last of them is done."""
        if self.in_sync == 1:
            end(self._frames.pop())
            return

        def merged(strategy: Any) -> None:
            frames, self._frames = self._frames, []
            whole = frames[0]
            with whole.guard():
                _join(whole, frames)
            end(whole)

        tf.distribute.get_replica_context().merge_call(merged)


def _join(whole: StepObservation, frames: list[StepObservation]) -> None:
    """Brings what the replicas saw of their parts of the batch into the first one's frame."""
    whole.fault = next((f.fault for f in frames if f.fault is not None), None)
    shared = [name for name in whole.outputs if all(name in f.outputs for f in frames)]
    whole.outputs = {name: _batch([f.outputs[name] for f in frames]) for name in shared}
    whole.data = tf.nest.map_structure(lambda *parts: _batch(parts), *(f.data for f in frames))
    losses = [tf.reduce_mean(tf.cast(tf.stop_gradient(f.loss), tf.float64)) for f in frames if f.loss is not None]
    if losses:
        whole.loss = tf.add_n(losses) * (whole.replicas / len(losses) if _scaled() else 1 / len(losses))
    told = [f.result["loss"] for f in frames if isinstance(f.result, dict) and "loss" in f.result]
    if told:
        whole.result = {"loss": tf.add_n([tf.cast(loss, tf.float64) for loss in told]) / len(told)}


def _scaled() -> bool:
    """Says whether this Keras divides a replica's loss by the number of replicas (from 3.7 on)."""
    from keras.src import losses

    return hasattr(losses.loss, "scale_loss_for_distribution")


def _batch(parts: Any) -> Any:
    """Returns the parts of a batch as one."""
    if all(tf.is_tensor(part) and part.shape.rank for part in parts):
        return tf.concat([tf.stop_gradient(p) if p.dtype.is_floating else p for p in parts], 0)
    return parts[0]


# -- what a hand-written loop hands over


def summed(value: Any, replicas: int) -> Any:
    """Returns a gradient with the parts of all replicas added up, as the optimizer does it.

    Parts that are the same on all replicas have been added up already.

    Raises:
        ValueError: there are fewer parts than replicas, since the others are with other workers.
    """
    if not divided(value):
        return value
    parts = value.values
    if all(tf.is_tensor(part) for part in parts) and all(bool(tf.reduce_all(parts[0] == part)) for part in parts[1:]):
        return parts[0]
    if len(parts) < replicas:
        raise ValueError(
            f"gradients must be those of all {replicas} replicas, got the {len(parts)} of this worker; in the function "
            'that strategy.run calls, return tf.distribute.get_replica_context().all_reduce("SUM", gradients)'
        )
    if all(isinstance(part, tf.IndexedSlices) for part in parts):
        indices, values = (tf.concat([getattr(p, n) for p in parts], 0) for n in ("indices", "values"))
        return tf.IndexedSlices(values, indices, parts[0].dense_shape)
    return tf.add_n([tf.convert_to_tensor(part) for part in parts])


def gathered(value: Any) -> Any:
    """Returns a batch, or a structure of them, with the parts of all replicas behind one another."""
    return tf.nest.map_structure(lambda one: _batch(one.values) if divided(one) else one, value)


def divided(value: Any) -> bool:
    """Says whether a value has a part for each replica."""
    return isinstance(value, tf.distribute.DistributedValues) and not isinstance(value, tf.Variable)
