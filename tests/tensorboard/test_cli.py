"""The command line, as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tb_weightwatch import cli
from tb_weightwatch.diagnosis import catalogue, diagnose
from tb_weightwatch.reader import launches
from tests.support import synthetic_runs


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs")
    synthetic_runs.write(path / "healthy", 400)
    synthetic_runs.write(path / "sick", 400, nan_from=300, variables=("\x1b[31mred", "\u202eevil", "[bold]x[/bold]"))
    synthetic_runs.write(path / "warm", 8)
    (path / "empty").mkdir()
    return path


def test_a_sick_run_is_exit_code_1(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status and answer are shown, with `--details` evidence and fix as well, and the exit code is 1."""
    assert cli.main(["review", str(logs / "sick")]) == 1
    shown = capsys.readouterr().out
    assert "SICK" in shown and "303 nonfinite-loss" in shown and "Add --details" in shown
    assert "Fix:" not in shown
    assert cli.main(["review", "--details", str(logs / "sick")]) == 1
    shown = capsys.readouterr().out
    for text in ("SICK", "303 nonfinite-loss", "Fix:", "checks passed"):
        assert text in shown
    assert cli.main(["review", str(logs)]) == 1


def test_a_healthy_run_is_exit_code_0(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is too short to tell has exit code 0 as well."""
    assert cli.main(["review", str(logs / "healthy"), str(logs / "warm")]) == 0
    shown = capsys.readouterr().out
    assert "HEALTHY" in shown
    assert "ended after 400 steps" in shown


def test_text_from_disk_cannot_control_a_terminal(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and direction marks are made visible, and markup stays text."""
    cli.main(["review", "--details", str(logs / "sick")])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]x[/bold]" in shown


def test_json_holds_the_whole_diagnosis(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--format json` prints one object per launch: run, launch, state, and the diagnosis."""
    assert cli.main(["review", "--format", "json", str(logs)]) == 1
    entries = json.loads(capsys.readouterr().out)["launches"]
    assert [(entry["run"], entry["launch"], entry["state"]) for entry in entries] == [
        ("healthy", "a1", "ended"),
        ("sick", "a1", "ended"),
        ("warm", "a1", "ended"),
    ]
    from tb_weightwatch.reader import read

    expected = json.loads(json.dumps(diagnose(read(logs / "sick")[0]).as_dict()))
    assert expected.items() <= entries[1].items()


def test_fail_on(logs: Path) -> None:
    """The user chooses the lowest severity that counts as sick."""
    assert cli.main(["review", "--fail-on", "error", str(logs / "sick")]) == 1
    assert cli.main(["review", "--fail-on", "info", str(logs / "healthy")]) == 0


def test_nothing_to_read_is_exit_code_2(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what is missing and what to do, also if another directory can be read."""
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


def test_damage_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A damaged file is reported on stderr, and its intact records are diagnosed."""
    synthetic_runs.write(tmp_path, 80)
    (path,) = (tmp_path / "weightwatch").iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert cli.main(["review", str(tmp_path)]) == 0
    assert "not all could be read" in capsys.readouterr().err


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule is found by code and by name; an unknown name gets a suggestion."""
    assert cli.main(["rules"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown and str(rule.code) in shown for name, rule in catalogue().items())
    for asked in ("405", "nonfinite-gradient"):
        assert cli.main(["rule", asked]) == 0
        assert "What it sees" in capsys.readouterr().out
    assert cli.main(["rule", "nonfinite-gradent"]) == 2
    assert "did you mean 'nonfinite-gradient'" in capsys.readouterr().err


def test_the_command_needs_no_tensorflow(logs: Path) -> None:
    """`python -m tb_weightwatch` works, and does not load TensorFlow for a local log directory."""
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


# -- many runs


def test_many_runs_are_a_table_of_answers(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each launch has a row with status and answer, and nothing else; the details of each follow on request."""
    assert cli.main(["review", str(logs)]) == 1
    table = capsys.readouterr().out
    words = [word for word in table.split() if word in ("HEALTHY", "SICK", "UNDECIDED")]
    assert words == ["HEALTHY", "SICK", "UNDECIDED"]
    totals = "3 launches: 1 sick, 1 healthy, 1 undecided."
    assert totals in table
    assert "Fix:" not in table and "checks passed" not in table
    cli.main(["review", "--details", str(logs)])
    shown = capsys.readouterr().out
    assert shown.startswith(table[: table.index(totals)].rstrip())
    assert "Fix:" in shown
    assert shown.count("checks passed") == 3
    assert totals in shown


def test_broken_files_are_reported_and_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Noise, an empty file, a truncated record and a dangling link do not affect the other runs."""
    synthetic_runs.write(tmp_path / "good", 200)
    synthetic_runs.write(tmp_path / "cut", 200)
    (cut,) = (tmp_path / "cut" / "weightwatch").iterdir()
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    for name, content in (("noise", bytes(range(256)) * 40), ("empty", b""), ("length", b"\xff" * 12)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"events.out.tfevents.1.{name}").write_bytes(content)
    (tmp_path / "dangling").mkdir()
    (tmp_path / "dangling" / "events.out.tfevents.1.link").symlink_to(tmp_path / "nowhere")
    assert cli.main(["review", "--format", "json", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert [one["run"] for one in json.loads(shown.out)["launches"]] == ["cut", "good"]
    assert "3 of 6 runs could not be read: dangling, length, noise" in shown.err
    assert "be read to its end" in shown.err


def test_several_processes_give_the_answer_of_one(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer, its order and the exit code do not depend on the number of processes."""
    answers = []
    for jobs in ("1", "2"):
        assert cli.main(["review", "--format", "json", "--jobs", jobs, str(logs)]) == 1
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_a_process_that_dies_loses_its_own_run_only(logs: Path, tmp_path: Path) -> None:
    """A file that kills the process that reads it is reported, and all other runs are diagnosed."""
    for name in ("healthy", "sick"):
        (tmp_path / name).symlink_to(logs / name)
    (tmp_path / "killer").mkdir()
    (tmp_path / "killer" / "events.out.tfevents.1.killer").write_bytes(b"x" * 20)
    script = tmp_path / "main.py"
    script.write_text(
        "import os, sys\n"
        "from tb_weightwatch.cli import review_workers\n"
        "real = review_workers.launches\n"
        "def deadly(directory, skipped, **links):\n"
        "    if directory.endswith('killer'):\n"
        "        os._exit(9)\n"
        "    return real(directory, skipped, **links)\n"
        "review_workers.launches = deadly\n"
        "if __name__ == '__main__':\n"
        "    from tb_weightwatch import cli\n"
        f"    sys.argv[1:] = ['review', '--format', 'json', '--jobs', '2', '--follow-links', {str(tmp_path)!r}]\n"
        "    sys.exit(cli.main())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert [one["run"] for one in json.loads(done.stdout)["launches"]] == ["healthy", "sick"]
    assert "the process that read it died" in done.stderr


def test_worker_processes_end_with_their_parent(logs: Path, tmp_path: Path) -> None:
    """A review that is killed leaves no process behind."""
    script = tmp_path / "main.py"
    script.write_text(
        "import os, pathlib, sys, time\n"
        "from tb_weightwatch.cli import review_workers\n"
        "def endless(directory, skipped, **links):\n"
        f"    (pathlib.Path({str(tmp_path)!r}) / str(os.getpid())).touch()\n"
        "    time.sleep(600)\n"
        "review_workers.launches = endless\n"
        "if __name__ == '__main__':\n"
        "    from tb_weightwatch import cli\n"
        f"    sys.argv[1:] = ['review', '--jobs', '2', {str(logs)!r}]\n"
        "    sys.exit(cli.main())\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while sum(file.name.isdigit() for file in tmp_path.iterdir()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.communicate(timeout=60)  # its output ends when the last process that could write to it has ended


def test_junit_gates_a_build(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sick launches are failures, undecided ones skipped, unreadable runs errors; escape sequences do not break XML."""
    from xml.etree import ElementTree as ET

    (tmp_path / "logs").symlink_to(logs)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "events.out.tfevents.1.noise").write_bytes(b"noise" * 99)
    junit = ["--format", "junit", "--output", str(tmp_path / "out.xml")]
    assert cli.main(["review", *junit, "--follow-links", str(tmp_path)]) == 1
    root = ET.parse(tmp_path / "out.xml").getroot()
    assert {k: root.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    by_run = {case.get("classname"): case for case in root.iter("testcase")}
    assert by_run["logs/sick"].find("failure").get("type") == "nonfinite-loss"
    assert "Fix:" in by_run["logs/sick"].find("failure").text
    assert by_run["logs/healthy"].find("failure") is None
    assert by_run["broken"].find("error") is not None


# -- diagnosed again


def test_an_old_run_is_diagnosed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Today's diagnosis is shown beside the logged one of another rule set, with the differences."""
    from dataclasses import replace

    from tb_weightwatch import answers

    synthetic_runs.write(tmp_path, 400, nan_from=300)
    (launch,) = launches(tmp_path)
    now = answers.safe_diagnose(launch.history)
    assert answers.rejudged(launch, now)["same"]
    cli.main(["review", str(tmp_path)])
    assert "During training" not in capsys.readouterr().out

    old = replace(now, status="healthy", sentence="Healthy at that time.", verdicts=(), rules="rules-of-old")
    launch.now = replace(launch.now, diagnosis=old)
    logged = answers.rejudged(launch, now)
    assert (logged["same"], logged["same_rules"], logged["gone"]) == (False, False, [])
    assert "303 nonfinite-loss" in logged["new"]

    rewritten = tmp_path / "old"
    write_with_logged_diagnosis(rewritten, old)
    assert cli.main(["review", "--format", "json", str(rewritten)]) == 1
    (entry,) = json.loads(capsys.readouterr().out)["launches"]
    assert entry["logged"]["sentence"] == "Healthy at that time."
    cli.main(["review", str(rewritten)])
    shown = " ".join(capsys.readouterr().out.split())
    assert "During training (step 400, rule set rules-of-old): Healthy at that time." in shown
    assert "Diagnosed again: new: 303 nonfinite-loss" in shown


def write_with_logged_diagnosis(path: Path, diagnosis: object) -> None:
    """Writes a sick run whose trainer logged this other diagnosis, with an older rule set."""
    from dataclasses import replace

    from tb_weightwatch import schema

    synthetic_runs.write(path, 400, nan_from=300)
    (file,) = (path / "weightwatch").iterdir()
    from tests.support.event_files import edit

    def change(tag: schema.Tag, data: bytes) -> bytes:
        if tag.kind != "now":
            return data
        return schema.encode_now(replace(schema.decode_now(data), diagnosis=diagnosis))

    edit(file, change)


# -- compare


def test_two_runs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The comparison names the first step that differs, the links, and the better run."""
    synthetic_runs.write(tmp_path / "a", 400, nan_from=297)
    synthetic_runs.write(tmp_path / "b", 400)
    assert cli.main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "The runs first differ at step 297:" in shown
    assert "B is better: it is healthy, the other run is sick." in shown
    assert "The other run has nonfinite-loss (loss)." in shown
    assert cli.main(["compare", "--format", "json", str(tmp_path / "b"), str(tmp_path / "b")]) == 0
    comparison = json.loads(capsys.readouterr().out)
    assert (comparison["first_step"], comparison["better"], comparison["settings"], comparison["common_steps"]) == (
        None,
        None,
        [],
        400,
    )
    assert not any(link["differs"] for link in comparison["links"])


def test_settings_of_the_broken_link_are_named_first(tmp_path: Path) -> None:
    """Where the optimizer is the broken link, its settings come before the version of numpy."""
    from tb_weightwatch import answers
    from tests.support.synthetic_history import synthetic_history

    slow = {"optimizers": [{"class": "Adam", "name": "adam_7", "config": {"beta_1": 0.5}}], "versions": {"numpy": "1"}}
    good = {"optimizers": [{"class": "Adam", "name": "adam", "config": {"beta_1": 0.9}}], "versions": {"numpy": "2"}}
    one = synthetic_history(120, learning_rate=0.0, update_norm=0.0, loss=1.1, facts=slow)
    other = synthetic_history(120, facts=good)
    comparison = answers.compare(one, other, (diagnose(one), diagnose(other)))
    assert comparison["better"] == 1
    names = [s["name"] for s in comparison["settings"]]
    assert names[:2] == ["initial learning rate", "optimizers.config.beta_1"]
    assert "versions.numpy" in names
    assert not any("adam" in s["one"] for s in comparison["settings"])
    links = {link["link"]: link for link in comparison["links"]}
    assert links["optimizer"]["first_step"] == 1
    assert links["data"]["first_step"] is None
    assert not links["data"]["differs"]


def test_compare_names_what_is_missing(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several runs below a path, or none, are a usage error with the names to choose from."""
    assert cli.main(["compare", str(logs), str(logs / "sick")]) == 2
    assert "several runs, name one of them: healthy, sick, warm" in capsys.readouterr().err
    assert cli.main(["compare", str(logs / "empty"), str(logs / "sick")]) == 2
    assert cli.main(["compare", str(logs / "nowhere"), str(logs / "sick")]) == 2
