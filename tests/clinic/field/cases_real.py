"""Re-creations of catalogued real buggy programs (StackOverflow / GitHub), model.fit style.

Written from the facts of each report (architecture, loss, optimiser, fault, fix);
data sets are small scikit-learn/synthetic stand-ins.
"""

from .common import *
from .common import _f

O = keras.optimizers
DL = "DeepLocalize+DeepFD SO#"


@pair(
    "so33969059",
    DL + "33969059",
    ("loss-activation-mismatch", "zero-gradient"),
    "regression of values in the thousands through Dense(1, softmax): prediction is the constant 1",
    "linear output (and scaled target)",
)
def _(bad):
    r = np.random.RandomState(2)
    x = _f(r.rand(600, 4))
    y = _f(x @ [[900.0], [-500.0], [300.0], [1200.0]] + 40 * r.randn(600, 1))
    if not bad:
        y = standardise(y)
    m = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(4, activation="tanh"),
            L.Dropout(0.5 if bad else 0.0),
            L.Dense(8, activation="tanh"),
            L.Dense(1, activation="softmax" if bad else None),
        ]
    )
    return Case(
        model=m,
        loss="mean_squared_error",
        optimizer=O.SGD(0.1, momentum=0.9 if bad else 0.0, nesterov=bad),
        x=x,
        y=y,
        epochs=15,
        batch_size=32,
        goal=("r2", 0.7),
    )


@pair(
    "so55328966",
    DL + "55328966 / defect4ML 100",
    (
        "unscaled-input",
        "loss-activation-mismatch",
        "dead-relu",
        "saturated-activation",
        "exploding-gradient",
        "nonfinite-gradient",
    ),
    "raw 0..255 pixels, linear+relu(L2) layers, sigmoid outputs with categorical CE, plain SGD: loss stays 2.30",
    "divide by 255, softmax, Adam",
)
def _(bad):
    x, y = digits(raw255=bad)
    reg = keras.regularizers.l2(1e-4)
    m = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(64),
            L.Dense(50, activation="relu", kernel_regularizer=reg),
            L.Dense(10, activation="sigmoid" if bad else "softmax", kernel_regularizer=reg),
        ]
    )
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer=O.SGD(0.1) if bad else O.Adam(0.002),
        x=x,
        y=onehot(y),
        epochs=10,
        batch_size=32,
        goal=("acc", 0.85),
    )


@pair(
    "so34311586",
    DL + "34311586 / defect4ML 084",
    ("loss-activation-mismatch", "zero-gradient", "learning-rate-too-small"),
    "XOR, Dense(1, softmax) output, MSE, SGD .001, 20 epochs: loss fixed at .667",
    "sigmoid output, usable init and lr, many epochs",
)
def _(bad):
    x = _f([[1, 1], [0, 0], [1, 0], [0, 1], [1, 1], [0, 0]])
    y = _f([[0], [0], [1], [1], [0], [0]])
    if bad:
        m = mlp(2, [2, 3], 1, "sigmoid", "softmax", init=small_uniform())
        return Case(
            model=m,
            loss="mean_squared_error",
            optimizer=O.SGD(0.001, momentum=0.9, nesterov=True),
            x=x,
            y=y,
            epochs=60,
            batch_size=6,
            goal=("acc", 0.99),
        )
    x, y = np.tile(x, (30, 1)), np.tile(y, (30, 1))
    m = mlp(2, [6, 4], 1, "tanh", "sigmoid")
    return Case(
        model=m,
        loss="mean_squared_error",
        optimizer=O.SGD(0.3, momentum=0.9, nesterov=True),
        x=x,
        y=y,
        epochs=20,
        batch_size=6,
        goal=("acc", 0.99),
    )


@pair(
    "so39525358",
    DL + "39525358",
    ("unscaled-input", "dead-relu", "learning-rate-too-small"),
    "3 unscaled tabular columns (up to 1e6), uniform(+-.05) 12-3-1 relu/sigmoid, BCE, Adam",
    "StandardScaler",
)
def _(bad):
    r = np.random.RandomState(5)
    z = r.randn(400, 3)
    y = _f(z[:, 0] + 0.5 * z[:, 1] > 0)
    x = _f(z * [3.0, 0.2, 8e4] + [40.0, 1.0, 9e5]) if bad else _f(z)
    m = mlp(3, [12, 3], 1, "relu", "sigmoid", init=small_uniform())
    return Case(
        model=m,
        loss="binary_crossentropy",
        optimizer=O.Adam(0.001 if bad else 0.01),
        x=x,
        y=y,
        epochs=40,
        batch_size=8,
        goal=("acc", 0.9),
    )


def _census(n=800):
    r = np.random.RandomState(3)
    z = r.randn(n, 14)
    y = (z[:, 0] + z[:, 1] - z[:, 2] + 0.3 * r.randn(n) > 0.3).astype(int)
    x = z.copy()
    for j in range(14):
        x[:, j] = np.round(z[:, j] * (3 + j % 5) + 10)
    x[:, 12] = np.abs(r.randn(n)) * 1.5e5 + 3e4  # sampling weight
    x[:, 13] = (r.rand(n) < 0.08) * r.rand(n) * 9e4  # capital gain
    return _f(x), y


@pair(
    "so47724077",
    DL + "47724077",
    ("unscaled-input", "exploding-gradient"),
    "census-like table, label-encoded, one column ~2e5, Dense(21,relu)+softmax, Adam: loss ~30, acc = majority",
    "StandardScaler",
)
def _(bad):
    x, y = _census()
    if not bad:
        x = standardise(x)
    m = mlp(14, [21], 2, "relu", "softmax")
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer=O.Adam(0.001 if bad else 0.005),
        x=x,
        y=onehot(y),
        epochs=12,
        batch_size=100 if bad else 32,
        goal=("acc", 0.85),
    )


@pair(
    "so31627380",
    DL + "31627380",
    ("unscaled-input", "exploding-gradient"),
    "Titanic-like: label-encoded unscaled columns (ticket/fare/name id) into Dense(512) softmax(2) Adam: acc ~.58",
    "scaled columns",
)
def _(bad):
    r = np.random.RandomState(8)
    n = 700
    z = r.randn(n, 4)
    y = (z[:, 0] - z[:, 1] > 0).astype(int)
    x = np.c_[
        (z[:, 0] > 0),
        z[:, 0],
        np.round(z[:, 1] * 2 + 3),
        z[:, 2],
        r.permutation(n),
        r.randint(0, 680, n),
        np.abs(z[:, 3]) * 80,
        r.randint(0, 147, n),
        r.randint(0, 3, n),
    ]
    x = _f(x)
    x = x if bad else standardise(x)
    m = keras.Sequential(
        [keras.Input((9,)), L.Dense(512, activation="relu"), L.Dropout(0.5), L.Dense(2, activation="softmax")]
    )
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer="adam",
        x=x,
        y=onehot(y),
        epochs=10,
        batch_size=32,
        goal=("acc", 0.9),
    )


@pair(
    "so59325381",
    DL + "59325381 / defect4ML 098",
    ("label-problem", "constant-data"),
    "integer class labels divided by 255: with sparse CE every label becomes class 0",
    "labels left as integers",
)
def _(bad):
    x, y = digits_img(800)
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same"),
            L.Conv2D(8, 3, padding="same"),
            L.Flatten(),
            L.Dense(32),
            L.Dense(10, activation="softmax"),
        ]
    )
    return Case(
        model=m,
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        x=x,
        y=(y / 255.0).astype("float32") if bad else y,
        y_true=y,
        epochs=6,
        batch_size=32,
        goal=("acc", 0.85),
    )


@pair(
    "so59278771",
    DL + "59278771 / defect4ML 099",
    ("loss-activation-mismatch", "learning-rate-too-small", "dead-relu", "unscaled-input", "poor-initialization"),
    "iris, Dense(4,relu,N(.05)) then 3 SIGMOID units with categorical CE: loss 1.0977, acc .35",
    "MinMax scaling, wider layer, softmax",
    ambiguous=True,
)
def _(bad):
    x, y = tab("iris", False)
    if bad:
        m = mlp(4, [4], 3, "relu", "sigmoid", init=small_normal())
        return Case(
            model=m,
            loss="categorical_crossentropy",
            optimizer="adam",
            x=x,
            y=onehot(y),
            epochs=20,
            batch_size=5,
            goal=("acc", 0.8),
        )
    x = (x - x.min(0)) / (x.max(0) - x.min(0))
    return Case(
        model=mlp(4, [16, 8], 3, "relu", "softmax"),
        loss="categorical_crossentropy",
        optimizer=O.Adam(0.01),
        x=_f(x),
        y=onehot(y),
        epochs=30,
        batch_size=5,
        goal=("acc", 0.8),
    )


@pair(
    "so50079585",
    DL + "50079585",
    ("loss-activation-mismatch", "label-problem", "wrong-loss"),
    "three image classes (labels 0,1,2) on ONE sigmoid unit with BCE: loss runs negative",
    "Dense(3) softmax + categorical CE",
)
def _(bad):
    x, y = digits_img(1200)
    k = y < 3
    x, y = x[k], y[k]
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 2, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dropout(0.3),
            L.Dense(1 if bad else 3, activation="sigmoid" if bad else "softmax"),
        ]
    )
    if bad:
        return Case(
            model=m,
            loss="binary_crossentropy",
            optimizer="rmsprop",
            x=x,
            y=_f(y),
            epochs=15,
            batch_size=16,
            goal=("loss", -1e9),
        )
    return Case(
        model=m,
        loss="sparse_categorical_crossentropy",
        optimizer="rmsprop",
        x=x,
        y=y,
        epochs=15,
        batch_size=16,
        goal=("acc", 0.9),
    )


@pair(
    "so45378493",
    "defect4ML 086 SO#45378493",
    ("loss-activation-mismatch",),
    "sequence net with BatchNorm blocks ending in Dense(1)+softmax, BCE, Adam",
    "sigmoid output",
)
def _(bad):
    r = np.random.RandomState(0)
    x = _f(r.randn(500, 10, 4))
    y = _f(x[:, :, 0].sum(1) > 0)
    m = keras.Sequential(
        [
            keras.Input((10, 4)),
            L.Conv1D(16, 3, padding="same"),
            L.BatchNormalization(),
            L.LeakyReLU(),
            L.Dropout(0.2),
            L.Flatten(),
            L.Dense(32),
            L.BatchNormalization(),
            L.LeakyReLU(),
            L.Dense(1, activation="softmax" if bad else "sigmoid"),
        ]
    )
    return Case(
        model=m, loss="binary_crossentropy", optimizer="adam", x=x, y=y, epochs=10, batch_size=32, goal=("acc", 0.85)
    )


@pair(
    "so47352366",
    DL + "47352366",
    ("loss-activation-mismatch", "nonfinite-gradient", "dead-relu", "exploding-gradient", "zero-gradient"),
    "CNN whose last layer is Dense(10, relu) under categorical CE, bias .1, Adam: NaN / acc .06",
    "softmax output",
)
def _(bad):
    x, y = digits_img(1000)
    b = keras.initializers.Constant(0.1)
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 5, padding="same", activation="relu", bias_initializer=b),
            L.MaxPooling2D(padding="same"),
            L.Conv2D(16, 5, padding="same", activation="relu", bias_initializer=b),
            L.MaxPooling2D(padding="same"),
            L.Flatten(),
            L.Dense(64, activation="relu", bias_initializer=b),
            L.Dropout(0.5),
            L.Dense(10, activation="relu" if bad else "softmax"),
        ]
    )
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer="adam",
        x=x,
        y=onehot(y),
        epochs=10,
        batch_size=50,
        goal=("acc", 0.85),
    )


@pair(
    "so58609115",
    DL + "58609115",
    ("wrong-loss", "loss-activation-mismatch", "unscaled-input", "exploding-gradient"),
    "one unscaled integer input -> many binary outputs, relu output layer with categorical CE: loss 4e4",
    "sigmoid layers + BCE (scaled input)",
)
def _(bad):
    n = 600
    x = np.arange(n).astype("float32")[:, None]
    y = np.stack([(x[:, 0] > t) for t in np.linspace(30, 570, 24)], 1).astype("float32")
    xin = x if bad else (x - 300) / 170
    if bad:
        m = mlp(1, [24, 24], 24, "relu", "relu", init=small_normal())
    else:
        m = mlp(1, [48, 48], 24, "tanh", "sigmoid")
    return Case(
        model=m,
        loss="categorical_crossentropy" if bad else "binary_crossentropy",
        optimizer=O.Adam(0.001 if bad else 0.01),
        x=xin,
        y=y,
        epochs=25,
        batch_size=50,
        goal=("bits", 0.95),
    )


@pair(
    "so42514960",
    "DeepFD (taxonomy) SO#42514960",
    ("loss-activation-mismatch", "saturated-activation", "vanishing-gradient"),
    "auto-encoder of [-1,1] data with relu hidden and SIGMOID output: cannot produce negatives",
    "tanh layers",
)
def _(bad):
    r = np.random.RandomState(0)
    z = r.randn(600, 2)
    x = _f(np.tanh(np.c_[z, z @ r.randn(2, 4)] * 0.8 - 0.6))
    a = "relu" if bad else "tanh"
    m = mlp(6, [12, 12, 3, 12, 12], 6, a, "sigmoid" if bad else "tanh")
    return Case(model=m, loss="mse", optimizer=O.Adam(0.003), x=x, y=x, epochs=30, batch_size=32, goal=("r2", 0.75))


@pair(
    "so51181393",
    "DeepFD (taxonomy) SO#51181393",
    ("learning-rate-too-small", "label-problem", "unscaled-input"),
    "linear model with RMSprop default lr .001 must travel to weights of hundreds: hardly moves",
    "RMSprop lr .1+ ",
)
def _(bad):
    r = np.random.RandomState(0)
    x = _f(r.uniform(-1, 1, (300, 1)))
    y = _f(25 * x + 40 + r.randn(300, 1))
    m = keras.Sequential([keras.Input((1,)), L.Dense(1)])
    return Case(
        model=m,
        loss="mse",
        optimizer=O.RMSprop(0.001 if bad else 0.1),
        x=x,
        y=y,
        epochs=60,
        batch_size=32,
        goal=("r2", 0.9),
    )


@pair(
    "so47932589",
    "DeepFD (BugRepair20) SO#47932589",
    ("unscaled-input", "label-problem", "saturated-activation", "learning-rate-too-small", "exploding-gradient"),
    "LSTM-less forecaster fed raw series (thousands) into tanh layers, raw targets",
    "min-max scaling of x and y",
)
def _(bad):
    t = np.arange(700)
    s = 4000 + 900 * np.sin(t / 15.0) + 300 * np.sin(t / 4.0)
    w = 10
    x = _f([s[i : i + w] for i in range(len(s) - w)])
    y = _f(s[w:])[:, None]
    if not bad:
        x, y = (x - 2800) / 2400, (y - 2800) / 2400
    m = mlp(w, [24, 24], 1, "tanh", None)
    return Case(
        model=m,
        loss="mse",
        optimizer=O.Adam(0.001 if bad else 0.005),
        x=x,
        y=y,
        epochs=20,
        batch_size=32,
        goal=("r2", 0.9),
    )


@pair(
    "so37213388",
    "DeepFD (BugRepair20) SO#37213388",
    ("healthy", "learning-rate-too-small"),
    "nothing wrong but 2 epochs: under-trained",
    "10x the epochs",
    ambiguous=True,
)
def _(bad):
    x, y = digits_img(800)
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    return Case(
        model=m,
        loss="sparse_categorical_crossentropy",
        optimizer=O.Adam(0.001),
        x=x,
        y=y,
        epochs=2 if bad else 20,
        batch_size=32,
        goal=("acc", 0.9),
    )


@pair(
    "so41977498",
    "DeepFD (taxonomy) SO#41977498",
    ("learning-rate-too-small", "healthy"),
    "rmsprop default lr, 10 epochs on few samples: barely trained",
    "Adam .01, 100 epochs",
    ambiguous=True,
)
def _(bad):
    x, y = tab("wine")
    m = mlp(13, [8], 3, "sigmoid", "softmax", init=small_uniform())
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer=O.RMSprop(0.001) if bad else O.Adam(0.01),
        x=x,
        y=onehot(y),
        epochs=10 if bad else 60,
        batch_size=32,
        goal=("acc", 0.9),
    )


@pair(
    "gh_melbourne",
    "DeepLocalize GitHub yetanotherdeveloper/kaggle-melbourne_properties@3d11b40",
    ("label-problem", "unscaled-input", "learning-rate-too-small", "saturated-activation", "exploding-gradient"),
    "house prices (~1e6) as raw targets, tanh 20-20 linear, Adam .001: MAE 922165, never reaches the scale",
    "scaled target",
)
def _(bad):
    r = np.random.RandomState(0)
    x = _f(r.randn(500, 7))
    y = x @ r.randn(7, 1) + 0.1 * r.randn(500, 1)
    y = _f(1e6 + 2.5e5 * y) if bad else standardise(y)
    m = mlp(7, [20, 20], 1, "tanh", None, init="glorot_normal")
    return Case(
        model=m,
        loss="mean_squared_error",
        optimizer=O.Adam(0.001 if bad else 0.005),
        x=x,
        y=y,
        epochs=20,
        batch_size=32,
        goal=("r2", 0.8),
    )


@pair(
    "gh_kerasma_xor_sigmoid",
    "defect4ML 046 DanilaEremenko/NeuralNetwork@eba6bed",
    ("learning-rate-too-small", "vanishing-gradient", "saturated-activation"),
    "XOR with sigmoid units under MSE and SGD .01: sits at .5",
    "lr 1.0 + momentum, tanh hidden",
)
def _(bad):
    x = _f([[0, 0], [0, 1], [1, 0], [1, 1]] * 25)
    y = _f([[0], [1], [1], [0]] * 25)
    m = mlp(2, [8], 1, "sigmoid" if bad else "tanh", "sigmoid")
    return Case(
        model=m,
        loss="mse",
        optimizer=O.SGD(0.01) if bad else O.SGD(0.5, momentum=0.9),
        x=x,
        y=y,
        epochs=20,
        batch_size=4,
        goal=("acc", 0.99),
    )


# --------------------------------------------------------------- UMLAUT study bugs
@pair(
    "umlaut_a_logits",
    "UMLAUT user_eval/eval_a.py (missing softmax)",
    ("loss-activation-mismatch", "nonfinite-gradient", "zero-gradient", "wrong-loss"),
    "linear Dense(10) logits fed to sparse CE that expects probabilities (from_logits=False)",
    "from_logits=True",
)
def _(bad):
    x, y = digits_img(800)
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(10),
        ]
    )
    return Case(
        model=m,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=not bad),
        optimizer="adam",
        x=x,
        y=y,
        epochs=10,
        batch_size=32,
        goal=("acc", 0.85),
    )


# --------------------------------------------------------------- AUTOTRAINER families


# --------------------------------------------------------------- DeepCrime mutants of the FL study
@pair(
    "dc_zero_init_first",
    "Humbatova FL study mutant mnist_change_weights_initialisation_zeros_0 (WCI)",
    ("poor-initialization", "zero-gradient", "dead-relu"),
    "first conv layer initialised to zeros under relu: everything above sees 0",
    "glorot init",
)
def _(bad):
    x, y = digits_img(800)
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu", kernel_initializer="zeros" if bad else "glorot_uniform"),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer=O.Adam(0.003),
        x=x,
        y=onehot(y),
        epochs=10,
        batch_size=64,
        goal=("acc", 0.85),
    )


@pair(
    "dc_ones_init",
    "Humbatova FL study mutant reuters_change_weights_initialisation_ones_0 (WCI)",
    ("poor-initialization", "exploding-gradient", "saturated-activation"),
    "hidden kernels initialised to ones: all units identical",
    "glorot init",
)
def _(bad):
    x, y = digits(800)
    m = mlp(64, [32, 32], 10, "relu", "softmax", init="ones" if bad else "glorot_uniform")
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer=O.Adam(0.001 if bad else 0.003),
        x=x,
        y=onehot(y),
        epochs=10,
        batch_size=32,
        goal=("acc", 0.85),
    )


@pair(
    "dc_lr_one",
    "Humbatova FL study mutant reuters_change_learning_rate_1 (HLR)",
    ("learning-rate-too-large", "dead-relu", "exploding-gradient", "nonfinite-gradient"),
    "Adam with learning rate 1",
    "Adam .003",
)
def _(bad):
    r = np.random.RandomState(0)
    x = _f(r.rand(800, 60) < 0.1)
    y = x @ r.randn(60, 5)
    y = y.argmax(1)
    m = mlp(60, [64, 32], 5, "relu", "softmax")
    return Case(
        model=m,
        loss="categorical_crossentropy",
        optimizer=O.Adam(1.0 if bad else 0.003),
        x=x,
        y=onehot(y),
        epochs=12,
        batch_size=32,
        goal=("acc", 0.85),
    )


@single(
    "nl_softmax_from_logits_keras3",
    "NeuraLint TF_lenet_double_activation; Keras 3 _keras_logits",
    ("healthy", "loss-activation-mismatch"),
    "Dense(softmax) directly under from_logits=True: wrong on paper, but Keras 3 silently uses the cached logits and it trains",
    ambiguous=True,
)
def _():
    x, y = digits_img(800)
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    return Case(
        model=m,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=O.Adam(0.003),
        x=x,
        y=y,
        epochs=10,
        batch_size=32,
        goal=("loss", 0.5),
    )


# --------------------------------------------------------------- GitHub issues


@pair(
    "gh_frozen_model",
    "keras-team/keras#4910, tensorflow#29535, keras#13404",
    ("frozen-weights",),
    "base.trainable=False set on the whole stack; only the output bias of a rescaling layer trains",
    "layers trainable",
)
def _(bad):
    x, y = digits(800)
    base = keras.Sequential([keras.Input((64,)), L.Dense(48, activation="relu"), L.Dense(10)], name="base")
    base.trainable = not bad
    m = keras.Sequential([keras.Input((64,)), base, L.BatchNormalization(scale=False), L.Activation("softmax")])
    return Case(
        model=m,
        loss="sparse_categorical_crossentropy",
        optimizer=O.Adam(0.003),
        x=x,
        y=y,
        epochs=12,
        batch_size=32,
        goal=("acc", 0.85),
    )


@pair(
    "gh_clip_zeroish",
    "tensorflow#33929 (clipnorm ~ 0)",
    ("clipping-too-tight",),
    "SGD with clipnorm=1e-9: the step is clipped away",
    "clipnorm=1",
)
def _(bad):
    x, y = digits(800)
    return Case(
        model=mlp(64, [48], 10, "relu", "softmax"),
        loss="sparse_categorical_crossentropy",
        optimizer=O.SGD(0.1, momentum=0.9, clipnorm=1e-9 if bad else 1.0),
        x=x,
        y=y,
        epochs=8,
        batch_size=32,
        goal=("acc", 0.85),
    )


class NoAssignSGD(O.SGD):
    """Update rule that computes the new value and forgets to store it."""

    def update_step(self, gradient, variable, learning_rate):
        _ = variable - keras.ops.cast(learning_rate, variable.dtype) * keras.ops.cast(gradient, variable.dtype)


class _TFVarDense(keras.layers.Layer):
    def __init__(self, units, n_in, track, activation=None):
        super().__init__()
        init = np.random.RandomState(units).randn(n_in, units).astype("float32") * 0.02
        if track:
            self.w = self.add_weight(shape=(n_in, units), initializer=keras.initializers.Constant(0.0))
            self.w.assign(init * 50 / np.sqrt(n_in))
        else:
            self.w = tf.Variable(init)
        self.act = keras.activations.get(activation)

    def call(self, x):
        return self.act(keras.ops.matmul(x, keras.ops.convert_to_tensor(self.w)))


@pair(
    "gh_keras3_tfvariable_layer",
    "Keras 2->3 migration (keras 3 layers do not collect tf.Variable)",
    ("updates-not-applied", "frozen-weights", "no-gradient"),
    "custom layers keep their kernel in tf.Variable, which Keras 3 does not list as trainable: only a bias trains",
    "add_weight",
)
def _(bad):
    x, y = digits(800)
    m = keras.Sequential(
        [
            keras.Input((64,)),
            _TFVarDense(48, 64, not bad, "relu"),
            _TFVarDense(10, 48, not bad),
            L.BatchNormalization(scale=False),
            L.Activation("softmax"),
        ]
    )
    return Case(
        model=m,
        loss="sparse_categorical_crossentropy",
        optimizer=O.Adam(0.003),
        x=x,
        y=y,
        epochs=12,
        batch_size=32,
        goal=("acc", 0.85),
    )
