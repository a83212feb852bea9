"""The panel's files: a fixed dictionary, so that no request ever names a path."""

from __future__ import annotations

from importlib import resources

# By hand: what Windows' registry says of .js is not to be relied on.
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
}


def static_files() -> dict[str, tuple[bytes, str]]:
    """Returns name -> (content, type) of the panel's files; `index.js` is the entry."""
    folder = resources.files("tb_weightwatch").joinpath("static")
    found = {}
    for item in folder.iterdir():
        kind = _TYPES.get("." + item.name.rpartition(".")[2])
        if kind and item.is_file():
            found[item.name] = (item.read_bytes(), kind)
    return found
