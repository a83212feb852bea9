"""What is drawn: a run is its settings, and the settings are a pure function of kind and index."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

# Whole families that no threshold was chosen on; the others are calibration.
DATA = ("digits", "iris", "wine", "breast_cancer", "diabetes")
ARCHITECTURES = ("mlp", "batchnorm", "dropout", "residual", "cnn", "lstm", "embedding", "autoencoder")
OPTIMIZERS = ("SGD", "momentum", "nesterov", "Adam", "AdamW", "RMSprop", "Nadam", "Adamax")
HELD_OUT = {
    "data": ("patches", "friedman"),
    "architecture": ("gru", "attention"),
    "optimizer": ("Lion", "Adagrad"),
}
# Held out until a rule was changed for what they showed: 602 took Lion's steps of one size for weights put back.
CALIBRATED_SINCE = ("Lion",)
# Rules were changed for what runs below these showed, whatever their family; later ones are drawn, trained and counted.
LOOKED_AT = {"healthy": 210, "sick": 274}
# Learning rates that people use with each optimizer, from and to.
RATES = {
    "SGD": (0.03, 0.5), "momentum": (0.003, 0.1), "nesterov": (0.003, 0.1), "Adam": (1e-3, 2e-2),
    "AdamW": (1e-3, 2e-2), "Nadam": (1e-3, 2e-2), "RMSprop": (1e-3, 1e-2), "Adamax": (2e-3, 3e-2),
    "Lion": (2e-4, 3e-3), "Adagrad": (0.02, 0.3),
}  # fmt: skip
REGRESSION = ("diabetes", "friedman")
BINARY = ("breast_cancer", "patches")
PICTURES = ("digits", "patches")


@dataclass(frozen=True)
class Run:
    """One training, before it is made. `loop`: fit, graph or eager by hand, bare (the loss alone is passed)."""

    kind: str
    index: int
    data: str
    architecture: str
    optimizer: str
    rate: float
    width: int
    depth: int
    batch: int
    steps: int
    scale: float
    target_scale: float
    activation: str
    loop: str
    head: str
    schedule: str
    clip: str
    policy: str
    initializer: str
    fault: str = ""
    repeat: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.index:03}.{self.repeat}"

    @property
    def task(self) -> str:
        if self.architecture == "autoencoder":
            return "picture"
        return "numbers" if self.data in REGRESSION else "two" if self.data in BINARY else "classes"

    @property
    def held_out(self) -> tuple[str, ...]:
        """The families it belongs to that were left out of calibration."""
        still = {axis: [n for n in names if n not in CALIBRATED_SINCE] for axis, names in HELD_OUT.items()}
        return tuple(name for axis, names in still.items() for name in names if getattr(self, axis) == name)


def draw(kind: str, index: int, repeat: int = 0) -> Run:
    """Returns the run of that kind and index; every second one belongs to a held-out family.

    A repeat is the same program with other weights, another order of the data, another learning rate and scale.
    """
    rng = np.random.default_rng([("healthy", "sick").index(kind), index, 20251125])
    axis = ("data", "architecture", "optimizer")[int(rng.integers(3))] if index % 2 else ""

    def family(name: str, usual: tuple[str, ...]) -> str:
        pool = HELD_OUT[name] if axis == name else (*usual, *HELD_OUT[name]) if axis else usual
        return str(rng.choice(pool))

    data, architecture = family("data", DATA), family("architecture", ARCHITECTURES)
    if architecture in ("lstm", "gru") and index % 3:  # they are slow to trace
        architecture = "attention" if axis == "architecture" else "mlp"
    optimizer = family("optimizer", OPTIMIZERS)
    recurrent = architecture in ("lstm", "gru", "attention")
    batch = int(rng.choice([8, 16, 32, 64]))
    run = Run(
        kind=kind,
        index=index,
        data=data,
        architecture=architecture,
        optimizer=optimizer,
        rate=between(rng, *RATES[optimizer]),
        width=int(between(rng, 8, 24 if recurrent else 128)),
        depth=1 if recurrent else int(rng.integers(1, 4 if architecture == "cnn" else 5)),
        batch=batch,
        steps=int(rng.choice([60, 60, 60, 60, 60, 120])),
        scale=between(rng, 0.2, 5) if rng.random() < 0.4 else 1.0,
        target_scale=between(rng, 0.5, 5) if rng.random() < 0.3 else 1.0,
        activation=str(rng.choice(["relu", "relu", "relu", "relu", "tanh", "gelu", "elu", "leaky_relu", "sigmoid"])),
        loop=str(rng.choice(["fit"] * 9 + ["graph"] * 7 + ["bare"] * 3 + ["eager"])),
        head=str(rng.choice(["probabilities", "probabilities", "logits", "other"])),
        schedule=str(rng.choice(["constant"] * 7 + ["cosine", "warm-up", "steps"])),
        clip=str(rng.choice(["none"] * 8 + ["clipnorm", "global_clipnorm"])),
        policy=str(rng.choice(["float32"] * 19 + ["mixed_bfloat16"])),
        initializer=str(rng.choice(["glorot_uniform"] * 6 + ["he_normal", "orthogonal", "lecun_normal"])),
    )
    run = fitting(run)
    if not repeat:
        return run
    rng = np.random.default_rng([index, repeat, 4])
    rate = between(rng, *RATES[optimizer]) if run.schedule == "constant" else run.rate
    scale = between(rng, 0.2, 5) if run.architecture != "embedding" else 1.0
    return replace(run, repeat=repeat, rate=rate, scale=scale, target_scale=between(rng, 0.5, 5))


def fitting(run: Run) -> Run:
    """Returns the run with settings that go together, within a second or two of training."""
    changes: dict[str, Any] = {}
    if run.loop == "eager":
        quick = run.architecture not in ("lstm", "gru", "attention") and run.optimizer in ("SGD", "momentum")
        changes |= {"steps": 40} if quick else {"loop": "graph"}
    if run.activation == "sigmoid" and run.depth > 2:
        changes["activation"] = "tanh"
    if run.architecture == "embedding":
        changes["scale"] = 1.0
    return replace(run, **changes) if changes else run


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Returns a number drawn evenly by its logarithm, three digits of it."""
    return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.3g}")
