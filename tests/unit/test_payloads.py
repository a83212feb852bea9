"""The backend's answers, committed in frontend/tests/payloads, where TypeScript checks them against api.ts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch import answers, schema
from tb_weightwatch.history import History, Record
from tb_weightwatch.maps import Map
from tb_weightwatch.reader import Launch
from tb_weightwatch.verdict import Diagnosis
from tests.support import synthetic_runs
from tests.support.suspected_run import suspected
from tests.support.tested_run import diagnosis_with_experiments, experiment_records

FOLDER = Path(__file__).resolve().parents[2] / "frontend" / "tests" / "payloads"
STEPS = 96
MUTED_RULES = ("learning-rate-too-small", "dead-relu")
NOW = synthetic_runs.STARTED + 3600.0


def recorded(launch: str, *, end: str = "", nan_from: int | None = None, still: bool = False) -> History:
    """Returns a launch of 96 steps; with `still`, of a learning rate at which no kernel moves."""
    history = History(launch, started=synthetic_runs.STARTED)
    for record in synthetic_runs.facts():
        history.add(record)
    for start in range(1, STEPS + 1, 8):
        block = synthetic_runs.rows(start, 8, nan_from=nan_from)
        if still:
            block.run["learning_rate"].values[:] = 1e-10
            block.run["loss"].values[:] = 2.0
            for name in ("update_norm", "update_max", "changed_share"):
                block.variable[name].values[:] *= 1e-7
                block.variable[name].values[:, ::2] = 0.0
            block.variable["stuck_share"].values[:, ::2] = 1.0
        history.append(block)
    if end:
        history.add(schema.record_as_stored(Record(STEPS, "end", {"how": end, "detail": "ValueError"}, NOW)))
    return history


HEALTHY = recorded("healthy-1", end="completed")
SICK = recorded("sick-1", still=True)
MUTED = recorded("muted-1", still=True)
MUTED.add(Record(0, "config", {"rules": dict.fromkeys(MUTED_RULES, False)}))
SUSPECTED = recorded("suspected-1", still=True)
TESTED = recorded("tested-1", still=True)
NAN = recorded("nan-1", end="exception", nan_from=48)


def diagnosis_of(history: History) -> Diagnosis:
    """Returns the diagnosis of today's rules, and for two launches one that has suspects and no verdict."""
    given = {SUSPECTED.launch: suspected, TESTED.launch: diagnosis_with_experiments}.get(history.launch)
    return given(STEPS) if given else answers.safe_diagnose(history)


def overview(history: History) -> dict[str, Any]:
    return answers.overview("cnn/weightwatch", Launch(history), diagnosis_of(history), NOW)


def recorded_maps() -> list[Map]:
    """Returns histograms and motion maps of three steps: with a row that never moves, and one NaN in the last."""
    rng, maps = np.random.default_rng(0), []
    for step in (64, 128, 256):
        counts = np.zeros(256)
        counts[100:108] = 32.0
        counts[0], counts[255] = 32.0, 4.0 * (step == 256)
        picture = rng.lognormal(-7, 1, (4, 4))
        picture[1] = 0.0
        picture[3, 3] = np.nan if step == 256 else 1e-4
        for kind, values in (("update_histogram", counts), ("update_map", picture)):
            maps.append(schema.map_as_stored(Map(step, synthetic_runs.NAMES[0], kind, values)))
    return maps


def runs() -> dict[str, Any]:
    launches = {"cnn/weightwatch": (NAN, SICK), "baseline": (HEALTHY,), "suspected": (SUSPECTED,), "tested": (TESTED,)}
    entries = {
        run: [answers.launch_entry(Launch(history), diagnosis_of(history), NOW) for history in histories]
        for run, histories in launches.items()
    }
    return answers.runs("1", entries)


def run_table() -> dict[str, Any]:
    """Returns the table of the newest launches, of which one was not read yet."""
    newest = {"cnn/weightwatch": SICK, "baseline": HEALTHY, "suspected": SUSPECTED, "tested": TESTED}
    rows = []
    for run, history in newest.items():
        launch, diagnosis = Launch(history), diagnosis_of(history)
        summary = None if history is TESTED else answers.summary_of(launch, diagnosis)
        rows.append((run, answers.launch_entry(launch, diagnosis, NOW), summary))
    return answers.run_table(rows, 1)


PAYLOADS: dict[str, Callable[[], dict[str, Any]]] = {
    "runs": runs,
    "runs-empty": lambda: answers.runs("1", {}),
    "overview-sick": lambda: overview(SICK),
    "overview-nan": lambda: overview(NAN),
    "overview-suspected": lambda: overview(SUSPECTED),
    "overview-tested": lambda: overview(TESTED),
    "overview-healthy": lambda: overview(HEALTHY),
    "heatmap": lambda: answers.heatmap(SICK, "update_ratio", 24),
    "heatmap-nan": lambda: answers.heatmap(NAN, "gradient_norm", 24),
    "maps": lambda: answers.maps(SICK.variables[0], recorded_maps(), left_out=1),
    "compare": lambda: answers.compare(
        SICK, HEALTHY, (answers.safe_diagnose(SICK), answers.safe_diagnose(HEALTHY)), ("cnn", "baseline")
    ),
    "explanation-rule": lambda: answers.explanation(rule="502"),
    "explanation-quantity": lambda: answers.explanation(quantity="update_ratio"),
    "run-table": run_table,
    "overview-muted": lambda: overview(MUTED),
    "curves-run": lambda: answers.curves(NAN, "", 16),
    "curves-suspected": lambda: answers.curves(SUSPECTED, "", 16),
    "curves-variable": lambda: answers.curves(SICK, synthetic_runs.NAMES[0], 16),
}


def stable(value: Any) -> Any:
    """Returns a payload with rounded numbers: the raw values of evidence have all their digits."""
    if isinstance(value, dict):
        return {key: stable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [stable(item) for item in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def written(payload: dict[str, Any]) -> str:
    """Returns a payload as text, with lists of numbers on one line so that a difference is readable."""
    text = json.dumps(stable(payload), indent=1, ensure_ascii=False, allow_nan=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda match: re.sub(r"\s*\n\s*", " ", match[0]), text) + "\n"


@pytest.mark.parametrize("name", PAYLOADS)
def test_payloads_are_what_the_backend_answers(name: str) -> None:
    """The committed files are today's answers; `WW_WRITE=1 pytest tests/unit/test_payloads.py` rewrites them."""
    path, text = FOLDER / f"{name}.json", written(PAYLOADS[name]())
    if os.environ.get("WW_WRITE") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "answers changed: WW_WRITE=1 pytest tests/unit/test_payloads.py"


def test_no_other_payloads_are_committed() -> None:
    """A file without an answer behind it would test the panel against an answer that no longer exists."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(PAYLOADS)


def test_the_payloads_match_their_names() -> None:
    """The sick run has a cause with a consequence, and the others are what their names say."""
    sick, nan, healthy = (overview(history) for history in (SICK, NAN, HEALTHY))
    assert (sick["status"], nan["status"], healthy["status"]) == ("sick", "sick", "healthy")
    assert sick["verdicts"][0]["explains"]
    assert [(m["name"], bool(m["verdict"])) for m in overview(MUTED)["muted"]] == list(
        zip(MUTED_RULES, (True, False), strict=True)
    )
    assert (sick["state"], nan["state"], healthy["state"]) == ("died", "stopped", "ended")


def test_recorded_experiments_are_in_the_answer() -> None:
    """A sick and a healthy run tell what their experiments have shown, as they were recorded; a verdict its outcome."""
    shown = overview(TESTED)["experiments"]
    for end in ("completed", ""):
        history = recorded("recorded-1", end=end, still=not end)
        for record in experiment_records():
            history.add(schema.record_as_stored(record))
        answer = overview(history)
        assert written({"experiments": answer["experiments"]}) == written({"experiments": shown})
        assert answer["status"] == ("healthy" if end else "sick")
    assert [(v["name"], v["outcome"]) for v in answer["verdicts"]] == [("learning-rate-too-small", "confirmed")]
    assert [e["end"] for e in shown] == ["completed"] * 3 + ["failed"] + ["skipped"] * 2
    assert [s["outcome"] for s in overview(TESTED)["suspects"]] == ["confirmed", "open", "refuted"]
