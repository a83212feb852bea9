"""Custom GradientTape-loop cases."""

from .common import *
from .common import _f

O = keras.optimizers
G = "TF autodiff guide, 'cases where gradient returns None'"
S = "fault class of the question"


def lin(n=400, d=6, seed=0, scale=1.0):
    r = np.random.RandomState(seed)
    x = _f(r.randn(n, d))
    y = _f(x @ r.randn(d, 1) * scale + 0.05 * r.randn(n, 1))
    return x, y


def raw_vars(d=6, h=16, seed=0):
    r = np.random.RandomState(seed)
    return [
        tf.Variable(_f(r.randn(d, h) * 0.4), name="W1"),
        tf.Variable(np.zeros(h, "float32"), name="b1"),
        tf.Variable(_f(r.randn(h, 1) * 0.3), name="W2"),
        tf.Variable(np.zeros(1, "float32"), name="b2"),
    ]


def fwd(v, x):
    return tf.tanh(x @ v[0] + v[1]) @ v[2] + v[3]


def rawcase(step, vs, x, y, epochs=15, **kw):
    d = dict(
        style="tape",
        step=step,
        variables=vs if callable(vs) else (lambda: vs),
        x=x,
        y=y,
        epochs=epochs,
        batch_size=32,
        goal=("r2", 0.8),
    )
    d.update(kw)
    if "predict" not in d:
        d["predict"] = lambda X: fwd(d["variables"](), X)
    return Case(**d)


def digcase(model, step, n=600, epochs=15, opt=None, loss=scce, goal=("acc", 0.85), **kw):
    x, y = digits(n)
    return Case(
        model=model,
        style="tape",
        step=step,
        x=x,
        y=y,
        epochs=epochs,
        batch_size=32,
        goal=goal,
        optimizer=opt,
        loss=loss,
        **kw,
    )


@pair(
    "t_variable_replaced_by_tensor",
    G + " #1 (variable replaced by a tensor)",
    ("no-gradient",),
    "w = w - lr*g rebinds a Variable to a Tensor: None from the 2nd step",
    "assign_sub",
)
def _(bad):
    x, y = lin()
    v = raw_vars()
    lr = 0.05

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = fwd(v, xb)
            loss = mse(yb, p)
        g = h.gradient(t, loss, v)
        for k in range(4):
            if g[k] is None:
                continue
            if bad:
                v[k] = v[k] - lr * g[k]
            else:
                v[k].assign_sub(lr * g[k])
        return dict(loss=loss, grads=g, variables=list(v), optimizer=None, y_pred=p)

    return rawcase(step, lambda: v, x, y)


@pair(
    "t_int_cast", G + " #3 (integer path)", ("no-gradient",), "predictions cast to int32 before the loss", "float loss"
)
def _(bad):
    x, y = lin(scale=3.0)
    v = raw_vars()
    opt = O.Adam(0.02)

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = fwd(v, xb)
            q = tf.cast(tf.cast(p, tf.int32), tf.float32) if bad else p
            loss = mse(yb, q)
        g = h.gradient(t, loss, v)
        h.apply(opt, g, v)
        return dict(loss=loss, grads=g, variables=v, optimizer=opt, y_pred=p)

    return rawcase(step, v, x, y)


@pair(
    "t_assign_in_forward",
    "tensorflow#54532 (assign inside the call)",
    ("no-gradient",),
    "forward pass reads parameters through a state variable written with assign()",
    "use the parameters directly",
)
def _(bad):
    x, y = lin()
    v = raw_vars()
    opt = O.Adam(0.02)
    buf = [tf.Variable(tf.zeros_like(a)) for a in v]

    def step(h, i, xb, yb):
        with h.tape() as t:
            if bad:
                for b, a in zip(buf, v):
                    b.assign(a * 1.0)
            p = fwd(buf if bad else v, xb)
            loss = mse(yb, p)
        g = h.gradient(t, loss, v)
        h.apply(opt, g, v)
        return dict(loss=loss, grads=g, variables=v, optimizer=opt, y_pred=p)

    return rawcase(step, v, x, y)


@pair(
    "t_no_gradient_crash",
    S,
    ("no-gradient",),
    "same, with apply_gradients called directly: ValueError 'No gradients provided'",
    "inside",
    crash=True,
)
def _(bad):
    m = mlp(64, [32], 10, "relu", "softmax")
    opt = O.Adam(0.005)

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = m(xb, training=True)
            loss = scce(yb, tf.stop_gradient(p) if bad else p)
        g = h.gradient(t, loss, m.trainable_variables)
        opt.apply_gradients(zip(g, m.trainable_variables))
        return dict(loss=loss, grads=g, variables=m.trainable_variables, optimizer=opt, y_pred=p)

    return digcase(m, step, opt=opt)


@pair(
    "t_apply_never_called", S, ("updates-not-applied",), "gradients computed, apply_gradients never called", "call it"
)
def _(bad):
    m = mlp(64, [32], 10, "relu", "softmax")
    opt = O.Adam(0.005)

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = m(xb, training=True)
            loss = scce(yb, p)
        g = h.gradient(t, loss, m.trainable_variables)
        if not bad:
            h.apply(opt, g, m.trainable_variables)
        return dict(loss=loss, grads=g, variables=m.trainable_variables, optimizer=opt, y_pred=p)

    return digcase(m, step, opt=opt)


@pair(
    "t_apply_to_other_model",
    "pyod#459-like (optimizer wired to another model's variables)",
    ("updates-not-applied",),
    "gradients of the online net are applied to the target net's variables",
    "apply to the online net",
)
def _(bad):
    m = mlp(64, [32], 10, "relu", "softmax")
    tgt = mlp(64, [32], 10, "relu", "softmax")
    opt = O.Adam(0.005)

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = m(xb, training=True)
            loss = scce(yb, p)
        g = h.gradient(t, loss, m.trainable_variables)
        h.apply(opt, g, (tgt if bad else m).trainable_variables)
        return dict(loss=loss, grads=g, variables=m.trainable_variables, optimizer=opt, y_pred=p)

    return digcase(m, step, opt=opt)


@pair(
    "t_stale_optimizer_after_rebuild",
    S,
    ("updates-not-applied",),
    "model object rebuilt after step 3 but the loop keeps applying to the list of variables captured before",
    "re-capture",
)
def _(bad):
    mk = lambda: mlp(64, [32], 10, "relu", "softmax")
    box = [mk()]
    opt = O.SGD(0.3)
    cap = [list(box[0].trainable_variables)]

    def step(h, i, xb, yb):
        if i == 3:
            box[0] = mk()
            if not bad:
                cap[0] = list(box[0].trainable_variables)
        m = box[0]
        with h.tape() as t:
            p = m(xb, training=True)
            loss = scce(yb, p)
        g = h.gradient(t, loss, m.trainable_variables)
        for gi, vi in zip(g, cap[0]):
            vi.assign_sub(0.3 * gi)
        return dict(loss=loss, grads=g, variables=m.trainable_variables, optimizer=opt, y_pred=p)

    c = digcase(None, step, opt=opt)
    c.variables = lambda: box[0].trainable_variables
    c.predict = lambda X: box[0](X)
    return c


@pair(
    "t_subset_of_variables",
    S,
    ("updates-not-applied", "frozen-weights", "no-gradient"),
    "only the output calibration layer's variables are passed to tape.gradient",
    "all variables",
)
def _(bad):
    m = mlp(64, [32], 10, "relu", None)
    cal = L.Dense(1, kernel_initializer="ones")
    cal.build((None, 1))
    opt = O.Adam(0.005)

    def vs():
        return cal.trainable_variables if bad else m.trainable_variables + cal.trainable_variables

    def fw(x):
        return tf.reshape(cal(tf.reshape(m(x), [-1, 1])), [-1, 10])

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = fw(xb)
            loss = scce_logits(yb, p)
        g = h.gradient(t, loss, vs())
        h.apply(opt, g, vs())
        return dict(loss=loss, grads=g, variables=vs(), optimizer=opt, y_pred=p)

    c = digcase(m, step, opt=opt)
    c.variables = lambda: m.trainable_variables + cal.trainable_variables
    c.predict = fw
    return c


@pair("t_argmax_loss", S, ("no-gradient",), "loss built on argmax class ids", "cross-entropy")
def _(bad):
    m = mlp(64, [32], 10, "relu", "softmax")
    opt = O.Adam(0.005)

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = m(xb, training=True)
            loss = (
                tf.reduce_mean(tf.cast(tf.argmax(p, -1) != tf.cast(yb, tf.int64), tf.float32)) if bad else scce(yb, p)
            )
        g = h.gradient(t, loss, m.trainable_variables)
        h.apply(opt, g, m.trainable_variables)
        return dict(loss=loss, grads=g, variables=m.trainable_variables, optimizer=opt, y_pred=p)

    return digcase(m, step, opt=opt)


@pair(
    "t_round_output",
    S,
    ("no-gradient", "zero-gradient"),
    "tf.round on the output: the op has no gradient",
    "no rounding",
)
def _(bad):
    x, y = lin(scale=3.0)
    v = raw_vars()
    opt = O.Adam(0.02)

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = fwd(v, xb)
            loss = mse(yb, tf.round(p) if bad else p)
        g = h.gradient(t, loss, v)
        h.apply(opt, g, v)
        return dict(loss=loss, grads=g, variables=v, optimizer=opt, y_pred=p)

    return rawcase(step, v, x, y)


@pair(
    "t_sign_activation",
    S,
    ("zero-gradient", "vanishing-gradient"),
    "hidden activation is tf.sign: gradient identically zero below it (head and all multiplied by sign too)",
    "tanh",
)
def _(bad):
    x, y = lin()
    v = raw_vars()
    opt = O.Adam(0.02)
    a = tf.sign if bad else tf.identity

    def f(v, x):
        return a(tf.tanh(x @ v[0] + v[1]) @ v[2] + v[3])

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = f(v, xb)
            loss = mse(yb, p)
        g = h.gradient(t, loss, v)
        h.apply(opt, g, v)
        return dict(loss=loss, grads=g, variables=v, optimizer=opt, y_pred=p)

    return rawcase(step, v, x, y, predict=lambda X: f(v, X))


@pair(
    "t_stop_gradient_features",
    S,
    ("no-gradient", "frozen-weights"),
    "stop_gradient on the encoder output; only a 1-unit-wide head can learn",
    "no stop_gradient",
)
def _(bad):
    enc = mlp(64, [32], 3, "relu", "tanh", init=small_normal())
    head = mlp(3, [], 10, None, "softmax")
    opt = O.Adam(0.015)

    def vs():
        return enc.trainable_variables + head.trainable_variables

    def fw(x):
        z = enc(x)
        return head(tf.stop_gradient(z) if bad else z)

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = fw(xb)
            loss = scce(yb, p)
        g = h.gradient(t, loss, vs())
        h.apply(opt, g, vs())
        return dict(loss=loss, grads=g, variables=vs(), optimizer=opt, y_pred=p)

    c = digcase(None, step, opt=opt, epochs=25, goal=("acc", 0.6))
    c.variables = vs
    c.predict = fw
    return c


@pair(
    "t_vars_from_numpy_each_step",
    S + " (seed: variables made from numpy inside the loop)",
    ("weights-reset", "updates-not-applied"),
    "tf.Variable(w_np) is created from the same numpy array on every step; the update lands on a temporary",
    "variables created once",
)
def _(bad):
    x, y = lin()
    w = [a.numpy() for a in raw_vars()]
    box = [[tf.Variable(a) for a in w]]
    opt = [O.SGD(0.05)]

    def step(h, i, xb, yb):
        if bad:
            box[0] = [tf.Variable(a) for a in w]
            opt[0] = O.SGD(0.05)
        v = box[0]
        with h.tape() as t:
            p = fwd(v, xb)
            loss = mse(yb, p)
        g = h.gradient(t, loss, v)
        h.apply(opt[0], g, v)
        return dict(loss=loss, grads=g, variables=v, optimizer=opt[0], y_pred=p)

    return rawcase(step, lambda: box[0], x, y, predict=lambda X: fwd([tf.constant(a) for a in w] if bad else box[0], X))


@pair("t_model_recreated_each_step", S, ("weights-reset",), "the model is built inside the training step", "outside")
def _(bad):
    mk = lambda: mlp(64, [32], 10, "relu", "softmax")
    box = [mk(), O.Adam(0.005)]

    def step(h, i, xb, yb):
        if bad:
            box[:] = [mk(), O.Adam(0.005)]
        m, opt = box
        with h.tape() as t:
            p = m(xb, training=True)
            loss = scce(yb, p)
        g = h.gradient(t, loss, m.trainable_variables)
        h.apply(opt, g, m.trainable_variables)
        return dict(loss=loss, grads=g, variables=m.trainable_variables, optimizer=opt, y_pred=p)

    c = digcase(None, step, n=320 if bad else 600, epochs=6 if bad else 15)
    c.variables = lambda: box[0].trainable_variables
    c.predict = lambda X: box[0](X)
    return c


@pair(
    "t_manual_lr_tiny",
    S + " (seed: learning rate too small)",
    ("learning-rate-too-small",),
    "hand-written update w -= 1e-6*g",
    "0.05",
)
def _(bad):
    x, y = lin()
    v = raw_vars()

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = fwd(v, xb)
            loss = mse(yb, p)
        g = h.gradient(t, loss, v)
        for a, b in zip(v, g):
            a.assign_sub((1e-6 if bad else 0.05) * b)
        return dict(loss=loss, grads=g, variables=v, optimizer=None, y_pred=p)

    return rawcase(step, v, x, y)


@pair(
    "t_float16_manual",
    S,
    ("update-below-precision", "learning-rate-too-small"),
    "float16 variables ~4.0, update ~1e-4*g below half an ulp (2e-3)",
    "float32 master weights",
)
def _(bad):
    dt = "float16" if bad else "float32"
    r = np.random.RandomState(0)
    x = r.randn(400, 8).astype(dt)
    w = r.uniform(3.5, 4.5, (8, 1))
    y = (x.astype("float64") @ w).astype(dt)
    v = [tf.Variable(np.full((8, 1), 4.0), dtype=dt, name="w")]

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = tf.matmul(xb, v[0])
            loss = tf.reduce_mean(tf.square(yb - p))
        g = h.gradient(t, loss, v)
        v[0].assign_sub(tf.cast(2e-4 if bad else 0.02, dt) * g[0])
        return dict(loss=loss, grads=g, variables=v, optimizer=None, y_pred=p)

    return rawcase(step, v, x, y, epochs=20, goal=("loss", 0.05), predict=lambda X: tf.matmul(X, v[0]))


@pair(
    "t_accumulate_never_flush",
    S,
    ("updates-not-applied",),
    "gradient accumulation whose flush test (step % 1000 == 0 and step > 0) never fires",
    "flush every 4",
)
def _(bad):
    m = mlp(64, [32], 10, "relu", "softmax")
    opt = O.Adam(0.01)
    acc = [tf.Variable(tf.zeros_like(v)) for v in m.trainable_variables]
    K = 1000 if bad else 4

    def step(h, i, xb, yb):
        vs = m.trainable_variables
        with h.tape() as t:
            p = m(xb, training=True)
            loss = scce(yb, p)
        g = h.gradient(t, loss, vs)
        for a, b in zip(acc, g):
            a.assign_add(b / K)
        if (i + 1) % K == 0:
            h.apply(opt, [tf.convert_to_tensor(a) for a in acc], vs)
            for a in acc:
                a.assign(tf.zeros_like(a))
        return dict(loss=loss, grads=g, variables=vs, optimizer=opt, y_pred=p)

    return digcase(m, step, opt=opt, epochs=20)


@pair(
    "t_lso_without_scaling_loss",
    S + " (Keras 3 custom loop + LossScaleOptimizer)",
    ("optimizer-misconfigured", "learning-rate-too-small", "update-below-precision", "loss-scale-skipping"),
    "LossScaleOptimizer(SGD) without optimizer.scale_loss(loss): every gradient is divided by 32768",
    "scale_loss",
)
def _(bad):
    m = mlp(64, [32], 10, "relu", "softmax")
    opt = O.LossScaleOptimizer(O.SGD(0.1))

    def step(h, i, xb, yb):
        with h.tape() as t:
            p = m(xb, training=True)
            loss = scce(yb, p)
            s = loss if bad else opt.scale_loss(loss)
        g = h.gradient(t, s, m.trainable_variables)
        h.apply(opt, g, m.trainable_variables)
        return dict(loss=loss, grads=g, variables=m.trainable_variables, optimizer=opt, y_pred=p)

    return digcase(m, step, opt=opt, epochs=25)


@pair(
    "t_x_shuffled_without_y",
    S,
    ("no-learning-signal", "label-problem"),
    "loop permutes the inputs but not the labels each epoch",
    "same permutation",
)
def _(bad):
    m = mlp(64, [16], 10, "relu", "softmax")
    opt = O.Adam(0.005)
    base = std_step(m, scce, opt)
    r = np.random.RandomState(0)

    def step(h, i, xb, yb):
        return base(h, i, xb, yb[r.permutation(len(yb))] if bad else yb)

    return digcase(m, step, opt=opt)
