"""model.fit cases for fault classes that have no single catalogued program (fault-class seeds)."""

from .common import *
from .common import _f

O = keras.optimizers
S = "fault class of the question"


def dig(bad=False, **kw):
    x, y = digits(800)
    d = dict(
        model=mlp(64, [48], 10, "relu", "softmax"),
        loss="sparse_categorical_crossentropy",
        optimizer=O.Adam(0.003),
        x=x,
        y=y,
        epochs=12,
        batch_size=32,
        goal=("acc", 0.88),
    )
    d.update(kw)
    return Case(**d)


@pair("lr_1e-10_adam", S, ("learning-rate-too-small", "update-below-precision"), "Adam lr=1e-10", "Adam lr .003")
def _(bad):
    return dig(optimizer=O.Adam(1e-10 if bad else 0.003))


@pair(
    "lr_3e-6_adam_cnn",
    S,
    ("learning-rate-too-small",),
    "Adam lr=3e-6 on a CNN: loss moves in the 3rd digit only",
    "Adam lr .003",
)
def _(bad):
    x, y = digits_img(800)
    m = keras.Sequential(
        [keras.Input((8, 8, 1)), L.Conv2D(16, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(10)]
    )
    return Case(
        model=m,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=O.Adam(3e-6 if bad else 0.005),
        x=x,
        y=y,
        epochs=12,
        batch_size=32,
        goal=("acc", 0.85),
    )


@pair(
    "lr_zero_schedule",
    S,
    ("learning-rate-zero",),
    "PolynomialDecay(decay_steps=8) given epochs instead of steps: lr is 0 from step 8",
    "decay over all steps",
)
def _(bad):
    sch = O.schedules.PolynomialDecay(0.01 if bad else 0.01, 8 if bad else 300, 0.0)
    return dig(optimizer=O.SGD(sch) if bad else O.Adam(sch))


@pair(
    "adam_epsilon_1e3",
    S,
    ("optimizer-misconfigured", "learning-rate-too-small"),
    "Adam(epsilon=1e3) shrinks every step",
    "epsilon 1e-7",
)
def _(bad):
    return dig(optimizer=O.Adam(0.003, epsilon=1e3 if bad else 1e-7))


@pair("clipvalue_1e-8", S, ("clipping-too-tight",), "SGD clipvalue=1e-8", "clipvalue .5")
def _(bad):
    return dig(optimizer=O.SGD(0.1, momentum=0.9, clipvalue=1e-8 if bad else 0.5))


@pair("global_clipnorm_1e-6", S, ("clipping-too-tight",), "SGD global_clipnorm=1e-6", "global_clipnorm 1")
def _(bad):
    return dig(optimizer=O.SGD(0.1, momentum=0.9, global_clipnorm=1e-6 if bad else 1.0))


@pair(
    "all_zero_init",
    S,
    ("poor-initialization", "zero-gradient"),
    "every kernel zero under relu: only the output bias learns",
    "glorot",
)
def _(bad):
    return dig(model=mlp(64, [48, 32], 10, "relu", "softmax", init="zeros" if bad else "glorot_uniform"))


@pair(
    "dead_relu_bias",
    S,
    ("dead-relu", "poor-initialization", "zero-gradient"),
    "relu biases initialised to -100: no unit ever fires",
    "zero bias",
)
def _(bad):
    return dig(
        model=mlp(64, [48, 32], 10, "relu", "softmax", bias=keras.initializers.Constant(-100.0) if bad else "zeros")
    )


@pair(
    "uint8_sigmoid",
    S,
    ("unscaled-input", "saturated-activation"),
    "uint8 0..255 images into a sigmoid MLP: units saturated at init",
    "/255",
)
def _(bad):
    x, y = digits(800, raw255=True)
    x = x.astype("uint8") if bad else x / 255.0
    return dig(
        model=mlp(64, [32, 32], 10, "sigmoid", "softmax", init=keras.initializers.RandomNormal(stddev=0.5)),
        x=x,
        optimizer=O.SGD(0.02 if bad else 1.0),
        epochs=25,
    )


@pair("deep_sigmoid_12", S, ("vanishing-gradient", "saturated-activation"), "12 sigmoid layers, Adam", "relu")
def _(bad):
    return dig(
        model=mlp(
            64,
            [32] * 12 if bad else [32] * 4,
            10,
            "sigmoid" if bad else "relu",
            "softmax",
            init="glorot_uniform" if bad else "he_normal",
        ),
        epochs=8 if bad else 15,
        optimizer=O.Adam(0.001),
    )


@pair(
    "frozen_all_but_bias",
    S,
    ("frozen-weights",),
    "all kernels of the model set trainable=False by a loop meant for the base; random features + frozen head",
    "head unfrozen",
)
def _(bad):
    m = mlp(64, [48], 10, "relu", None)
    m.add(L.BatchNormalization(center=True, scale=False))
    m.add(L.Activation("softmax"))
    if bad:
        for l in m.layers[:2]:
            l.trainable = False
    return dig(model=m)


@pair(
    "frozen_embedding",
    S,
    ("frozen-weights",),
    "embedding table random AND trainable=False while everything depends on it (2-d, pooled)",
    "trainable embedding",
)
def _(bad):
    r = np.random.RandomState(0)
    x = r.randint(0, 400, (800, 8))
    w = r.randn(400)
    y = _f(w[x].sum(1) > 0)
    e = L.Embedding(400, 2, trainable=not bad)
    m = keras.Sequential([keras.Input((8,)), e, L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")])
    return Case(
        model=m,
        loss="binary_crossentropy",
        optimizer=O.Adam(0.02),
        x=x,
        y=y,
        epochs=12,
        batch_size=32,
        goal=("acc", 0.9),
    )


@pair(
    "labels_constant",
    S,
    ("constant-data", "label-problem"),
    "every label is class 3 (broken label reader)",
    "real labels",
)
def _(bad):
    x, y = digits(800)
    return dig(y=np.full_like(y, 3) if bad else y, y_true=y)


@pair(
    "inputs_same_row",
    S,
    ("constant-data", "no-learning-signal"),
    "generator yields the same sample every time (with the right labels)",
    "real inputs",
)
def _(bad):
    x, y = digits(800)
    return dig(x=np.repeat(x[:1], len(x), 0) if bad else x)


@pair(
    "nan_in_inputs", S, ("nonfinite-input", "nonfinite-gradient"), "2% of the table cells are NaN", "NaN imputed with 0"
)
def _(bad):
    x, y = bc()
    r = np.random.RandomState(0)
    x = x.copy()
    x[r.rand(*x.shape) < 0.02] = np.nan
    if not bad:
        x = np.nan_to_num(x)
    return Case(
        model=mlp(30, [24], 1, "relu", "sigmoid"),
        loss="binary_crossentropy",
        optimizer=O.Adam(0.003),
        x=x,
        y=y,
        epochs=12,
        batch_size=32,
        goal=("acc", 0.9),
    )


@pair(
    "inf_in_labels",
    S,
    ("label-problem", "nonfinite-gradient", "nonfinite-input"),
    "a log-transformed target with log(0) = -inf rows",
    "log1p",
)
def _(bad):
    x, y = diabetes(False)
    y = y - y.min()
    with np.errstate(divide="ignore"):
        t = np.log(y) if bad else standardise(np.log1p(y + 20))
    return Case(
        model=mlp(10, [32], 1),
        loss="mse",
        optimizer=O.Adam(0.005),
        x=x,
        y=_f(t),
        epochs=30,
        batch_size=32,
        goal=("r2", 0.35),
    )


@pair(
    "labels_out_of_range",
    S,
    ("label-problem",),
    "classes numbered 1..10 with a 10-unit output: InvalidArgument on CPU",
    "0..9",
    crash=True,
)
def _(bad):
    x, y = digits(800)
    return dig(y=y + 1 if bad else y)


@pair(
    "multi_output_loss_weight_zero",
    S,
    ("zero-gradient", "no-learning-signal", "wrong-loss"),
    "loss_weights=0 for the head that matters: its branch gets zero gradient",
    "weight 1",
)
def _(bad):
    x, y = digits(800)
    m = mlp(64, [48], 10, "relu", "softmax")
    c = dig(model=m)
    c.compile_kwargs = dict(loss_weights=[0.0 if bad else 1.0])
    return c
