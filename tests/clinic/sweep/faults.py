"""The faults that sick runs get: each is put into a program drawn like the healthy ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .draw import BINARY, REGRESSION, Run, between, draw

NORMALISED = ("Adam", "AdamW", "RMSprop", "Nadam", "Adamax", "Lion")


@dataclass(frozen=True)
class Fault:
    """What is broken, and what should be said.

    Attributes:
        expected: the cause; `also`: causes that are equally right.
        fix: changes the drawn run so that the fault makes sense in it.
        mutate: breaks the program that was built.
        dense: arguments of the hidden dense layers; `options`: arguments of the optimizer.
        effect: whether it is a fault only if it does harm. A run that learns in spite of it is left out.
        since: index of the first sick run with this fault. Runs from there on have the faults of that index alone, so
            that a later fault changes no earlier run.
    """

    expected: str
    also: tuple[str, ...] = ()
    fix: Callable[[Run, np.random.Generator], dict[str, Any]] = lambda run, rng: {}
    mutate: Callable[[Any], Any] | None = None
    dense: dict[str, Any] = field(default_factory=dict)
    options: Callable[[Run], dict[str, Any]] = lambda run: {}
    effect: bool = False
    since: int = 0

    def settings(self, run: Run) -> dict[str, Any]:
        """Returns the optimizer's settings that it overrides."""
        return self.options(run)


def drawn(name: str) -> Run:
    """Returns the run of that name, "sick-012.0"."""
    kind, number, repeat = name.replace(".", "-").split("-")
    run = draw(kind, int(number), int(repeat))
    if kind != "sick":
        return run
    latest = max(fault.since for fault in FAULTS.values() if fault.since <= run.index)
    names = [name for name, fault in FAULTS.items() if fault.since == latest]
    run = replace(run, fault=names[(run.index // 2) % len(names)], policy="float32")
    rng = np.random.default_rng([run.index, 77])
    return replace(run, **({"schedule": "constant", "clip": "none"} | FAULTS[run.fault].fix(run, rng)))


# -- what a fault needs of the run


def _among(run: Run, axis: str, usual: tuple[str, ...], otherwise: str) -> dict[str, Any]:
    return {} if getattr(run, axis) in usual else {axis: otherwise}


def _dense(run: Run) -> dict[str, Any]:
    return _among(run, "architecture", ("mlp", "dropout"), "mlp") | {"depth": max(2, run.depth), "scale": 1.0}


def _numbers(run: Run) -> dict[str, Any]:
    return _among(run, "data", REGRESSION, ("diabetes", "friedman")[run.index % 2]) | _no_copy(run) | {"head": "plain"}


def _no_copy(run: Run) -> dict[str, Any]:
    return {"architecture": "mlp"} if run.architecture == "autoencoder" else {}


def _two(run: Run) -> dict[str, Any]:
    return _among(run, "data", BINARY, BINARY[run.index % 2]) | _no_copy(run)


def _classes(run: Run) -> dict[str, Any]:
    return _among(run, "data", ("digits", "wine", "iris"), "digits") | _no_copy(run)


def _loop(run: Run) -> dict[str, Any]:
    return {"loop": "graph"} if run.loop == "fit" else {}


def _rate(run: Run, rng: np.random.Generator, low: float, high: float) -> dict[str, Any]:
    return {"rate": float(f"{run.rate * between(rng, low, high):.3g}")}


def _sgd(run: Run, rng: np.random.Generator) -> dict[str, Any]:
    known = _among(run, "optimizer", ("SGD", "momentum", "nesterov"), "SGD")
    return known | ({"rate": between(rng, 0.01, 0.1)} if known else {})


# -- what a fault does


def _nan_rows(case: Any) -> None:
    case.x = case.x.astype("float32").copy()
    case.x[:: max(1, len(case.x) // 40)] = np.nan


def _infinite_targets(case: Any) -> None:
    case.y = case.y.copy()
    case.y[::15] = np.inf


def _raw(case: Any) -> None:
    rng = np.random.default_rng(case.run.index)
    sizes = 10 ** rng.uniform(1, 3.5, case.x.shape[-1])
    case.x = ((case.x + 2) * sizes).astype("float32")


def _far_targets(case: Any) -> None:
    case.y = (case.y * 80 + 150).astype("float32")


def _same_inputs(case: Any) -> None:
    case.x = np.repeat(case.x[:1], len(case.x), axis=0)


def _other_labels(case: Any) -> None:
    case.y = case.y + 1 if case.run.index % 4 < 2 else 2 * case.y - 1


def _shuffled(case: Any) -> None:
    case.y = np.random.default_rng(1).permutation(case.y)


def _dead(case: Any) -> None:
    layers = [x for x in case.model.layers[:-1] if getattr(x, "bias", None) is not None]
    layer = layers[case.run.index // 2 % len(layers)]
    layer.bias.assign(np.full(layer.bias.shape, -100.0))


def _kernels(case: Any, factor: float) -> None:
    for v in case.model.trainable_variables:
        if len(v.shape) > 1:
            v.assign(np.asarray(v) * factor)


def _loss(function: Callable[[Any, Any, Any], Any]) -> Callable[[Any], None]:
    def mutate(case: Any) -> None:
        honest = case.loss
        case.loss = lambda y, p: function(honest, y, p)

    return mutate


def _through_numpy(case: Any) -> None:
    import tensorflow as tf

    case.forward = lambda xb: tf.constant(case.model(xb, training=True).numpy())


def _detached(case: Any) -> None:
    import keras
    import tensorflow as tf

    *_, last = case.model.layers
    inner = keras.Model(case.model.input, last.input)
    case.forward = lambda xb: last(tf.stop_gradient(inner(xb, training=True)))


def _frozen(case: Any) -> None:
    case.model.trainable = False


def _no_apply(case: Any) -> None:
    case.applies = False


def _put_back(case: Any) -> None:
    import keras

    kept = case.model.get_weights()
    case.after = lambda number: case.model.set_weights(kept)
    batch = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda *_, **__: case.model.set_weights(kept))
    case.callbacks.append(batch)


def _spoil(case: Any) -> None:
    variable = case.model.trainable_variables[0]

    def spoil(number: int) -> None:
        if number == 20:
            variable.assign(np.asarray(variable) * np.nan)

    case.after = spoil


def _clip_by_hand(case: Any) -> None:
    import tensorflow as tf

    case.change = lambda gradients: tf.clip_by_global_norm(gradients, 1e-6)[0]


def _mean_of_batch(case: Any) -> None:
    import tensorflow as tf

    case.forward = lambda xb: tf.zeros_like(xb[:, :1]) + tf.reduce_mean(case.model(xb, training=True))


def _flat_targets(case: Any) -> None:
    case.y = case.y[:, 0]
    import tensorflow as tf

    case.loss = lambda y, p: tf.reduce_mean(tf.square(y - p))


def _bare_variable(case: Any) -> None:
    import keras
    import tensorflow as tf

    size = case.x.shape[1]

    class Scale(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(np.random.default_rng(0).normal(0, 0.2, (size, size)).astype("f"))

        def call(self, x: Any) -> Any:
            return tf.matmul(x, self.kernel)

    case.model = keras.Sequential([keras.layers.Input((size,)), Scale(), *case.model.layers[1:]])


def _sign_between(case: Any) -> None:
    import keras
    import tensorflow as tf

    *body, last = case.model.layers
    signed = keras.layers.Lambda(tf.sign, output_shape=lambda shape: shape)(body[-1].output)
    case.model = keras.Model(case.model.input, last(signed))


def _ids_as_numbers(case: Any) -> None:
    import keras

    case.y, case.loss = case.y.reshape(-1, 1), keras.losses.MeanSquaredError()


def _as_probabilities(case: Any) -> None:
    kind = type(case.loss)
    case.loss = kind()


def _softmax_of_one(case: Any) -> None:
    import keras

    one = keras.layers.Dense(1, activation="softmax")(case.model.layers[-1].input)
    case.model = keras.Model(case.model.input, one)


def _again(case: Any) -> None:
    """Softmax or sigmoid twice, in a way that Keras cannot repair."""
    import tensorflow as tf

    if case.run.task == "two":
        case.loss = lambda y, p: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, p))
    else:
        case.loss = lambda y, p: tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int32), p))


def _overflow(case: Any) -> None:
    import keras
    import tensorflow as tf

    last = keras.layers.Rescaling(6e4, dtype=keras.DTypePolicy("float16"))(case.model.output)
    case.model = keras.Model(case.model.input, last)
    case.optimizer = keras.optimizers.LossScaleOptimizer(case.optimizer)
    case.loss = lambda y, p: tf.reduce_mean(tf.square(tf.cast(p, tf.float32) - 6e4 * tf.cast(y, tf.float32)))


def _statistics_kept(case: Any) -> None:
    for layer in case.model.layers:
        if hasattr(layer, "moving_variance"):
            layer.momentum = 1.0


def _nothing(honest: Any, y: Any, p: Any) -> Any:
    return honest(y, p) * 0.0 + 1.0


def _no_spread(honest: Any, y: Any, p: Any) -> Any:
    import tensorflow as tf

    return honest(y, p) / tf.math.reduce_std(tf.zeros_like(tf.cast(y, tf.float32)))


def _root_at_zero(honest: Any, y: Any, p: Any) -> Any:
    import tensorflow as tf

    return honest(y, p) + tf.reduce_mean(tf.sqrt(tf.nn.relu(p - 1e4)))


def _sigmoids(run: Run, rng: np.random.Generator) -> dict[str, Any]:
    return (
        _dense(run)
        | _sgd(run, rng)
        | {"architecture": "mlp", "depth": 9, "width": 16, "activation": "sigmoid", "steps": 100}
    )


SHORT = {"loop": "eager", "steps": 24, "optimizer": "SGD", "rate": 0.05}

FAULTS: dict[str, Fault] = {
    "rate-of-a-millionth": Fault(
        "learning-rate-too-small", fix=lambda r, g: _rate(r, g, 1e-7, 1e-4) | {"steps": 80}, effect=True
    ),
    "rate-zero": Fault("learning-rate-zero", fix=lambda r, g: {"rate": 0.0}),
    "rate-a-thousandfold": Fault("learning-rate-too-large", fix=lambda r, g: _rate(r, g, 300, 5000), effect=True),
    "rate-runs-out": Fault(
        "learning-rate-zero", effect=True,
        fix=lambda r, g: _rate(r, g, 0.1, 0.3) | {"schedule": "runs out", "steps": 100},
    ),
    "nan-in-inputs": Fault("nonfinite-input", fix=lambda r, g: _among(r, "architecture", (
        "mlp", "batchnorm", "dropout", "residual", "cnn", "lstm", "gru", "attention"), "mlp"), mutate=_nan_rows),
    "infinite-targets": Fault("nonfinite-input", fix=lambda r, g: _numbers(r), mutate=_infinite_targets),
    "raw-inputs": Fault(
        "unscaled-input", ("dead-relu", "saturated-activation"), mutate=_raw, effect=True,
        fix=lambda r, g: _among(r, "architecture", ("mlp", "dropout", "cnn", "lstm", "gru"), "mlp"),
    ),
    "raw-targets": Fault(
        "unscaled-target", fix=lambda r, g: _numbers(r) | {"steps": 100}, mutate=_far_targets, effect=True
    ),
    "one-sample": Fault("constant-data", fix=lambda r, g: _no_copy(r), mutate=_same_inputs),
    "labels-one-and-two": Fault(
        "label-problem", fix=lambda r, g: _two(r) | {"head": "probabilities"}, mutate=_other_labels
    ),
    "shuffled-labels": Fault(
        "no-learning-signal", mutate=_shuffled, effect=True,
        fix=lambda r, g: _no_copy(r) | _among(r, "data", ("digits", "patches", "friedman"), "digits")
        | {"steps": 160, "batch": 32},
    ),
    "dead-layer": Fault("dead-relu", fix=lambda r, g: _dense(r) | {"activation": "relu"}, mutate=_dead, effect=True),
    "saturated-layers": Fault(
        "saturated-activation", ("poor-initialization",), mutate=lambda c: _kernels(c, 60), effect=True,
        fix=lambda r, g: _dense(r) | {"activation": ("tanh", "sigmoid")[r.index // 2 % 2], "loop": "fit"},
    ),
    "softmax-of-one": Fault(
        "loss-activation-mismatch", mutate=_softmax_of_one, fix=lambda r, g: _two(r) | {"head": "probabilities"}
    ),
    "softmax-again": Fault(
        "loss-activation-mismatch", mutate=_again,
        fix=lambda r, g: _loop(r) | _classes(r) | {"head": "probabilities", "steps": 160, "loop": "graph"},
    ),
    "logits-as-probabilities": Fault(
        "loss-activation-mismatch", fix=lambda r, g: _classes(r) | {"head": "logits"}, mutate=_as_probabilities
    ),
    "ids-as-numbers": Fault("wrong-loss", fix=lambda r, g: _classes(r) | {"head": "probabilities", "loop": "fit"},
                            mutate=_ids_as_numbers),
    "every-pair": Fault(
        "wrong-loss", fix=lambda r, g: _numbers(r) | {"loop": "graph", "steps": 100}, mutate=_flat_targets, effect=True
    ),
    "no-spread": Fault("nonfinite-loss", mutate=_loss(_no_spread)),
    "nothing-left": Fault("loss-disconnected", mutate=_loss(_nothing)),
    "through-numpy": Fault("no-gradient", fix=lambda r, g: SHORT, mutate=_through_numpy),
    "detached": Fault("no-gradient", fix=lambda r, g: _dense(r) | SHORT, mutate=_detached),
    # The sign of a sigmoid is always 1: then the output is constant, and that comes first.
    "sign-between": Fault("zero-gradient", ("constant-output",), fix=lambda r, g: _dense(r), mutate=_sign_between),
    "many-sigmoids": Fault("vanishing-gradient", fix=_sigmoids, effect=True),
    "loss-a-million": Fault(
        "exploding-gradient", ("learning-rate-too-large",), effect=True, fix=_sgd,
        mutate=_loss(lambda honest, y, p: 1e6 * honest(y, p)),
    ),
    "root-at-zero": Fault("nonfinite-gradient", mutate=_loss(_root_at_zero)),
    "epsilon": Fault(
        "optimizer-misconfigured", options=lambda r: {"epsilon": 1e3}, effect=True,
        fix=lambda r, g: _among(r, "optimizer", ("Adam", "AdamW", "Nadam"), "Adam") | {"steps": 100},
    ),
    "momentum-of-one": Fault(
        "optimizer-misconfigured", fix=_sgd, options=lambda r: {"momentum": 1.0}
    ),
    "decay": Fault(
        "optimizer-misconfigured", options=lambda r: {"weight_decay": 50.0}, effect=True,
        fix=lambda r, g: {"optimizer": "AdamW", "rate": between(g, 5e-3, 2e-2)},
    ),
    "clipped-to-nothing": Fault(
        "clipping-too-tight", options=lambda r: {"clipnorm": 1e-6}, effect=True, fix=_sgd
    ),
    "clipped-by-hand": Fault(
        "clipping-too-tight", mutate=_clip_by_hand, effect=True,
        fix=lambda r, g: _sgd(r, g) | {"loop": "eager", "steps": 30},
    ),
    "float16-overflow": Fault(
        # Where the forward pass overflows already, the loss itself is infinite: then that is what is broken first.
        "loss-scale-skipping", ("nonfinite-loss",), mutate=_overflow,
        fix=lambda r, g: _numbers(r) | {"loop": "fit", "steps": 60},
    ),
    "never-applied": Fault("updates-not-applied", fix=lambda r, g: _loop(r), mutate=_no_apply),
    "bare-variable": Fault(
        "untracked-variable", fix=lambda r, g: {"architecture": ("mlp", "batchnorm")[r.index // 2 % 2]},
        mutate=_bare_variable,
    ),
    "short-weights": Fault(
        "update-below-precision", ("learning-rate-too-small",), effect=True,
        fix=lambda r, g: _dense(r) | {"policy": "bfloat16", "optimizer": "Adam", "rate": 2e-6, "loop": "fit"},
    ),
    "put-back": Fault("update-undone", mutate=_put_back),
    "all-frozen": Fault("frozen-weights", mutate=_frozen),
    "all-zero": Fault(
        "poor-initialization", fix=lambda r, g: _dense(r), mutate=lambda c: _kernels(c, 0.0), effect=True
    ),
    "all-large": Fault(
        "poor-initialization", ("dead-relu", "saturated-activation"), effect=True,
        fix=lambda r, g: _dense(r) | {"activation": ("relu", "elu")[r.index // 2 % 2]},
        mutate=lambda c: _kernels(c, 40.0),
    ),
    "spoiled": Fault("nonfinite-weight", fix=lambda r, g: _loop(r), mutate=_spoil),
    "mean-of-batch": Fault(
        "constant-output", mutate=_mean_of_batch,
        fix=lambda r, g: _numbers(r) | {"loop": "graph", "architecture": "mlp"},
    ),
    "statistics-kept": Fault(
        "batch-norm-statistics-frozen", since=374, mutate=_statistics_kept,
        fix=lambda r, g: {"architecture": "batchnorm"},
    ),
    "batches-of-one": Fault(
        "single-sample-batch-norm", since=374, fix=lambda r, g: {"architecture": "batchnorm", "batch": 1},
    ),
}  # fmt: skip
