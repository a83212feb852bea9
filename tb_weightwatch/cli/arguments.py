"""The arguments of each command, and their help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from .._version import __version__
from ..display import printable
from ..verdict import SEVERITIES
from . import report
from .agent_server import serve
from .compare import compare
from .follow import follow
from .formats import FORMATS
from .preflight import preflight
from .review import review
from .rules import rule, rules

_GATE = "Exit codes: 0 healthy or undecided, 1 sick, 2 usage error or unreadable log."
_PLAIN = "Exit codes: 0 done, 2 usage error or unreadable log."
_RUN_HELP = "only runs whose name below LOGDIR fits, for example 'sweep/*'; may be repeated"
_CHECK = "Exit codes: 0 no error found, 1 a fault that is certain, 2 the function cannot be run."


class _Parser(argparse.ArgumentParser):
    """Parses arguments; an error is one line."""

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong with the arguments, and ends with exit code 2."""
        self.exit(2, f"weightwatch: {printable(message)}; see `{self.prog} --help`\n")


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line; `command` of its result is the function to call."""
    top = _Parser(
        prog="weightwatch",
        description="Tells why your TensorFlow weights aren't moving.",
        epilog="Exit codes: 0 done, or healthy or undecided; 1 sick; 2 usage error or unreadable log.",
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, help_text: str, function: Callable[[argparse.Namespace], int], epilog: str) -> Any:
        command = commands.add_parser(name, help=help_text, description=function.__doc__, epilog=epilog)
        command.set_defaults(command=function)
        return command

    _review_arguments(add("review", "diagnose recorded runs", review, _GATE))
    _follow_arguments(add("watch", "follow runs while they train", follow, _PLAIN))
    _compare_arguments(add("compare", "compare two runs", compare, _PLAIN))
    _report_arguments(add("report", "write an HTML report", report.write, _PLAIN))
    _preflight_arguments(add("preflight", "check a model before its first step", preflight, _CHECK))
    add("rules", "list the rules", rules, _PLAIN)
    explain = add("rule", "explain a rule", rule, _PLAIN)
    explain.add_argument("rule", metavar="CODE|NAME", help="for example 403 or vanishing-gradient")
    server = add("mcp", "serve runs to a coding agent", serve, _PLAIN)
    server.add_argument("logdir", metavar="LOGDIR", help="log directory; nothing outside it can be read")
    return top


def _review_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("logdir", metavar="LOGDIR", nargs="+", help="all runs in and below it are diagnosed")
    command.add_argument("--run", metavar="PATTERN", action="append", default=[], help=_RUN_HELP)
    command.add_argument(
        "--format",
        choices=list(FORMATS),
        action="append",
        default=[],
        help="print this format instead of the table; may be repeated, with an --output each",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        action="append",
        default=[],
        help="write the --format to this file, and print the table; the first belongs to the first --format, and so on",
    )
    command.add_argument(
        "--program", metavar="FILE", default="", help="the program that trained, at which SARIF shows what was found"
    )
    command.add_argument(
        "--details", action="store_true", help="after the table, show the evidence and fixes of every launch"
    )
    command.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="lowest severity that counts as sick (default: warning)",
    )
    command.add_argument(
        "--jobs", type=_count, metavar="N", help="number of processes (default: one per core if the logs are large)"
    )
    command.add_argument("--runner", metavar="NAME", help="run on Apache Beam, for example with DirectRunner")
    command.add_argument(
        "--beam",
        action="append",
        default=[],
        metavar="OPTION",
        help="pipeline option for --runner, for example region=europe-west1; may be repeated",
    )
    _link_argument(command)


def _follow_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("logdir", metavar="LOGDIR", help="all runs in and below it are followed, new ones as well")
    command.add_argument("--run", metavar="PATTERN", action="append", default=[], help=_RUN_HELP)
    command.add_argument(
        "--interval", type=_seconds, metavar="SECONDS", default=2.0, help="time between two looks (default: 2)"
    )
    ending = command.add_mutually_exclusive_group()
    ending.add_argument("--once", action="store_true", help="look once, and end")
    ending.add_argument(
        "--until-ended", action="store_true", help="end when there are runs and none of them is training any more"
    )


def _compare_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="directory of a run; its newest launch is compared")
    command.add_argument("other", metavar="OTHER", help="directory of another run")
    command.add_argument("--format", choices=["json"], help="print the comparison as JSON")
    _link_argument(command)


def _report_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("logdir", metavar="LOGDIR", help="all runs in and below it are in the report")
    command.add_argument("-o", "--output", metavar="FILE", default="report.html", help="default: report.html")
    _link_argument(command)


def _link_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--follow-links", action="store_true", help="also read what links lead to outside of the log directory"
    )


def _preflight_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "function",
        metavar="MODULE:FUNCTION",
        help="a function without arguments that returns (model, x, y), (model, dataset), or a dict of the arguments of "
        "ww.preflight, such as loss and optimizer for a training loop of your own",
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of processes, 1 or more, got {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"expected a number of seconds from 0.1 to 3600, got {text!r}")
    return seconds
