"""101 nonfinite-input."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import Bool, anything_nonfinite, ever, model_facts, run_column
from ...wording import evidence, is_preflight, plural, quote_list


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
def nonfinite_input(history: History, *, elements: int = 1) -> Finding[Any] | CannotTell | None:
    """NaN or infinite numbers in the inputs or targets of a batch.

    What it sees:
        Elements of a recorded batch's inputs or targets that are NaN or infinite (an exact count). It is an error once
        the loss, a gradient or a weight is not finite either; until then it is only mentioned.

    Why it matters:
        One NaN in a batch makes the loss NaN, the loss makes every gradient NaN, and one update later every weight is
        NaN for good. Compiled kernels on the CPU can turn a NaN into 0 on the way, so that the loss still looks fine
        while the first kernel is already lost.

    When it is a false alarm:
        When the model masks missing values itself: then nothing after the data is NaN, and it stays a remark.

    What to try:
        Find the rows (`np.isfinite(x).all(axis=1)`), then drop, fill or mask them before training. A logarithm of 0
        and a division by a standard deviation of 0 in the preprocessing are the usual makers.

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
        return CannotTell("the data were not seen (pass inputs=x and targets=y to watch.step)")
    inputs, targets = run_column(history, "input_nonfinite"), run_column(history, "target_nonfinite")
    bad = (inputs >= elements) | (targets >= elements)
    if not bad.any():
        return None
    harm = ever(anything_nonfinite(history) & ever(bad))

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        at = int(np.flatnonzero(bad[: row + 1])[0])
        step, what, column = int(history.steps[at]), "inputs", "input_nonfinite"
        count = inputs[at]
        if not count >= elements:
            what, column, count = "targets", "target_nonfinite", targets[at]
        share = int(np.count_nonzero(bad[: row + 1]))
        where = _features(history, what)
        place = "batch" if is_preflight(history) else "the batch at step"
        message = (
            f"The {what} hold NaN or infinite numbers: {plural(float(count), 'element')} of {place} {step:,}"
            f"{where}, in {share:,} of {row + 1:,} recorded batches"
        )
        message += _harm(history, harm, row, at)
        fix = (
            "Remove or fill them before training:\n"
            "    keep = np.isfinite(x).all(axis=tuple(range(1, x.ndim))) & np.isfinite(y).reshape(len(y), "
            "-1).all(axis=1)\n"
            "    x, y = x[keep], y[keep]"
        )
        return VerdictText(
            message=message,
            fix=fix,
            evidence=(
                evidence(f"NaN/Inf in {what}", count, plural(float(count), "element"), step=step, quantity=column),
            ),
            severity="error" if harm[row] else "info",
            certainty="certain",
            variables=(),
        )

    return Finding(ever(bad), tell)


def _features(history: History, which: str) -> str:
    for record in history.of_kind("features"):
        if record.data.get("which") == which:
            names = [
                str(f.get("name"))
                for f in record.data.get("features") or ()
                if not all(np.isfinite(_number(f.get(k))) for k in ("mean", "std", "low", "high"))
            ]
            if names:
                return f" (feature {quote_list(names)})"
    return ""


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _harm(history: History, harm: Bool, row: int, at: int) -> str:
    if not harm[row]:
        return "; nothing after the data is affected so far, so the model seems to mask them"
    first = int(np.flatnonzero(harm)[0])
    lost = "loss"
    loss = run_column(history, "loss")
    if not (history.has("loss") and not np.isfinite(loss[first])):
        lost = "gradient or a weight"
    when = "the same step" if first == at else f"step {int(history.steps[first]):,}"
    kind = "the training" if model_facts(history) else "training"
    return f", and {kind} is lost with them: the {lost} is not finite from {when} on"
