"""Shared pieces of the reported programs: Case, registry, data, hooks, runner."""

from __future__ import annotations

import dataclasses
import functools
import math
import typing as T

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from sklearn import datasets as SD

CODES = {
    "no-gradient",
    "zero-gradient",
    "vanishing-gradient",
    "exploding-gradient",
    "nonfinite-gradient",
    "learning-rate-too-small",
    "learning-rate-too-large",
    "learning-rate-zero",
    "update-below-precision",
    "updates-not-applied",
    "optimizer-misconfigured",
    "clipping-too-tight",
    "loss-scale-skipping",
    "frozen-weights",
    "poor-initialization",
    "weights-reset",
    "dead-relu",
    "saturated-activation",
    "loss-activation-mismatch",
    "label-problem",
    "unscaled-input",
    "nonfinite-input",
    "constant-data",
    "no-learning-signal",
    "wrong-loss",
    "healthy",
}


@dataclasses.dataclass
class Case:
    # --- filled by the registry
    name: str = ""
    source: str = ""
    description: str = ""
    truth: tuple = ("healthy",)  # acceptable codes, primary first
    pair: str = ""  # name of the twin ('' for stand-alone)
    ambiguous: bool = False  # ground truth is arguable: score separately
    expect_crash: bool = False  # plain training raises
    # --- filled by the case function
    model: T.Any = None
    loss: T.Any = None  # what goes to model.compile
    optimizer: T.Any = None
    x: T.Any = None
    y: T.Any = None
    epochs: int = 10
    batch_size: int = 32
    style: str = "fit"  # 'fit' | 'tape'
    compile_kwargs: dict = dataclasses.field(default_factory=dict)
    fit_kwargs: dict = dataclasses.field(default_factory=dict)
    callbacks: list = dataclasses.field(default_factory=list)
    # tape style: step(hook, i, xb, yb) -> dict(loss, grads, variables, optimizer, y_pred)
    step: T.Callable | None = None
    variables: T.Callable | None = None  # () -> list of the live variables
    on_epoch_begin: T.Callable | None = None  # (epoch) -> None
    shuffle: bool = True
    # how well it must do: ('acc', .8) | ('r2', .5) | ('loss', .3, lower is better)
    goal: tuple = ("acc", 0.8)
    predict: T.Callable | None = None  # x -> predictions (tape, no model)
    y_true: T.Any = None  # the real labels when y is corrupted

    def live_variables(self):
        if self.variables is not None:
            return list(self.variables())
        return list(self.model.weights)


class Hook:
    """What an evaluator implements to attach a tool to a tape-style case.

    Default behaviour = plain training.  A tool adapter may override any subset.
    """

    def begin(self, case):
        pass

    def tape(self, persistent=False):
        return tf.GradientTape(persistent=persistent)

    def gradient(self, tape, loss, variables):
        return tape.gradient(loss, variables)

    def apply(self, optimizer, grads, variables):
        gv = [(g, v) for g, v in zip(grads, variables) if g is not None]
        if gv:
            optimizer.apply_gradients(gv)

    def after_step(self, info):
        pass

    def epoch_end(self, epoch, logs):
        pass

    def end(self):
        pass


REGISTRY: dict[str, T.Callable] = {}
META: dict[str, dict] = {}


def _check(truth):
    truth = (truth,) if isinstance(truth, str) else tuple(truth)
    assert set(truth) <= CODES, set(truth) - CODES
    return truth


def pair(name, source, truth, fault, fix, ambiguous=False, crash=False):
    """Registers <name>__bad and <name>__ok from one builder taking `bad`."""
    truth = _check(truth)

    def deco(fn):
        b, o = name + "__bad", name + "__ok"
        META[b] = dict(source=source, truth=truth, description=fault, pair=o, ambiguous=ambiguous, expect_crash=crash)
        META[o] = dict(source=source, truth=("healthy",), description="fixed: " + fix, pair=b)
        REGISTRY[b] = functools.partial(fn, True)
        REGISTRY[o] = functools.partial(fn, False)
        return fn

    return deco


def single(name, source, truth, description, ambiguous=False, crash=False):
    truth = _check(truth)

    def deco(fn):
        META[name] = dict(
            source=source, truth=truth, description=description, pair="", ambiguous=ambiguous, expect_crash=crash
        )
        REGISTRY[name] = fn
        return fn

    return deco


def get(name, seed=7) -> Case:
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    c = REGISTRY[name]()
    c.name = name
    for k, v in META[name].items():
        setattr(c, k, v)
    if c.y_true is None:
        c.y_true = c.y
    return c


# ------------------------------------------------------------------ data
def _f(a):
    return np.ascontiguousarray(a, dtype="float32")


def perm(n, seed=0):
    return np.random.RandomState(seed).permutation(n)


@functools.lru_cache(None)
def digits(n=1200, raw255=False):
    d = SD.load_digits()
    p = perm(len(d.target))[:n]
    x = _f(d.data[p]) / 16.0
    return (np.round(x * 255).astype("float32") if raw255 else x), d.target[p].astype("int32")


def digits_img(n=1000, raw255=False):
    x, y = digits(n, raw255)
    return x.reshape(-1, 8, 8, 1), y


def onehot(y, k=None):
    return keras.utils.to_categorical(y, k).astype("float32")


def standardise(x):
    return _f((x - x.mean(0)) / (x.std(0) + 1e-9))


def tab(name, scaled=True):
    d = getattr(SD, "load_" + name)()
    p = perm(len(d.target))
    x, y = _f(d.data[p]), d.target[p]
    return (standardise(x) if scaled else x), y


def bc(scaled=True):
    x, y = tab("breast_cancer", scaled)
    return x, y.astype("float32")


def diabetes(scale_y=True):
    x, y = tab("diabetes")
    y = _f(y)[:, None]
    return x, (standardise(y) if scale_y else y)


def circles(n=600, noise=0.08):
    x, y = SD.make_circles(n, noise=noise, factor=0.4, random_state=1)
    return _f(x), y.astype("float32")


def moons(n=600, noise=0.15):
    x, y = SD.make_moons(n, noise=noise, random_state=1)
    return _f(x), y.astype("float32")


def blobs(n=600, k=3, d=2, std=1.0):
    x, y = SD.make_blobs(n, centers=k, n_features=d, cluster_std=std, random_state=4)
    return standardise(x), y.astype("int32")


def mlp(n_in, hidden, n_out, act="relu", out=None, init="glorot_uniform", bias="zeros", **kw):
    m = keras.Sequential([keras.Input((n_in,))])
    for h in hidden:
        m.add(L.Dense(h, activation=act, kernel_initializer=init, bias_initializer=bias, **kw))
    m.add(L.Dense(n_out, activation=out, kernel_initializer=init, **kw))
    return m


def small_uniform():
    return keras.initializers.RandomUniform(-0.05, 0.05)


def small_normal():
    return keras.initializers.RandomNormal(stddev=0.05)


# ------------------------------------------------------------------ tape helpers
def std_step(model, loss_fn, opt, variables=None):
    """A correct custom training step."""

    def step(h, i, xb, yb):
        vs = variables() if variables else model.trainable_variables
        with h.tape() as t:
            p = model(xb, training=True)
            loss = loss_fn(yb, p)
        g = h.gradient(t, loss, vs)
        h.apply(opt, g, vs)
        return dict(loss=loss, grads=g, variables=vs, optimizer=opt, y_pred=p)

    return step


def scce(y, p):
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, p))


def scce_logits(y, p):
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True))


def bce(y, p):
    return tf.reduce_mean(keras.losses.binary_crossentropy(tf.reshape(y, [-1, 1]), p))


def mse(y, p):
    return tf.reduce_mean(tf.square(tf.cast(tf.reshape(y, tf.shape(p)), p.dtype) - p))


# ------------------------------------------------------------------ runner
def compile_case(case):
    kw = dict(optimizer=case.optimizer, loss=case.loss)
    kw.update(case.compile_kwargs)
    case.model.compile(**kw)


def run(case: Case, hook: Hook | None = None, callbacks=()):
    """Trains; returns dict(loss=[per epoch], error=None|str)."""
    hook = hook or Hook()
    out = dict(loss=[], error=None, exception=None)
    try:
        if case.style == "fit":
            compile_case(case)
            h = case.model.fit(
                case.x,
                case.y,
                epochs=case.epochs,
                batch_size=case.batch_size,
                verbose=0,
                shuffle=case.shuffle,
                callbacks=list(case.callbacks) + list(callbacks),
                **case.fit_kwargs,
            )
            out["loss"] = [float(v) for v in h.history["loss"]]
        else:
            hook.begin(case)
            n, i = len(case.y), 0
            rng = np.random.RandomState(3)
            for ep in range(case.epochs):
                if case.on_epoch_begin:
                    case.on_epoch_begin(ep)
                idx = rng.permutation(n) if case.shuffle else np.arange(n)
                tot = []
                for s in range(0, n - case.batch_size + 1, case.batch_size):
                    j = idx[s : s + case.batch_size]
                    info = case.step(hook, i, case.x[j], case.y[j])
                    info.setdefault("step", i)
                    info.setdefault("inputs", case.x[j])
                    info.setdefault("targets", case.y[j])
                    hook.after_step(info)
                    tot.append(float(info["loss"]))
                    i += 1
                out["loss"].append(float(np.mean(tot)))
                hook.epoch_end(ep, {"loss": out["loss"][-1]})
            hook.end()
    except Exception as e:  # crash cases
        out["exception"] = e
        out["error"] = f"{type(e).__name__}: {str(e).splitlines()[0][:120]}"
    return out


def predictions(case):
    if case.predict is not None:
        return np.asarray(case.predict(case.x), dtype="float64")
    p = [np.asarray(case.model(case.x[s : s + 512], training=False)) for s in range(0, len(case.x), 512)]
    return np.concatenate(p).astype("float64")


def score(case, res):
    kind = case.goal[0]
    if kind == "loss":
        return res["loss"][-1] if res["loss"] else float("nan")
    try:
        p = predictions(case)
    except Exception:
        return float("nan")
    y = np.asarray(case.y_true, dtype="float64")
    if kind == "acc":
        if not np.isfinite(p).all():
            return float("nan")
        if p.ndim == 1 or p.shape[-1] == 1:
            thr = case.goal[2] if len(case.goal) > 2 else 0.5
            return float(((p.reshape(-1) > thr) == (y.reshape(-1) > 0.5)).mean())
        yy = y.argmax(-1) if y.ndim == p.ndim and y.shape[-1] > 1 else y.reshape(p.shape[:-1])
        return float((p.argmax(-1) == yy).mean())
    if kind == "multilabel":
        return float(((p > 0.5) == (y > 0.5)).all(-1).mean())
    if kind == "bits":
        return float(((p > 0.5) == (y > 0.5)).mean())
    if kind == "r2":
        p, y = p.reshape(len(y), -1), y.reshape(len(y), -1)
        return float(1 - ((p - y) ** 2).mean() / y.var(0).mean())
    raise ValueError(kind)


def meets(case, s):
    if not math.isfinite(s):
        return False
    return s <= case.goal[1] if case.goal[0] == "loss" else s >= case.goal[1]
