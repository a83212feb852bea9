"""The panel's files, in a fixed dictionary: no request ever becomes a path in the file system."""

from __future__ import annotations

import gzip
from importlib import resources

from .http_responses import etag_of
from .shared_answers import Answer

# Fixed here, because the registry of Windows may hold a wrong type for .js.
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
}


def static_files() -> dict[str, tuple[Answer, str]]:
    """Returns name -> (compressed content, type) of the panel's files; `index.js` is the entry."""
    folder = resources.files("tb_weightwatch").joinpath("static")
    files = {}
    for item in folder.iterdir():
        content_type = _TYPES.get("." + item.name.rpartition(".")[2])
        if content_type and item.is_file():
            body = gzip.compress(item.read_bytes(), mtime=0)
            files[item.name] = Answer(body, etag_of(body)), content_type
    return files
