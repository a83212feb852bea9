"""How causes show: cause x symptom x fact, as a table.

To add a cause, add a row: the symptoms that it can make, with how usual it is there, and the facts that tell it from
others, each with what it weighs if it holds and if it does not (a fact that was not recorded weighs nothing). Weights
are natural logarithms of odds: 1 is a hint, 2 speaks clearly, 4 nearly proves, -4 nearly excludes. `ranking`
turns their sums into probabilities, and the clinic measures how true those are.
"""

from __future__ import annotations

from typing import NamedTuple

from . import data_facts as data
from . import gradient_facts as gradient
from . import loss_facts as loss
from . import movement_facts as movement
from . import optimizer_facts as optimizer
from . import output_facts as output
from . import setting_facts as setting
from .observation import Observe

STILL, BARELY, LEVEL = "weights-do-not-move", "weights-barely-move", "loss-no-better-than-constant"
BLOWN, NONFINITE, EQUAL = "loss-has-blown-up", "loss-is-not-finite", "predictions-are-equal"
ENDED = "ended-by-exception"


class Weighing(NamedTuple):
    """What a fact weighs for a cause.

    Attributes:
        fact: the fact.
        if_so: weight if it holds.
        if_not: weight if it does not.
    """

    fact: Observe
    if_so: float
    if_not: float = 0.0


class Cause(NamedTuple):
    """A row of the table.

    Attributes:
        symptoms: symptom -> how usual the cause is where it shows.
        facts: what tells it from other causes.
        settle: what would settle it.
        rule_holds: weight of a rule that calls the cause likely.
    """

    symptoms: dict[str, float]
    facts: tuple[Weighing, ...]
    settle: str
    rule_holds: float = 4.0


W = Weighing
_VARIES = (W(data.inputs_do_not_vary, -4), W(data.targets_do_not_vary, -4))
_ALIVE = W(gradient.gradients_are_nonzero, 1, -5)
_NOT_DEAD = W(output.layer_is_dead, -2)
_ALL_MOVE = (W(movement.most_weights_are_frozen, -6), W(movement.most_trainable_weights_stand, -5))

TABLE: dict[str, Cause] = {
    "constant-data": Cause(
        {LEVEL: -1, EQUAL: 0},
        (W(data.inputs_do_not_vary, 6, -3), W(data.targets_do_not_vary, 6), W(output.layer_outputs_do_not_vary, 2)),
        "Print the standard deviation over the batch of what the model is called with: x.std(axis=0)",
    ),
    "nonfinite-input": Cause(
        {NONFINITE: 0}, (W(data.data_are_not_finite, 6, -4),), "Count them: numpy.isfinite(x).all(), and the same for y"
    ),
    "unscaled-input": Cause(
        {LEVEL: 0, BLOWN: 0, NONFINITE: 0, EQUAL: 0, BARELY: -2},
        (W(data.inputs_are_large, 3, -5), W(loss.loss_starts_high, 1), W(output.layer_is_saturated, 1), *_ALL_MOVE),
        "Train 50 steps with standardized inputs: x = (x - x.mean(axis=0)) / x.std(axis=0)",
    ),
    "unscaled-target": Cause(
        {LEVEL: -1, BLOWN: 0, NONFINITE: 0, BARELY: 0, EQUAL: -1},
        (W(data.targets_are_large, 4, -6), W(data.inputs_are_large, -1)),
        "Train 50 steps with standardized targets: y = (y - y.mean()) / y.std()",
    ),
    "label-problem": Cause(
        {LEVEL: -1.5, NONFINITE: -1, EQUAL: -2, BLOWN: -1, ENDED: 0},
        (
            W(data.class_ids_are_no_integers, 5), W(data.targets_do_not_vary, 2),
            W(loss.loss_is_far_below_zero, 1), W(data.targets_leave_the_range_of_probabilities, 2.5),
            W(loss.exception_is_a_mismatch, 2, -6), *_ALL_MOVE,
        ),
        "Print the smallest, the largest and the type of the targets, beside the number of outputs",
    ),
    "no-learning-signal": Cause(
        {LEVEL: 1.0},
        (
            _ALIVE, *_ALL_MOVE, *_VARIES, _NOT_DEAD,
            W(movement.path_is_long, 1, -2.5), W(gradient.gradients_keep_their_direction, -1.5, 0.5),
            W(optimizer.learning_rate_is_high, -1), W(optimizer.learning_rate_is_low, -2),
            W(data.batches_hold_one_class, 3), W(output.predictions_are_equal, -3), W(data.inputs_are_large, -1),
            W(output.many_units_are_dead, -1), W(output.layer_is_saturated, -1),
            W(loss.loss_is_far_above_constant, -4),
        ),
        "Train on 32 samples only: a program whose labels belong to their inputs can learn them by heart",
        rule_holds=2.0,  # it sees that nothing is learned, and little of why
    ),
    "dead-relu": Cause(
        {LEVEL: 0, EQUAL: 0.5, STILL: -1, BARELY: -2},
        (
            W(output.layer_input_is_zero, -6), W(output.layer_is_dead, 3.5, -2.5), W(output.many_units_are_dead, 1, -2),
            W(movement.initial_scale_is_unusual, -2.5), W(movement.kernels_start_constant, -2),
            W(output.layer_outputs_do_not_vary, -4), W(data.inputs_do_not_vary, -4),
            W(optimizer.learning_rate_is_high, -1), W(data.inputs_are_large, -1), *_ALL_MOVE,
        ),
        "Replace the activation by 'leaky_relu' and train 20 steps: the gradient comes back if units were dead",
    ),
    "saturated-activation": Cause(
        {LEVEL: -0.5, BARELY: -0.5, EQUAL: -0.5, STILL: -2},
        (W(output.layer_is_saturated, 4, -4), W(data.inputs_are_large, -1.5), W(optimizer.learning_rate_is_high, -1)),
        "Scale the inputs to about 1 and train 20 steps",
    ),
    "constant-output": Cause(
        {EQUAL: 0.5, LEVEL: -1},
        (
            W(output.layer_input_is_zero, 5), W(output.predictions_are_equal, 2, -5),
            W(output.layer_outputs_do_not_vary, 3),
            W(output.layer_is_dead, -1.5), W(data.inputs_do_not_vary, -4), W(movement.kernels_start_constant, -2),
            W(gradient.gradient_falls_towards_the_input, -1.5), W(movement.initial_scale_is_unusual, -1),
        ),
        "Print the standard deviation over the batch of each layer's output, from the input on: the first that is 0 is "
        "the place",
    ),
    "single-sample-batch-norm": Cause(
        {EQUAL: -1, LEVEL: -2}, (W(data.batch_has_one_sample, 4, -8),), "Train with a batch of 32 samples"
    ),
    "loss-activation-mismatch": Cause(
        {LEVEL: -0.5, NONFINITE: 0, BLOWN: -1, EQUAL: -1, BARELY: -1},
        (
            W(output.output_cannot_vary, 6),
            W(loss.probabilities_are_taken_as_logits, 4), W(loss.logits_are_taken_as_probabilities, 4),
            W(loss.loss_starts_high, 1), *_ALL_MOVE,
        ),
        "Print the last layer's activation beside the loss and its from_logits",
    ),
    "wrong-loss": Cause(
        {LEVEL: -0.5, BLOWN: -0.5, NONFINITE: -1, EQUAL: -2, ENDED: -1},
        (
            W(loss.loss_compares_all_pairs, 5), W(loss.loss_is_far_below_zero, 2),
            W(data.targets_leave_the_range_of_probabilities, -2),
            W(loss.exception_is_a_mismatch, 2, -6), W(movement.path_is_long, 0.5, -1), _ALIVE, *_ALL_MOVE,
        ),
        "Hand over targets and predictions, watch.step(loss, targets=y, predictions=p): the loss is then compared "
        "with the usual ones",
    ),
    "loss-disconnected": Cause(
        {STILL: -1, EQUAL: -3, LEVEL: -3},
        (
            W(loss.loss_is_always_zero, 4), W(gradient.gradients_are_nonzero, -5, 3.5),
            W(gradient.gradients_are_none, -3), W(output.layer_is_dead, -3),
        ),
        "Print tape.gradient(loss, predictions): it is None or 0 if the loss does not depend on them",
    ),
    "no-gradient": Cause(
        {STILL: 0, LEVEL: -1},
        (W(gradient.gradients_are_none, 5, -4), W(movement.most_weights_are_frozen, -2)),
        "Hand over the gradients: watch.step(loss, gradients=zip(gradients, variables))",
    ),
    "zero-gradient": Cause(
        {STILL: 0, EQUAL: -1.5, LEVEL: -2},
        (W(gradient.gradients_are_nonzero, -4, 2), W(output.layer_is_dead, -1), W(gradient.gradients_are_none, -2)),
        "Print the gradient of the loss for each layer's output, from the loss back: the first that is 0 is the place",
    ),
    "vanishing-gradient": Cause(
        {BARELY: -0.5, LEVEL: -0.5, EQUAL: -0.5, STILL: -2},
        (
            W(gradient.gradient_falls_towards_the_input, 3, -4), W(gradient.gradient_is_small_for_its_weight, 1),
            W(optimizer.learning_rate_is_low, -2), W(data.inputs_are_large, -1), *_ALL_MOVE,
        ),
        "Replace the activations by 'relu' (with he_normal) and compare the first gradients",
    ),
    "exploding-gradient": Cause(
        {BLOWN: 0, NONFINITE: 0, LEVEL: -2},
        (W(gradient.gradient_grows_towards_the_input, 2, -2), W(optimizer.learning_rate_is_high, -1)),
        "Train 50 steps with clipnorm=1.0",
    ),
    "nonfinite-gradient": Cause(
        {NONFINITE: -0.5},
        (W(gradient.gradients_are_lost_first, 4, -2), W(data.data_are_not_finite, -4)),
        "Call tf.debugging.enable_check_numerics() before training: it names the operation",
    ),
    "nonfinite-loss": Cause(
        {NONFINITE: 0.5},
        (
            W(loss.loss_jumped, -1.5, 1), W(movement.weights_grew, -1.5, 0.5), W(data.data_are_not_finite, -4),
            W(gradient.gradients_are_lost_first, -2), W(optimizer.learning_rate_is_high, -1),
        ),
        "Call tf.debugging.enable_check_numerics() before training: it names the operation",
    ),
    "learning-rate-zero": Cause(
        {STILL: 0, BARELY: -1},
        (W(optimizer.learning_rate_is_zero, 6, -1), W(optimizer.learning_rate_fell, 6, -1)),
        "Print optimizer.learning_rate in each step",
    ),
    "learning-rate-too-small": Cause(
        {BARELY: 1.5, STILL: -3, LEVEL: -1},
        (
            _ALIVE, W(optimizer.learning_rate_is_low, 3, -0.5), W(optimizer.learning_rate_is_high, -4),
            W(optimizer.updates_have_their_usual_size, -2.5), W(optimizer.update_rule_gives_too_little, 2),
            W(gradient.gradients_have_one_norm, -3),
            W(gradient.gradients_keep_their_direction, 1.5, -0.5), W(movement.path_is_long, -1, 1.5),
            W(movement.weights_have_16_bits, -1), W(setting.gradients_are_clipped, -3),
            W(optimizer.learning_rate_fell, -6), W(optimizer.learning_rate_is_zero, -6),
            W(setting.epsilon_is_large, -3), W(setting.settings_are_extreme, -2), *_ALL_MOVE,
        ),
        "Train 50 steps with a learning rate 100 times as large",
    ),
    "learning-rate-too-large": Cause(
        {BLOWN: 1, NONFINITE: 0.5, LEVEL: 0, EQUAL: 0},
        (
            W(optimizer.learning_rate_is_high, 2.5, -2.5), W(loss.loss_jumped, 1, -0.5), W(movement.weights_grew, 1),
            W(gradient.gradients_reverse, 1), W(optimizer.learning_rate_is_low, -3), W(data.inputs_are_large, -1.5),
            W(loss.loss_is_far_below_zero, -2),
            W(data.targets_are_large, -1), *_ALL_MOVE,
        ),
        "Train 50 steps with a tenth of the learning rate",
    ),
    "optimizer-misconfigured": Cause(
        {BARELY: 0, STILL: -2, LEVEL: -1.5, BLOWN: -2, EQUAL: -1.5},
        (
            W(setting.epsilon_is_large, 4), W(setting.weight_decay_is_large, 4),
            W(setting.settings_are_extreme, 4),
            W(setting.loss_scale_is_not_used, 5), W(optimizer.updates_are_below_their_rule, 1),
        ),
        "Train 50 steps with keras.optimizers.Adam(1e-3)",
    ),
    "clipping-too-tight": Cause(
        {BARELY: 0, STILL: -1, LEVEL: -2},
        (W(setting.gradients_are_clipped, 5, -1), W(gradient.gradients_have_one_norm, 5, -2)),
        "Train 50 steps without clipping",
    ),
    "loss-scale-skipping": Cause(
        {STILL: 0, NONFINITE: -1},
        (W(setting.loss_scale_skips_steps, 4, -6), W(optimizer.optimizer_counts, -2, 1)),
        "Train 50 steps in float32 or bfloat16",
    ),
    "updates-not-applied": Cause(
        {STILL: 1, LEVEL: -1},
        (
            W(gradient.gradients_are_nonzero, 1, -4), W(optimizer.optimizer_counts, -1.5, 3),
            W(optimizer.update_rule_is_own, 3), W(optimizer.learning_rate_is_low, -2),
            W(optimizer.learning_rate_is_zero, -6), W(movement.weights_have_16_bits, -2),
            W(setting.settings_are_extreme, -2), W(optimizer.update_rule_gives_too_little, -2),
            W(movement.most_trainable_weights_stand, 4), W(movement.most_weights_are_frozen, -3),
        ),
        "Print a weight before and after optimizer.apply_gradients(...), and pass optimizer= to ww.Watch",
    ),
    "update-below-precision": Cause(
        {STILL: -0.5, BARELY: 0},
        (
            W(movement.weights_have_16_bits, 3, -1.5), W(movement.elements_are_stuck, 1.5, -2), _ALIVE,
            W(optimizer.update_rule_gives_too_little, 3, -1), W(optimizer.learning_rate_is_low, -1),
        ),
        "Train 50 steps with float32 weights",
    ),
    "update-undone": Cause(
        {STILL: -0.5, BARELY: -1, LEVEL: -1.5, EQUAL: -1.5},
        (
            W(movement.weights_sit_at_one_bound, 6),
            W(movement.weights_are_put_back, 4, -1.5), W(optimizer.optimizer_counts, 1, -1),
            W(optimizer.updates_are_below_their_rule, 1), W(gradient.gradients_are_nonzero, 1, -4),
            W(optimizer.learning_rate_is_low, -2),
        ),
        "Print a weight at the end of one step and at the beginning of the next",
    ),
    "frozen-weights": Cause(
        {STILL: -1, LEVEL: -1, BARELY: -1},
        (W(movement.most_weights_are_frozen, 6, -4),),
        "Set model.trainable = True, compile again and train 50 steps",
    ),
    "poor-initialization": Cause(
        {LEVEL: -0.5, EQUAL: -0.5, BARELY: -1, BLOWN: -1},
        (W(movement.kernels_start_constant, 4), W(movement.initial_scale_is_unusual, 2.5, -1.5), *_ALL_MOVE),
        "Train 50 steps with the default initializers (glorot_uniform)",
    ),
}  # fmt: skip
KNOWN_SYMPTOMS = {symptom for cause in TABLE.values() for symptom in cause.symptoms}
