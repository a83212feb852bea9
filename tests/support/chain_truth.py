"""What must be true of each chain, whatever was recorded: no link "works" unless it was measured and is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tb_weightwatch import answers
from tb_weightwatch.history import History
from tb_weightwatch.reader import Launch
from tb_weightwatch.verdict import LINKS, Diagnosis, Verdict

GREEN, NEUTRAL = "ok", "passed"


def chain_of(history: History, diagnosis: Diagnosis | None = None) -> dict[str, dict[str, Any]]:
    """Returns the links of a chain by name, as the panel gets them."""
    diagnosis = diagnosis or answers.safe_diagnose(history)
    links = answers.overview("r", Launch(history), diagnosis, 0.0)["chain"]
    assert tuple(link["link"] for link in links) == LINKS
    return {link["link"]: link for link in links}


def assert_chain_is_true(history: History, diagnosis: Diagnosis | None = None) -> None:
    """Asserts that no link of a chain contradicts the diagnosis or the recorded numbers."""
    diagnosis = diagnosis or answers.safe_diagnose(history)
    chain = chain_of(history, diagnosis)
    for name, finding in _named(diagnosis):
        assert chain[name]["state"] not in (GREEN, NEUTRAL), f"{finding} is on {name}: {chain[name]}"
    for link in chain.values():
        if link["state"] in (GREEN, NEUTRAL):
            assert link["number"] and link["passed"], link
        if link["state"] == GREEN:
            assert link["number"] not in ("NaN", "Inf", "-Inf"), link
        assert bool(link["number"]) <= bool(link["meaning"]), link
    _assert_nothing_works_after_the_break(chain, diagnosis)
    for name in _standing(history, diagnosis):
        for link_name in ("update", "weight"):
            assert chain[link_name]["state"] not in (GREEN, NEUTRAL), f"{name} does not move: {chain[link_name]}"


def _assert_nothing_works_after_the_break(chain: dict[str, dict[str, Any]], diagnosis: Diagnosis) -> None:
    states = [link["state"] for link in chain.values()]
    if "broken" in states:
        assert GREEN not in states[states.index("broken") :], states
    elif diagnosis.status != "healthy":
        assert GREEN not in states, states
    confirmed = {suspect.link for suspect in diagnosis.suspects if suspect.outcome == "confirmed"}
    for name in confirmed:
        assert chain[name]["state"] == "broken" and "confirmed" in chain[name]["state_text"], chain[name]
    assert sum(link["first"] for link in chain.values()) <= 1


def all_verdicts(verdicts: tuple[Verdict, ...]) -> Iterator[Verdict]:
    """Yields verdicts and all that they explain."""
    for verdict in verdicts:
        yield verdict
        yield from all_verdicts(verdict.explains)


def _named(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    """Yields link and name of each finding."""
    yield from ((verdict.link, verdict.name) for verdict in all_verdicts(diagnosis.verdicts))
    yield from ((symptom.link, symptom.name) for symptom in diagnosis.symptoms if symptom.severity != "info")
    yield from ((suspect.link, suspect.name) for suspect in diagnosis.suspects if suspect.outcome != "refuted")


def _standing(history: History, diagnosis: Diagnosis) -> Iterator[str]:
    """Yields variables that a verdict names and whose recorded updates since its first step are all zero."""
    if not history.has("update_norm"):
        return
    updates, known = history.column("update_norm"), history.known("update_norm")
    positions = {variable.name: i for i, variable in enumerate(history.variables)}
    for verdict in all_verdicts(diagnosis.verdicts):
        for name in verdict.variables if verdict.severity != "info" else ():
            rows = known[:, positions[name]] & (history.steps >= verdict.first_step)
            if rows.any() and not updates[rows, positions[name]].any():
                yield name
