"""A review for programs: JSON, JUnit XML for CI systems, Markdown for pull requests, SARIF for code scanning."""

from __future__ import annotations

from collections.abc import Callable

from ..review_result import Review
from .json_document import json_document
from .junit import junit
from .markdown import markdown
from .sarif import sarif

# Name of the format -> what returns a review as text.
FORMATS: dict[str, Callable[[Review], str]] = {
    "json": json_document,
    "junit": junit,
    "markdown": markdown,
    "sarif": sarif,
}

__all__ = ["FORMATS"]
