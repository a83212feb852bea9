"""HTTP: parameters of requests, errors meant for users, compressed JSON that clients revalidate."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from tensorboard import errors, plugin_util
from tensorboard.backend import http_util, json_util
from werkzeug import wrappers

from .. import answers
from .shared_answers import Answer

_log = logging.getLogger("tensorboard")
_JSON = "application/json"
_LONGEST = 10_000
_AS_RESPOND = [("Cache-Control", "no-cache, must-revalidate"), ("X-Content-Type-Options", "nosniff")]
_PARAMETERS = ("run", "launch", "other", "other_launch", "quantity", "name", "rule", "columns", "from", "to")


class BadRequest(ValueError):
    """A parameter is malformed; the message says what was expected and what was received."""


class NotFound(LookupError):
    """The run, launch, variable or quantity does not exist."""


def text(parameters: Mapping[str, str], name: str, *, required: bool = False) -> str:
    """Returns a text parameter, "" if it is missing.

    Raises:
        BadRequest: it is required and missing, or too long.
    """
    value = parameters.get(name, "")
    if required and name not in parameters:
        raise BadRequest(f"the parameter {name!r} is required, got {sorted({*parameters} & {*_PARAMETERS})}")
    if len(value) > _LONGEST:
        raise BadRequest(f"{name} must have at most {_LONGEST:,} characters, got {len(value):,}")
    return value


def whole_number(parameters: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Returns a whole number from `low` to `high`.

    Raises:
        BadRequest: it is not a whole number, or out of bounds.
    """
    value = parameters.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):
        raise BadRequest(f"{name} must be a whole number from {low} to {high}, got {value[:100]!r}")
    return int(value)


def resolution(parameters: Mapping[str, str]) -> tuple[int, answers.StepRange]:
    """Returns the number of buckets ("columns") and the range of steps ("from", "to") that a request asks for."""
    first, last = (whole_number(parameters, name, 0, 0, 999_999_999) for name in ("from", "to"))
    return whole_number(parameters, "columns", 300, 16, 1000), answers.StepRange(first, last)


def json_answer(payload: Any, *, complete: bool = True) -> Answer:
    """Returns an answer as compressed JSON, ready to be sent or cached; `complete` is that of `Answer`."""
    try:
        text = json.dumps(payload, allow_nan=False, separators=(",", ":"))
    except ValueError:  # NaN and infinities, which JSON does not have, become strings
        text = json.dumps(json_util.Cleanse(payload), separators=(",", ":"))
    body = gzip.compress(text.encode(), compresslevel=3, mtime=0)
    return Answer(body, etag_of(body), complete)


def etag_of(body: bytes) -> str:
    """Returns a tag that changes when a body does. It is weak: the body is sent compressed or not."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'


def route(answer: Callable[[Any, Any], Answer]) -> Callable[[Any], Any]:
    """Turns a method that answers a request into a WSGI application.

    Requests for the same answer at the same time share it, in the plugin's `shared`. The method may use the request's
    experiment and the parameters in `_PARAMETERS`, and nothing else of it.
    """

    @wraps(answer)
    def application(self: Any) -> Any:
        @wrappers.Request.application  # type: ignore[untyped-decorator]
        def respond(request: Any) -> Any:
            if request.method not in ("GET", "HEAD"):
                return method_not_allowed(request)
            try:
                asked = tuple(request.args.get(name) for name in _PARAMETERS)
                key = (answer.__name__, plugin_util.experiment_id(request.environ), asked)
                return revalidated(request, self.shared.get(key, lambda: answer(self, request)), _JSON)
            except BadRequest as error:
                return error_response(request, 400, str(error))
            except NotFound as error:
                return error_response(request, 404, str(error.args[0]))
            except errors.PublicError:  # raised by TensorBoard, with its own status
                raise
            except Exception:
                _log.exception("tb_weightwatch failed to answer %s", request.path)
                return error_response(
                    request, 500, "tb_weightwatch failed to answer; see the error on TensorBoard's console"
                )

        return respond

    return application


def revalidated(request: Any, answer: Answer, content_type: str) -> Any:
    """Returns the response with a compressed body; 304 without it where the client holds the same already."""
    headers = [("ETag", answer.etag), ("Vary", "Accept-Encoding")]
    if request.if_none_match.contains_weak(answer.etag[3:-1]):
        return _not_modified([*headers, ("Content-Type", content_type), *_AS_RESPOND])
    return http_util.Respond(request, answer.body, content_type, content_encoding="gzip", headers=headers)


def _not_modified(headers: list[tuple[str, str]]) -> Any:
    """Returns a response of status 304; one of werkzeug has no type, and TensorBoard warns at each response without."""

    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("304 NOT MODIFIED", headers)
        return []

    return application


def error_response(request: Any, code: int, message: str) -> Any:
    """Returns an error as JSON: {"error": message}."""
    return http_util.Respond(request, json.dumps({"error": message}), _JSON, code=code)


def method_not_allowed(request: Any) -> Any:
    """Returns the response to a method other than GET and HEAD."""
    message = f"the method must be GET or HEAD, got {request.method}"
    headers = [("Allow", "GET, HEAD")]
    return http_util.Respond(request, json.dumps({"error": message}), _JSON, code=405, headers=headers)
