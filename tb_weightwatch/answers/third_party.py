"""The overview of a third-party log: its symptoms on the chain, and where its numbers come from."""

from __future__ import annotations

from typing import Any

from ..diagnosis import Symptom, symptoms
from ..history import History


def source_facts(history: History) -> dict[str, Any]:
    """Returns what was recorded about the source of a third-party log; {} for a log of ours."""
    facts = history.facts.get("foreign")
    return facts if isinstance(facts, dict) else {}


def safe_symptoms(history: History) -> tuple[Symptom, ...]:
    """Returns the symptoms as `symptoms` does, but never raises: a third-party log may hold anything."""
    try:
        return symptoms(history)
    except Exception:  # `safe_diagnose` fails in the same way and reports it
        return ()


def incomplete(history: History) -> str:
    """Returns why a History is not complete, as far as that is known."""
    if source_facts(history):
        return (
            "Steps are missing here because TensorBoard samples long curves "
            "(TensorBoard keeps 1,000 scalars and 500 histograms per tag; weightwatch review reads all of them)."
        )
    return "Some recorded rows could not be read and are missing here."


def source(facts: dict[str, Any]) -> str:
    """Returns where the numbers of a third-party log come from and which are estimates; "" for {}."""
    if not facts:
        return ""
    tags = [f"loss from {facts['loss']!r}" if facts.get("loss") else "no loss"]
    if facts.get("learning_rate"):
        tags.append(f"learning rate from {facts['learning_rate']!r}")
    epochs = "; each step here is an epoch" if facts.get("unit") == "epoch" else ""
    shifted = f"; {facts.get('unit')} 1 is TensorBoard's 0" if facts.get("shifted") else ""
    names = ", ".join(sorted(facts.get("estimates") or {}))
    estimates = f"; estimates: {names}" if names else ""
    return f"Read from a third-party log by {facts.get('writer')}: {', '.join(tags)}{epochs}{shifted}{estimates}."


def with_symptoms(overview: dict[str, Any], history: History) -> dict[str, Any]:
    """Returns the overview of a third-party log with its symptoms and its source; that of a log of ours unchanged."""
    facts = source_facts(history)
    if not facts:
        return overview
    detail = " ".join(filter(None, (overview["detail"], source(facts))))
    return {**overview, "chain": chain_with_symptoms(overview["chain"], history), "detail": detail}


def chain_with_symptoms(chain: list[dict[str, Any]], history: History) -> list[dict[str, Any]]:
    """Returns the chain of a third-party log with its symptoms; that of a log of ours unchanged.

    No link becomes the first broken one: a symptom shows where a problem is seen, not where it comes from.
    """
    if not source_facts(history):
        return chain
    texts: dict[str, list[str]] = {}
    for symptom in safe_symptoms(history):
        if symptom.severity != "info":
            texts.setdefault("loss" if "loss" in symptom.kind else "weight", []).append(symptom.text)
    return [
        {**link, "state": "broken", "text": "; ".join(texts[link["link"]])}
        if link["link"] in texts and link["state"] != "broken"
        else link
        for link in chain
    ]
