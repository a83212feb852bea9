"""Python keeps compiled modules, as it does of installed packages, also where the environment says otherwise.

Without them each start of TensorBoard would compile our three hundred files, and none of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "output" / "pycache"


def keep_compiled() -> None:
    """Makes processes that are started from here keep compiled modules; the first one of a kind still compiles."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(FOLDER)
