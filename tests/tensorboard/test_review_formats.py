"""The formats of a review: against their published schemas, with text from disk that tries to be markup."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from tb_weightwatch import cli, verdict
from tb_weightwatch.cli.formats import FORMATS
from tb_weightwatch.cli.formats.markdown import escaped
from tb_weightwatch.verdict import Experiment, RateCurve
from tests.support import reviewed_runs
from tests.support.reviewed_runs import printed, review_of
from tests.support.suspected_run import suspected

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "review-1.json").read_text())


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reviewed_runs.write(tmp_path_factory.mktemp("logs"))


def closed(schema: Any) -> Any:
    """Returns a schema that allows no properties beyond those that it describes."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    allowed = {key: closed(value) for key, value in schema.items()}
    return {**allowed, "additionalProperties": False} if "properties" in schema else allowed


# -- JSON


def test_json_is_what_the_schema_describes(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real output is valid, and each of its properties is described."""
    document = json.loads(printed(logs, "json", capsys))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, closed(SCHEMA), jsonschema.Draft202012Validator)
    assert document["schema_version"] == "1.0"
    assert document["summary"]["exit_code"] == 1
    assert [one["run"] for one in document["unreadable"]] == ["noise"]
    statuses = {one["run"]: one["status"] for one in document["launches"]}
    assert {"healthy": "healthy", "sick|a": "sick", "short": "undecided"}.items() <= statuses.items()
    assert any(one["source"] for one in document["launches"]), "no launch tests a third-party log"


def test_the_schema_refuses_other_documents(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing property, a wrong type and a later major version are not valid."""
    document = json.loads(printed(logs, "json", capsys))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for change in ({"schema_version": "2.0"}, {"launches": {}}, {"summary": {}}):
        assert not validator.is_valid({**document, **change})
    del document["launches"][0]["verdicts"]
    assert not validator.is_valid(document)


def test_json_holds_suspects_and_experiments() -> None:
    """Suspects, and the results of experiments with a sweep of the learning rate, are described too."""
    curve = RateCurve((1e-4, 1e-2), (0.1, float("nan")), present=1e-10, recommended=1e-4, steps=12, low=1e-4, high=1e-3)
    cause = verdict.TestedCause("learning-rate-too-small", "confirmed", "the loss falls by 74 %")
    experiment = Experiment("learning-rate-sweep", "it falls", (cause,), step=160, steps=24, seconds=0.5, curve=curve)
    document = json.loads(FORMATS["json"](review_of(replace(suspected(), experiments=(experiment,)))))
    jsonschema.validate(document, closed(SCHEMA), jsonschema.Draft202012Validator)
    (launch,) = document["launches"]
    assert launch["experiments"][0]["curve"]["falls"] == [0.1, "NaN"]
    assert launch["suspects"][0]["code"] == 502


# -- Markdown


def test_markdown_is_short_and_has_the_fix(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Totals, a table whose rows have three cells, sick runs first, and the code of a fix as a block."""
    text = printed(logs, "markdown", capsys)
    rows = [line for line in text.split("\n") if line.startswith("| ")]
    assert rows[0] == "| run | status | answer |"
    assert all(row.count(" | ") == 2 for row in rows)
    assert "**sick**" in rows[2]
    assert "303 nonfinite-loss" in text and "~~~python\ntf.debugging" in text
    assert text.startswith("### Weight watch: ") and "1 undecided" in text.split("\n")[0]
    assert "`" in text and len(text) < 6000


def test_text_from_disk_is_no_markup() -> None:
    """No mention, link, HTML, table cell, code or emphasis comes of a name."""
    assert escaped("a|b `c` *d* _e_ [f](g) <h> @i") == (r"a\|b \`c\` \*d\* \_e\_ \[f\](g) &lt;h&gt; @<!-- -->i")
    assert escaped("- x\n1 https://x.y \x1b") == "\\- x 1 https:<!-- -->//x.y �"


def test_many_runs_stay_short() -> None:
    """Of more runs than a comment can hold, the first are shown and the others counted."""
    text = FORMATS["markdown"](review_of(suspected(), 500))
    assert text.count("| **sick** |") == 20 and "... and 480 more launches" in text
    assert "... and 490 more sick launches" in text and len(text) < 20_000


# -- which format goes where


def test_each_output_gets_its_format_and_the_terminal_the_table(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first --output belongs to the first --format, and so on; without a format to print, the table is printed."""
    options = []
    for name in FORMATS:
        options += ["--format", name, "--output", str(tmp_path / name)]
    assert cli.main(["review", *options, str(logs)]) == 1
    assert "launches:" in capsys.readouterr().out
    json.loads((tmp_path / "json").read_text(encoding="utf-8"))
    json.loads((tmp_path / "sarif").read_text(encoding="utf-8"))
    assert ET.parse(tmp_path / "junit").getroot().get("failures") != "0"
    assert (tmp_path / "markdown").read_text(encoding="utf-8").startswith("### Weight watch")
    cli.main(["review", *options[:4], "--format", "markdown", str(logs)])
    assert capsys.readouterr().out.startswith("### Weight watch")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--output", "x"], "needs a --format"),
        (["--format", "json", "--format", "sarif"], "only one --format can be printed"),
        (["--run", "nothing*"], "no run in"),
    ],
)
def test_formats_and_outputs_that_do_not_fit(
    logs: Path, options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is missing, and the exit code is 2."""
    assert cli.main(["review", str(logs), *options]) == 2
    shown = capsys.readouterr()
    assert expected in shown.err and not shown.out


def test_only_some_runs(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--run chooses runs by pattern; the others are neither judged nor reported."""
    assert cli.main(["review", str(logs), "--run", "heal*", "--run", "short", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert [one["run"] for one in json.loads(shown.out)["launches"]] == ["healthy", "short"]
    assert not shown.err
