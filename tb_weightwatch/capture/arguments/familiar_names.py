"""Argument names that people know from `keras.callbacks.TensorBoard`, and what is said of other unknown names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from ...history import nearest
from ...writer import SummarySettings
from .logdir import checked_logdir
from .received_value import received
from .training import positive_integer

if TYPE_CHECKING:
    from .types import LogDir

DEFAULT_LOGDIR = "logs"  # that of `keras.callbacks.TensorBoard`


class FamiliarNames(TypedDict, total=False):
    """What `ww.Watch` accepts of the arguments of `keras.callbacks.TensorBoard`.

    Attributes:
        log_dir: another name of `logdir`.
        update_freq: "batch": scalars of each recorded step; n: at most every n steps. Implies `scalars=True`.
    """

    log_dir: LogDir
    update_freq: int | Literal["batch"]


class FamiliarNamesOfFit(TypedDict, total=False):
    """What `ww.WeightWatch` accepts of the arguments of `keras.callbacks.TensorBoard`.

    Attributes:
        log_dir: another name of `logdir`.
        update_freq: "batch": scalars of each recorded step; "epoch": of the first recorded step of an epoch; n: at most
            every n steps. Implies `scalars=True`.
        histogram_freq: n: histograms of the first recorded step after the begin of every n-th epoch; implies
            `histograms=True`. 0: none besides those that `histograms=True` asks for.
    """

    log_dir: LogDir
    update_freq: int | Literal["batch", "epoch"]
    histogram_freq: int


_OF_KERAS_ONLY = {
    "write_graph": "tf.summary.graph",
    "write_images": "tf.summary.image",
    "write_steps_per_second": "tf.summary.scalar",
    "profile_batch": "tf.profiler.experimental",
    "embeddings_freq": "the TensorBoard projector",
    "embeddings_metadata": "the TensorBoard projector",
}


def with_familiar_names(
    kind: type, logdir: LogDir, scalars: bool, histograms: bool, familiar: Mapping[str, Any]
) -> tuple[LogDir, SummarySettings]:
    """Returns where to record, and what to write for TensorBoard's own tabs.

    Args:
        kind: the class whose constructor was called; it accepts epochs if it is a Keras callback.
        logdir: as given.
        scalars: as given.
        histograms: as given.
        familiar: further arguments by name.

    Raises:
        TypeError: there is no argument of a name, `logdir` has come twice, or an argument has another type.
        ValueError: an argument has another value than expected.
    """
    is_callback = hasattr(kind, "on_epoch_begin")
    _check_names(kind, familiar, is_callback)
    if "log_dir" in familiar:
        if logdir != DEFAULT_LOGDIR:
            raise TypeError(f"logdir and log_dir are two names of one argument; pass {received(logdir)} alone")
        logdir = familiar["log_dir"]
    every, of_epochs = _scalar_frequency(familiar.get("update_freq", "batch"), is_callback)
    epochs = _histogram_frequency(familiar.get("histogram_freq", 0))
    settings = SummarySettings(
        scalars=bool(scalars) or "update_freq" in familiar,
        histograms=bool(histograms) or epochs > 0,
        scalar_steps=every,
        scalar_epochs=of_epochs,
        histogram_epochs=epochs,
    )
    return checked_logdir(logdir), settings


def _check_names(kind: type, familiar: Mapping[str, Any], is_callback: bool) -> None:
    accepted = FamiliarNamesOfFit.__annotations__ if is_callback else FamiliarNames.__annotations__
    for name in familiar:
        if name in accepted:
            continue
        maker = f"ww.{kind.__name__}"
        if name in _OF_KERAS_ONLY:
            other = "keras.callbacks.TensorBoard beside it" if is_callback else f"{_OF_KERAS_ONLY[name]} beside it"
            raise TypeError(f"{maker} takes no {name}; use {other}, with a folder of its own")
        if name in FamiliarNamesOfFit.__annotations__:
            raise TypeError(f"{maker} takes no {name}, since a loop does not tell it of epochs; use histograms=True")
        parameters = inspect.signature(kind).parameters.values()
        known = [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD] + list(accepted)
        raise TypeError(f"{maker} takes no argument {name!r}; {nearest(name, known)}")


def _scalar_frequency(value: Any, is_callback: bool) -> tuple[int, bool]:
    """Returns the steps between two scalars, and whether they are written once an epoch only."""
    if value == "batch":
        return 1, False
    if value == "epoch" and is_callback:
        return 1, True
    if isinstance(value, str):
        words = '"batch", "epoch" or a number of steps' if is_callback else '"batch" or a number of steps'
        raise ValueError(f"update_freq must be {words}, got {received(value)}")
    return positive_integer("update_freq", value), False


def _histogram_frequency(value: Any) -> int:
    """Returns the epochs between two histograms; 0: none are written for epochs."""
    is_zero = isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0
    return 0 if is_zero else positive_integer("histogram_freq", value)
