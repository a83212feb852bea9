"""How the command line reads: at 80 and 140 columns, in a file, and what it says of a wrong call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from tb_weightwatch import cli
from tb_weightwatch.cli.review_result import Job
from tb_weightwatch.cli.review_table import run_names
from tb_weightwatch.cli.rules import threshold_meanings
from tb_weightwatch.cli.terminal import Line, laid_out, wrapped
from tb_weightwatch.diagnosis import PREAMBLE, catalogue
from tests.support import synthetic_runs

SWEEP = "a/sweep/over/learning/rates"
NAMES = ("rate-1e-10/broken", "rate-0.001/repaired", "名前-of-wide-characters")
CODE = "    "  # what a line of code begins with, below the indent of its block
both_widths = pytest.mark.parametrize("width", [80, 140])


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layout")
    variables = tuple(f"encoder/block_{i}/attention/dense/kernel_of_a_long_name" for i in range(6))
    for index, name in enumerate(NAMES):
        nan_from = (200, None, 40)[index]
        synthetic_runs.write(path / SWEEP / name, 240, nan_from=nan_from, variables=variables)
    return path


def shown(arguments: list[str], width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Returns what a command prints on a terminal of this width."""
    monkeypatch.setenv("COLUMNS", str(width))
    cli.main(arguments)
    return capsys.readouterr().out


def too_wide(text: str, width: int) -> list[str]:
    """Returns the lines, code excepted, that are wider than the terminal."""
    code = {line.strip() for line in PREAMBLE.split("\n")}
    return [line for line in text.split("\n") if cell_len(line) > width and line.strip() not in code]


@both_widths
def test_the_review_fits_the_terminal(
    logs: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No line is wider than the terminal, none ends with blanks, and names of runs and variables are not broken."""
    text = shown(["review", str(logs)], width, monkeypatch, capsys)
    assert too_wide(text, width) == []
    assert not [line for line in text.split("\n") if line != line.rstrip()]
    for name in NAMES:
        assert name in text
    assert text.count(SWEEP) == 1  # what all names share is said once
    details = shown(["review", "--details", str(logs)], width, monkeypatch, capsys)
    assert not [line for line in too_wide(details, width) if not line.startswith(CODE * 2)]


@both_widths
def test_the_answer_has_most_of_the_width(
    logs: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The column of the answers begins in the left half of the terminal, and its lines are filled."""
    text = shown(["review", str(logs)], width, monkeypatch, capsys)
    head = next(line for line in text.split("\n") if "Answer" in line)
    assert head.index("Answer") < width / 2
    assert max(map(cell_len, text.split("\n"))) > width - 16


def test_launches_of_one_run_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a run was started twice, each row has the identifier of its launch; else it is shown in the details."""
    synthetic_runs.write(tmp_path / "twice", 80, launch="a1")
    assert "a1, " not in shown(["review", str(tmp_path)], 80, monkeypatch, capsys)
    synthetic_runs.write(tmp_path / "twice", 80, launch="b2", started=synthetic_runs.STARTED + 900)
    text = shown(["review", str(tmp_path)], 80, monkeypatch, capsys)
    assert "a1, ended" in text and "b2, ended" in text
    assert len([line for line in text.split("\n") if "  twice" in line]) == 2


def test_a_terminal_gets_colours(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status and headings are coloured, and the widths are those of the text without the colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    text = shown(["review", "--details", str(logs)], 80, monkeypatch, capsys)
    assert "\x1b[1;31mSICK" in text
    monkeypatch.delenv("FORCE_COLOR")
    plain = shown(["review", "--details", str(logs)], 80, monkeypatch, capsys)
    assert re.sub(r"\x1b\[[0-9;]*m", "", text) == plain


@pytest.mark.parametrize("width", [40, 80, 140])
def test_code_of_a_fix_is_never_wrapped(
    logs: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line of code of each fix is a line of the output."""
    from tb_weightwatch.answers import safe_diagnose
    from tb_weightwatch.reader import read

    text = shown(["review", "--details", str(logs)], width, monkeypatch, capsys).split("\n")
    (history,) = read(logs / SWEEP / NAMES[0])
    code = [line for v in safe_diagnose(history).verdicts for line in v.fix.split("\n") if line.startswith(CODE)]
    assert code
    for line in code:
        assert CODE + line in text


@both_widths
def test_all_rules_fit_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list of rules and the explanation of each one fit; lines of an example are longer only where the code is."""
    assert too_wide(shown(["rules"], width, monkeypatch, capsys), width) == []
    for rule in catalogue().values():
        text = shown(["rule", rule.name], width, monkeypatch, capsys)
        code = {line.strip() for line in rule.doc.split("\n")}
        assert [line for line in too_wide(text, width) if line.strip() not in code] == []


def test_a_rule_shows_its_thresholds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each threshold has a name, a default and a meaning; neither arguments nor a signature are shown."""
    text = shown(["rule", "502"], 80, monkeypatch, capsys)
    assert "Args:" not in text and "history:" not in text and "1e-06," not in text
    below = text[text.index("Thresholds:") :]
    assert "mean update ratio below which weights do not move" in below
    assert 'rules={"learning-rate-too-small": {"still": 1e-06}}' in below
    for rule in catalogue().values():
        assert set(threshold_meanings(rule)) == set(rule.thresholds)


@both_widths
def test_a_comparison_fits_the_terminal(
    logs: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sentences are indented below their run, and a table that is too wide wraps in its columns."""
    runs = [str(logs / SWEEP / name) for name in NAMES[:2]]
    text = shown(["compare", *runs], width, monkeypatch, capsys)
    assert too_wide(text, width) == []
    assert "Optimizer" in text


def test_a_file_gets_plain_text(logs: Path) -> None:
    """In a pipe there are no colours and no cut text, and an encoding without some characters is no error."""
    command = [sys.executable, "-m", "tb_weightwatch", "review", str(logs)]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(command, capture_output=True, env={**environment, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1, done.stderr
    text = done.stdout.decode("ascii")
    assert "\x1b" not in text
    assert "3 launches" in text
    assert max(map(len, text.split("\n"))) <= 80


# -- wrapping


def test_words_and_paths_stay_together() -> None:
    """Lines end between words; a path ends a line before it does not fit; numbers keep their signs and units."""
    path = "encoder/block_1/attention/dense/kernel"
    assert wrapped(f"the gradient of {path} is 0", 40) == ["the gradient of", path, "is 0"]
    assert wrapped("the loss falls by 52 %", 20) == ["the loss falls by", "52 %"]
    assert wrapped("loss 0.967 -> 1.11", 15) == ["loss", "0.967 -> 1.11"]
    assert wrapped("a > 99 %", 6) == ["a", "> 99 %"]


def test_a_path_that_is_too_wide_is_broken_behind_a_slash() -> None:
    """Else it is broken behind a hyphen, an underscore or a dot, and else anywhere; nothing is lost."""
    assert wrapped("one/two/three", 8) == ["one/two/", "three"]
    assert wrapped("one/two-three_four", 8) == ["one/", "two-", "three_", "four"]
    assert wrapped("x" * 20, 8) == ["x" * 8, "x" * 8, "x" * 4]
    assert wrapped("名前" * 3, 8) == ["名前名前", "名前"]


def test_continuation_lines_are_indented() -> None:
    """A bullet stands before the first line only; lines of code stay as they are."""
    assert laid_out(Line("one two three", indent=2, bullet="- "), 12) == ["  - one two", "    three"]
    code = "    x = (x - x.mean(axis=0)) / x.std(axis=0)"
    assert laid_out(Line(f"Do this:\n{code}", indent=4), 30) == ["    Do this:", f"    {code}"]


def test_runs_are_named_by_what_tells_them_apart() -> None:
    """The directory that all runs share is named once, also over several log directories."""
    jobs = [Job("logs", "a/b/one", "", 0), Job("logs", "a/b/two", "", 0)]
    assert run_names(jobs) == (os.path.join("logs", "a", "b"), ["one", "two"])
    assert run_names(jobs[:1]) == (os.path.join("logs", "a", "b"), ["one"])
    assert run_names([Job("run", ".", "", 0)]) == ("", ["run"])
    assert run_names([Job("x", "run", "", 0), Job("y", "run", "", 0)]) == ("", ["x/run", "y/run"])
    assert run_names([Job("x", "run", "", 0), Job("/y", "run", "", 0)]) == ("", ["x/run", "/y/run"])
    assert run_names([Job("gs://b", "r", "", 0), Job("gs://b", ".", "", 0)]) == ("", ["gs://b/r", "gs://b"])


# -- wrong calls


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A directory with an empty directory, a file of another kind, and a damaged event file."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "events.out.tfevents.1.x").write_bytes(bytes(range(256)) * 9)
    return tmp_path


@pytest.mark.parametrize("command", ["review", "report", "compare"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere", "there is no log directory"),
        ("empty", "no run of a training is in this directory"),
        ("notes.txt", "got another file"),
        ("damaged", "nothing could be read"),
    ],
)
def test_a_directory_without_runs_is_one_line(
    wrong: Path, logs: Path, command: str, name: str, expected: str, *, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the path and what is wrong with it, and the exit code is 2."""
    others = {"report": ["-o", str(wrong / "x.html")], "compare": [str(logs / SWEEP / NAMES[0])]}
    assert cli.main([command, str(wrong / name), *others.get(command, [])]) == 2
    text = capsys.readouterr()
    assert text.err.count("\n") == 1 and not text.out
    assert expected in text.err and name in text.err


@pytest.mark.parametrize(
    "arguments",
    [[], ["revew", "logs"], ["review"], ["rule"], ["review", "logs", "--jobs", "0"], ["review", "logs", "--jobs", "x"]],
)
def test_wrong_arguments_are_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The line says what was expected and where the help is, and the exit code is 2."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1 and "--help`" in text


def test_an_output_that_cannot_be_written_ends_before_the_work(
    wrong: Path, logs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read for a report or JUnit file whose directory is missing, or whose name is that of a directory."""
    for name in ("report", "review"):
        module = sys.modules[f"tb_weightwatch.cli.{name}"]
        monkeypatch.setattr(module, "avoid_tensorflow", lambda *_, **__: pytest.fail("reading has begun"))
    for path, expected in ((wrong / "no" / "x", "create it first"), (wrong, "it is a directory")):
        assert cli.main(["report", str(logs), "-o", str(path)]) == 2
        assert expected in capsys.readouterr().err
        assert cli.main(["review", str(logs), "--format", "junit", "--output", str(path)]) == 2
        assert expected in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C ends a command with the exit code that shells expect."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tb_weightwatch.cli.report.avoid_tensorflow", interrupted)
    assert cli.main(["report", str(logs)]) == 130
