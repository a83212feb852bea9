"""Text for terminals and files: wrapped at words, without padding; text from disk cannot control the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..display import printable

_CODE = "    "  # lines that begin so are code, which is meant to be copied: they are never wrapped
_GAP = "  "  # between columns
_FIXED = re.compile(r" (?=%|-> )|(?<=[<>]) (?=\d)|(?<=->) ")  # "0.5 %", "> 99", "1.2 -> 0.3" stay on one line


class Line(NamedTuple):
    """A line of text before it is wrapped; it may hold several lines, some of them code.

    Attributes:
        text: the text, printable or not.
        style: a style of rich.
        indent: columns before it.
        bullet: what stands before its first line ("- "); the others are indented as far.
    """

    text: str
    style: str = ""
    indent: int = 0
    bullet: str = ""


_EMPTY = Line("")


def warn(message: str) -> None:
    """Prints a message to stderr, as one line."""
    print(f"weightwatch: {printable(message.replace(chr(10), ' '))}", file=sys.stderr)


def fail(message: str) -> int:
    """Prints why the command cannot be done, and returns its exit code."""
    warn(message)
    return 2


# -- wrapping


def wrapped(text: str, width: int) -> list[str]:
    """Returns the lines of a text, wrapped at blanks to `width` columns; code is left as it is.

    A word that is wider than a line is broken, a path behind one of its "/". A line of code is not.
    """
    return [line for paragraph in printable(text).split("\n") for line in _wrapped_paragraph(paragraph, width)]


def _wrapped_paragraph(paragraph: str, width: int) -> Iterator[str]:
    if paragraph.startswith(_CODE):
        yield paragraph.rstrip()
        return
    line = ""
    for word in _FIXED.sub("\xa0", paragraph).split(" "):
        extended = f"{line} {word}" if line else word
        if columns(extended) <= width:
            line = extended
            continue
        if line:
            yield _unfixed(line)
        *full, line = _pieces(word, width)
        yield from map(_unfixed, full)
    yield _unfixed(line)


def _unfixed(line: str) -> str:
    return line.replace("\xa0", " ").rstrip()


def _pieces(word: str, width: int) -> list[str]:
    """Returns a word in pieces that fit: broken behind a "/" where possible, else behind another sign between words."""
    pieces = []
    while columns(word) > width:
        fitting = 1
        while columns(word[: fitting + 1]) <= width:
            fitting += 1
        slash, other = (max(word.rfind(sign, 0, fitting) for sign in signs) + 1 for signs in ("/", "-_."))
        end = slash or other or fitting
        pieces.append(word[:end])
        word = word[end:]
    return [*pieces, word]


def columns(text: str) -> int:
    """Returns how many columns of a terminal a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


# -- printing


class Screen:
    """Prints wrapped lines to stdout: coloured on a terminal, plain in a file; a line never ends with blanks.

    Attributes:
        width: columns of the terminal (or `COLUMNS`); 80 in a file.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self.width = self._console.width

    def put(self, line: Line = _EMPTY, *, most: int = 0) -> None:
        """Prints a line, at most so many columns wide; 0: as wide as the terminal."""
        for text in laid_out(line, min(self.width, most or self.width)):
            self._print([(text, line.style)])

    def row(self, cells: Sequence[Sequence[Line]], widths: Sequence[int]) -> None:
        """Prints a row of a table: each cell wraps in its own column."""
        blocks = [
            [(text, line.style) for line in cell for text in laid_out(line, width)]
            for cell, width in zip(cells, widths, strict=True)
        ]
        for height in range(max(map(len, blocks), default=0)):
            parts = [block[height] if height < len(block) else ("", "") for block in blocks]
            self._print([(_padded(text, width), style) for (text, style), width in zip(parts, widths, strict=True)])

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints a small table; where it is too wide, its widest columns wrap."""
        room = self.width - len(_GAP) * (len(titles) - 1)
        widths = [min(room, max(map(columns, column))) for column in zip(titles, *rows, strict=True)]
        while sum(widths) > room and max(widths) > 1:
            widths[widths.index(max(widths))] -= 1
        self.row([[Line(title, "bold")] for title in titles], widths)
        self.put(Line("─" * (sum(widths) + len(_GAP) * (len(widths) - 1)), "dim"))
        for row in rows:
            self.row([[Line(cell)] for cell in row], widths)

    def _print(self, parts: Sequence[tuple[str, str]]) -> None:
        from rich.text import Text

        text: Any = Text(_GAP).join(Text(part, style) for part, style in parts)
        text.rstrip()
        self._console.print(text, soft_wrap=True)


def laid_out(line: Line, width: int) -> list[str]:
    """Returns the lines of a `Line`, wrapped and indented."""
    before = " " * line.indent + line.bullet
    first, *others = wrapped(line.text, max(8, width - columns(before)))
    return [before + first, *(" " * columns(before) + text for text in others)]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns(text))
