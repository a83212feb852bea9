"""101 nonfinite-input."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import is_preflight, plural, quote_list


@rule(
    code=101,
    name="nonfinite-input",
    link="data",
    explains=(
        "unscaled-input", "label-problem", "dead-relu", "saturated-activation", "constant-output", "nonfinite-loss",
        "zero-gradient", "nonfinite-gradient", "exploding-gradient", "learning-rate-too-large", "nonfinite-weight",
        "loss-scale-skipping", "wrong-loss", "loss-activation-mismatch", "unscaled-target", "constant-data",
    ),
)  # fmt: skip
def nonfinite_input(history: History, *, elements: int = 1) -> Finding[Details] | CannotTell | None:
    """NaN or infinite values in the inputs or targets of a batch.

    What it sees:
        Elements of a recorded batch's inputs or targets that are NaN or infinite (an exact count). It is an error as
        soon as the loss, a gradient or a weight is not finite either; until then it is reported for information only.

    Why it matters:
        One NaN in a batch makes the loss NaN, the loss makes every gradient NaN, and one update later every weight is
        NaN for good. Compiled kernels on the CPU can turn a NaN into 0 on the way, so that the loss still looks fine
        while the first kernel is already NaN.

    When it is a false alarm:
        When the model masks missing values itself. Then nothing after the data is NaN, and the finding stays an "info".

    What to try:
        Find the samples (`np.isfinite(x).all(axis=1)`), then drop, fill or mask them before training. The usual origin
        is a logarithm of 0 or a division by a standard deviation of 0 in the preprocessing.

    Sick example:
        x[7, 2] = np.nan
        watch = fit(net(1), x, number, "mse")

    Healthy example:
        x[7, 2] = np.nan
        x = np.nan_to_num(x)   # or: leave the row out
        watch = fit(net(1), x, number, "mse")

    References:
        https://www.tensorflow.org/api_docs/python/tf/debugging/check_numerics

    Args:
        history: what was recorded.
        elements: how many non-finite elements in one batch are reported.
    """
    if not (history.has("input_nonfinite") or history.has("target_nonfinite")):
        return CannotTell("the data were not recorded (pass inputs=x and targets=y to watch.step)")
    bad = _bad_batches(history, elements)
    if not bad.any():
        return None
    return Finding(signals.ever(bad), partial(measure, history, elements=elements), text, evidence)


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        source: "inputs" or "targets", whichever held the first non-finite values.
        elements: number of non-finite elements of that batch.
        step: step of that batch; its number where `preflight` checked batches before training.
        preflight: whether no training step has been made yet.
        features: names of the features concerned, where they are known.
        bad_batches, batches: number of recorded batches with non-finite values, and of all.
        nonfinite: what is not finite after the data, "the loss" or "a gradient or weight"; "" if everything is finite.
        nonfinite_step: the first step at which it was not finite.
    """

    source: str
    elements: float
    step: int
    preflight: bool
    features: tuple[str, ...]
    bad_batches: int
    batches: int
    nonfinite: str
    nonfinite_step: int


def measure(history: History, row: int, _: NDArray[np.intp], *, elements: int) -> Details:
    """Returns the numbers and names of one row."""
    bad = _bad_batches(history, elements)
    spoiled = signals.ever(signals.anything_nonfinite(history) & signals.ever(bad))
    first_bad, first_spoiled = int(np.argmax(bad)), int(np.argmax(spoiled))
    inputs = signals.run_column(history, "input_nonfinite")[first_bad]
    source = "inputs" if inputs >= elements else "targets"
    nonfinite = ""
    if spoiled[row]:
        loss = signals.run_column(history, "loss")[first_spoiled]
        nonfinite = "the loss" if history.has("loss") and not np.isfinite(loss) else "a gradient or weight"
    return Details(
        source=source,
        elements=float(signals.run_column(history, f"{source[:-1]}_nonfinite")[first_bad]),
        step=int(history.steps[first_bad]),
        preflight=is_preflight(history),
        features=_nonfinite_features(history, source),
        bad_batches=int(np.count_nonzero(bad[: row + 1])),
        batches=row + 1,
        nonfinite=nonfinite,
        nonfinite_step=int(history.steps[first_spoiled]),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    batch = f"batch {details.step:,}" if details.preflight else f"the batch at step {details.step:,}"
    noun = "features" if len(details.features) > 1 else "feature"
    features = f" ({noun} {quote_list(details.features)})" if details.features else ""
    when = "in the same step" if details.nonfinite_step == details.step else f"at step {details.nonfinite_step:,}"
    effect = (
        f", and training breaks because of them: {details.nonfinite} is not finite {when}"
        if details.nonfinite
        else "; nothing after the data is affected so far, so the model seems to mask them"
    )
    return VerdictText(
        message=f"The {details.source} contain NaN or infinite values: {plural(details.elements, 'element')} of {batch}"
        f"{features}, in {details.bad_batches:,} of {details.batches:,} recorded batches{effect}",
        fix="Remove or fill these samples before training:\n"
        "    keep = np.isfinite(x).all(axis=tuple(range(1, x.ndim))) & np.isfinite(y).reshape(len(y), -1).all(axis=1)\n"
        "    x, y = x[keep], y[keep]",
        severity="error" if details.nonfinite else "info",
        certainty="certain",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (
        Evidence(
            f"NaN/Inf in {details.source}",
            details.elements,
            plural(details.elements, "element"),
            step=details.step,
            quantity=f"{details.source[:-1]}_nonfinite",
        ),
    )


def _bad_batches(history: History, elements: int) -> signals.Bool:
    """Returns `[T]` whether a batch's inputs or targets hold at least so many non-finite elements."""
    inputs, targets = (signals.run_column(history, f"{data}_nonfinite") for data in ("input", "target"))
    return np.asarray((inputs >= elements) | (targets >= elements))


def _nonfinite_features(history: History, source: str) -> tuple[str, ...]:
    """Returns the names of recorded features one of whose statistics is not finite."""
    for record in history.of_kind("features"):
        if record.data.get("which") == source:
            names = tuple(str(f.get("name")) for f in record.data.get("features") or () if not _is_finite(f))
            if names:
                return names
    return ()


def _is_finite(feature: dict[str, Any]) -> bool:
    try:
        return all(np.isfinite(float(feature[key])) for key in ("mean", "std", "low", "high"))
    except (KeyError, TypeError, ValueError):
        return False
