"""`weightwatch mcp`: what a coding agent can ask, and how large answers are."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tb_weightwatch.cli.agent_server.column_values import MOST_NAMES, MOST_VALUES
from tb_weightwatch.cli.agent_server.log_directory import LogDirectory
from tb_weightwatch.cli.agent_server.tools import MOST_RUNS, RunTools
from tb_weightwatch.diagnosis import catalogue
from tb_weightwatch.reader import read
from tests.support import served_runs
from tests.support.served_runs import WIDE


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_runs.write(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def tools(logs: Path) -> RunTools:
    return RunTools(LogDirectory(str(logs)))


def test_runs_are_listed(tools: RunTools) -> None:
    """Each run has its newest launch, with state, status and answer, and the names of all launches."""
    listed = tools.list_runs()
    runs = {run["run"]: run for run in listed["runs"]}
    assert runs["sick"]["launches"] == ["a1", "b2"] and runs["sick"]["launch"] == "b2"
    assert (runs["wide"]["status"], runs["wide"]["state"], runs["wide"]["last_step"]) == ("healthy", "ended", 240)
    assert [run["run"] for run in tools.list_runs("si*")["runs"]] == ["sick"]
    assert tools.list_runs("*", first=listed["total"])["runs"] == []
    assert listed["total"] <= MOST_RUNS


def test_a_diagnosis_has_evidence_and_fix(tools: RunTools) -> None:
    """What was found, the numbers behind it, what to change, and what could not be told."""
    answer = tools.diagnose_run("sick", "a1")
    (verdict,) = [v for v in answer["verdicts"] if v["code"] == 303]
    assert "NaN" in verdict["evidence"][0] and verdict["fix"]
    assert answer["status"] == "sick" and answer["answer"].startswith("303 nonfinite-loss")
    assert not [c for c in json.dumps(answer, ensure_ascii=False) if c in "\x1b\u202e"]
    with pytest.raises(ValueError, match="no launch 'c3'"):
        tools.diagnose_run("sick", "c3")


def test_every_rule_is_explained(tools: RunTools) -> None:
    """By code and by name, with examples and thresholds, as JSON; another name gets a suggestion."""
    for rule in catalogue().values():
        answer = tools.explain_rule(str(rule.code))
        assert answer == tools.explain_rule(rule.name)
        assert answer["What to try"] and answer["Sick example"] and answer["Healthy example"]
        json.dumps(answer, allow_nan=False)
    with pytest.raises(ValueError, match="did you mean 'dead-relu'"):
        tools.explain_rule("dead-rela")


def test_columns_are_listed_and_read(tools: RunTools, logs: Path) -> None:
    """The numbers are those of the History, and the summary is of all rows in the span."""
    listed = tools.list_columns("wide")
    assert {"loss", "gradient_norm", "update_ratio"} <= {column["name"] for column in listed["columns"]}
    assert listed["variables"] == list(WIDE)
    history = read(logs / "wide")[0]
    answer = tools.read_column("wide", "loss", first_step=11, last_step=20)
    assert answer["steps"] == list(range(11, 21)) and not answer["sampled"]
    assert answer["values"]["loss"] == pytest.approx(history.loss[10:20].tolist(), rel=1e-3)
    one = tools.read_column("wide", "update_ratio", names=["block_7/kernel"])
    expected = history.column("update_ratio")[:, 7]
    assert one["summary"]["block_7/kernel"]["max"] == pytest.approx(expected.max(), rel=1e-3)
    nan = tools.read_column("sick", "loss", launch="a1", first_step=161)
    assert set(nan["values"]["loss"]) == {"NaN"} and nan["summary"]["loss"]["not_finite"] == nan["recorded_rows"]
    json.dumps(nan, allow_nan=False)


@pytest.mark.parametrize("limit", [1, 7, 500, 10**9])
def test_answers_are_bounded(tools: RunTools, limit: int) -> None:
    """However much is asked for, at most 2,000 values come, of the first and the last step and evenly between them."""
    answer = tools.read_column("wide", "gradient_norm", limit=limit)
    assert len(answer["values"]) == MOST_NAMES and answer["names_left_out"] == len(WIDE) - MOST_NAMES
    assert sum(map(len, answer["values"].values())) <= max(MOST_NAMES, min(limit, MOST_VALUES))
    assert answer["steps"][-1] == 240 and answer["sampled"]
    if len(answer["steps"]) > 1:
        assert answer["steps"][0] == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"column": "los"}, "did you mean 'loss'"),
        ({"column": "gradient_norm", "names": ["no"]}, "there is no 'no' in this column"),
        ({"column": "gradient_norm", "names": list(WIDE)}, "at most 20 names"),
        ({"column": "loss", "limit": 0}, "limit must be 1 or more"),
    ],
)
def test_wrong_questions_are_answered(tools: RunTools, arguments: dict[str, Any], expected: str) -> None:
    """The error says what was expected."""
    with pytest.raises(ValueError, match=expected):
        tools.read_column("wide", **arguments)


def test_runs_are_compared(tools: RunTools) -> None:
    """The comparison is that of `weightwatch compare`."""
    answer = tools.compare_runs("wide", "sick", other_launch="a1")
    assert answer["better"] == 0 and "nonfinite-loss" in answer["conclusion"]
    json.dumps(answer, allow_nan=False)


# -- over the protocol


def test_the_sdk_client_reads_runs(logs: Path) -> None:
    """The official client starts the command, sees read-only tools, and gets answers and errors as such."""
    mcp = pytest.importorskip("mcp")
    command = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "tb_weightwatch", "mcp", str(logs)],
        env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
    )
    calls: Sequence[tuple[str, dict[str, Any]]] = (
        ("list_runs", {}),
        ("diagnose_run", {"run": "sick", "launch": "a1"}),
        ("explain_rule", {"rule": "303"}),
        ("list_columns", {"run": "wide"}),
        ("read_column", {"run": "wide", "column": "loss", "limit": 5}),
        ("compare_runs", {"run": "wide", "other": "sick"}),
        ("diagnose_run", {"run": "../outside/secret"}),
        ("read_column", {"run": "wide", "column": "loss", "limit": "many"}),
    )

    async def talk() -> tuple[Any, list[Any]]:
        # pytest's own stderr is no file that a process can write to
        async with mcp.Client(mcp.stdio_client(command, errlog=sys.__stderr__)) as client:
            return await client.list_tools(), [await client.call_tool(name, arguments) for name, arguments in calls]

    listed, answers = asyncio.run(talk())
    assert {tool.name for tool in listed.tools} == {name for name, _ in calls}
    for tool in listed.tools:
        assert tool.annotations.read_only_hint and tool.description and "Args:" in tool.description
    assert [answer.is_error for answer in answers] == [False] * 6 + [True] * 2
    assert answers[1].structured_content["status"] == "sick"
    assert answers[4].structured_content["steps"][-1] == 240
    assert "there is no run '../outside/secret'" in answers[6].content[0].text
