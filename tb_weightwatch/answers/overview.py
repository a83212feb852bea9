"""The run list and the overview of one launch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..history import History
from ..reader import Launch
from ..verdict import Diagnosis, headline
from .chain import chain
from .equation import equation
from .experiments import experiments
from .facts_table import facts
from .findings import answer_headline, rule_reference, shown, suspect_answer, symptom_answer, verdict_answer
from .heatmap import quantities
from .launch_state import severity, state, worst_severities
from .muted_rules import muted
from .recording_cost import cost
from .rejudged import rejudged, rejudged_lines
from .third_party import incomplete

_OWN_DIRECTORY = "weightwatch"
_ROWS_TO_PROBE = 50  # recorded steps after which an undecided training is no longer too short to tell
HINT = (
    "There is no data of tb_weightwatch in this log directory. Add a callback to fit,\n\n"
    '    model.fit(x, y, callbacks=[ww.WeightWatch("logs/run-1")])\n\n'
    "or use ww.Watch in a training loop of your own. Then train a few steps and reload. (import tb_weightwatch as ww)"
)


def label(run: str) -> str:
    """Returns a run's name for display: without our own subdirectory, which TensorBoard takes for a run."""
    if run == _OWN_DIRECTORY:
        return "."
    return run.removesuffix(f"/{_OWN_DIRECTORY}") or "."


def launch_entry(launch: Launch, diagnosis: Diagnosis, time: float) -> dict[str, Any]:
    """Returns a launch's entry in the run list."""
    launch_state = state(launch, time)
    return {
        "launch": launch.history.launch,
        "started": launch.history.started,
        "state": launch_state.name,
        "state_text": launch_state.text,
        "last_step": launch_state.last_step,
        "status": diagnosis.status,
        "severity": severity(diagnosis),
        "headline": headline(diagnosis),
    }


def run_entries(launches: Mapping[str, Iterable[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Returns the runs by label; runs whose labels would be equal keep their full names."""
    counts = Counter(map(label, launches))
    entries = [
        {"run": run, "label": label(run) if counts[label(run)] == 1 else run, "launches": list(run_launches)}
        for run, run_launches in launches.items()
    ]
    return sorted(entries, key=lambda entry: (str(entry["label"]), str(entry["run"])))


def runs(revision: str, launches: Mapping[str, Iterable[dict[str, Any]]]) -> dict[str, Any]:
    """Returns the run list: run -> its launches' entries, oldest first."""
    return {"revision": revision, "runs": run_entries(launches), "hint": "" if launches else HINT}


def overview(run: str, launch: Launch, diagnosis: Diagnosis, time: float, skipped: int = 0) -> dict[str, Any]:
    """Returns the overview of a launch; `skipped` counts the run's damaged records beside the launch's own.

    `revision` changes with the state; a caller that knows the revision of the data prepends it. Such a caller also
    sets `maps`, the revision of the histograms and motion maps ("": there are none).
    """
    history = launch.history
    launch_state = state(launch, time)
    recorded, links = quantities(history), chain(history, diagnosis)
    seen = shown(history, frozenset(q["name"] for q in recorded))
    title = answer_headline(diagnosis, seen)
    return {
        "revision": launch_state.name,
        "run": run,
        "launch": history.launch,
        "state": launch_state.name,
        "state_text": launch_state.text,
        "last_step": launch_state.last_step,
        "rows": len(history),
        "status": diagnosis.status,
        "severity": severity(diagnosis),
        "headline": title.text,
        "rest": title.rest,
        "sentence": diagnosis.sentence,
        "detail": _detail(launch, diagnosis),
        "verdicts": [verdict_answer(v, seen) for v in diagnosis.verdicts],
        "symptoms": [symptom_answer(s) for s in diagnosis.symptoms],
        "suspects": [suspect_answer(s, seen) for s in diagnosis.suspects],
        "experiments": experiments(diagnosis.experiments),
        "resolved": [verdict_answer(v, seen) for v in diagnosis.resolved],
        "muted": [
            {**rule_reference(rule), "verdict": verdict and verdict_answer(verdict, seen)}
            for rule, verdict in muted(history)
        ],
        "chain": links,
        "equation": equation(history, links),
        "passed": [rule_reference(name) for name in diagnosis.passed],
        "unknown": [{**rule_reference(u.rule, u.code), "lacked": u.lacked} for u in diagnosis.unknown],
        "quantities": recorded,
        "variables": _variables(history, diagnosis, seen.paths),
        "layers": [layer.name for layer in history.layers],
        "facts": facts(history),
        "maps": "",
        "skipped": skipped + launch.skipped.total(),
    }


def _detail(launch: Launch, diagnosis: Diagnosis) -> str:
    history = launch.history
    sentences = [] if history.complete else [incomplete(history)]
    if launch.skipped:
        sentences.append(f"Skipped: {launch.skipped}.")
    if launch.unknown_columns:
        sentences.append(f"Recorded by a later version, not shown: {', '.join(sorted(launch.unknown_columns))}.")
    recorder = history.facts.get("recorder")
    can_probe = isinstance(recorder, dict) and recorder.get("kind") in ("fit", "loop") and not diagnosis.experiments
    if diagnosis.status == "undecided" and can_probe and len(history) >= _ROWS_TO_PROBE:
        sentences.append("Experiments may find the cause: report = watch.probe(x, y).")
    sentences += rejudged_lines(rejudged(launch, diagnosis))
    sentences.append(cost(history))
    return " ".join(filter(None, sentences))


def _variables(history: History, diagnosis: Diagnosis, paths: Mapping[str, str]) -> list[dict[str, Any]]:
    worst = worst_severities(diagnosis)
    return [
        {
            "name": v.name,
            "short": paths[v.name],
            "layer": v.layer,
            "shape": list(v.shape),
            "dtype": v.dtype,
            "trainable": v.trainable,
            "worst": worst.get(v.name, "none"),
        }
        for v in history.variables
    ]
