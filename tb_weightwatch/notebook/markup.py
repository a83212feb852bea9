"""Text as HTML: escaped, of bounded length, with lines of code as code."""

from __future__ import annotations

from html import escape

from ..display import printable

# Each is visible on white and on black (contrast 3 or more); text has the colour of the notebook.
RED, ORANGE, YELLOW, GREEN, BLUE, GREY = "#d1242f", "#d4762c", "#bf8700", "#1a9e4b", "#4184e4", "#888888"
_CODE = "    "  # lines that begin so are code
_PRE = (
    "margin:4px 0;padding:6px 8px;border:1px solid #8886;border-radius:4px;background:#8881;color:inherit;"
    "font-size:12px;line-height:1.4;white-space:pre;overflow-x:auto"
)


def escaped(text: str, most: int = 300) -> str:
    """Returns text for an element or an attribute in quotes; at most `most` bytes of it, with "…" where it is cut."""
    shown, cut = printable(text), ""
    result = escape(shown)
    while (size := len(result.encode("utf-8", "replace"))) > most:
        cut = "…"
        shown = shown[: min(len(shown) - 1, len(shown) * most // size)]
        result = escape(shown)
    return result + cut


def block(content: str, style: str = "") -> str:
    """Returns a paragraph of HTML."""
    return f'<div style="margin:6px 0;{style}">{content}</div>'


def with_code(text: str, most: int) -> str:
    """Returns text whose indented lines are blocks of code, each of them as it was written."""
    parts: list[str] = []
    is_code = False
    for line in text.split("\n"):
        if line.startswith(_CODE):
            parts.append(f"{'' if is_code else '<pre>'}{escaped(line[len(_CODE) :], most)}\n")
        else:
            parts.append(f"{'</pre>' if is_code else ''}{escaped(line, most)} ")
        is_code = line.startswith(_CODE)
        most -= len(parts[-1])
        if most <= 0:
            break
    html = "".join(parts) + ("</pre>" if is_code else "")
    return html.replace("\n</pre>", "</pre>").replace("<pre>", f'<pre style="{_PRE}">')


def text_element(x: float, y: float, text: str, style: str = "", *, most: int = 60) -> str:
    """Returns a text of an SVG, in the colour of the notebook's text."""
    return f'<text x="{x:g}" y="{y:g}" {style}>{escaped(text, most)}</text>'


def svg(width: int, height: int, label: str, content: str) -> str:
    """Returns an inline SVG that shrinks with the page; `label` is what a screen reader says."""
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escaped(label)}" '
        'style="max-width:100%;height:auto;font:11px system-ui,sans-serif" fill="currentColor">'
        f"{content}</svg>"
    )
