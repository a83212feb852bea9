"""What the route fuzzer feeds: one request an input, answered by the plugin's own application in this process.

The lines of an input are method and path, the parameters ("run=a"), and, after an empty line, the headers
("Accept-Encoding: gzip"). No answer may be an error of the server, and what says that it is JSON must be JSON.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tensorboard import errors
from tensorboard.plugins import base_plugin
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from tb_weightwatch.plugin.backend import WeightWatchPlugin
from tests.support import synthetic_runs
from tests.support.event_files import CountingProvider

PREFIX = "/data/plugin/weightwatch"
_RUN = ("run=a/weightwatch", "launch=a1")
_SEEDS = (
    ("GET /runs",),
    ("GET /table",),
    ("GET /overview", *_RUN),
    ("GET /heatmap", *_RUN, "quantity=gradient_norm", "columns=300", "from=1", "to=40"),
    ("GET /curves", *_RUN, "name=dense_0/kernel", "columns=16"),
    ("GET /maps", *_RUN, "name=dense_0/kernel"),
    ("GET /compare", *_RUN, "other=b/weightwatch", "other_launch=a1"),
    ("GET /explanation", "rule=vanishing-gradient"),
    ("GET /explanation", "quantity=gradient_norm"),
    ("GET /static/index.js", "", "Accept-Encoding: gzip"),
    ("HEAD /index.js",),
    ("POST /runs", "", "If-None-Match: *", "X-Experiment: x"),
)
_METHODS = {method.encode(): method for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")}


class ServerFailed(Exception):
    """An answer that no request may get."""


def feed(data: bytes) -> None:
    """Sends one request.

    Raises:
        ServerFailed: the answer is an error of the server, or no JSON although it says so.
        Exception: the application failed.
    """
    head, _, tail = data.partition(b"\n\n")
    first, *parameters = head.split(b"\n")
    method, _, path = first.partition(b" ")
    headers = [line.partition(b": ")[::2] for line in tail.split(b"\n")]
    query = "&".join(quote(line, safe="=%+") for line in parameters)
    builder = EnvironBuilder(path=PREFIX, query_string=query, method=_METHODS.get(method, "GET"))
    environ = builder.get_environ()
    environ["PATH_INFO"] = PREFIX + path.decode("latin-1")
    for name, value in headers:
        environ[f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"] = value.decode("latin-1")
    try:
        body, status, answer_headers = run_wsgi_app(_site(), environ, buffered=True)
    except errors.PublicError:  # TensorBoard answers with its status
        return
    _check(Response(body, status, answer_headers))


def _check(answer: Any) -> None:
    if answer.status_code >= 500:
        raise ServerFailed(f"status {answer.status_code}: {answer.data[:200]!r}")
    body = answer.data
    if body and answer.mimetype == "application/json":
        packed = answer.headers.get("Content-Encoding") == "gzip"
        try:
            json.loads(gzip.decompress(body) if packed else body)
        except ValueError as error:
            raise ServerFailed(f"no JSON: {error}") from error


@cache
def _logs() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="harm-routes-")
    synthetic_runs.write(Path(folder.name, "a"), 40, variables=synthetic_runs.NAMES[:2])
    synthetic_runs.write(Path(folder.name, "b"), 24, nan_from=16, variables=("<b>", "a/../b\u202e"))
    return folder


@cache
def _site() -> Any:
    """Returns the plugin's application, mounted as TensorBoard mounts it."""
    context = base_plugin.TBContext(data_provider=CountingProvider(Path(_logs().name)))
    apps = WeightWatchPlugin(context).get_plugin_apps()

    def application(environ: Any, start: Any) -> Any:
        path = environ["PATH_INFO"].removeprefix(PREFIX)
        return apps.get(path, apps["/static/*"])(environ, start)

    return application


def seeds() -> Iterator[bytes]:
    """Yields one valid request for each route, and some that are refused."""
    for lines in _SEEDS:
        yield "\n".join(lines).encode()
