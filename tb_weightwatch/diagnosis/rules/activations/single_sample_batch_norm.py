"""204 single-sample-batch-norm."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import is_custom_loop, not_recorded, number, plural, quote_list

_RECENT = 32  # recorded steps, most of which must have a batch of one sample
_VANISHED = 1e-30  # a norm so small that it follows no law in float32


@rule(
    code=204,
    name="single-sample-batch-norm",
    link="activations",
    explains=("dead-relu", "constant-output", "zero-gradient", "vanishing-gradient", "no-learning-signal"),
)
def single_sample_batch_norm(history: History, *, rows: int = 5) -> Finding[Details] | CannotTell | None:
    """BatchNormalization over batches of one sample, which outputs its beta whatever the input.

    What it sees:
        A BatchNormalization in training mode whose input has one value per feature and sample (rank 2), in batches of
        one sample: in each step its moving variance shrinks exactly as it does for batches without variance.

    Why it matters:
        The mean of one sample is the sample, and its variance is 0: the layer outputs beta for every input. No gradient
        passes to the layers before it, so that they cannot learn, and the layers after it get no information. The
        moving variance shrinks towards 0, so that inference multiplies its inputs by a large factor.

    When it is a false alarm:
        A smaller last batch of one sample now and then harms little and is not reported, nor are images and sequences
        (positions count as samples) and layers in inference mode.

    What to try:
        Larger batches, or a normalization that does not look at other samples, such as LayerNormalization. On several
        replicas each one normalizes over its own part of the batch, unless the layer has synchronized=True.

    Sick example:
        stack = [layers.Dense(16), layers.BatchNormalization(), layers.Activation("relu"), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        pairs = tf.data.Dataset.from_tensor_slices((x, number)).batch(1)
        watch = fit(model, pairs, None, "mse", epochs=1)

    Healthy example:
        stack = [layers.Dense(16), layers.LayerNormalization(), layers.Activation("relu"), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        pairs = tf.data.Dataset.from_tensor_slices((x, number)).batch(1)
        watch = fit(model, pairs, None, "mse", epochs=1)

    References:
        Ioffe and Szegedy, Batch Normalization (2015)

    Args:
        history: what was recorded.
        rows: recorded steps with a batch of one sample before it is reported.
    """
    layers = _layers(history)
    if not layers:
        return None
    for column in ("statistic_norm", "statistic_change"):
        if not signals.is_recorded(history, column):
            return not_recorded(history, column)
    if not signals.is_recorded(history, "batch_size"):
        return not_recorded(history, "batch_size") if _without_variance(history).any() else None
    firing = np.zeros((len(history), len(signals.variables(history))), bool)
    firing[:, [layer.variance for layer in layers]] = _mostly_single(history, rows)
    return Finding(firing, partial(measure, history), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        layers: names of the layers.
        output: what they output: "beta", "0" (without beta), or "a constant" (some have a beta).
        share: share of the latest recorded steps in which they normalized over one sample.
        recent: number of these steps.
        replicas: number of replicas among which a batch is divided.
        loss: the course of the loss.
        custom_loop: whether the training loop is hand-written.
    """

    layers: tuple[str, ...]
    output: str
    share: float
    recent: int
    replicas: int
    loss: signals.LossCourse
    custom_loop: bool


def measure(history: History, row: int, variables: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    named = set(variables.tolist())
    places, layers = zip(*((k, x) for k, x in enumerate(_layers(history)) if x.variance in named), strict=True)
    outputs = {"beta" if layer.has_beta else "0" for layer in layers}
    return Details(
        layers=tuple(layer.name for layer in layers),
        output=outputs.pop() if len(outputs) == 1 else "a constant",
        share=float(_single_share(history)[row, list(places)].min()),
        recent=min(row + 1, _RECENT),
        replicas=int((signals.model_facts(history).get("distribution") or {}).get("replicas") or 1),
        loss=signals.loss_course(history, row),
        custom_loop=is_custom_loop(history),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    one = len(details.layers) == 1
    where = f" on each of {details.replicas} replicas" if details.replicas > 1 else ""
    often = f" (in {number(100 * details.share)} % of the last {plural(details.recent, 'recorded step')})"
    where += often if details.share < 1 else ""
    loss = f" ({details.loss})" if details.loss else ""
    batch = "dataset = dataset.batch(32)" if details.custom_loop else "model.fit(x, y, batch_size=32)"
    together = "    keras.layers.BatchNormalization(synchronized=True)   # over all replicas, or\n"
    return VerdictText(
        message=f"Batches of one sample are normalized: {quote_list(details.layers)} normalize{'s' if one else ''} "
        f"over one sample{where}, whose variance is exactly 0, so {'it outputs' if one else 'they output'} "
        f"{details.output} whatever the input, and no gradient passes through {'it' if one else 'them'} to the "
        f"layers before{loss}",
        fix="Use larger batches, or a normalization that does not depend on other samples:\n"
        f"    {batch}   # or\n{together if details.replicas > 1 else ''}"
        "    keras.layers.LayerNormalization()   # instead of BatchNormalization",
        severity="error",
        certainty="certain",
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    of = f"{number(100 * details.share)} % of the last {plural(details.recent, 'recorded step')}"
    return (
        Evidence("samples that are normalized over", 1.0, of, quantity="batch_size"),
        Evidence("variance of the batch", 0.0, "by the change of the moving variance", quantity="statistic_change"),
    )


def _layers(history: History) -> list[signals.BatchNormalization]:
    """Returns the BatchNormalization layers with an input of rank 2; derived classes may compute anything."""
    return [x for x in signals.batch_normalizations(history) if x.input_rank == 2 and x.exact_class]


def _batch_of_one(history: History, synchronized: bool) -> int:
    """Returns the recorded batch size at which a layer normalizes over one sample; 0 if there is none."""
    distribution = signals.model_facts(history).get("distribution") or {}
    replicas = int(distribution.get("replicas") or 1)
    if synchronized:
        return int(replicas == 1)
    # Several workers record their own part of the batch, so only a part of one sample is certain.
    return replicas if distribution.get("strategy") == "MirroredStrategy" else 1


@signals.incremental
def _without_variance(rows: History, carry: signals.Carry) -> signals.Bool:
    """Returns `[T, K]` whether a layer's statistics moved as they do for a batch without any variance.

    Then the variance v becomes momentum * v: its change is (1 - momentum) / momentum of what is left.
    """
    layers = _layers(rows)
    norm, change = signals.column(rows, "statistic_norm"), signals.column(rows, "statistic_change")
    if norm is None or change is None:
        return np.zeros((len(rows), len(layers)), bool)
    mean, variance = [layer.mean for layer in layers], [layer.variance for layer in layers]
    momentum = np.array([layer.momentum for layer in layers])
    left, lost = (1 - momentum) * norm[:, variance], momentum * change[:, variance]
    vanished = (norm[:, variance] < _VANISHED) & (lost < _VANISHED)
    moved = (change[:, mean] > 0) | (change[:, variance] > 0)
    return np.asarray(moved & (vanished | (np.abs(lost - left) <= 0.03 * left)))


@signals.incremental
def _single(rows: History, carry: signals.Carry) -> signals.Bool:
    """Returns `[T, K]` whether a layer normalized over one sample in that row."""
    one = np.array([_batch_of_one(rows, layer.synchronized) for layer in _layers(rows)], np.float64)
    return np.asarray((signals.run_column(rows, "batch_size")[:, None] == one) & _without_variance(rows))


@signals.incremental
def _single_share(rows: History, carry: signals.Carry) -> signals.Float:
    """Returns `[T, K]` the share of `_single` in the latest rows."""
    return carry.trailing_mean(_single(rows).astype(np.float64), _RECENT)


@signals.incremental
def _single_count(rows: History, carry: signals.Carry) -> signals.Float:
    """Returns `[T, K]` the number of rows so far that are `_single`."""
    return carry.total(_single(rows))


def _mostly_single(history: History, rows: int) -> signals.Bool:
    """Returns `[T, K]` whether most of the latest batches had one sample, and at least `rows` so far."""
    return np.asarray((_single_share(history) > 0.5) & (_single_count(history) >= rows))
