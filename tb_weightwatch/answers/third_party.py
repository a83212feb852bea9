"""Where the numbers of a third-party log come from."""

from __future__ import annotations

from typing import Any

from ..diagnosis import recording_losses
from ..history import History

_OTHER_CURVES = ("gradient_norm", "validation_loss")


def source_facts(history: History) -> dict[str, Any]:
    """Returns what was recorded about the source of a third-party log; {} for a log of ours."""
    facts = history.facts.get("foreign")
    return facts if isinstance(facts, dict) else {}


def incomplete(history: History) -> str:
    """Returns why a History is not complete, as far as that is known."""
    if source_facts(history):
        return (
            "Steps are missing here because TensorBoard samples long curves "
            "(TensorBoard keeps 1,000 scalars and 500 histograms per tag; weightwatch review reads all of them)."
        )
    unwritten = recording_losses(history).rows
    if unwritten:
        return f"Of the recorded rows, {unwritten:,} were not written and are missing here."
    return "Some recorded rows could not be read and are missing here."


def source(facts: dict[str, Any]) -> str:
    """Returns where the numbers of a third-party log come from and which are estimates; "" for {}."""
    if not facts:
        return ""
    tags = [f"loss from {facts['loss']!r}" if facts.get("loss") else "no loss"]
    if facts.get("learning_rate"):
        tags.append(f"learning rate from {facts['learning_rate']!r}")
    tags += [f"{name.replace('_', ' ')} from {facts[name]!r}" for name in _OTHER_CURVES if facts.get(name)]
    epochs = "; each step here is an epoch" if facts.get("unit") == "epoch" else ""
    shifted = f"; {facts.get('unit')} 1 is the log's 0" if facts.get("shifted") else ""
    names = ", ".join(sorted(facts.get("estimates") or {}))
    estimates = f"; estimates: {names}" if names else ""
    writer = str(facts.get("writer"))
    log = writer if writer.startswith("a ") else f"a third-party log by {writer}"
    return f"Read from {log}: {', '.join(tags)}{epochs}{shifted}{estimates}."


def with_source(overview: dict[str, Any], history: History) -> dict[str, Any]:
    """Returns the overview of a third-party log with its source; that of a log of ours unchanged."""
    facts = source_facts(history)
    if not facts:
        return overview
    detail = " ".join(filter(None, (overview["detail"], source(facts))))
    return {**overview, "detail": detail}
