"""Rewrites links of the Markdown pages, which are written for reading in the repository, for the site."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]\[]+)\]\((?!https?://|#|mailto:)([^)\s]+)\)")
# Files outside of docs that are pages of the site.
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "docs/rules.md": "rules/index.md",
}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Called by MkDocs for each page."""
    return with_site_links(markdown, page.file.src_uri)


def with_site_links(markdown: str, page: str) -> str:
    """Returns the text of a page with links to other pages as the site has them.

    A link to a file that is no page becomes its text with the file's path, since the site does not hold it.

    Args:
        markdown: text of the page.
        page: path of the page in the site, without the site itself.
    """

    def replaced(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path, _, anchor = target.partition("#")
        in_repository = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), path))
        if in_repository == "docs/rules.md" and re.fullmatch(r"\d{3}-[\w-]+", anchor):
            return f"[{text}]({posixpath.relpath(f'rules/{anchor}.md', posixpath.dirname(page) or '.')})"
        if in_repository in PAGES:
            start = posixpath.dirname(page) or "."
            return f"[{text}]({posixpath.relpath(PAGES[in_repository], start)}{f'#{anchor}' if anchor else ''})"
        if in_repository.startswith("docs/"):
            return match[0]
        return text if in_repository in text else f"{text} (`{in_repository}`)"

    return _LINK.sub(replaced, markdown)
