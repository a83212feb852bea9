"""The versions of the libraries that take part in a training."""

from __future__ import annotations

import platform
import sys

import numpy as np

from ..._version import __version__


def library_versions() -> dict[str, str]:
    """Returns library -> version. Frameworks are listed if they have been imported; none is imported for it."""
    versions = {"tb_weightwatch": __version__}
    for name in ("tensorflow", "keras", "tf_keras", "torch", "jax"):
        module = sys.modules.get(name)
        if module is not None and hasattr(module, "__version__"):
            versions[name] = str(module.__version__)
    return {**versions, "numpy": np.__version__, "python": platform.python_version()}
