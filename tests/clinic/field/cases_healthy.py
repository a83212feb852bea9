"""Stand-alone healthy programs of tricky kinds (a verdict other than healthy is a false alarm)."""

from .cases_synth import dig
from .cases_tape import digcase
from .common import *
from .common import _f

O = keras.optimizers
H = ("healthy",)


def h(name, desc, source="tricky healthy", **kw):
    return single("h_" + name, source, H, desc, **kw)


@h("finetune_tiny_lr", "already trained model fine-tuned with Adam 1e-5: low loss, tiny steps, nothing wrong")
def _():
    x, y = digits(800)
    m = mlp(64, [48], 10, "relu", "softmax")
    m.compile(O.Adam(0.003), "sparse_categorical_crossentropy")
    m.fit(x, y, epochs=15, verbose=0)
    return dig(model=m, optimizer=O.Adam(1e-5), epochs=6, goal=("acc", 0.95))


@h("embedding_sparse_rows", "20000-row embedding, only ~200 rows ever looked up: most rows never move")
def _():
    r = np.random.RandomState(0)
    x = r.randint(0, 200, (800, 10)) * 97
    w = r.randn(20000)
    y = _f(w[x].sum(1) > 0)
    m = keras.Sequential(
        [keras.Input((10,)), L.Embedding(20000, 8), L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")]
    )
    return Case(
        model=m,
        loss="binary_crossentropy",
        optimizer=O.Adam(0.02),
        x=x,
        y=y,
        epochs=10,
        batch_size=32,
        goal=("acc", 0.9),
    )


@h(
    "batchnorm_moving_stats",
    "CNN with BatchNorm: moving mean/var change without gradients",
    "tensorflow#45582 (user mistook non-trainable weights for stuck ones)",
)
def _():
    x, y = digits_img(800)
    m = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.Conv2D(16, 3, use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.GlobalAveragePooling2D(),
            L.Dense(10, activation="softmax"),
        ]
    )
    return Case(
        model=m,
        loss="sparse_categorical_crossentropy",
        optimizer=O.Adam(0.005),
        x=x,
        y=y,
        epochs=15,
        batch_size=32,
        goal=("acc", 0.85),
    )


class Warm(O.schedules.LearningRateSchedule):
    def __init__(self, peak, n):
        self.peak, self.n = peak, n

    def __call__(self, s):
        return self.peak * keras.ops.minimum(keras.ops.cast(s, "float32") / self.n, 1.0)

    def get_config(self):
        return dict(peak=self.peak, n=self.n)


@h("cosine_to_zero", "CosineDecay that ends at lr ~0 on the last step")
def _():
    return dig(optimizer=O.Adam(O.schedules.CosineDecay(0.008, 25 * 15)), epochs=15)


@h("clipnorm_active", "clipnorm .05 clips every step of an LSTM, still learns well (Adam)")
def _():
    r = np.random.RandomState(0)
    x = _f(r.randn(500, 15, 3))
    y = _f(x[:, -4:, 0].sum(1) > 0)
    m = keras.Sequential([keras.Input((15, 3)), L.LSTM(16), L.Dense(1, activation="sigmoid")])
    return Case(
        model=m,
        loss="binary_crossentropy",
        optimizer=O.Adam(0.01, clipnorm=0.05),
        x=x,
        y=y,
        epochs=10,
        batch_size=32,
        goal=("acc", 0.88),
    )


@h("gru", "GRU sequence classifier")
def _():
    r = np.random.RandomState(0)
    x = _f(r.randn(500, 12, 4))
    y = _f(x[:, :, 1].mean(1) > 0)
    m = keras.Sequential([keras.Input((12, 4)), L.GRU(16), L.Dense(1, activation="sigmoid")])
    return Case(
        model=m,
        loss="binary_crossentropy",
        optimizer=O.Adam(0.01),
        x=x,
        y=y,
        epochs=10,
        batch_size=32,
        goal=("acc", 0.88),
    )


@h("transformer_block", "one pre-norm attention block on token sequences")
def _():
    r = np.random.RandomState(0)
    x = r.randint(1, 40, (700, 10))
    y = _f((x == 7).any(1) | (x == 3).any(1))
    i = keras.Input((10,))
    e = L.Embedding(40, 16)(i)
    n = L.LayerNormalization()(e)
    e = e + L.MultiHeadAttention(2, 8)(n, n)
    n = L.LayerNormalization()(e)
    e = e + L.Dense(16)(L.Dense(32, activation="gelu")(n))
    o = L.Dense(1, activation="sigmoid")(L.GlobalMaxPooling1D()(e))
    return Case(
        model=keras.Model(i, o),
        loss="binary_crossentropy",
        optimizer=O.Adam(0.003),
        x=x,
        y=y,
        epochs=14,
        batch_size=32,
        goal=("acc", 0.9),
    )


@h(
    "lso_first_steps_skipped",
    "loss scale starts at 2**40: the first ~15 steps are skipped, then it trains (normal dynamic scaling)",
)
def _():
    m = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(48, activation="relu", dtype="mixed_float16"),
            L.Dense(10, dtype="mixed_float16"),
            L.Activation("softmax", dtype="float32"),
        ]
    )
    return dig(model=m, optimizer=O.LossScaleOptimizer(O.Adam(0.003), initial_scale=2.0**40), epochs=15)


@h("mixed_bfloat16", "mixed_bfloat16 layers (float32 variables)")
def _():
    m = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(48, activation="relu", dtype="mixed_bfloat16"),
            L.Dense(10, dtype="mixed_bfloat16"),
            L.Activation("softmax", dtype="float32"),
        ]
    )
    return dig(model=m, epochs=15)


@h("noisy_regression_floor", "80% noise in the target: loss plateaus after two epochs at its floor")
def _():
    r = np.random.RandomState(0)
    x = _f(r.randn(1500, 5))
    y = _f(x @ r.randn(5, 1))
    y = standardise(y) + 1.5 * _f(r.randn(1500, 1))
    return Case(
        model=mlp(5, [], 1), loss="mse", optimizer=O.Adam(0.02), x=x, y=y, epochs=12, batch_size=32, goal=("r2", 0.25)
    )


class _VAE(keras.Model):
    def __init__(s, tracked=True):
        super().__init__()
        s.e = mlp(64, [32], 8, "relu", None)
        s.d = mlp(4, [32], 64, "relu", "sigmoid")
        s.tracked = tracked
        s.lt = keras.metrics.Mean(name="loss")

    @property
    def metrics(s):
        return [s.lt] if s.tracked else super().metrics

    def call(s, x):
        return s.d(s.e(x)[:, :4])

    def train_step(s, data):
        x = data[0] if isinstance(data, tuple) else data
        with tf.GradientTape() as t:
            z = s.e(x, training=True)
            mu, lv = z[:, :4], z[:, 4:]
            q = s.d(mu + tf.exp(0.5 * lv) * tf.random.normal(tf.shape(mu)), training=True)
            loss = tf.reduce_mean(tf.reduce_sum(tf.square(x - q), -1)) - 0.01 * tf.reduce_mean(
                tf.reduce_sum(1 + lv - mu**2 - tf.exp(lv), -1)
            )
        vs = s.e.trainable_variables + s.d.trainable_variables
        g = t.gradient(loss, vs)
        s.optimizer.apply_gradients(zip(g, vs))
        if s.tracked:
            s.lt.update_state(loss)
            return {"loss": s.lt.result()}
        return {"loss": loss}


@h("vae_custom_train_step", "VAE with its own train_step: reconstruction + KL, loss tracked by a Mean metric")
def _():
    x, y = digits(1000)
    m = _VAE()
    m(x[:2])
    return Case(
        model=m,
        loss=None,
        optimizer=O.Adam(0.005),
        x=x,
        y=x,
        epochs=20,
        batch_size=32,
        goal=("r2", 0.35),
        variables=lambda: m.e.weights + m.d.weights,
    )


@h(
    "vae_reported_loss_is_zero",
    "same, but train_step returns {'loss': loss} without a tracker: Keras 3 prints loss 0.0 for ever although it trains",
)
def _():
    x, y = digits(1000)
    m = _VAE(False)
    m(x[:2])
    return Case(
        model=m,
        loss=None,
        optimizer=O.Adam(0.005),
        x=x,
        y=x,
        epochs=20,
        batch_size=32,
        goal=("r2", 0.35),
        variables=lambda: m.e.weights + m.d.weights,
    )


@h("dropout_half", "Dropout(.5): noisy loss, learns")
def _():
    m = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(96, activation="relu"),
            L.Dropout(0.5),
            L.Dense(48, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    return dig(model=m, epochs=15)


@h("few_epochs_healthy", "perfectly good program stopped after 3 epochs")
def _():
    return dig(epochs=3, goal=("acc", 0.6), optimizer=O.Adam(0.005))


@h(
    "unused_trainable_variable",
    "an auxiliary head exists but is not part of the loss this run (its variables get None): main task fine",
    ambiguous=True,
)
def _():
    m = mlp(64, [32], 10, "relu", "softmax")
    aux = mlp(64, [8], 2, "relu", "softmax")
    opt = O.Adam(0.005)
    vs = m.trainable_variables + aux.trainable_variables
    opt.build(vs)
    from .common import std_step

    return digcase(m, std_step(m, scce, opt, variables=lambda: vs), opt=opt, variables=lambda: vs)
