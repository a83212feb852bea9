"""The public signatures, as a type checker reads them; help() and dir() at run time are in test_public_names."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tb_weightwatch as ww

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
from pathlib import Path
import numpy as np
import tb_weightwatch as ww

muted: dict[str, bool] = {"dead-relu": False}
codes: dict[int, bool] = {502: False}
callback = ww.WeightWatch(Path("logs"), rules=codes, overhead=None, tensors={"*/kernel": [1, 500]}, probe="on-verdict")
watch = ww.Watch("logs", rules={502: False, "dead-relu": {"share": 0.9}}, tensors="dense/kernel")
keras_names = ww.WeightWatch(log_dir="logs", histogram_freq=1, update_freq="epoch", scalars=True)
nameless = ww.Watch(log_dir=Path("logs"), update_freq=10, histograms=True)
watch.step(0.5, targets=[0, 1], predictions={"a": np.zeros(3)}, gradients=[(None, np.ones(3))])
watch.step([np.float32(1.0), 2.0])
diagnosis: ww.Diagnosis = ww.diagnose(watch.history, muted)
histories: list[ww.History] = ww.read("logs")
report: ww.ProbeReport | None = watch.probe(when="now")
settled: ww.ProbeReport = ww.probe(diagnosis=diagnosis, step_fn=lambda x, y: 0.0, batches=[np.ones(3)])
maps: list[ww.maps.Map] = histories[0].maps("weight")
writer: ww.summary.Writer = ww.summary.create_file_writer("logs", rules=muted)
before, after = np.ones(3), np.zeros(3)
recorded: bool = ww.summary.update(np.int64(1), {"w": (None, before, after)}, loss=[0.5], writer=writer)
ww.summary.update(2, {"w": (ww.summary.UNSEEN, None, [1.0, 2.0]), "b": (before, before, after)}, loss=0.5)
ww.summary.verdict(3, "dead", "it is dead", link="update", evidence={"share": 0.5})
first: str = diagnosis.verdicts[0].name
"""
BAD = {
    "ww.nonexistent": 'has no attribute "nonexistent"',
    "ww.WeightWatch(None)": 'incompatible type "None"',
    'ww.WeightWatch("logs", probe=True)': "incompatible type",
    'ww.WeightWatch("logs", overhead="2 %")': 'incompatible type "str"',
    "ww.WeightWatch(write_graph=True)": 'Unexpected keyword argument "write_graph"',
    'ww.WeightWatch("logs", update_freq="step")': "incompatible type",
    "ww.Watch(histogram_freq=1)": 'Unexpected keyword argument "histogram_freq"',
    'ww.Watch("logs", rules=["dead-relu"])': 'incompatible type "list[str]"',
    'ww.Watch("logs", tensors=3)': 'incompatible type "int"',
    'ww.Watch("logs").probe(when="later")': "incompatible type",
    'ww.diagnose("logs")': 'incompatible type "str"; expected "History"',
    'ww.diagnose(ww.read("logs"))': 'expected "History"',
    "ww.read(None)": 'incompatible type "None"',
    "ww.read('logs').steps": 'has no attribute "steps"',
    'ww.summary.create_file_writer("logs").diagnosis.sentenc': 'has no attribute "sentenc"',
    "ww.probe(diagnosis='sick')": 'incompatible type "str"',
    "ww.probe(budget='30')": 'incompatible type "str"',
    "ww.assert_learns()": 'Missing positional arguments "model", "x"',
    'ww.summary.update(1, {"w": before})': "Dict entry 0 has incompatible type",
    'ww.summary.verdict(1, "a", "b", link="update", severity="fatal")': "incompatible type",
    "ww.preflight()": 'Missing positional arguments "model", "x"',
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of a program with the good and the bad calls."""
    pytest.importorskip("mypy")
    program = tmp_path_factory.mktemp("types") / "program.py"
    program.write_text("\n".join([GOOD, *BAD]), encoding="utf-8")
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", "--hide-error-context"]
    command = [sys.executable, "-m", "mypy", *settings, str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout.splitlines()


def lines_of(complaints: list[str]) -> set[int]:
    found = (re.match(r".*program\.py:(\d+): error:", line) for line in complaints)
    return {int(match[1]) for match in found if match}


def test_a_type_checker_accepts_right_calls(complaints: list[str]) -> None:
    """None of the right calls is an error."""
    assert {line for line in lines_of(complaints) if line <= GOOD.count("\n") + 1} == set()


@pytest.mark.parametrize(("call", "text"), BAD.items())
def test_a_type_checker_rejects_wrong_calls(call: str, text: str, complaints: list[str]) -> None:
    """A name that does not exist, and an argument of a wrong type, are errors before the program runs."""
    line = GOOD.count("\n") + 2 + list(BAD).index(call)
    said = [complaint for complaint in complaints if f"program.py:{line}: error:" in complaint]
    assert said and text in said[0], said


def parameters() -> list[tuple[str, str, Any]]:
    """Returns the parameters and results of the public functions and methods."""
    functions: dict[str, Any] = {
        name: getattr(ww, name) for name in ("assert_learns", "diagnose", "preflight", "probe", "read")
    }
    functions |= {f"Watch.{name}": getattr(ww.Watch, name) for name in ("__init__", "step", "probe", "close")}
    functions |= {f"WeightWatch.{name}": getattr(ww.WeightWatch, name) for name in ("__init__", "probe")}
    functions |= {name: getattr(ww.summary, name) for name in ("create_file_writer", "update", "verdict")}
    found = []
    for name, function in functions.items():
        signature = inspect.signature(function)
        found += [
            (name, p.name, p.annotation) for p in signature.parameters.values() if p.name not in ("self", "options")
        ]
        found.append((name, "return", signature.return_annotation))
    return found


def test_public_signatures_say_their_types() -> None:
    """No parameter and no result of a public function is Any, or is not annotated."""
    unknown = [(f, p) for f, p, a in parameters() if a is inspect.Parameter.empty or re.search(r"\bAny\b", str(a))]
    assert unknown == []
