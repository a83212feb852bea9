"""What counts as a right answer to a reported program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Labels amended after every program had been trained and read: prefix of names -> labels to add, labels to drop.
AMENDED = {
    "gh_clip_zeroish": ("update-below-precision", ""),
    "dc_ones_init": ("vanishing-gradient", ""),
    "dc_lr_one": ("", "nonfinite-gradient"),
    "umlaut_a": ("", "nonfinite-gradient"),
    "deep_sigmoid_12": ("", "saturated-activation"),
    "gh_kerasma": ("", "saturated-activation vanishing-gradient"),
    "gh_melbourne": ("", "saturated-activation unscaled-input"),
    "so42514960": ("label-problem", "vanishing-gradient"),
    "so47352366": ("", "zero-gradient"),
    "so51181393": ("", "unscaled-input"),
    "t_lso_without_scaling_loss": ("", "loss-scale-skipping update-below-precision"),
    "so58609115": ("label-problem", ""),
}
# They learn all the same, or are the twin of another program.
AMBIGUOUS = ("frozen_all_but_bias__bad", "multi_output_loss_weight_zero__bad")
# A rule's name -> labels that it satisfies, beside its own name.
ALIAS = {
    "update-undone": {"weights-reset"},
    "unscaled-target": {"unscaled-input", "label-problem"},
    "constant-output": {"loss-activation-mismatch", "dead-relu", "zero-gradient"},
    "nonfinite-loss": {"nonfinite-gradient", "wrong-loss", "learning-rate-too-large", "exploding-gradient"},
    "nonfinite-weight": {"nonfinite-gradient", "learning-rate-too-large", "exploding-gradient"},
    "loss-disconnected": {"no-gradient", "zero-gradient", "wrong-loss"},
    "wrong-gradient": {"zero-gradient", "exploding-gradient", "wrong-loss"},
    "untracked-variable": {"updates-not-applied", "frozen-weights", "no-gradient"},
}
# Healthy programs whose plain training is that of an earlier one: counted once.
DUPLICATES = frozenset(
    f"{name}__ok"
    for name in (
        "adam_epsilon_1e3", "dead_relu_bias", "inputs_same_row", "labels_constant", "labels_out_of_range",
        "multi_output_loss_weight_zero", "t_apply_never_called", "t_apply_to_other_model", "t_argmax_loss",
        "t_manual_lr_tiny", "t_model_recreated_each_step", "t_round_output", "t_sign_activation",
    )
)  # fmt: skip


def amend(meta: dict[str, dict[str, Any]]) -> None:
    """Puts the amended labels into the registry of cases."""
    for name, known in meta.items():
        if known["truth"][0] != "healthy":
            for prefix, (add, drop) in AMENDED.items():
                if name.startswith(prefix):
                    labels = dict.fromkeys((*known["truth"], *add.split()))
                    known["truth"] = tuple(label for label in labels if label not in drop.split())
        if name.startswith(AMBIGUOUS):
            known["ambiguous"] = True


def accepted(truth: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of rules that are a right first answer, the primary one first; () for a healthy program."""
    from tb_weightwatch.diagnosis import catalogue

    if truth[0] == "healthy":
        return ()
    of_label = [(label, *(rule for rule in ALIAS if label in ALIAS[rule])) for label in truth]
    # All labels first: an alias is never the primary answer where the label itself is a rule.
    names = [*truth, *(rule for rules in of_label for rule in rules[1:])]
    if truth[0] not in catalogue():
        names = [*of_label[0][1:], *names]
    return tuple(name for name in dict.fromkeys(names) if name in catalogue())
