"""Calls to TensorBoard's data server (its fast loader) without the pauses of TCP.

The server sends an answer in pieces, and the second one not before the first was acknowledged (Nagle's algorithm). The
kernel on this side keeps the acknowledgement back for 40 ms, unless there is something to send with it. So while an
answer is late, requests for nothing are sent, which carry it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

# Seconds between them. They grow: an answer that takes its time to compute cannot be hurried.
PAUSES = (0.004, 0.008, 0.016, 0.032)
_CALLS = frozenset({"list_runs", "list_tensors", "read_tensors", "list_scalars", "read_scalars", "list_blob_sequences"})


def prompt(provider: Any) -> Any:
    """Returns a data provider whose answers come without pauses: itself, unless it asks a data server."""
    return PromptProvider(provider) if type(provider).__name__ == "GrpcDataProvider" else provider


class PromptProvider:
    """A data provider that asks a data server; safe for threads.

    Args:
        provider: the data provider.
        pauses: seconds between the requests for nothing while a call is under way.
    """

    def __init__(self, provider: Any, pauses: tuple[float, ...] = PAUSES) -> None:
        self._provider = provider
        self._pauses = pauses
        self._threads = ThreadPoolExecutor(1 + len(pauses), "tb_weightwatch data server")
        # The call that is watched. One is enough: calls beside it have something to send themselves.
        self._answered = threading.Event()
        self._answered.set()

    def __getattr__(self, name: str) -> Any:
        """Returns a method of the data provider."""
        method = getattr(self._provider, name)
        return partial(self._call, method) if name in _CALLS else method

    def _call(self, method: Callable[..., Any], ctx: Any, **arguments: Any) -> Any:
        answered = threading.Event()
        if self._answered.is_set():
            self._answered = answered
            self._threads.submit(self._watch, answered, ctx, arguments["experiment_id"])
        try:
            return method(ctx, **arguments)
        finally:
            answered.set()

    def _watch(self, answered: threading.Event, ctx: Any, experiment: str) -> None:
        for pause in self._pauses:
            if answered.wait(pause):
                return
            self._threads.submit(self._ask_for_nothing, ctx, experiment)

    def _ask_for_nothing(self, ctx: Any, experiment: str) -> None:
        from tensorboard.data.provider import RunTagFilter

        nothing = RunTagFilter(runs=[], tags=[])
        with suppress(Exception):  # whatever is wrong with the server, the call itself says it
            self._provider.list_scalars(ctx, experiment_id=experiment, plugin_name="scalars", run_tag_filter=nothing)
