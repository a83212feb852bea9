"""Whether the installed TensorBoard can start, and what to install where it cannot."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec


def start_problem() -> str:
    """Returns why the installed TensorBoard cannot start, and what to run; "" if nothing is known to be in its way.

    TensorBoard below 2.21 imports `pkg_resources`, which setuptools 82 removed, and declares no limit for setuptools.
    TensorBoard 2.16 also uses names that NumPy 2 removed.
    """
    tensorboard, numpy = _version("tensorboard"), _version("numpy")
    if _release(tensorboard) < (2, 21) and find_spec("pkg_resources") is None:
        return (
            f"TensorBoard {tensorboard} cannot start: it needs the module pkg_resources, which setuptools has had up "
            f"to version 81 (installed: {_version('setuptools') or 'none'}); run pip install 'setuptools<82'"
        )
    if _release(tensorboard) < (2, 17) and _release(numpy) >= (2,):
        return (
            f"TensorBoard {tensorboard} cannot start with NumPy {numpy}; run "
            "pip install --upgrade 'tensorboard>=2.17', or pip install 'numpy<2' if TensorFlow 2.16 is installed"
        )
    return ""


def _version(package: str) -> str:
    """Returns the version of an installed package; "" if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _release(text: str) -> tuple[int, ...]:
    """Returns the first two numbers of a version; one that is not known passes as the newest."""
    numbers = text.split(".")[:2]
    return tuple(map(int, numbers)) if text and all(number.isdecimal() for number in numbers) else (999,)
