"""HTTP: parameters of requests, errors meant for users, compressed JSON."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from tensorboard import errors
from tensorboard.backend import http_util, json_util
from werkzeug import wrappers

from .. import answers

_log = logging.getLogger("tensorboard")
_JSON = "application/json"
_LONGEST = 10_000


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
        raise BadRequest(f"the parameter {name!r} is required, got {sorted(parameters)}")
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


def gzip_json(payload: Any) -> bytes:
    """Returns an answer as compressed JSON, ready to be sent or cached."""
    try:
        body = json.dumps(payload, allow_nan=False, separators=(",", ":"))
    except ValueError:  # NaN and infinities, which JSON does not have, become strings
        body = json.dumps(json_util.Cleanse(payload), separators=(",", ":"))
    return gzip.compress(body.encode(), compresslevel=3, mtime=0)


def route(answer: Callable[[Any, Any], bytes]) -> Callable[[Any], Any]:
    """Turns a method that answers a request with compressed JSON into a WSGI application."""

    @wraps(answer)
    def application(self: Any) -> Any:
        @wrappers.Request.application  # type: ignore[untyped-decorator]
        def respond(request: Any) -> Any:
            if request.method not in ("GET", "HEAD"):
                return method_not_allowed(request)
            try:
                body = answer(self, request)
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
            return http_util.Respond(request, body, _JSON, content_encoding="gzip")

        return respond

    return application


def error_response(request: Any, code: int, message: str) -> Any:
    """Returns an error as JSON: {"error": message}."""
    return http_util.Respond(request, json.dumps({"error": message}), _JSON, code=code)


def method_not_allowed(request: Any) -> Any:
    """Returns the response to a method other than GET and HEAD."""
    message = f"the method must be GET or HEAD, got {request.method}"
    headers = [("Allow", "GET, HEAD")]
    return http_util.Respond(request, json.dumps({"error": message}), _JSON, code=405, headers=headers)
