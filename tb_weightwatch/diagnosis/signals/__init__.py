"""The signals that rules read: values derived from a History, each computed once per row.

* `columns`: recorded columns, variables and facts
* `scans`: cumulative operations along the rows (running mean, streak, first known value)
* `incremental`, `signal_rows`, `carry`, `memo`: how signals are computed once per row and cached
* `loss_trend`, `loss_course`, `baseline`: the course of the loss, the same in words, the loss of a constant prediction
* `loss_function`, `loss_identity`: the recorded loss function, the loss identified by its value
* `gradients`, `movement`: where gradients are non-zero, their norm, how far weights move
* `weight_variables`, `initial_kernels`: which variables are weights, how the kernels started
* `equal_predictions`: batches of which every sample gets the same prediction
* `layer_outputs`, `starved_layers`, `dead_by_gradient`: dead units and saturation
* `model_structure`, `kernels_by_depth`: output layer, order of layers, kernels from input to output
* `batch_normalization`: BatchNormalization layers and where their variables are
* `optimizer`, `update_rule`, `optimizer_slots`: the optimizer's settings, the update that its rule makes, its averages
* `trained_variables`, `updates_elsewhere`: whether the program trains the variables that are watched
* `training_error`, `recording_stop`: the exception that ended the training, the failure that ended the recording
* `recording_losses`: what was left out of a recording
* `experiment_records`: what experiments have shown
* `large_update_effects`, `setting_effects`: effects of large updates, and of epsilon and weight decay
"""

from .baseline import beats_constant, constant_prediction_loss, double_activation_losses
from .batch_normalization import BatchNormalization, batch_normalizations
from .carry import Carry
from .columns import (
    any_positive,
    anything_nonfinite,
    column,
    latest_run_value,
    model_facts,
    recorder_kind,
    root_sizes,
    run_column,
    select_columns,
    single_column,
    trainable,
    trainable_names,
    usual_weight_scale,
    variables,
)
from .dead_by_gradient import dead_relu_by_gradient, relu_pairs
from .equal_predictions import equal_predictions
from .experiment_records import CauseTest, all_experiments, tests_of_cause
from .gradients import all_gradients_zero, any_nonzero_gradient, clipping_ratio, global_norm, nonzero_gradient
from .incremental import (
    SPAN_ROWS,
    RowSpan,
    SignalCache,
    full_history,
    incremental,
    is_recorded,
    restrict,
    signals_cached,
)
from .initial_kernels import elements_start_equal, initial_scale_ratio
from .kernels_by_depth import kernel_profile, trainable_matrices
from .large_update_effects import LargeUpdateEffects, effects_of_large_updates, weight_growth
from .layer_outputs import (
    DEAD_ROWS,
    any_dead,
    any_saturated,
    dead_layers,
    dead_units,
    layer_activation,
    mostly_dead,
    recorded_layers,
    relu_layers,
    saturated_layers,
    squashing_layers,
    variables_of_layers,
)
from .loss_course import LossCourse, recent_slope
from .loss_function import (
    is_cross_entropy,
    loss_facts,
    loss_name,
    targets_are_class_ids,
)
from .loss_identity import ENTROPIES, SQUARED, loss_equals, maximized_candidate, pair_candidate
from .loss_trend import LossTrend, loss_course, loss_trend
from .memo import memoized
from .model_structure import (
    disconnected_region,
    model_layers,
    normalizes_inputs,
    output_activation,
    output_is_plain,
    output_units,
    predicted_units,
    trainable_kernels,
    variable_depths,
)
from .movement import (
    any_moved,
    barely_moving,
    distance_moved,
    largest_mean_relative_update,
    largest_relative_update,
    mean_relative_update,
)
from .optimizer import (
    NORMALIZED,
    accumulation_steps,
    first_optimizer,
    has_schedule,
    is_normalized,
    literal,
    optimizer_class,
    optimizer_setting,
    optimizers,
    round_learning_rate,
    set_learning_rate_code,
    suggested_learning_rate,
    usual_learning_rate,
)
from .optimizer_slots import unmoved_with_slots
from .recording_losses import RecordingLosses, recording_losses
from .recording_stop import RecordingStop, recording_stop
from .scans import (
    Bool,
    Float,
    by_distinct_row,
    ever,
    first_known,
    latest_known,
    running_max,
    running_mean,
    streak,
    trailing_mean,
)
from .setting_effects import decay_effect, epsilon_effect
from .starved_layers import starved_layers
from .trained_variables import (
    MadeAnew,
    at_row,
    called,
    has_own_update_rule,
    holds,
    made_anew,
    released,
    tensors_for_variables,
    updated_variables,
)
from .training_error import TrainingError, training_error
from .update_rule import (
    exceeds_expected_update,
    expected_update,
    expected_update_negligible,
    half_ulp,
)
from .updates_elsewhere import (
    all_released,
    gradients_without_movement,
    model_never_called,
    never_listed,
    own_rule_without_effect,
    updates_given_elsewhere,
    variables_made_anew,
)
from .weight_variables import share_of_elements, weight_variables

__all__ = [
    "DEAD_ROWS",
    "ENTROPIES",
    "NORMALIZED",
    "SPAN_ROWS",
    "SQUARED",
    "BatchNormalization",
    "Bool",
    "Carry",
    "CauseTest",
    "Float",
    "LargeUpdateEffects",
    "LossCourse",
    "LossTrend",
    "MadeAnew",
    "RecordingLosses",
    "RecordingStop",
    "RowSpan",
    "SignalCache",
    "TrainingError",
    "accumulation_steps",
    "all_experiments",
    "all_gradients_zero",
    "all_released",
    "any_dead",
    "any_moved",
    "any_nonzero_gradient",
    "any_positive",
    "any_saturated",
    "anything_nonfinite",
    "at_row",
    "barely_moving",
    "batch_normalizations",
    "beats_constant",
    "by_distinct_row",
    "called",
    "clipping_ratio",
    "column",
    "constant_prediction_loss",
    "dead_layers",
    "dead_relu_by_gradient",
    "dead_units",
    "decay_effect",
    "disconnected_region",
    "distance_moved",
    "double_activation_losses",
    "effects_of_large_updates",
    "elements_start_equal",
    "epsilon_effect",
    "equal_predictions",
    "ever",
    "exceeds_expected_update",
    "expected_update",
    "expected_update_negligible",
    "first_known",
    "first_optimizer",
    "full_history",
    "global_norm",
    "gradients_without_movement",
    "half_ulp",
    "has_own_update_rule",
    "has_schedule",
    "holds",
    "incremental",
    "initial_scale_ratio",
    "is_cross_entropy",
    "is_normalized",
    "is_recorded",
    "kernel_profile",
    "largest_mean_relative_update",
    "largest_relative_update",
    "latest_known",
    "latest_run_value",
    "layer_activation",
    "literal",
    "loss_course",
    "loss_equals",
    "loss_facts",
    "loss_name",
    "loss_trend",
    "made_anew",
    "maximized_candidate",
    "mean_relative_update",
    "memoized",
    "model_facts",
    "model_layers",
    "model_never_called",
    "mostly_dead",
    "never_listed",
    "nonzero_gradient",
    "normalizes_inputs",
    "optimizer_class",
    "optimizer_setting",
    "optimizers",
    "output_activation",
    "output_is_plain",
    "output_units",
    "own_rule_without_effect",
    "pair_candidate",
    "predicted_units",
    "recent_slope",
    "recorded_layers",
    "recorder_kind",
    "recording_losses",
    "recording_stop",
    "released",
    "relu_layers",
    "relu_pairs",
    "restrict",
    "root_sizes",
    "round_learning_rate",
    "run_column",
    "running_max",
    "running_mean",
    "saturated_layers",
    "select_columns",
    "set_learning_rate_code",
    "share_of_elements",
    "signals_cached",
    "single_column",
    "squashing_layers",
    "starved_layers",
    "streak",
    "suggested_learning_rate",
    "targets_are_class_ids",
    "tensors_for_variables",
    "tests_of_cause",
    "trailing_mean",
    "trainable",
    "trainable_kernels",
    "trainable_matrices",
    "trainable_names",
    "training_error",
    "unmoved_with_slots",
    "updated_variables",
    "updates_given_elsewhere",
    "usual_learning_rate",
    "usual_weight_scale",
    "variable_depths",
    "variables",
    "variables_made_anew",
    "variables_of_layers",
    "weight_growth",
    "weight_variables",
]
