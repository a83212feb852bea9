"""What is wrong with a call of `diagnose` whose argument is no History."""

from __future__ import annotations

import os

from ...history import History


def no_history_text(value: object) -> str:
    """Returns what is wrong with a call of `diagnose`, and the call that was probably meant."""
    expected = "diagnose takes a History"
    if isinstance(value, (str, os.PathLike)):
        return f"{expected}, got a path; read it first: ww.diagnose(ww.read({os.fspath(value)!r})[-1])"
    if isinstance(value, (list, tuple)):
        histories = f"{len(value)} of them" if any(isinstance(item, History) for item in value) else "no History"
        return (
            f"{expected}, got a {type(value).__name__} with {histories}; ww.read returns a list, one History for each "
            "launch: ww.diagnose(histories[-1]) is that of the last one"
        )
    if isinstance(getattr(value, "history", None), History):
        return f"{expected}, got {type(value).__name__}; read its .diagnosis, or pass its .history"
    kind = f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
    return f"{expected} of tb_weightwatch, as watch.history or ww.read(logdir)[-1]; got {kind}"
