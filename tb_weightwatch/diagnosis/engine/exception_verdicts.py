"""The verdict of a rule that rests on the exception that ended training, not on recorded steps.

A step that raises is never recorded, so the first step of a training may leave nothing but its exception.
"""

from __future__ import annotations

from collections.abc import Callable

from ...history import History
from ...verdict import Evidence, Verdict
from .. import signals
from ..rule import CannotTell, Rule, VerdictText
from ..wording import is_custom_loop, stopped_with

Answer = Verdict | CannotTell | None


def with_exception(rule: Rule, history: History, error: signals.TrainingError | None, answer: Answer) -> Answer:
    """Returns the verdict that the exception proves, or else the answer that the recorded steps give.

    Args:
        rule: a rule of the catalogue.
        history: what was recorded.
        error: the exception; None if there was none.
        answer: what the rule says of the recorded steps.
    """
    if error is None:
        return answer
    name, word = _BY_MEANING.get(error.meaning, ("", None))
    if word is None or name != rule.name:
        return answer
    if isinstance(answer, Verdict) and not answer.resolved:
        proven = answer.certainty == "certain" and answer.severity == "error"
        if proven or not error.ended:  # it has the numbers
            return answer
    text = word(history, error)
    if text is None:
        return answer
    first = min(answer.first_step, error.step) if isinstance(answer, Verdict) else error.step
    completed = Evidence("completed steps", float(error.completed), "before the exception")
    return Verdict(
        code=rule.code,
        name=rule.name,
        link=rule.link,
        severity=text.severity,
        certainty=text.certainty,
        variables=text.variables or (),
        first_step=first,
        last_step=error.step,
        resolved=not error.ended,
        message=text.message,
        evidence=(completed,),
        fix=text.fix,
    )


def _no_gradients(history: History, error: signals.TrainingError) -> VerdictText:
    one_optimizer = len(signals.optimizers(history)) <= 1  # of several, one may have refused its own variables
    return VerdictText(
        message=f"No variable had a gradient: {stopped_with(error)}, since the gradient of all variables that the "
        "optimizer was given was None, as where backpropagation finds no path from the loss to the weights",
        fix="Compute the loss from the output of the model, with TensorFlow functions only (no numpy, float(), "
        "model.predict, tf.argmax, tf.round, casts to integers or tf.stop_gradient in between), and inside the tape:\n"
        "    with tf.GradientTape() as tape:\n        y_pred = model(x, training=True)\n"
        "        loss = loss_function(y, y_pred)\n"
        "    gradients = tape.gradient(loss, model.trainable_variables)",
        certainty="certain",
        variables=signals.trainable_names(history) if one_optimizer else (),
    )


def _label_out_of_range(history: History, error: signals.TrainingError) -> VerdictText:
    units = signals.output_units(history) or 0
    known = units > 1 and signals.output_is_plain(history) and not is_custom_loop(history)
    valid = f"the ids 0 to {units - 1}, one for each of the {units} units of" if known else "one id for each unit of"
    return VerdictText(
        message=f"A label is not a valid class id: {stopped_with(error)}; the loss accepts {valid} the output",
        fix="Number the classes from 0, or give the output as many units as there are classes:\n"
        "    _, y = np.unique(y, return_inverse=True)   # ids 0..k-1\n"
        "    keras.layers.Dense(k, activation='softmax')",
        certainty="certain",
    )


def _target_shape(history: History, error: signals.TrainingError) -> VerdictText:
    return VerdictText(
        message=f"The targets do not have the shape that the loss needs for these predictions: {stopped_with(error)}",
        fix="Compare the shapes, and choose the loss for the targets:\n"
        "    print(y.shape, model(x).shape)\n"
        "    loss='sparse_categorical_crossentropy'   # class ids, one number per sample\n"
        "    loss='categorical_crossentropy'   # one-hot rows, as long as the output\n"
        "    loss='binary_crossentropy'   # or 'mse': the shape of the output",
        certainty="certain",
    )


def _variables_made(history: History, error: signals.TrainingError) -> VerdictText:
    return VerdictText(
        message=f"Variables are made while the step runs: {stopped_with(error)}; each trace would make new "
        "ones, as by a layer that is made inside a call or a Lambda, and nothing trains them",
        fix="Make the layer once, as an attribute of the model or of a layer, and only call it there:\n"
        "    self.dense = keras.layers.Dense(16)   # in __init__\n    x = self.dense(x)   # in call",
        certainty="certain",
    )


def _nonfinite(history: History, error: signals.TrainingError) -> VerdictText | None:
    """Words what a check of numbers found; None where recorded steps show what became NaN first."""
    if signals.anything_nonfinite(history).any():
        return None
    found = {
        "non-finite-loss": "The loss was NaN or infinite",
        "non-finite-in-loss": "A check found NaN or infinity in the computation of the loss",
        "non-finite-in-gradient": "A check found NaN or infinity in a gradient",
    }
    unknown = "A check found NaN or infinity in the step, in a tensor that is not recorded"
    return VerdictText(
        message=f"{found.get(error.meaning, unknown)}: {stopped_with(error)}",
        fix="Find the operation, then keep its input away from 0 and from overflow:\n"
        "    tf.debugging.enable_check_numerics()\n    tf.math.log(x + 1e-7); tf.sqrt(x + 1e-12); a / (b + 1e-7)",
        certainty="certain" if error.meaning == "non-finite-loss" else "likely",
    )


Word = Callable[[History, signals.TrainingError], VerdictText | None]
# meaning of the exception -> name of the rule, and the text of its verdict
_BY_MEANING: dict[str, tuple[str, Word]] = {
    "no-gradients": ("no-gradient", _no_gradients),
    "variables-made-in-step": ("untracked-variable", _variables_made),
    "label-out-of-range": ("label-problem", _label_out_of_range),
    "target-shape-mismatch": ("label-problem", _target_shape),
    "non-finite-loss": ("nonfinite-loss", _nonfinite),
    "non-finite-in-loss": ("nonfinite-loss", _nonfinite),
    "non-finite": ("nonfinite-loss", _nonfinite),
    "non-finite-in-gradient": ("nonfinite-gradient", _nonfinite),
}
