"""Requests that nobody should make: every route with odd parameters, methods, headers, bodies and paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urlencode

PREFIX = "/data/plugin/weightwatch"
RUN, OTHER, LAUNCH, VARIABLE = "sick/weightwatch", "healthy/weightwatch", "a1", "dense_0/kernel"
_RUN = {"run": RUN, "launch": LAUNCH}
_DRAWN = {"columns": "300", "from": "1", "to": "40"}
ROUTES: dict[str, dict[str, str]] = {  # route -> valid parameters
    "runs": {},
    "table": {},
    "overview": _RUN,
    "heatmap": {**_RUN, **_DRAWN, "quantity": "gradient_norm"},
    "curves": {**_RUN, **_DRAWN, "name": VARIABLE},
    "maps": {**_RUN, "name": VARIABLE},
    "compare": {**_RUN, "other": OTHER, "other_launch": LAUNCH},
    "explanation": {"rule": "vanishing-gradient"},
    "index.js": {},
}
PARAMETERS = ("run", "launch", "other", "other_launch", "quantity", "name", "rule", "columns", "from", "to", "unknown")
VALUES = (
    "", " ", "0", "-1", "1", "16", "1000", "1001", "999999999",
    "9" * 40, "1e3", "1.5", "0x10", "NaN", "nan", "inf", "-inf",
    "None", "null", "true", "[]", "{}", "[1,2]", '{"a":1}',
    "²", "١٦", "\x00", "a\x00b", "\n", "a\r\nX-Injected: 1", "\t",
    "\x7f\x1b[31m", "\u202eabc", "\ud7ff\uffff", "😀" * 50, "é",
    "../", "../../../etc/passwd", "/etc/passwd", "C:\\boot.ini",
    "..%2f..%2f", "%2e%2e%2f", "%", "%00", "%zz", "a&b=c", "a#b", "?", "*", "'", '"', "<script>alert(1)</script>",
    "{{7*7}}", "${7*7}", "'; DROP TABLE runs; --", "gradient_norm", "loss", RUN, OTHER, LAUNCH, VARIABLE, "dense_0",
    "vanishing-gradient", "501", "x" * 9_999, "x" * 10_001, "x" * 50_000,
)  # fmt: skip
METHODS = ("HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "NONSENSE")
HEADERS = (
    ("If-None-Match", "*"), ("If-None-Match", "garbage"), ("If-None-Match", '"'),
    ("If-None-Match", 'W/"'), ("If-None-Match", ",,,"),
    ("If-None-Match", '"a", ' * 500), ("If-None-Match", "\xff\xfe"),
    ("If-Modified-Since", "yesterday"), ("If-Match", '"a"'),
    ("Accept-Encoding", "identity"), ("Accept-Encoding", "br"),
    ("Accept-Encoding", "gzip;q=0"), ("Accept-Encoding", "gzip, " * 500),
    ("Accept-Encoding", ";;;"), ("Accept", "text/html"), ("Range", "bytes=0-1"),
    ("Range", "bytes=-1"), ("Range", "bytes=9-1"),
    ("Content-Type", "application/x-www-form-urlencoded"), ("Host", "evil.example"),
    ("Host", ""), ("Cookie", "a=" + "b" * 4000),
    ("X-Forwarded-For", "1.2.3.4, ;"), ("X-TensorBoard-Feature-Flags", "{not json"),
    ("Origin", "null"), ("Expect", "100-continue"),
)  # fmt: skip
PATHS = (
    "/", "//", "/runs/", "/runs/x", "/Runs",
    "/runs%00", "/runs%2f..%2foverview", "/static", "/static/", "/static/index.js",
    "/static/../index.js", "/static/../../../setup.py",
    "/static/%2e%2e/%2e%2e/plugin/backend.py", "/static//etc/passwd",
    "/static/..%2findex.js", "/static/index.js%00.css", "/static/" + "a/" * 500, "/static/%ff%fe",
    "/..", "/../..", "/%2e%2e/runs",
    "/nothing", "/__init__.py", "/events", "/static/C:\\boot.ini",
)  # fmt: skip
BODY = b"run=sick%2Fweightwatch&launch=a1"


class Case(NamedTuple):
    """A request.

    Attributes:
        target: path and query, as they are sent.
        method: of the request.
        headers: of the request.
        body: of the request.
    """

    target: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def cases() -> list[Case]:
    """Returns all cases, in a fixed order."""
    return [*_values(), *_combinations(), *_methods_and_headers(), *(Case(PREFIX + path) for path in PATHS)]


def sample(count: int) -> list[Case]:
    """Returns as many cases, spread over all of them."""
    every = cases()
    return [every[i * len(every) // count] for i in range(min(count, len(every)))]


def target(route: str, parameters: dict[str, str]) -> str:
    """Returns path and query of a request."""
    return f"{PREFIX}/{route}?{urlencode(parameters, quote_via=quote, errors='surrogatepass')}"


def _values() -> Iterator[Case]:
    """Each parameter that a route takes, with each odd value; one that it does not take is odd itself."""
    for route, valid in ROUTES.items():
        for name in PARAMETERS:
            for value in VALUES if name in valid else VALUES[: 3 if route in ("overview", "heatmap") else 1]:
                yield Case(target(route, {**valid, name: value}))


def _combinations() -> Iterator[Case]:
    """Missing parameters, repeated ones, arrays, and the same odd value for all of them."""
    for route, valid in ROUTES.items():
        whole = target(route, valid)
        for name in valid:
            yield Case(target(route, {key: value for key, value in valid.items() if key != name}))
            yield Case(f"{whole}&{name}=x")
            yield Case(f"{target(route, {name: 'x'})}&{urlencode(valid)}")
            yield Case(f"{whole}&{name}[]=x&{name}[0]=y&{quote(name)}%00=z")
        for value in VALUES:
            yield Case(target(route, dict.fromkeys(PARAMETERS, value[:4000])))
        for query in ("", "&", "&&==&", "=", "run", "%", "%ff%fe=%ff", "a=1&" * 2000, ";".join(valid)):
            yield Case(f"{PREFIX}/{route}?{query}")


def _methods_and_headers() -> Iterator[Case]:
    for route, valid in ROUTES.items():
        for method in METHODS:
            yield Case(target(route, valid), method)
            yield Case(target(route, valid), method, body=BODY)
        for header in HEADERS:
            yield Case(target(route, valid), headers=(header,))
        yield Case(target(route, valid), body=BODY)
        yield Case(target(route, valid), headers=(("Content-Length", "99999999999"),), body=BODY)
        yield Case(target(route, valid), headers=(("Transfer-Encoding", "chunked"),), body=b"zz\r\n")
