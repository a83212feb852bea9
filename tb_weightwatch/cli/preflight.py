"""`weightwatch preflight`: a model that a function of the user's returns, checked before its first step."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from importlib.util import find_spec
from typing import Any

from ..history import nearest
from ..verdict import SEVERITIES, Diagnosis
from .terminal import Line, Screen, fail

_ARGUMENTS = ("model", "x", "y", "loss", "optimizer", "rules")
_CONTRACT = "(model, x, y), (model, dataset), or a dict of the arguments of ww.preflight (model, x, y, loss, optimizer)"


def preflight(options: argparse.Namespace) -> int:
    """Checks structure, settings and a few batches of a model, without an update, as ww.preflight does.

    The function is imported from the working directory, or from where Python finds it, and called without arguments. It
    returns (model, x, y), (model, dataset), or a dict of the arguments of ww.preflight; a model with its own training
    loop needs the dict, with its loss and optimizer.
    """
    if find_spec("tensorflow") is None:
        return fail("preflight needs TensorFlow, which is not installed: pip install 'tb-weightwatch[tensorflow]'")
    here = os.getcwd()
    sys.path.insert(0, here)  # a command that pip has installed does not look there
    try:
        arguments = checked_arguments(options.function, _call(options.function))
        diagnosis = _diagnosed(arguments)
    except _UserError as error:
        cause = error.__cause__
        if cause is not None:  # the frames of the user's own program
            traceback.print_exception(type(cause), cause, cause.__traceback__ and cause.__traceback__.tb_next)
        return fail(str(error))
    finally:
        sys.path.remove(here)
    screen = Screen()
    for line in str(diagnosis).split("\n"):
        screen.put(Line(line))
    return int(_has_fault(diagnosis))


class _UserError(Exception):
    """The program of the user cannot be examined; its cause is the exception that it raised, if it raised one."""


def _call(name: str) -> Any:
    """Imports the function MODULE:FUNCTION, calls it, and returns what it returns.

    Raises:
        _UserError: there is no such module or function, or one of them raised an exception.
    """
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name or "/" in module_name or module_name.endswith(".py"):
        raise _UserError(f"expected MODULE:FUNCTION, such as train:make_model for make_model in train.py, got {name!r}")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise _UserError(f"there is no module {error.name!r} in {os.getcwd()} or on Python's path") from None
        raise _UserError(f"importing {module_name} raised {_described(error)}") from error
    except (Exception, SystemExit) as error:
        raise _UserError(f"importing {module_name} raised {_described(error)}") from error
    function = getattr(module, function_name, None)
    if not callable(function):
        functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise _UserError(f"{module_name} has no function {function_name!r}; {nearest(function_name, functions)}")
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise _UserError(f"{name} raised {_described(error)}") from error


def checked_arguments(name: str, returned: Any) -> dict[str, Any]:
    """Returns the arguments of `ww.preflight` that a function has returned.

    Raises:
        _UserError: it returned something else.
    """
    if isinstance(returned, tuple) and len(returned) in (2, 3):
        return dict(zip(_ARGUMENTS, returned, strict=False))
    if not isinstance(returned, dict):
        raise _UserError(f"{name} must return {_CONTRACT}, got {_kind(returned)}")
    unknown = [key for key in returned if key not in _ARGUMENTS]
    if unknown:
        raise _UserError(f"{name} returned a dict with the key {unknown[0]!r}; {nearest(unknown[0], _ARGUMENTS)}")
    missing = [key for key in ("model", "x") if key not in returned]
    if missing:
        raise _UserError(f"{name} returned a dict without {missing[0]!r}; it must return {_CONTRACT}")
    return returned


def _diagnosed(arguments: dict[str, Any]) -> Diagnosis:
    """Returns the diagnosis of `ww.preflight`.

    Raises:
        _UserError: the arguments do not fit, or the model cannot be called on its data.
    """
    from ..capture.preflight import preflight as diagnosed

    try:
        return diagnosed(**arguments)
    except (TypeError, ValueError) as error:  # these say what was expected; the frames are ours
        raise _UserError(str(error)) from None
    except Exception as error:  # of the model or of Keras
        raise _UserError(f"the model cannot be examined: {_described(error)}") from error


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _kind(value: Any) -> str:
    length = f" of {len(value)}" if isinstance(value, (tuple, list)) else ""
    return f"a {type(value).__name__}{length}"


def _has_fault(diagnosis: Diagnosis) -> bool:
    """Checks whether a verdict is an error that is certain: what is only likely does not end a build."""
    return any(v.certainty == "certain" and v.severity == SEVERITIES[-1] for v in diagnosis.verdicts)
