"""The command line. Exit codes: 0 healthy or undecided, 1 sick, 2 usage or unreadable."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .._version import __version__
from ..verdict import SEVERITIES
from . import report
from .compare import compare
from .review import review
from .rules import rule, rules
from .terminal import fail


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
        return fail(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="weightwatch", description="Tells why your TensorFlow weights aren't moving.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _review_arguments(commands.add_parser("review", help="judge recorded runs", description=review.__doc__))
    _compare_arguments(commands.add_parser("compare", help="hold two runs together", description=compare.__doc__))
    _report_arguments(commands.add_parser("report", help="write one HTML file", description=report.write.__doc__))
    commands.add_parser("rules", help="list the rules").set_defaults(command=rules)
    explain = commands.add_parser("rule", help="explain a rule")
    explain.add_argument("rule", metavar="CODE|NAME")
    explain.set_defaults(command=rule)
    return parser


def _review_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("logdir", nargs="+", help="a log directory; all runs below it are judged")
    parser.add_argument("--json", action="store_true", help="print the diagnoses as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML too: sick is a failure, undecided is skipped")
    parser.add_argument("--details", action="store_true", help="show evidence and fixes of every launch, not a table")
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="mildest severity that counts as sick (default: warning)",
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="processes that read (default: one a core, if worth it)")
    parser.add_argument("--runner", metavar="NAME", help="an Apache Beam runner that reads instead: DirectRunner ...")
    parser.add_argument("--beam", action="append", default=[], metavar="OPTION", help="Beam's own: region=europe-west1")
    parser.set_defaults(command=review)


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="a run's directory; its newest launch is taken")
    parser.add_argument("other", help="another one")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.set_defaults(command=compare)


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("logdir", help="a log directory; all runs below it are in the report")
    parser.add_argument("-o", "--output", metavar="FILE", default="report.html", help="default: report.html")
    parser.set_defaults(command=report.write)


__all__ = ["main"]
