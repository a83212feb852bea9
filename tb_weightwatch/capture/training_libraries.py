"""Whether the libraries are there that recording a training needs: TensorFlow, and Keras that runs on it."""

from __future__ import annotations

import importlib
import os
import re
import sys
from types import ModuleType
from typing import Any

TENSORFLOW, KERAS = (2, 16), (3, 3)  # the oldest versions that are recorded
_INSTALL = "pip install --upgrade 'tb-weightwatch[tensorflow]'"
_WITHOUT = "Reading, reviewing and showing runs, and ww.summary, work without TensorFlow."


def check_training_libraries(name: str) -> None:
    """Checks the libraries that train.

    Args:
        name: the public name that needs them.

    Raises:
        ImportError: one is missing or too old, or Keras runs on another backend. It says what is there and what to do.
    """
    loaded = sys.modules.get("keras")
    _check_backend(name, os.environ.get("KERAS_BACKEND", "") if loaded is None else _backend(loaded))
    tensorflow = _imported("tensorflow", name)
    _check_version(name, "TensorFlow", tensorflow, TENSORFLOW)
    keras = _imported("keras", name)
    _check_version(name, "Keras", keras, KERAS)
    _check_backend(name, _backend(keras))


def _imported(module: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = {"tensorflow": "TensorFlow", "keras": "Keras"}[module]
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == module
        came = "it is not installed" if is_missing else f"importing it failed ({error})"
        raise ImportError(f"ww.{name} needs {library}, but {came}: {_INSTALL}. {_WITHOUT}", name=module) from error


def _check_version(name: str, library: str, module: ModuleType, oldest: tuple[int, int]) -> None:
    version = str(getattr(module, "__version__", ""))
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if numbers < oldest:
        needed = ".".join(map(str, oldest))
        present = version or "a module of that name without a version"
        raise ImportError(f"ww.{name} needs {library} {needed} or newer, but found {present}: {_INSTALL}")


def _backend(keras: ModuleType) -> str:
    """Returns the name of Keras' backend; "" if it has none to choose, as Keras 2."""
    config: Any = getattr(keras, "config", None)
    return str(config.backend()) if hasattr(config, "backend") else ""


def _check_backend(name: str, backend: str) -> None:
    if backend not in ("", "tensorflow"):
        raise ImportError(
            f"ww.{name} records Keras on TensorFlow, but Keras runs on {backend} here: set the environment variable "
            "KERAS_BACKEND=tensorflow before Keras is imported. To record a training on another backend, pass its "
            "arrays to ww.summary.update, which works without TensorFlow."
        )
