"""Which of several names is that of the whole loss, where a training step of one's own reports more than one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def whole_loss_name(names: Iterable[Any]) -> str | None:
    """Returns "loss" or "total_loss" if it is a name, else the first name that contains "loss"; None without one."""
    losses = [name for name in names if isinstance(name, str) and "loss" in name.lower()]
    preferred = {name.lower(): name for name in reversed(losses)}
    return preferred.get("loss") or preferred.get("total_loss") or next(iter(losses), None)
