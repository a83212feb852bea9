"""The command line. Exit codes: 0 healthy or undecided, 1 sick, 2 usage error or unreadable log."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from .arguments import parser
from .terminal import fail

_INTERRUPTED = 130  # as shells report a program that SIGINT has ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    options = parser().parse_args(arguments)
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


__all__ = ["main"]
