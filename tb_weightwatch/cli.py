"""The command line: review logs, explain rules. Exit codes: 0 healthy or undecided, 1 sick, 2 usage or unreadable."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import types
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from difflib import get_close_matches
from typing import Any, NamedTuple

from . import answers
from ._version import __version__
from .diagnosis import Rule, catalogue
from .reader import Launch, Skipped, launches, runs
from .verdict import LINKS, SEVERITIES, Diagnosis, Verdict

_COLOURS = {"sick": "bold red", "healthy": "bold green", "undecided": "bold yellow"}
# Importing TensorFlow takes longer than reading so many bytes without it.
_LIGHT_BYTES = 24_000_000


class _Reviewed(NamedTuple):
    logdir: str
    run: str
    launch: Launch
    state: answers.State
    diagnosis: Diagnosis


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    options = _parser().parse_args(arguments)
    options.alone = arguments is None
    try:
        return int(options.command(options))
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError) as error:
        return _failed(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="weightwatch", description="Tells why your TensorFlow weights aren't moving.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    review = commands.add_parser("review", help="judge recorded runs", description=_review.__doc__)
    review.add_argument("logdir", nargs="+", help="a log directory; all runs below it are judged")
    review.add_argument("--json", action="store_true", help="print the diagnoses as JSON")
    review.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="mildest severity that counts as sick (default: warning)",
    )
    review.set_defaults(command=_review)
    rules = commands.add_parser("rules", help="list the rules")
    rules.set_defaults(command=_rules)
    rule = commands.add_parser("rule", help="explain a rule")
    rule.add_argument("rule", metavar="CODE|NAME")
    rule.set_defaults(command=_rule)
    return parser


# -- review


def _review(options: argparse.Namespace) -> int:
    """Judges every launch of every run in the log directories."""
    if options.alone:
        _start_light(options.logdir)
    found: list[_Reviewed] = []
    failures = 0
    for logdir in options.logdir:
        skipped = Skipped()
        reviewed = list(_reviewed(logdir, skipped))
        found += reviewed
        if not reviewed:
            failures += 1
            _failed(_empty(logdir, skipped))
        elif skipped:
            print(f"weightwatch: {_safe(logdir)}: not all could be read: {_safe(str(skipped))}", file=sys.stderr)
    if options.json:
        print(json.dumps([_as_dict(one) for one in found], indent=1, allow_nan=False))
    else:
        for one in found:
            _show(one)
    if failures:
        return 2
    worst = [answers.severity(one.diagnosis) for one in found]
    return int(any(s != "none" and SEVERITIES.index(s) >= SEVERITIES.index(options.fail_on) for s in worst))


def _start_light(logdirs: Sequence[str]) -> None:
    """Has TensorBoard read event files without TensorFlow where there is little to read; importing it takes seconds."""
    if "tensorflow" in sys.modules or any("://" in logdir for logdir in logdirs):
        return
    size = 0
    for logdir in logdirs:
        for folder, _, names in os.walk(os.path.expanduser(logdir)):
            size += sum(os.path.getsize(os.path.join(folder, n)) for n in names if "tfevents" in n)
    if size < _LIGHT_BYTES:
        sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))


def _reviewed(logdir: str, skipped: Skipped) -> Iterator[_Reviewed]:
    for run, directory in runs(logdir):
        for launch in launches(directory, skipped):
            yield _Reviewed(logdir, run, launch, answers.state(launch, time.time()), answers.judge(launch.history))


def _empty(logdir: str, skipped: Skipped) -> str:
    if skipped:
        return f"{logdir}: nothing could be read: {skipped}"
    return f"{logdir}: {answers.HINT}"


def _as_dict(one: _Reviewed) -> dict[str, Any]:
    history = one.launch.history
    return {
        "logdir": one.logdir,
        "run": one.run,
        "launch": history.launch,
        "started": history.started,
        "state": one.state.name,
        "state_text": one.state.text,
        "skipped": dict(one.launch.skipped),
        **one.diagnosis.as_dict(),
    }


def _show(one: _Reviewed) -> None:
    """Prints a launch: badge, sentence, fix, evidence; then what else was found, and what could not be told."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    def put(text: str, style: str, indent: int) -> None:
        for line in _safe(text).split("\n"):
            if line.startswith("    "):  # code is to be copied: never broken
                console.print(Text(" " * indent + line, style=style), soft_wrap=True)
            else:
                console.print(Padding(Text(line, style=style), (0, 2, 0, indent), expand=False))

    console = Console(highlight=False, soft_wrap=False)
    found = one.diagnosis
    started = datetime.fromtimestamp(one.launch.history.started, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    head = Text.assemble(
        (f" {found.status.upper()} ", f"reverse {_COLOURS[found.status]}"),
        (f" {_safe(one.run)}", "bold"),
        (f"  launch {_safe(one.launch.history.launch)}, {started}, {_safe(one.state.text)}", "dim"),
    )
    console.print(head)
    put(found.sentence, "bold", 2)
    for place, verdict in enumerate(found.verdicts):
        for line in _lines(verdict, first=place == 0):
            put(*line)
    for text in _rest(one):
        put(text, "dim", 2)
    console.print()


def _lines(verdict: Verdict, *, first: bool) -> Iterator[tuple[str, str, int]]:
    """Yields text, style and indentation."""
    yield (
        f"{verdict.code} {verdict.name} ({verdict.severity}, {verdict.certainty}), steps "
        + (f"{verdict.first_step:,} to {verdict.last_step:,}"),
        "cyan",
        2,
    )
    if not first:
        yield verdict.message, "", 4
    for item in verdict.evidence:
        yield f"- {answers.evidence_text(item)}", "", 4
    if verdict.fix:
        yield f"Fix: {verdict.fix}", "green", 4
    if verdict.explains:
        yield f"explains {', '.join(f'{v.code} {v.name}' for v in verdict.explains)}", "dim", 4


def _rest(one: _Reviewed) -> Iterator[str]:
    found = one.diagnosis
    if found.resolved:
        yield f"Was true, is no more: {', '.join(f'{v.code} {v.name}' for v in found.resolved)}"
    yield f"{len(found.passed)} checks passed, {len(found.unknown)} could not tell"
    if found.status == "undecided":
        yield from (f"- {u.code} {u.rule}: {u.lacked}" for u in found.unknown)
    if not found.complete:
        yield "Some recorded rows could not be read, so what they showed is missing here."
    if one.launch.skipped:
        yield f"Skipped: {one.launch.skipped}"


# -- rules


def _rules(_: argparse.Namespace) -> int:
    """Lists the rules in the order of the chain."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("Code", "Name", "Link", "What it is"):
        table.add_column(title, no_wrap=title != "What it is")
    for rule in sorted(catalogue().values(), key=lambda r: (LINKS.index(r.link), r.code)):
        table.add_row(str(rule.code), rule.name, rule.link, rule.summary)
    Console(highlight=False).print(table)
    return 0


def _rule(options: argparse.Namespace) -> int:
    """Explains a rule."""
    rule = _found(options.rule)
    if rule is None:
        near = get_close_matches(options.rule, list(catalogue()), 1)
        hint = f"did you mean {near[0]!r}?" if near else "`weightwatch rules` lists them"
        return _failed(f"no rule has the code or name {options.rule!r}; {hint}")
    print(f"{rule.code} {rule.name} (link: {rule.link})\n\n{rule.doc}")
    if rule.explains:
        print(f"\nExplains: {', '.join(rule.explains)}")
    if rule.thresholds:
        print(f"\nThresholds: {', '.join(f'{name}={value!r}' for name, value in rule.thresholds.items())}")
    return 0


def _found(asked: str) -> Rule | None:
    return next((r for r in catalogue().values() if asked in (r.name, str(r.code))), None)


# -- words


def _safe(text: str) -> str:
    """Returns text from disk with control and direction characters made visible: they could command a terminal."""
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "�" for c in text)


def _failed(message: str) -> int:
    print(f"weightwatch: {_safe(message)}", file=sys.stderr)
    return 2
