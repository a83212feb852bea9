"""What a third-party tag holds, by its name alone; a tag whose meaning is not certain has no kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from ...schema import PLUGIN

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_EVALUATION = {"val", "valid", "validation", "eval", "evaluation", "test", "dev"}
_NEUTRAL = {"loss", "train", "training", "epoch", "batch", "step", "iter", "iteration", "total", "mean", "avg",
            "average", "running", "per"}  # fmt: skip
_GRADIENT = {"grad", "grads", "gradient", "gradients"}
_WEIGHT = {"kernel", "kernels", "bias", "biases", "weight", "weights", "gamma", "beta", "embedding", "embeddings",
           "params", "parameters", "variables"}  # fmt: skip
# Histograms of other quantities that may have a weight's name in their tag, and statistics, which no optimizer moves.
_NO_WEIGHT = {"activation", "activations", "output", "outputs", "input", "inputs", "logits", "momentum", "velocity",
              "ema", "update", "updates", "delta", "ratio", "moving", "running", "seed", "tracked", "avg",
              "image"}  # fmt: skip
# The norm of all gradients together: "train/grad_norm", "grad_2.0_norm_total". One of a single weight names it.
_OF_ALL_GRADIENTS = {*_NEUTRAL, *_GRADIENT, "norm", "global", "l", "all"}
_OURS = f"{PLUGIN}/"  # what tb_weightwatch writes for TensorBoard's own tabs; it is recorded otherwise as well
_CACHE_SIZE = 1 << 13  # the same tags come with every datum
_TRAINING = ("train", "training")
# Words of a log whose loss is no measure of success: the objective itself moves while the model learns.
_MOVING_OBJECTIVE = {"reward", "rewards", "rew", "rollout", "episode", "discriminator", "generator", "critic", "actor",
                     "policy", "adversarial", "gan"}  # fmt: skip


def words(tag: str) -> list[str]:
    """Returns the words of a tag in lower case: "Loss/train_epoch" -> loss, train, epoch."""
    return [word.lower() for word in _WORD.findall(tag)]


@lru_cache(_CACHE_SIZE)
def scalar_kind(tag: str) -> str:
    """Returns "loss", "validation_loss", "gradient_norm", "learning_rate" or "" for the tag of a scalar."""
    tag_words = words(tag)
    if "accuracy" in tag_words or tag.startswith(_OURS):
        return ""
    if _EVALUATION & set(tag_words):
        return "validation_loss" if tag_words.count("loss") and not set(tag_words) & {"best", "min", "test"} else ""
    if "loss" in tag_words:
        return "loss"
    if _GRADIENT & set(tag_words) and "norm" in tag_words and not set(tag_words) - _OF_ALL_GRADIENTS:
        return "gradient_norm"
    is_rate = "lr" in tag_words or "learningrate" in tag_words or "learning rate" in " ".join(tag_words)
    return "learning_rate" if is_rate else ""


@lru_cache(_CACHE_SIZE)
def histogram_kind(tag: str) -> str:
    """Returns "weight", "gradient" or "" for the tag of a histogram."""
    name_words = set(words(variable(tag)))
    if tag.startswith(_OURS) or _EVALUATION & name_words or _NO_WEIGHT & name_words:
        return ""
    if _GRADIENT & set(words(tag)):
        return "gradient"
    last = variable(tag).rsplit("/", 1)[-1].lower().strip("_0123456789")
    return "weight" if _WEIGHT & name_words or last in ("w", "b") else ""


@lru_cache(_CACHE_SIZE)
def variable(tag: str) -> str:
    """Returns the name of a histogram's variable: its tag without the words "histogram" and "gradient"."""
    parts = [p for p in tag.split("/") if p.lower() not in ("histogram", "hist", "histograms", *_GRADIENT)]
    name = "/".join(parts)
    for word in _GRADIENT:
        name = re.sub(rf"(?i)(^{word}[._-]|[._-]{word}$)", "", name)
    return name or tag


def main_loss_tag(counts: Mapping[str, int]) -> str:
    """Returns the tag of the loss that is trained on, "" if that is not certain.

    A tag of only "loss" and neutral words ("train/loss", "epoch_loss") goes before one with a word of its own; of
    several such, the one with the most data. One of several partial losses ("g_loss" and "d_loss") is not the loss.

    Args:
        counts: loss tag -> number of its data.
    """
    plain = [tag for tag in counts if not set(words(tag)) - _NEUTRAL]
    if plain:
        return max(plain, key=lambda tag: (counts[tag], "batch" in words(tag), tag))
    return next(iter(counts)) if len(counts) == 1 else ""


@lru_cache(_CACHE_SIZE)
def has_moving_objective(tag: str) -> bool:
    """Checks whether a tag is of a training whose loss may rise while it learns: reinforcement or adversarial."""
    return bool(_MOVING_OBJECTIVE & set(words(tag)))


def is_evaluation(directory: str) -> bool:
    """Checks whether a run directory holds an evaluation, by its full name: "test_run_1" is a training."""
    return re.split(r"[/\\]", directory.rstrip("/\\"))[-1].lower() in _EVALUATION


def is_training(directory: str) -> bool:
    """Checks whether a run directory is the training half of a run, which Keras calls "train"."""
    return re.split(r"[/\\]", directory.rstrip("/\\"))[-1].lower() in _TRAINING
