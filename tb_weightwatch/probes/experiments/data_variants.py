"""Changed data: standardized inputs and targets, and permuted labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ...verdict import TestedCause, number
from ..comparison import compared, fall_text
from ..dependence import labels_depend_on_inputs
from ..experiment import Lab, Result, experiment, telling
from ..paired_trials import PASSES, PairedTrials, Side, compared_by_loss
from ..program import Batch, CannotRun
from ..scale import LEAST, MOST, numbers, standardized
from ..updates import Substitute

_REST = 120  # steps of the parts about predictions and labels
_PERMUTATIONS, _ROUNDING = 3, 1e-6
_ENOUGH, _SHARP = 200, 0.2  # samples, and the difference in falls of the loss that must be distinguishable
_SCALED = ("unscaled-input", "unscaled-target")  # by position in a batch


@experiment(
    name="data-variants",
    tests=("unscaled-input", "unscaled-target", "constant-data", "constant-output", "no-learning-signal"),
    steps=180,
    traces=2,
)
def data_variants(lab: Lab) -> Result:
    """Trains on changed data: standardized inputs, standardized targets, permuted labels.

    What it does:
        It trains a few steps as the program does, from new initial weights where the model can be initialized anew,
        once with the data as they are and once with each change; three times as long if that does not tell, and at last
        with Adam(0.01). With Adam it trains on half of the batches, once with the given labels and three times with
        permuted ones, and compares the losses of the other half. It computes the loss with the labels of a batch
        permuted, without training.

    What it confirms:
        Inputs or targets that are not scaled, if the loss falls only with standardized ones. Constant data, if the
        inputs or the targets of all samples are equal. Labels that do not belong to their inputs, if permuted ones are
        learned just as well, and kernel regression finds no relation.

    What it refutes:
        Each of these, if the change makes no difference, or (for labels) if the given ones are learned better.

    What it cannot tell:
        Whether labels belong to their inputs, from fewer than 200 samples, or if the relation is hard to learn.

    Confirming example:
        model = net(1)
        model.compile(optimizers.SGD(1e-2), "mse")
        report = ww.probe(model, x * 1000, number, experiments=["data-variants"])

    Refuting example:
        model = net(1)
        model.compile(optimizers.SGD(1e-2), "mse")
        report = ww.probe(model, x, number, experiments=["data-variants"])
    """
    if not all(isinstance(batch, tuple) and len(batch) >= 2 and batch[1] is not None for batch in lab.batches):
        raise CannotRun("the batches are no pairs of inputs and targets")
    start = lab.new_weights
    trials = PairedTrials(lab, Side(lab.batches, start), rest=_REST)
    causes: list[TestedCause] = []
    for position, cause in enumerate(_SCALED):
        causes += _about_scale(lab, cause, position, trials, start)
    causes += _about_predictions(lab)
    causes.append(_about_labels(lab, start))
    return telling(causes, causes[-1].message)


def _about_scale(lab: Lab, cause: str, position: int, trials: PairedTrials, start: Any) -> list[TestedCause]:
    """Returns what is said of the scale of inputs (0) or targets (1); [] if they are no numbers."""
    data = "targets" if position else "inputs"
    values = numbers(lab.batches, position)
    if values is None:
        return []
    largest = float(np.max(np.abs(values)))
    if largest <= MOST and float(np.std(values)) >= LEAST:
        return [TestedCause(cause, "refuted", f"the {data} are of order one: the largest is {number(largest)}")]
    judge = compared if position else compared_by_loss  # the loss of other targets is another one
    changed = Side(standardized(lab.batches, position), start)
    try:
        return [trials.outcome(judge, cause, changed, f"standardized {data}")]
    except (ValueError, TypeError, tf.errors.OpError):  # class ids, as it turns out
        return []


def _permuted(batches: Sequence[Batch], seed: int = 0) -> list[Batch]:
    """Returns the batches with their targets permuted, each within itself."""
    generator = np.random.default_rng(seed)
    changed = []
    for batch in batches:
        first = keras.tree.flatten(batch[1])[0]
        order = _derangement(int(first.shape[0]), generator)
        targets = keras.tree.map_structure(lambda array, order=order: keras.ops.take(array, order, axis=0), batch[1])
        changed.append((batch[0], targets, *batch[2:]))
    return changed


def _derangement(length: int, generator: Any) -> Any:
    """Returns an order in which nothing is at its own place."""
    order = generator.permutation(length)
    result = np.empty(length, np.int64)
    result[order] = np.roll(order, 1)
    return result


def _about_predictions(lab: Lab) -> list[TestedCause]:
    """Returns whether the predictions depend on the inputs: else permuted labels give the same loss."""
    if any(int(keras.tree.flatten(batch[1])[0].shape[0]) < 2 for batch in lab.batches):
        return []  # nothing to permute
    names = ("constant-data", "constant-output")
    for position, data in enumerate(("inputs", "targets")):
        if _are_equal(lab.batches, position):
            return [TestedCause(names[0], "confirmed", f"the {data} of all samples are equal")]
    varied_batches = [batch for batch in lab.batches if not _are_equal([batch], 1)]
    if not varied_batches:
        return []  # nothing to permute within a batch
    given, permuted = (lab.trials.losses(batches) for batches in (varied_batches, _permuted(varied_batches)))
    differences = np.abs(np.array(given) - np.array(permuted)) / np.maximum(np.abs(given), 1e-12)
    if not np.isfinite(differences).all():
        return []
    varied = TestedCause(names[0], "refuted", "inputs and targets vary from sample to sample")
    message = f"permuting the labels of a batch changes its loss by {number(100 * float(differences.mean()), 2)} %"
    if differences.max() < _ROUNDING:
        message = "permuting the labels of a batch leaves its loss as it is: the predictions ignore the inputs"
    return [varied, TestedCause(names[1], "refuted" if differences.min() > 1e-4 else "open", message)]


def _are_equal(batches: Sequence[Batch], position: int) -> bool:
    """Checks whether all samples have the same inputs (0) or targets (1)."""
    arrays = [[np.asarray(array) for array in keras.tree.flatten(batch[position])] for batch in batches]
    return all(bool((array == first[:1]).all()) for row in arrays for array, first in zip(row, arrays[0], strict=True))


def _about_labels(lab: Lab, start: Callable[[], None] | None) -> TestedCause:
    """Returns whether the given labels are learned better than permuted ones, on batches that were not trained on."""
    name = "no-learning-signal"
    if labels_depend_on_inputs(lab.samples):
        return TestedCause(name, "refuted", "the labels depend on the inputs: kernel regression predicts them")
    half = len(lab.batches) // 2
    if not half:
        return TestedCause(name, "open", "one batch is too few to tell whether the labels belong to their inputs")
    adam = Substitute(lab.program, keras.optimizers.Adam(1e-3, name="probe_adam")).at(1e-2)
    trials = [
        lab.trials.run(adam, batches=batches[:half], passes=PASSES, start=start, held_out=batches[half:])
        for batches in (lab.batches, *(_permuted(lab.batches, seed) for seed in range(_PERMUTATIONS)))
    ]
    given, permuted = trials[0].fall, [trial.fall for trial in trials[1:]]
    message = (
        f"on batches that were not trained on the loss {fall_text(given)}; with the labels permuted in "
        f"{_PERMUTATIONS} ways it {', '.join(map(fall_text, permuted))}"
    )
    if not np.isfinite([given, *permuted]).all():
        return TestedCause(name, "open", message)
    # How much the permutations differ among each other is what chance does.
    margin = max(0.01, max(permuted) - min(permuted))
    if given > max(permuted) + margin:
        return TestedCause(name, "refuted", message)
    is_sharp = lab.samples is not None and len(lab.samples[1]) >= _ENOUGH and margin < _SHARP
    return TestedCause(name, "confirmed" if is_sharp and given < max(permuted) + margin / 2 else "open", message)
