"""What a tag that somebody else wrote holds, told from its name alone; what is not sure is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_EVALUATION = {"val", "valid", "validation", "eval", "evaluation", "test", "dev"}
_FILLING = {"loss", "train", "training", "epoch", "batch", "step", "iter", "iteration", "total", "mean", "avg",
            "average", "running", "per"}  # fmt: skip
_GRADIENT = {"grad", "grads", "gradient", "gradients"}
_WEIGHT = {"kernel", "kernels", "bias", "biases", "weight", "weights", "gamma", "beta", "embedding", "embeddings",
           "params", "parameters", "variables"}  # fmt: skip
# Histograms of something else that may stand under a weight's name, and statistics, which no optimizer moves.
_OTHER = {"activation", "activations", "output", "outputs", "input", "inputs", "logits", "momentum", "velocity", "ema",
          "update", "updates", "delta", "ratio", "moving", "running", "seed", "tracked", "avg", "image"}  # fmt: skip
_KNOWN = 1 << 13  # tags come again with every datum
_FOLDERS = ("train", "training")


def words(tag: str) -> list[str]:
    """Returns the words of a tag in small letters: "Loss/train_epoch" -> loss, train, epoch."""
    return [word.lower() for word in _WORD.findall(tag)]


@lru_cache(_KNOWN)
def scalar_kind(tag: str) -> str:
    """Returns "loss", "learning_rate" or "" for the tag of a scalar."""
    found = words(tag)
    if _EVALUATION & set(found) or "accuracy" in found:
        return ""
    if "loss" in found:
        return "loss"
    rate = "lr" in found or "learningrate" in found or "learning rate" in " ".join(found)
    return "learning_rate" if rate else ""


@lru_cache(_KNOWN)
def histogram_kind(tag: str) -> str:
    """Returns "weight", "gradient" or "" for the tag of a histogram."""
    found = words(variable(tag))
    if _EVALUATION & set(found) or _OTHER & set(found):
        return ""
    if _GRADIENT & set(words(tag)):
        return "gradient"
    last = variable(tag).rsplit("/", 1)[-1].lower().strip("_0123456789")
    return "weight" if _WEIGHT & set(found) or last in ("w", "b") else ""


@lru_cache(_KNOWN)
def variable(tag: str) -> str:
    """Returns the name of the variable that a histogram shows: without what says that it is one, or of a gradient."""
    parts = [p for p in tag.split("/") if p.lower() not in ("histogram", "hist", "histograms", *_GRADIENT)]
    name = "/".join(parts)
    for word in _GRADIENT:
        name = re.sub(rf"(?i)(^{word}[._-]|[._-]{word}$)", "", name)
    return name or tag


def main_loss_tag(counts: Mapping[str, int]) -> str:
    """Returns which of several loss tags is the loss that is trained on, "" if that is not sure.

    A tag of nothing but "loss" and filling words ("train/loss", "epoch_loss") before one with a word of its own; of
    several, the one with most data. Parts ("g_loss" and "d_loss") are none.
    """
    plain = [tag for tag in counts if not set(words(tag)) - _FILLING]
    if plain:
        return max(plain, key=lambda tag: (counts[tag], "batch" in words(tag), tag))
    return next(iter(counts)) if len(counts) == 1 else ""


def is_evaluation(directory: str) -> bool:
    """Says whether a run directory holds what was measured on other data; "test_run_1" is a training's name."""
    return re.split(r"[/\\]", directory.rstrip("/\\"))[-1].lower() in _EVALUATION


def is_training(directory: str) -> bool:
    """Says whether a run directory is the half of a run that Keras calls "train"."""
    return re.split(r"[/\\]", directory.rstrip("/\\"))[-1].lower() in _FOLDERS
