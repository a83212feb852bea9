"""Cases in loops of people's own: what a step is made of."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .case import Array, Seen, case
from .diary import STEPS, Diary, Told, batch, linear, looped, quiet, slopes, squared
from .observe import BATCH, dense, diabetes, weights

layers = keras.layers
compiled = functools.partial(tf.function, jit_compile=True)


# -- eager and traced


@case("loop", "eager loop", "`watch.step(loss)` records gradients as used, layer outputs, inputs and predictions")
def eager(logs: Path) -> Seen:
    history, steps = looped(logs)
    for i, step in enumerate(steps):
        x, _ = batch(i)
        kernel, bias, last, end = step.before.values()
        hidden = np.tanh(x.astype("float64") @ kernel + bias)
        step.layers[history.layers[0].name] = {"output_mean": hidden.mean(), "output_std": hidden.std()}
        spread = {"input_std": x.astype("float64").std(), "prediction_std": (hidden @ last + end).std()}
        step.run |= {"batch_size": BATCH, "learning_rate": 0.05, **spread}
    return history, steps


@case("loop", "step in `@tf.function`", "return the gradients: `watch.step(loss, gradients=...)`")
def function(logs: Path) -> Seen:
    return looped(logs, wrap=tf.function, hand=["gradients"])


@case("loop", "step in `@tf.function(jit_compile=True)`", "likewise; nothing is added to the compiled function")
def function_compiled(logs: Path) -> Seen:
    return looped(logs, wrap=compiled, hand=["gradients"])


@case(
    "loop",
    "`@tf.function` that returns only the loss",
    "weights, updates, loss, learning rate, and which gradients are None; the size of the gradients is not known",
    supported="in part",
)
def function_unseen(logs: Path) -> Seen:
    history, steps = looped(logs, wrap=tf.function, seen=False)
    for step in steps:
        step.run["learning_rate"] = 0.05
    return history, steps


# -- train_on_batch


def by_batch(**compiled: Any) -> Callable[[keras.Model, Any], Callable[..., Told]]:
    def make(model: keras.Model, optimizer: Any) -> Callable[..., Told]:
        model.compile(optimizer, "mse", **compiled)

        def step(x: Any, y: Any) -> Told:
            model.reset_metrics()
            return {"loss": model.train_on_batch(x, y)}

        return step

    return make


@case(
    "loop",
    "`model.train_on_batch`",
    "`watch.step(loss)` after it: weights, updates, learning rate; the loss as Keras returns it, a running mean unless "
    "`model.reset_metrics()` was called before",
    supported="in part",
)
def on_batch(logs: Path) -> Seen:
    return looped(logs, step=by_batch(), seen=False)


@case(
    "loop",
    "`model.train_on_batch` with `run_eagerly=True`",
    "likewise, with gradients, layer outputs, inputs and predictions",
)
def on_batch_eagerly(logs: Path) -> Seen:
    return looped(logs, step=by_batch(run_eagerly=True))


@case("loop", "`@tf.function` retraced for another batch size", "the same for every trace")
def function_retraced(logs: Path) -> Seen:
    sizes = lambda i: batch(0, BATCH - 5 * i)  # noqa: E731
    history, steps = looped(logs, wrap=tf.function, hand=["gradients", "predictions"], batches=sizes)
    for i, step in enumerate(steps):
        step.run["batch_size"] = BATCH - 5 * i
    return history, steps


# -- inner loops in the graph


@case(
    "loop",
    "`for x, y in dataset` inside a `tf.function`",
    "one `watch.step` per call: the update is that of the whole call, `iterations` counts the optimizer's steps",
    supported="in part",
)
def inner_dataset(logs: Path) -> Seen:
    def step(model: keras.Model, optimizer: Any) -> Callable[..., Told]:
        def several(dataset: Any, _: Any) -> Told:
            loss = tf.constant(0.0)
            for x, y in dataset:
                with tf.GradientTape() as tape:
                    loss = squared(y, model(x, training=True))
                gradients = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return {"loss": loss}

        return several

    dataset = tf.data.Dataset.from_tensor_slices(diabetes()).batch(BATCH)
    keras.utils.set_random_seed(3)
    model, optimizer = dense(), keras.optimizers.SGD(0.05)
    one = tf.function(step(model, optimizer))
    with quiet(logs, model, optimizer) as watch:
        diary = Diary(lambda: model.variables)
        for i in range(3):
            loss = one(dataset, 0)["loss"]
            watch.step(loss)
            diary.turn(iterations=4 * (i + 1), loss=float(loss))
    return watch.history, diary.steps


@case("loop", "inner steps in `tf.range` or `tf.while_loop`", "likewise; the last gradients can be passed")
def inner_range(logs: Path) -> Seen:
    x, y = batch(0)
    w, b = tf.Variable(tf.zeros([10, 1]), name="w"), tf.Variable(tf.zeros([1]), name="b")
    optimizer = keras.optimizers.SGD(0.05)
    optimizer.build([w, b])

    @tf.function
    def ranged(count: Any) -> Any:
        gradients = [tf.zeros_like(w), tf.zeros_like(b)]
        for _ in tf.range(count):
            gradients = [2 * tf.transpose(x) @ (x @ w + b - y) / BATCH, 2 * tf.reduce_mean(x @ w + b - y, 0)]
            optimizer.apply_gradients(zip(gradients, [w, b], strict=True))
        return gradients

    @tf.function
    def whiled(count: Any) -> Any:
        def body(i: Any, *_: Any) -> Any:
            gradients = [2 * tf.transpose(x) @ (x @ w + b - y) / BATCH, 2 * tf.reduce_mean(x @ w + b - y, 0)]
            optimizer.apply_gradients(zip(gradients, [w, b], strict=True))
            return i + 1, *gradients

        return tf.while_loop(lambda i, *_: i < count, body, [0, tf.zeros_like(w), tf.zeros_like(b)])[1:]

    with quiet(logs, optimizer=optimizer, variables=[w, b]) as watch:
        diary = Diary(lambda: [w, b])
        for i, call in enumerate((ranged, whiled, ranged)):
            # TensorFlow lets inner steps overtake each other: computed anew, their gradients may be other ones.
            gradients = call(3)
            found = [np.asarray(gradient, np.float64) for gradient in gradients]
            watch.step(gradients=list(zip(gradients, [w, b], strict=True)))
            diary.turn(dict(zip(("w", "b"), found, strict=True)), iterations=3 * (i + 1))
    return watch.history, diary.steps


# -- several models, optimizers, losses


@case(
    "loop", "several models and optimizers (GAN)", "one `Watch` with lists; gradients of each model at its own update"
)
def gan(logs: Path) -> Seen:
    x, _ = batch(0)
    build = lambda wide, name: keras.Sequential(  # noqa: E731
        [keras.Input((wide,)), layers.Dense(6, activation="tanh"), layers.Dense(10 if name == "g" else 1)], name=name
    )
    noise = np.random.default_rng(5).normal(size=(STEPS, BATCH, 3)).astype("float32")
    entropy = lambda z, real: tf.reduce_mean(tf.math.softplus(-z if real else z))  # noqa: E731
    judged = lambda g, d, i: entropy(d(x), True) + entropy(d(g(noise[i])), False)  # noqa: E731
    fooled = lambda g, d, i: entropy(d(g(noise[i])), True)  # noqa: E731

    keras.utils.set_random_seed(3)
    g, d, g2, d2 = build(3, "g"), build(10, "d"), build(3, "g"), build(10, "d")
    optimizers = [keras.optimizers.Adam(1e-2), keras.optimizers.SGD(0.1)]
    with quiet(logs, [g, d], optimizers) as watch:
        diary = Diary(lambda: [*g.variables, *d.variables])
        for i in range(STEPS):
            losses = []
            for model, optimizer, loss_of in ((d, optimizers[1], judged), (g, optimizers[0], fooled)):
                with tf.GradientTape() as tape:
                    losses.append(loss_of(g, d, i))
                found = tape.gradient(losses[-1], model.trainable_variables)
                optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
            watch.step(losses)  # the mean of both
            of_g, of_d = (dict(p) for p in np.split(np.array(list(diary.before.items()), object), 2))
            g2.set_weights(list(of_g.values()))
            seen = slopes(d2, of_d, lambda d2, i=i: judged(g2, d2, i))
            d2.set_weights([v for n, v in weights([*g.variables, *d.variables]).items() if n in of_d])
            seen |= slopes(g2, of_g, lambda g2, i=i: fooled(g2, d2, i))
            diary.turn(seen, iterations=2 * (i + 1), loss=float(np.mean(losses)))
    return watch.history, diary.steps


def two_heads() -> keras.Model:
    x = keras.Input((10,))
    h = layers.Dense(8, activation="tanh", name="trunk")(x)
    return keras.Model(x, [layers.Dense(1, name="one")(h), layers.Dense(1, name="other")(h)])


@case(
    "loop",
    "several losses",
    "the gradient of what you differentiate; pass the sum of the losses, or a list, which is averaged",
)
def several_losses(logs: Path) -> Seen:
    def total(model: keras.Model, data: Any) -> Any:
        one, other = model(data[0], training=True)
        return squared(data[1], one) + 0.25 * tf.reduce_mean(tf.abs(other + data[1]))

    def step(model: keras.Model, optimizer: Any) -> Callable[..., Told]:
        def run(x: Any, y: Any) -> Told:
            with tf.GradientTape() as tape:
                loss = total(model, (x, y))
            found = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
            return {"loss": loss}

        return run

    return looped(logs, make=two_heads, step=step, gradients=total)


@case("loop", "persistent tape, one optimizer per part", "the gradient of each variable as its optimizer used it")
def persistent(logs: Path) -> Seen:
    keras.utils.set_random_seed(3)
    model, other = two_heads(), two_heads()
    optimizers = [keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.02)]
    with quiet(logs, model, optimizers) as watch:
        diary = Diary(lambda: model.variables)
        first, second = model.trainable_variables[:4], model.trainable_variables[4:]
        for i in range(STEPS):
            x, y = batch(i)
            with tf.GradientTape(persistent=True) as tape:
                one, two = model(x)
                losses = squared(y, one), squared(-y, two)
            optimizers[0].apply_gradients(zip(tape.gradient(losses[0], first), first, strict=True))
            optimizers[1].apply_gradients(zip(tape.gradient(losses[1], second), second, strict=True))
            del tape
            watch.step(losses[0] + losses[1])
            seen = slopes(other, diary.before, lambda m, x=x, y=y: squared(y, m(x)[0]))
            rest = slopes(other, diary.before, lambda m, x=x, y=y: squared(-y, m(x)[1]))
            names = list(seen)
            diary.turn({n: (seen if n in names[:4] else rest)[n] for n in names}, iterations=2 * (i + 1))
    return watch.history, diary.steps


@case("loop", "class and sample weights by hand", "weighted gradients and weighted loss")
def weighted(logs: Path) -> Seen:
    def loss_of(model: keras.Model, data: Any) -> Any:
        x, y = data
        weight = tf.where(y > 0, 2.0, 0.5) * tf.linspace(0.1, 1.0, BATCH)[:, None]
        return tf.reduce_mean(weight * tf.square(model(x, training=True) - y))

    def step(model: keras.Model, optimizer: Any) -> Callable[..., Told]:
        def run(x: Any, y: Any) -> Told:
            with tf.GradientTape() as tape:
                loss = loss_of(model, (x, y))
            found = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
            return {"loss": loss}

        return run

    return looped(logs, step=step, gradients=loss_of)


# -- what is done to gradients by hand


@case(
    "loop",
    "clipping by hand (`tf.clip_by_global_norm`)",
    "the clipped gradient, as given to the optimizer; the unclipped one is not known",
)
def clipped(logs: Path) -> Seen:
    def step(model: keras.Model, optimizer: Any) -> Callable[..., Told]:
        def run(x: Any, y: Any) -> Told:
            with tf.GradientTape() as tape:
                loss = squared(y, model(x, training=True))
            found, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_variables), 0.1)
            optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
            return {"loss": loss}

        return run

    history, steps = looped(logs, step=step)
    for row in steps:
        whole = np.sqrt(sum(np.square(g).sum() for g in row.gradients.values() if g is not None))
        assert whole > 0.1
        row.gradients = {n: None if g is None else g * (0.1 / whole) for n, g in row.gradients.items()}
    return history, steps


def accumulated(logs: Path, *, micro: bool) -> Seen:
    """Trains with gradients added up over four batches; `micro`: `watch.step` after each of them."""
    keras.utils.set_random_seed(3)
    model, other, optimizer = dense(), dense(), keras.optimizers.SGD(0.05)
    with quiet(logs, model, optimizer) as watch:
        diary = Diary(lambda: model.variables)
        kept: list[Any] = []
        seen: list[dict[str, Array | None]] = []
        for i in range(8):
            x, y = batch(i)
            with tf.GradientTape() as tape:
                loss = squared(y, model(x, training=True))
            kept.append(tape.gradient(loss, model.trainable_variables))
            seen.append(slopes(other, diary.before, lambda m, x=x, y=y: squared(y, m(x))))
            full = len(kept) == 4
            if full:
                mean = [tf.add_n(list(g)) / 4 for g in zip(*kept, strict=True)]
                optimizer.apply_gradients(zip(mean, model.trainable_variables, strict=True))
                whole = {n: np.mean([s[n] for s in seen], axis=0) for n in diary.before}
                kept, seen = [], []
            if full or micro:
                watch.step(loss)
                diary.turn(whole if full else None, iterations=(i + 1) // 4, loss=float(loss))
    return watch.history, diary.steps


@case(
    "loop",
    "accumulation by hand, `watch.step` after each micro step",
    "updates are 0 in between; the gradient at the update",
)
def accumulated_micro(logs: Path) -> Seen:
    return accumulated(logs, micro=True)


@case(
    "loop",
    "accumulation by hand, `watch.step` after each update",
    "the accumulated gradient, as given to the optimizer",
)
def accumulated_macro(logs: Path) -> Seen:
    return accumulated(logs, micro=False)


@case(
    "loop",
    "`mixed_float16` with LossScaleOptimizer",
    "call `scale_loss` yourself; the recorded gradients are unscaled",
    rounding=2e-2,
)
def loss_scaled(logs: Path) -> Seen:
    build = lambda: keras.Sequential(  # noqa: E731
        [keras.Input((10,)), layers.Dense(8, activation="tanh", dtype="mixed_float16"), layers.Dense(1)]
    )

    def step(model: keras.Model, optimizer: Any) -> Callable[..., Told]:
        def run(x: Any, y: Any) -> Told:
            with tf.GradientTape() as tape:
                loss = squared(y, model(x, training=True))
                scaled = optimizer.scale_loss(loss)
            found = tape.gradient(scaled, model.trainable_variables)
            optimizer.apply(found, model.trainable_variables)
            return {"loss": loss}

        return run

    scaling = lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=1024.0)  # noqa: E731
    history, steps = looped(logs, make=build, optimizer=scaling, step=step)
    for row in steps:
        row.run["loss_scale"] = 1024
    return history, steps


# -- without a Keras model


class Affine(tf.Module):
    def __init__(self) -> None:
        super().__init__(name="affine")
        self.w = tf.Variable(tf.zeros([10, 1]), name="w")
        self.b = tf.Variable(tf.zeros([1]), name="b")

    @tf.Module.with_name_scope
    def __call__(self, x: Any) -> Any:
        return x @ self.w + self.b


def by_hand(
    logs: Path,
    variables: list[tf.Variable],
    step: Callable[[Any, Any], Any],
    *,
    handed: bool = False,
    **told: Any,
) -> Seen:
    """Runs `step(x, y)` -> gradients of `linear` under a Watch of these variables."""
    with quiet(logs, variables=variables, **told) as watch:
        diary = Diary(lambda: variables)
        for i in range(STEPS):
            x, y = batch(i)
            gradients, loss = linear(diary.before, x, y)
            found = step(x, y)
            watch.step(loss, **({"gradients": list(zip(found, variables, strict=True))} if handed else {}))
            diary.turn(gradients, loss=loss, **({"iterations": i + 1} if told else {}))
    return watch.history, diary.steps


def linear_gradients(module: Any, variables: list[tf.Variable]) -> Callable[[Any, Any], Any]:
    def gradients(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = squared(y, module(x))
        return tape.gradient(loss, variables)

    return gradients


@case("loop", "plain `tf.Module` with a Keras optimizer", "`ww.Watch(logs, optimizer=..., variables=module.variables)`")
def module(logs: Path) -> Seen:
    affine, optimizer = Affine(), keras.optimizers.Adam(1e-2)
    variables = list(affine.trainable_variables)[::-1]  # w, b
    gradients = linear_gradients(affine, variables)

    def step(x: Any, y: Any) -> None:
        optimizer.apply_gradients(zip(gradients(x, y), variables, strict=True))

    return by_hand(logs, variables, step, optimizer=optimizer)


@case("loop", "bare `tf.Variable`s with a Keras optimizer", "likewise; in a `tf.function`, pass the gradients")
def bare_with_optimizer(logs: Path) -> Seen:
    w, b = variables = [tf.Variable(tf.zeros([10, 1]), name="w"), tf.Variable(tf.zeros([1]), name="b")]
    optimizer = keras.optimizers.RMSprop(1e-2)
    optimizer.build(variables)
    gradients = linear_gradients(lambda x: x @ w + b, variables)

    @tf.function
    def step(x: Any, y: Any) -> Any:
        found = gradients(x, y)
        optimizer.apply_gradients(zip(found, variables, strict=True))
        return found

    return by_hand(logs, variables, step, handed=True, optimizer=optimizer)


@case("loop", "`v.assign_sub(lr * g)` without an optimizer", "`ww.Watch(logs, variables=[...])`, and pass `gradients=`")
def bare(logs: Path) -> Seen:
    w, b = variables = [tf.Variable(tf.zeros([10, 1]), name="w"), tf.Variable(tf.zeros([1]), name="b")]
    gradients = linear_gradients(lambda x: x @ w + b, variables)

    def step(x: Any, y: Any) -> Any:
        found = gradients(x, y)
        for variable, gradient in zip(variables, found, strict=True):
            variable.assign_sub(0.05 * gradient)
        return found

    return by_hand(logs, variables, step, handed=True)


@case(
    "loop",
    "custom update rules (sign, momentum, line search)",
    "likewise; the update is the actual change of the weights",
)
def own_rule(logs: Path) -> Seen:
    w, b = variables = [tf.Variable(tf.zeros([10, 1]), name="w"), tf.Variable(tf.zeros([1]), name="b")]
    speed = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
    gradients = linear_gradients(lambda x: x @ w + b, variables)

    @compiled
    def step(x: Any, y: Any) -> Any:
        found = gradients(x, y)
        for variable, gradient, velocity in zip(variables, found, speed, strict=True):
            velocity.assign(0.9 * velocity + tf.sign(gradient))
            variable.assign_sub(0.01 * velocity)
        return found

    return by_hand(logs, variables, step, handed=True)


# -- what is watched may change


@case(
    "loop",
    "`trainable` changed during the loop",
    "from that step on the weights are listed, but not measured",
    supported="in part",
)
def switched(logs: Path) -> Seen:
    keras.utils.set_random_seed(3)
    model, optimizer = dense(), keras.optimizers.SGD(0.05)
    first, last = (list(layer.variables) for layer in model.layers)
    with quiet(logs, model, optimizer) as watch:
        diary = Diary(lambda: [*last, *(first if model.layers[0].trainable else [])])
        for i in range(STEPS):
            x, y = batch(i)
            if i == 2:
                model.layers[0].trainable = False
                diary.fresh()
            variables = list(model.trainable_variables)
            with tf.GradientTape() as tape:
                loss = squared(y, model(x))
            gradients = tape.gradient(loss, variables)
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
            watch.step(loss)
            told = {v.path: np.asarray(g, np.float64) for v, g in zip(variables, gradients, strict=True)}
            diary.turn(told, loss=float(loss), iterations=i + 1)
    history = watch.history
    assert [v.trainable for v in history.variables] == [False, False, True, True]
    assert not history.known("weight_norm")[2:, :2].any()
    return history, diary.steps


@case("loop", "variables created during the loop", "`watch.step(..., variables=[new])`, from the next step")
def late(logs: Path) -> Seen:
    variables = [tf.Variable(tf.zeros([10, 1]), name="w")]
    with quiet(logs, variables=variables) as watch:
        diary = Diary(lambda: variables)
        for i in range(STEPS):
            x, y = (tf.constant(each) for each in batch(i))
            if i == 2:
                variables.append(tf.Variable(tf.zeros([1]), name="b"))
                diary.fresh()
            with tf.GradientTape() as tape:
                loss = squared(y, x @ variables[0] + (variables[1] if len(variables) > 1 else 0.0))
            gradients = tape.gradient(loss, variables)
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.assign_sub(0.05 * gradient)
            watch.step(loss, gradients=list(zip(gradients, variables, strict=True)), variables=variables)
            names = [v.name.removesuffix(":0") for v in variables]
            told = {name: np.asarray(g, np.float64) for name, g in zip(names, gradients, strict=True)}
            diary.turn(told, loss=float(loss))
            if i == 2:
                del diary.steps[-1].before["b"]  # nobody had said what it was
    return watch.history, diary.steps
