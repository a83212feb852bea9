"""The run list and the overview of one launch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..diagnosis import Symptom, catalogue
from ..history import History
from ..reader import Launch
from ..verdict import SEVERITIES, Diagnosis, Verdict
from .chain import chain
from .facts_table import cost, facts
from .heatmap import quantities
from .launch_state import evidence_text, severity, state, whole
from .muted_rules import muted
from .rejudged import rejudged, rejudged_lines
from .third_party import incomplete

_SUFFIX = "/weightwatch"
HINT = (
    "Nothing in this log directory was recorded by tb_weightwatch. Add a callback to fit,\n\n"
    '    model.fit(x, y, callbacks=[ww.WeightWatch("logs/run-1")])\n\n'
    "or, in a loop of your own, ww.Watch, train a few steps, and look again. (import tb_weightwatch as ww)"
)


def label(run: str) -> str:
    """Returns a run's name for display: without the directory of ours that TensorBoard takes for a run."""
    if run == _SUFFIX[1:]:
        return "."
    return run.removesuffix(_SUFFIX) or "."


def launch_entry(
    launch: Launch, diagnosis: Diagnosis, time: float, symptoms: tuple[Symptom, ...] = ()
) -> dict[str, Any]:
    """Returns a launch's line in the run list; what only shows as a symptom has no code, but a name."""
    stands = state(launch, time)
    named = [v.name for v in diagnosis.verdicts] + [s.kind for s in symptoms if s.severity != "info"]
    return {
        "launch": launch.history.launch,
        "started": launch.history.started,
        "state": stands.name,
        "state_text": stands.text,
        "last_step": stands.last_step,
        "status": diagnosis.status,
        "severity": severity(diagnosis, symptoms),
        "headline": named[0] if diagnosis.status == "sick" and named else diagnosis.status,
    }


def run_entries(launches: Mapping[str, Iterable[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Returns the runs by name; two that would be shown alike keep their full names."""
    labels = [label(run) for run in launches]
    entries = [
        {"run": run, "label": label(run) if labels.count(label(run)) == 1 else run, "launches": list(found)}
        for run, found in launches.items()
    ]
    return sorted(entries, key=lambda entry: (str(entry["label"]), str(entry["run"])))


def runs(revision: str, launches: Mapping[str, Iterable[dict[str, Any]]]) -> dict[str, Any]:
    """Returns the run list: run -> its launches' entries, oldest first."""
    return {"revision": revision, "runs": run_entries(launches), "hint": "" if launches else HINT}


def overview(run: str, launch: Launch, diagnosis: Diagnosis, time: float, skipped: int = 0) -> dict[str, Any]:
    """Returns the overview of a launch; `skipped` counts what was skipped beside the launch's own.

    Its `revision` changes when the state does; who knows the data's revision puts that before it, and in
    `maps` that of histograms and motion maps ("": there are none).
    """
    history = launch.history
    stands = state(launch, time)
    shown = quantities(history)
    names = {q["name"] for q in shown}
    return {
        "revision": stands.name,
        "run": run,
        "launch": history.launch,
        "state": stands.name,
        "state_text": stands.text,
        "last_step": stands.last_step,
        "rows": len(history),
        "status": diagnosis.status,
        "sentence": diagnosis.sentence,
        "detail": _detail(launch, diagnosis),
        "verdicts": [_verdict(v, names) for v in diagnosis.verdicts],
        "resolved": [_verdict(v, names) for v in diagnosis.resolved],
        "muted": [{**_rule(rule), "verdict": found and _verdict(found, names)} for rule, found in muted(history)],
        "chain": chain(history, diagnosis),
        "passed": [_rule(name) for name in diagnosis.passed],
        "unknown": [{**_rule(u.rule, u.code), "lacked": u.lacked} for u in diagnosis.unknown],
        "quantities": shown,
        "variables": _variables(history, diagnosis),
        "layers": [layer.name for layer in history.layers],
        "facts": facts(history),
        "maps": "",
        "skipped": skipped + launch.skipped.total(),
    }


def _verdict(verdict: Verdict, quantities: set[str]) -> dict[str, Any]:
    found = verdict.as_dict()
    for item, evidence in zip(found["evidence"], verdict.evidence, strict=True):
        item["text"] = evidence_text(evidence)
        item["quantity"] = item["quantity"] if item["quantity"] in quantities else ""
    found["explains"] = [_verdict(v, quantities) for v in verdict.explains]
    return found


def _rule(name: str, code: int = 0) -> dict[str, Any]:
    known = catalogue().get(name)
    return {"code": known.code if known else code, "name": name, "summary": known.summary if known else ""}


def _detail(launch: Launch, diagnosis: Diagnosis) -> str:
    history = launch.history
    parts = [] if history.complete else [incomplete(history)]
    if launch.skipped:
        parts.append(f"Skipped: {launch.skipped}.")
    if launch.unknown_columns:
        parts.append(f"Recorded by a later version; not shown: {', '.join(sorted(launch.unknown_columns))}.")
    parts += rejudged_lines(rejudged(launch, diagnosis))
    parts.append(cost(history))
    return " ".join(filter(None, parts))


def _variables(history: History, diagnosis: Diagnosis) -> list[dict[str, Any]]:
    worst: dict[str, int] = {}
    for verdict in (part for v in diagnosis.verdicts for part in whole(v)):
        for name in verdict.variables:
            worst[name] = max(worst.get(name, -1), SEVERITIES.index(verdict.severity))
    return [
        {
            "name": v.name,
            "layer": v.layer,
            "shape": list(v.shape),
            "dtype": v.dtype,
            "trainable": v.trainable,
            "worst": SEVERITIES[worst[v.name]] if v.name in worst else "none",
        }
        for v in history.variables
    ]
