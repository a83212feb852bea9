"""The replicas of a distributed step. Each one observes its part of the batch; all of them make one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from .loss_names import whole_loss_name
from .observation import StepObservation


def strategy_of(*objects: Any) -> Any:
    """Returns the strategy under which these models and variables train.

    Raises:
        NotImplementedError: the strategy cannot be recorded.
    """
    strategies = [tf.distribute.get_strategy()]
    for item in objects:
        value = item if isinstance(item, tf.Variable) else getattr(item, "value", None)
        own = (getattr(item, "distribute_strategy", None), getattr(value, "_distribute_strategy", None))
        strategies += [strategy for strategy in own if strategy is not None]
    for strategy in strategies:
        reject_parameter_server(strategy)
    return max(strategies, key=lambda strategy: strategy.num_replicas_in_sync)


def reject_parameter_server(strategy: Any) -> None:
    """Raises NotImplementedError for a strategy whose variables are on other machines."""
    if "ParameterServer" in type(strategy).__name__:
        raise NotImplementedError(
            f"{type(strategy).__name__} cannot be recorded: its variables are on other machines and are updated "
            "asynchronously, so that no step has a weight before and a weight after; use MirroredStrategy or "
            "MultiWorkerMirroredStrategy, or train on one device to have it diagnosed"
        )


def reject_unsummed_gradients(strategy: Any) -> None:
    """Raises NotImplementedError for several replicas in a version of Keras that does not add up their gradients.

    There each replica applies its own gradient to its own copy of a weight, so that no step has *the* weight after it.
    """
    if strategy.num_replicas_in_sync > 1 and (3, 0) <= _version_of_keras() < (3, 5):
        raise NotImplementedError(
            f"Keras {keras.__version__} does not add up the gradients of the {strategy.num_replicas_in_sync} replicas "
            "of a strategy: they drift apart, so that there is no one weight to record. Install Keras 3.5 or newer"
        )


def _version_of_keras() -> tuple[int, ...]:
    return tuple(int(number) for number in keras.__version__.split(".")[:2])


def distribution_facts(strategy: Any) -> dict[str, Any]:
    """Returns {"distribution": ...} for a strategy with several replicas; {} for a single replica."""
    count = strategy.num_replicas_in_sync
    return {"distribution": {"strategy": type(strategy).__name__, "replicas": count}} if count > 1 else {}


class ReplicaObservations:
    """The observations of one step of `model.fit`. The replicas are traced one after another, each in its own thread.

    Args:
        strategy: the model's.
        legacy: whether the model is one of legacy Keras.
    """

    def __init__(self, strategy: Any, *, legacy: bool = False) -> None:
        self.count = strategy.num_replicas_in_sync
        self._loss_is_scaled = legacy or _scales_loss()
        self._observations: list[StepObservation] = []

    def clear(self) -> None:
        """Drops the observations of an interrupted step."""
        self._observations = []

    def new_observation(self) -> StepObservation:
        """Returns the observation for the replica that is about to run."""
        graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
        self._observations.append(StepObservation(graph, self.count))
        return self._observations[-1]

    def when_all_are_done(self, use: Callable[[StepObservation], Any]) -> Any:
        """Calls `use` once, with the joined observation, when the last replica is done; returns its result to each."""
        if self.count == 1:
            return use(self._observations.pop())

        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # as legacy Keras would have it
        def merged(strategy: Any) -> Any:
            observations, self._observations = self._observations, []
            joined = observations[0]
            with joined.guard():
                _join(joined, observations, self._loss_is_scaled)
            return use(joined)

        return tf.distribute.get_replica_context().merge_call(merged)


def _join(joined: StepObservation, observations: list[StepObservation], loss_is_scaled: bool) -> None:
    """Puts the outputs, data and losses of all replicas into the first one's observation."""
    joined.fault = next((o.fault for o in observations if o.fault is not None), None)
    common = [name for name in joined.layer_outputs if all(name in o.layer_outputs for o in observations)]
    joined.layer_outputs = {name: _concatenate([o.layer_outputs[name] for o in observations]) for name in common}
    joined.data = tf.nest.map_structure(lambda *parts: _concatenate(parts), *(o.data for o in observations))
    _join_losses(joined, observations, loss_is_scaled)


def _join_losses(joined: StepObservation, observations: list[StepObservation], loss_is_scaled: bool) -> None:
    losses = [o.loss for o in observations if o.loss is not None]
    if losses:
        means = [tf.reduce_mean(tf.cast(tf.stop_gradient(loss), tf.float64)) for loss in losses]
        joined.loss = tf.add_n(means) * (joined.replica_count / len(means) if loss_is_scaled else 1 / len(means))
    results = [o.train_step_result for o in observations]
    name = whole_loss_name(results[0]) if isinstance(results[0], dict) else None
    reported = [result[name] for result in results if name is not None and name in result]
    if reported:
        total = tf.add_n([tf.cast(loss, tf.float64) for loss in reported])
        joined.train_step_result = {name: total / len(reported)}


def _scales_loss() -> bool:
    """Whether this Keras 3 divides a replica's loss by the number of replicas (from 3.7 on)."""
    from keras.src import losses

    return hasattr(losses.loss, "scale_loss_for_distribution")


def _concatenate(parts: Any) -> Any:
    """Returns the replicas' parts of a batch as one batch."""
    if all(tf.is_tensor(part) and part.shape.rank for part in parts):
        return tf.concat([tf.stop_gradient(p) if p.dtype.is_floating else p for p in parts], 0)
    return parts[0]


# -- values that a hand-written loop passes


def reduce_gradient(value: Any, replicas: int) -> Any:
    """Returns the sum of a gradient's parts over all replicas, as the optimizer computes it.

    Parts that are equal on all replicas have been summed already.

    Raises:
        ValueError: there are fewer parts than replicas, since the other workers have the others.
    """
    if not is_per_replica(value):
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


def concat_replicas(value: Any) -> Any:
    """Returns a batch, or a structure of batches, in which the replicas' parts are concatenated."""
    return tf.nest.map_structure(lambda item: _concatenate(item.values) if is_per_replica(item) else item, value)


def is_per_replica(value: Any) -> bool:
    """Whether a value has one part for each replica."""
    return isinstance(value, tf.distribute.DistributedValues) and not isinstance(value, tf.Variable)
