"""TensorBoard's entry point. An exception in here would keep TensorBoard from starting, so nothing in here raises."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from tensorboard.plugins import base_plugin

_NAME = "weightwatch"


class WeightWatchLoader(base_plugin.TBLoader):  # type: ignore[misc]
    """Loads the plugin, or says why it can not."""

    def fix_flags(self, flags: Any) -> None:
        """Keeps one datum a tag, which is all that is needed; who sets the flag for us is obeyed."""
        with contextlib.suppress(Exception):
            flags.samples_per_plugin.setdefault(_NAME, 1)

    def load(self, context: Any) -> Any:
        """Returns the plugin, or None where it can not work."""
        try:
            from .backend import WeightWatchPlugin

            return WeightWatchPlugin(context)
        except Exception as error:
            logging.getLogger("tensorboard").warning("tb_weightwatch can not be shown: %r", error)
            return None
