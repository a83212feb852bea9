"""TensorBoard's entry point. An exception here would keep TensorBoard from starting, so nothing here raises."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from tensorboard.plugins import base_plugin

_NAME = "weightwatch"


class WeightWatchLoader(base_plugin.TBLoader):  # type: ignore[misc]
    """Loads the plugin, or logs why it cannot."""

    def fix_flags(self, flags: Any) -> None:
        """Makes TensorBoard keep one datum per tag, which is all that is needed, unless the user set the flag."""
        with contextlib.suppress(Exception):
            flags.samples_per_plugin.setdefault(_NAME, 1)

    def load(self, context: Any) -> Any:
        """Returns the plugin, or None where it cannot work."""
        try:
            from .backend import WeightWatchPlugin

            return WeightWatchPlugin(context)
        except Exception as error:
            logging.getLogger("tensorboard").warning("the tb_weightwatch panel cannot be loaded: %r", error)
            return None
