"""The overview of a training that nobody watched: its symptoms on the chain, and where its numbers come from."""

from __future__ import annotations

from typing import Any

from ..diagnosis import Symptom, symptoms
from ..history import History


def safe_symptoms(history: History) -> tuple[Symptom, ...]:
    """Returns the symptoms as `symptoms`, but never raises: who wrote these curves is a stranger."""
    try:
        return symptoms(history)
    except Exception:  # `judge`, which goes the same way, says so
        return ()


def incomplete(history: History) -> str:
    """Returns why a History is not complete, as far as that is known."""
    if isinstance(history.facts.get("foreign"), dict):
        return (
            "Curves this long are sampled, so what stood between is missing here "
            "(TensorBoard keeps 1,000 scalars and 500 histograms of a tag; weightwatch review reads all)."
        )
    return "Some recorded rows could not be read, so what they showed is missing here."


def source(foreign: dict[str, Any]) -> str:
    """Returns where the numbers of a foreign History come from, and what they are worth; "" for one of ours."""
    if not foreign:
        return ""
    tags = [f"loss from {foreign['loss']!r}" if foreign.get("loss") else "no loss"]
    if foreign.get("learning_rate"):
        tags.append(f"learning rate from {foreign['learning_rate']!r}")
    zero = f"; {foreign.get('unit')} 1 is TensorBoard's 0" if foreign.get("shifted") else ""
    steps = "; what is called a step here is an epoch" if foreign.get("unit") == "epoch" else ""
    estimates = ", ".join(sorted(foreign.get("estimates") or {}))
    about = f"; estimates: {estimates}" if estimates else ""
    return f"Read from curves written by {foreign.get('writer')}: {', '.join(tags)}{steps}{zero}{about}."


def with_symptoms(overview: dict[str, Any], history: History) -> dict[str, Any]:
    """Returns the overview with what curves show to be wrong on the link where it shows; our own stay as they are.

    No link is called the first to break: a symptom says where it shows, not where it comes from.
    """
    foreign = history.facts.get("foreign")
    if not isinstance(foreign, dict):
        return overview
    found: dict[str, list[str]] = {}
    for one in safe_symptoms(history):
        if one.severity != "info":
            found.setdefault("loss" if "loss" in one.kind else "weight", []).append(one.text)
    chain = [
        {**link, "state": "broken", "text": "; ".join(found[link["link"]])}
        if link["link"] in found and link["state"] != "broken"
        else link
        for link in overview["chain"]
    ]
    detail = " ".join(filter(None, (overview["detail"], source(foreign))))
    return {**overview, "chain": chain, "detail": detail}
