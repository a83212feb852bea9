"""Calls to a data server: while an answer is late, requests for nothing follow, and nothing else changes."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tb_weightwatch.reader.provider.prompt_calls import PromptProvider, prompt


class GrpcDataProvider:
    """Answers a call for data once it was asked for nothing so many times."""

    def __init__(self, needed: int, fails: bool = False) -> None:
        self.needed, self.fails = needed, fails
        self.asked_for_nothing: list[Any] = []
        self._enough = threading.Event()

    def list_tensors(self, ctx: Any, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None) -> Any:
        assert not self.needed or self._enough.wait(20)
        if plugin_name == "wrong":
            raise ValueError("the server's own error")
        return ctx, experiment_id, plugin_name, run_tag_filter

    def list_scalars(self, ctx: Any, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None) -> Any:
        self.asked_for_nothing.append((ctx, experiment_id, [*run_tag_filter.runs, *run_tag_filter.tags]))
        if len(self.asked_for_nothing) >= self.needed:
            self._enough.set()
        if self.fails:
            raise RuntimeError("away")

    def experiment_metadata(self, ctx: Any, *, experiment_id: str) -> str:
        return experiment_id


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("needed", [1, 3])
def test_late_answers_are_asked_for(needed: int, fails: bool) -> None:
    """An answer that waits for further requests comes, with its arguments, whether or not these fail."""
    for _ in range(3):
        server = GrpcDataProvider(needed, fails)
        provider = PromptProvider(server, pauses=(0.001,) * 3)
        assert provider.list_tensors("ctx", experiment_id="e", plugin_name="p") == ("ctx", "e", "p", None)
        assert all(asked == ("ctx", "e", []) for asked in server.asked_for_nothing)
        server.needed = 0
        assert provider.list_tensors("ctx", experiment_id="e", plugin_name="p")[2] == "p"


def test_a_call_right_after_another_is_asked_for() -> None:
    """A late answer that follows one which came at once is not waited for either."""
    server = GrpcDataProvider(0)
    provider = PromptProvider(server, pauses=(0.001,) * 3)
    for number in range(1, 20):
        server.needed = 0
        provider.list_tensors("ctx", experiment_id="e", plugin_name="p")
        server.needed = len(server.asked_for_nothing) + 1
        server._enough.clear()
        assert provider.list_tensors("ctx", experiment_id=str(number), plugin_name="p")[1] == str(number)


def test_errors_of_a_call_are_its_own() -> None:
    """What the server raises reaches the caller, and the next call is answered."""
    provider = PromptProvider(GrpcDataProvider(0), pauses=(0.001,))
    with pytest.raises(ValueError, match="the server's own error"):
        provider.list_tensors("ctx", experiment_id="e", plugin_name="wrong")
    assert provider.list_tensors("ctx", experiment_id="e", plugin_name="p")[1] == "e"


def test_only_a_data_server_is_hurried() -> None:
    """Another provider stays itself; methods that are not hurried are those of the provider."""
    other = object()
    assert prompt(other) is other
    provider = prompt(GrpcDataProvider(0))
    assert isinstance(provider, PromptProvider)
    assert provider.experiment_metadata("ctx", experiment_id="e") == "e"
    with pytest.raises(AttributeError):
        _ = provider.no_such_method
