"""Selects the tags of a training from all that was collected: loss, learning rate, weights and gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .series import BoundedSeries, Points, select
from .tag_collector import TagCollector
from .tag_names import histogram_kind, is_evaluation, main_loss_tag, scalar_kind

MAX_RESTARTS = 16


class SelectedTags(NamedTuple):
    """The data of a training.

    Attributes:
        loss: tag of the loss; "" if it is not known which of several is the loss.
        learning_rate: tag of the learning rate; "" if there is none.
        gradient_norm: tag of the norm of all gradients together; "" if there is none.
        validation_loss: tag of the loss of the validation data; "" if there is none.
        scalars: the data of these four by tag.
        weights: histograms of weights by tag.
        gradients: histograms of gradients by tag.
    """

    loss: str
    learning_rate: str
    gradient_norm: str
    validation_loss: str
    scalars: dict[str, Points]
    weights: dict[str, Points]
    gradients: dict[str, Points]

    def main_series(self) -> Points | None:
        """Returns the series whose steps become rows: the loss if there is one; None without any data."""
        if self.loss in self.scalars:
            return self.scalars[self.loss]
        others = [self.scalars[tag] for tag in self.columns() if tag in self.scalars]
        return next(iter([*self.weights.values(), *others, *self.gradients.values()]), None)

    def columns(self) -> dict[str, str]:
        """Returns tag -> column of a History, for the scalars."""
        columns = {
            self.loss: "loss",
            self.learning_rate: "learning_rate",
            self.gradient_norm: "total_gradient_norm",
            self.validation_loss: "validation_loss",
        }
        return {tag: column for tag, column in columns.items() if tag}

    def between(self, start: float, stop: float) -> SelectedTags:
        """Returns the data that were written from `start` until before `stop`, unix seconds."""

        def restricted(series: dict[str, Points]) -> dict[str, Points]:
            masks = {tag: (points.times >= start) & (points.times < stop) for tag, points in series.items()}
            return {tag: select(points, masks[tag]) for tag, points in series.items() if masks[tag].any()}

        return self._replace(
            scalars=restricted(self.scalars), weights=restricted(self.weights), gradients=restricted(self.gradients)
        )


def select_tags(files: Sequence[TagCollector], directory: str) -> SelectedTags:
    """Returns the data of a training that wrote these files, in `directory`."""
    scalars = _merged([file.scalars for file in files])
    histograms = _merged([file.histograms for file in files])
    losses = {tag: len(p.steps) for tag, p in scalars.items() if scalar_kind(tag) == "loss"}
    loss = "" if is_evaluation(directory) else main_loss_tag(losses)
    learning_rate = _largest_learning_rate(scalars)
    gradient_norm, validation_loss = (_longest(scalars, kind) for kind in ("gradient_norm", "validation_loss"))
    used = (loss, learning_rate, gradient_norm, validation_loss)
    return SelectedTags(
        loss=loss,
        learning_rate=learning_rate,
        gradient_norm=gradient_norm,
        validation_loss=validation_loss,
        scalars={tag: p for tag, p in scalars.items() if tag in used},
        weights={tag: p for tag, p in histograms.items() if histogram_kind(tag) == "weight"},
        gradients={tag: p for tag, p in histograms.items() if histogram_kind(tag) == "gradient"},
    )


def _longest(scalars: Mapping[str, Points], kind: str) -> str:
    """Returns the tag of a kind with the most data; of several such, the one with the shortest name."""
    lengths = {tag: len(points.steps) for tag, points in scalars.items() if scalar_kind(tag) == kind}
    return min(lengths, key=lambda tag: (-lengths[tag], len(tag), tag)) if lengths else ""


def _largest_learning_rate(scalars: Mapping[str, Points]) -> str:
    """Returns the tag of the largest learning rate; of equal ones, the first by name."""
    rates = {
        tag: float(np.nanmax(points.values, initial=0))
        for tag, points in scalars.items()
        if scalar_kind(tag) == "learning_rate"
    }
    return min(rates, key=lambda tag: (-rates[tag], tag)) if rates else ""


def _merged(files: Sequence[Mapping[str, BoundedSeries]]) -> dict[str, Points]:
    """Returns the data of each tag from all files, in the order in which they were written."""
    series: dict[str, list[Points]] = {}
    for file in files:
        for tag, one in file.items():
            series.setdefault(tag, []).append(one.points())
    return {tag: _concatenated(parts) for tag, parts in series.items()}


def _concatenated(parts: list[Points]) -> Points:
    if len(parts) == 1:
        return parts[0]
    steps, times, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return select(Points(steps, times, values), np.argsort(times, kind="stable"))


def written_concurrently(files: Sequence[TagCollector]) -> bool:
    """Checks whether two files hold data of the same tag from overlapping times: several processes ran at once."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for file in files:
        for tag, series in {**file.scalars, **file.histograms}.items():
            times = series.points().times
            if len(times) > 1:
                spans.setdefault(tag, []).append((float(times.min()), float(times.max())))
    return any(
        earlier[1] > later[0]
        for spans_of_tag in spans.values()
        for earlier, later in zip(sorted(spans_of_tag), sorted(spans_of_tag)[1:], strict=False)
    )


def counted_on(points: Points) -> Points:
    """Returns the data with one step each, if the same step was written again and again.

    A loop of `model.fit(..., epochs=1)` logs each of its epochs as epoch 0. A step that two processes wrote, or that
    was written twice at a restart, comes with other steps between.
    """
    again = len(points.steps) > 1 and len(np.unique(points.steps)) == 1 and bool(np.all(np.diff(points.times) > 0))
    return points._replace(steps=np.arange(len(points.steps)) + points.steps[0]) if again else points


def launch_spans(main: Points) -> list[tuple[float, float]]:
    """Returns from when until when each launch ran, unix seconds: where steps go back, another launch began."""
    restarts = np.flatnonzero(np.diff(main.steps) < 0)[:MAX_RESTARTS]
    # Data between the last datum of a launch and the first one of the next belong to the earlier launch.
    starts = [-np.inf, *(float(time) for time in main.times[restarts + 1])]
    return list(zip(starts, [*starts[1:], np.inf], strict=True))
