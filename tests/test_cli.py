"""The command line, as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tb_weightwatch import cli
from tb_weightwatch.diagnosis import catalogue, diagnose

from . import recordings


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs")
    recordings.write(path / "healthy", 400)
    recordings.write(path / "sick", 400, nan_from=300, variables=("\x1b[31mred", "\u202eevil", "[bold]x[/bold]"))
    recordings.write(path / "warm", 8)
    (path / "empty").mkdir()
    return path


def test_a_sick_run_is_exit_code_1(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Badge, sentence, evidence and fix are shown, and the code says sick."""
    assert cli.main(["review", str(logs / "sick")]) == 1
    shown = capsys.readouterr().out
    for text in ("SICK", "405 nonfinite-gradient", "Fix:", "checks passed"):
        assert text in shown
    assert cli.main(["review", str(logs)]) == 1


def test_a_healthy_run_is_exit_code_0(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So is one that is too short to tell."""
    assert cli.main(["review", str(logs / "healthy"), str(logs / "warm")]) == 0
    shown = capsys.readouterr().out
    assert "HEALTHY" in shown
    assert "ended after 400 steps" in shown


def test_what_comes_from_disk_can_not_command_a_terminal(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and direction marks are made visible; markup is text."""
    cli.main(["review", str(logs / "sick")])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]x[/bold]" in shown


def test_json_holds_the_whole_diagnosis(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a launch: run, launch, state, and what diagnose() says."""
    assert cli.main(["review", "--json", str(logs)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["run"], one["launch"], one["state"]) for one in found] == [
        ("healthy", "a1", "ended"),
        ("sick", "a1", "ended"),
        ("warm", "a1", "ended"),
    ]
    from tb_weightwatch.reader import read

    expected = json.loads(json.dumps(diagnose(read(logs / "sick")[0]).as_dict()))
    assert expected.items() <= found[1].items()


def test_fail_on(logs: Path) -> None:
    """The mildest severity that counts is the caller's choice."""
    assert cli.main(["review", "--fail-on", "error", str(logs / "sick")]) == 1
    assert cli.main(["review", "--fail-on", "info", str(logs / "healthy")]) == 0


def test_nothing_to_read_is_exit_code_2(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what is missing and what to do, also beside a directory that can be read."""
    assert cli.main(["review", str(logs / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert cli.main(["review", str(logs / "empty")]) == 2
    assert "ww.WeightWatch" in capsys.readouterr().err
    assert cli.main(["review", str(logs / "empty"), str(logs / "healthy")]) == 2
    assert "HEALTHY" in capsys.readouterr().out
    for wrong in (["review"], ["review", str(logs), "--fail-on", "none"], ["revew"], []):
        with pytest.raises(SystemExit) as stopped:
            cli.main(wrong)
        assert stopped.value.code == 2


def test_damage_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be read is said on stderr; the rest is judged."""
    recordings.write(tmp_path, 80)
    (path,) = (tmp_path / "weightwatch").iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert cli.main(["review", str(tmp_path)]) == 0
    assert "not all could be read" in capsys.readouterr().err


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Each by code and by name; an unknown one gets a near name."""
    assert cli.main(["rules"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown and str(rule.code) in shown for name, rule in catalogue().items())
    for asked in ("405", "nonfinite-gradient"):
        assert cli.main(["rule", asked]) == 0
        assert "What it sees" in capsys.readouterr().out
    assert cli.main(["rule", "nonfinite-gradent"]) == 2
    assert "did you mean 'nonfinite-gradient'" in capsys.readouterr().err


def test_the_command_needs_no_tensorflow(logs: Path) -> None:
    """`python -m tb_weightwatch` works, and loads TensorFlow for no small log directory."""
    code = (
        "import sys; from tb_weightwatch import cli; "
        f"sys.argv[1:] = ['review', {str(logs / 'healthy')!r}]; code = cli.main(); "
        "print('loaded', {'tensorflow', 'keras'} & set(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded set()" in done.stdout
    done = subprocess.run([sys.executable, "-m", "tb_weightwatch", "--version"], capture_output=True, check=True)
    assert done.stdout


def test_a_closed_pipe_is_no_error(logs: Path) -> None:
    """`weightwatch review ... | head -1` ends quietly."""
    command = f"{sys.executable} -m tb_weightwatch review {logs} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""
