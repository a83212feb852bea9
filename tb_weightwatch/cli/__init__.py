"""The command line. Exit codes: 0 healthy or undecided, 1 sick, 2 usage error or unreadable log."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .._version import __version__
from ..display import printable
from ..verdict import SEVERITIES
from . import report
from .compare import compare
from .review import review
from .rules import rule, rules
from .terminal import fail

_EXIT_CODES = "Exit codes: 0 healthy or undecided, 1 sick, 2 usage error or unreadable log."


_INTERRUPTED = 130  # as shells report a program that SIGINT has ended


class _Parser(argparse.ArgumentParser):
    """Parses arguments; an error is one line."""

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong with the arguments, and ends with exit code 2."""
        self.exit(2, f"weightwatch: {printable(message)}; see `{self.prog} --help`\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    options = _parser().parse_args(arguments)
    options.owns_process = arguments is None  # called as a command, and not from another program
    if options.owns_process and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a pipe of another encoding than UTF-8 gets "?" for some characters
    try:
        return int(options.command(options))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as `| head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError) as error:
        return fail(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="weightwatch", description="Tells why your TensorFlow weights aren't moving.", epilog=_EXIT_CODES
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    review_parser = commands.add_parser("review", help="diagnose recorded runs", description=review.__doc__)
    _review_arguments(review_parser)
    _compare_arguments(commands.add_parser("compare", help="compare two runs", description=compare.__doc__))
    _report_arguments(commands.add_parser("report", help="write an HTML report", description=report.write.__doc__))
    commands.add_parser("rules", help="list the rules", description=rules.__doc__).set_defaults(command=rules)
    explain = commands.add_parser("rule", help="explain a rule", description=rule.__doc__)
    explain.add_argument("rule", metavar="CODE|NAME", help="for example 403 or vanishing-gradient")
    explain.set_defaults(command=rule)
    return parser


def _review_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXIT_CODES
    parser.add_argument("logdir", nargs="+", help="log directory; all runs in and below it are diagnosed")
    parser.add_argument("--json", action="store_true", help="print the diagnoses as JSON")
    parser.add_argument(
        "--junit", metavar="FILE", help="also write JUnit XML: a sick launch is a failure, an undecided one is skipped"
    )
    parser.add_argument(
        "--details", action="store_true", help="after the table, show the evidence and fixes of every launch"
    )
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="lowest severity that counts as sick (default: warning)",
    )
    parser.add_argument(
        "--jobs", type=_count, metavar="N", help="number of processes (default: one per core if the logs are large)"
    )
    parser.add_argument("--runner", metavar="NAME", help="run on Apache Beam, for example with DirectRunner")
    parser.add_argument(
        "--beam",
        action="append",
        default=[],
        metavar="OPTION",
        help="pipeline option for --runner, for example region=europe-west1; may be repeated",
    )
    _link_argument(parser)
    parser.set_defaults(command=review)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of processes, 1 or more, got {text!r}")
    return int(text)


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="directory of a run; its newest launch is compared")
    parser.add_argument("other", help="directory of another run")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    _link_argument(parser)
    parser.set_defaults(command=compare)


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("logdir", help="log directory; all runs in and below it are in the report")
    parser.add_argument("-o", "--output", metavar="FILE", default="report.html", help="default: report.html")
    _link_argument(parser)
    parser.set_defaults(command=report.write)


def _link_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--follow-links", action="store_true", help="also read what links lead to outside of the log directory"
    )


__all__ = ["main"]
