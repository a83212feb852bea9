"""`weightwatch compare`: two runs side by side."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .. import answers
from ..reader import Launch, SkipCounts, launches, runs
from ..verdict import MOST_SUSPECTS, Diagnosis, suspect_title
from .messages import nothing_recorded
from .review_workers import avoid_tensorflow
from .terminal import Line, Screen, warn

_MOST_SETTINGS, _MOST_NAMES = 12, 5  # that are shown


def compare(options: argparse.Namespace) -> int:
    """Compares two runs: the step at which they first differ, their links and settings, and which one is better."""
    paths = (options.run, options.other)
    avoid_tensorflow(paths, owns_process=options.owns_process)
    one, other = (_newest_launch(path, follow_links=options.follow_links) for path in paths)
    diagnoses = answers.safe_diagnose(one.history), answers.safe_diagnose(other.history)
    try:
        comparison = answers.compare(one.history, other.history, diagnoses)
    except Exception as error:  # what a file holds must not end in a traceback
        raise ValueError(f"{' and '.join(paths)} cannot be compared: {type(error).__name__}: {error}") from error
    if options.format:
        sides = [
            {"run": path, "launch": launch.history.launch, **diagnosis.as_dict()}
            for path, launch, diagnosis in zip(paths, (one, other), diagnoses, strict=True)
        ]
        print(json.dumps({"runs": sides, **comparison}, indent=1, allow_nan=False))
    else:
        _show(paths, diagnoses, comparison)
    return 0


def _newest_launch(path: str, *, follow_links: bool) -> Launch:
    """Returns the newest launch of the one run at or below a path.

    Args:
        path: of the run.
        follow_links: whether links that lead out of it are followed.

    Raises:
        ValueError: there is no run, or there are several.
    """
    skipped, links = SkipCounts(), True if follow_links else None
    directories = dict(runs(path, skipped, follow_links=links))
    directory = directories.get(".") or (next(iter(directories.values())) if len(directories) == 1 else None)
    if directory is None:
        if not directories:
            raise ValueError(nothing_recorded(path, skipped))
        more = f" and {len(directories) - _MOST_NAMES:,} more" if len(directories) > _MOST_NAMES else ""
        raise ValueError(f"{path}: several runs, name one of them: {', '.join(list(directories)[:_MOST_NAMES])}{more}")
    run_launches = launches(directory, skipped, root=path, follow_links=links)
    if not run_launches:
        raise ValueError(nothing_recorded(path, skipped))
    if skipped:
        warn(f"{path}: not all could be read: {skipped}")
    return run_launches[-1]


def _show(paths: tuple[str, str], diagnoses: tuple[Diagnosis, Diagnosis], comparison: dict[str, Any]) -> None:
    screen = Screen()
    for letter, path, diagnosis in zip("AB", paths, diagnoses, strict=True):
        screen.put(Line(f"{path}: {diagnosis.status.upper()}", "bold", bullet=f"{letter}  "))
        screen.put(Line(diagnosis.sentence, indent=3))
        if diagnosis.suspects:
            suspects = ", ".join(map(suspect_title, diagnosis.suspects[:MOST_SUSPECTS]))
            screen.put(Line(f"Suspects: {suspects}", indent=3))
    screen.put()
    screen.put(Line(comparison["text"], "bold"))
    screen.put()
    screen.table(("Link", "A", "B", "First differs at step"), [_row(link) for link in comparison["links"]])
    settings = [(s["label"], s["one"], s["other"]) for s in comparison["settings"]]
    screen.put()
    if settings:
        screen.table(("Setting", "A", "B"), settings[:_MOST_SETTINGS])
        hidden = len(settings) - _MOST_SETTINGS
        if hidden > 0:
            screen.put(Line(f"... and {hidden:,} more (--format json prints all)", "dim"))
        screen.put()
    screen.put(Line(comparison["conclusion"], "bold"))


def _row(link: dict[str, Any]) -> tuple[str, ...]:
    cells = []
    for side in (link["one"], link["other"]):
        number = f"{side['number']} " if side["number"] else ""
        cells.append(f"{number}({side['state']})")
    if link["first_step"] is not None:
        return (link["title"], *cells, f"{link['first_step']:,}")
    return (link["title"], *cells, "state differs" if link["differs"] else "")
