"""How each quantity is computed and how precisely it is stored, for the explanations that the panel shows.

g is the gradient, w the weight after the step, w_before the weight before it, and ‖x‖ the l2 norm sqrt(sum(x²)).
"""

from __future__ import annotations

_PAIRS = "The mean over all n x n pairs of a prediction with a target of the batch"
_PROBABILITIES = "predictions are clipped to 1e-7 ... 1 - 1e-7, as Keras does"
FORMULAS: dict[str, str] = {
    "update_ratio": "‖w - w_before‖ / ‖w‖: both norms over all elements of the variable, after the step.",
    "gradient_norm": "‖g‖ = sqrt(sum(g²)) over all elements of the gradient that the optimizer gets.",
    "gradient_max": "max(|g|) over all elements of the gradient.",
    "gradient_zero_share": "Number of elements with g == 0, over the number of elements.",
    "gradient_nonfinite": "Number of elements of the gradient that are NaN or infinite.",
    "gradient_none": "1 if the gradient of the variable is None, else 0.",
    "gradient_cosine": "sum(g · h) / (‖g‖ · ‖h‖), where h is the gradient of the step before. 1: the same direction, "
    "0: at right angles, -1: the opposite direction. At most 65,536 elements, evenly chosen, are compared.",
    "raw_gradient_norm": "‖g‖ before clipping, divided by the loss scale of mixed precision.",
    "weight_norm": "‖w‖ = sqrt(sum(w²)) over all elements.",
    "weight_max": "max(|w|) over all elements.",
    "weight_std": "sqrt(mean((w - mean(w))²)) over all elements.",
    "weight_nonfinite": "Number of elements of the weight that are NaN or infinite.",
    "update_norm": "‖w - w_before‖, from the stored values on both sides of the step.",
    "update_max": "max(|w - w_before|) over all elements.",
    "changed_share": "Number of elements whose stored value after the step differs from that before it, over the "
    "number of elements.",
    "stuck_share": "Number of elements with g != 0 and w == w_before, over the number of elements.",
    "statistic_norm": "sqrt(sum(s²)) of the moving mean or variance s after the step.",
    "statistic_change": "sqrt(sum((s - s_before)²)) of the moving mean or variance s.",
    "zero_share": "Number of outputs of the batch that are exactly 0, over the number of outputs.",
    "dead_share": "Number of units (positions on the last axis) that are 0 for every sample and place of the batch, "
    "over the number of units.",
    "always_dead_share": "Number of units that were 0 for every sample of every recorded batch so far, over the "
    "number of units.",
    "saturated_share": "Number of outputs at which the derivative of the activation function is below 1 % of its "
    "largest value, over the number of outputs. It is known from the output: that of a sigmoid is y · (1 - y).",
    "blocked_share": "Number of outputs at which the derivative of the activation function is exactly 0 in the type of "
    "the outputs, over the number of outputs.",
    "output_mean": "The sum of the layer's outputs over their number.",
    "output_std": "sqrt(mean((y - mean(y))²)) over all outputs y of the batch.",
    "output_max": "max(|y|) over all outputs y of the batch.",
    "output_nonfinite": "Number of outputs that are NaN or infinite.",
    "loss": "The loss of this batch as fit computes it, or as watch.step was given it; a vector of losses is averaged.",
    "learning_rate": "optimizer.learning_rate in this step; where it is a schedule, the value of the schedule.",
    "loss_scale": "The number by which the optimizer multiplies the loss, and by which it divides the gradients again.",
    "iterations": "optimizer.iterations after the step.",
    "prediction_mean": "The sum of the predictions of the batch over their number.",
    "prediction_std": "For each output, the standard deviation over the samples of the batch; the largest of them.",
    "cross_entropy": f"-mean(log of the probability of the right class); {_PROBABILITIES}.",
    "logit_cross_entropy": "-mean(log of the probability of the right class), where softmax or sigmoid of the raw "
    "outputs (logits) gives the probabilities.",
    "squared_error": "mean((y - p)²), prediction by prediction.",
    "absolute_error": "mean(|y - p|), prediction by prediction.",
    "pair_squared_error": f"{_PAIRS}: (y_i - p_j)².",
    "pair_absolute_error": f"{_PAIRS}: |y_i - p_j|.",
    "pair_cross_entropy": f"{_PAIRS}: the binary cross-entropy; {_PROBABILITIES}.",
    "pair_logit_cross_entropy": f"{_PAIRS}: the binary cross-entropy of raw outputs.",
    "input_mean": "The sum of all input elements of the batch over their number.",
    "input_std": "sqrt(mean((x - mean(x))²)) over all input elements of the batch.",
    "input_max": "max(|x|) over all input elements of the batch.",
    "input_scale_ratio": "The standard deviation of each feature over the samples; the largest of them over the "
    "smallest that is not 0.",
    "input_constant_share": "Number of features with the same value in all samples of the batch, over the number of "
    "features.",
    "input_nonfinite": "Number of input elements that are NaN or infinite.",
    "target_mean": "The sum of the targets of the batch over their number.",
    "target_std": "sqrt(mean((y - mean(y))²)) over all targets of the batch.",
    "target_low": "min(y) over all targets of the batch.",
    "target_high": "max(y) over all targets of the batch.",
    "target_fraction_share": "Number of targets with y != round(y), over the number of targets.",
    "target_sum_error": "max(|sum(row) - 1|) over the rows of the targets; 0 for one-hot rows.",
    "target_nonfinite": "Number of target elements that are NaN or infinite.",
    "batch_size": "The length of the first axis of the batch.",
    "total_gradient_norm": "sqrt(sum(‖g‖²)) over all variables, as the tool that wrote the log computed it.",
    "validation_loss": "The loss of the validation data, as the tool that wrote the log computed it.",
    "clip_ratio": "gradient_norm / raw_gradient_norm of the variable.",
    "recorder_cost": "The time that recording has added so far, less what it has saved, over that of training alone.",
}
PRECISION: dict[str, str] = {  # by the encoding of a quantity
    "size": "Stored with a relative error of at most 0.4 %; 0, NaN and infinity are exact.",
    "share": "Stored with a relative error below 1 %, more precisely near 1; 0 and 1 are exact.",
    "count": "Stored exactly.",
    "flag": "Stored exactly.",
    "cosine": "Stored in steps of 1/512.",
    "exact": "Stored in float32.",
}
