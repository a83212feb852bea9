"""The combinations of versions that are tested, and the page that says how it went (`nox -s versions`).

TensorFlow pins much of the rest: TensorBoard up to 2.20, NumPy and protobuf within limits. So each combination names
what it is there for, and the others are resolved. Environments without TensorFlow are those of who only looks at logs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "versions.md"
PACKAGES = ("python", "tensorflow", "keras", "numpy", "protobuf", "tensorboard", "setuptools")
TEST_REQUIREMENTS = ("pytest==9.2.0", "pytest-timeout==2.4.0", "hypothesis", "ml_dtypes")

PRINT_INSTALLED = """
import json, platform
from importlib.metadata import distributions
print(json.dumps({each.name: each.version for each in distributions()} | {"python": platform.python_version()}))
"""

# Tests in which no model is trained.
WITHOUT_TENSORFLOW = (
    "tests/unit",
    "tests/rules/test_every_rule.py",
    "tests/rules/test_headlines.py",
    "tests/rules/test_signals.py",
    "tests/rules/suspects",
    "tests/rules/symptoms",
    "tests/tensorboard/test_reader.py",
    "tests/tensorboard/test_plugin.py",
    "--ignore=tests/unit/test_documents.py",  # the same everywhere, as are the next two
    "--ignore=tests/unit/test_architecture.py",
    "--ignore=tests/unit/test_payloads.py",
    "--ignore=tests/unit/test_repr.py",  # shows a ProbeReport, which needs TensorFlow
    "--deselect=tests/unit/test_notebook.py::test_a_report_of_probe_renders_itself",
    "--deselect=tests/tensorboard/test_plugin.py::test_many_requests_at_once",
)
CORE = (
    "tests/unit/test_schema.py",
    "tests/unit/test_writer.py",
    "tests/training/test_fit.py::test_numbers_are_those_of_an_independent_training",
    "tests/training/test_fit.py::test_gradients_are_recorded_before_and_after_clipping",
    "tests/training/test_fit.py::test_accumulated_steps_move_nothing",
    "tests/training/test_fit.py::test_loss_scaling_is_taken_out",
    "tests/training/test_identical.py::test_optimizers[Adam]",
    "tests/training/test_identical.py::test_optimizers[RMSprop, accumulated]",
    "tests/training/test_identical.py::test_optimizers[Nesterov, three steps an execution]",
    "tests/training/test_identical.py::test_optimizers[SGD, eager]",
    "tests/training/test_own_train_step.py",
    "tests/training/test_preflight.py::test_healthy_programs_have_no_verdict",
    "tests/training/test_preflight.py::test_no_trace_is_left",
    "tests/training/test_step_layout.py",
    "tests/training/test_summary.py",
    "tests/training/test_watch.py::test_numbers_agree_with_independent_ones",
    "tests/training/test_watch.py::test_layers_and_batch_are_seen_in_an_eager_loop",
    "tests/training/test_watch.py::test_none_gradients_of_a_traced_function_are_known",
    "tests/training/test_watch.py::test_autograph_still_converts_a_models_call",
    "tests/training/test_watch.py::test_loss_scaling_that_skips_a_step",
    "tests/tensorboard/test_plugin.py::test_tensorboard_answers_as_the_files_do",
    "tests/tensorboard/test_plugin.py::test_tensorboard_activates_the_tab",
)


@dataclass(frozen=True)
class Environment:
    """One combination of versions.

    Attributes:
        name: what it is there for.
        python: version of Python.
        requirements: packages beside tb_weightwatch itself.
        tests: arguments of pytest.
    """

    name: str
    python: str
    requirements: tuple[str, ...]
    tests: tuple[str, ...] = CORE


def _tensorflow(version: str, *others: str) -> tuple[str, ...]:
    """Returns requirements for TensorFlow: its CPU build where that exists, with what the tests train on."""
    x86 = 'platform_machine == "x86_64" and sys_platform == "linux"'
    others_than_x86 = 'platform_machine != "x86_64" or sys_platform != "linux"'
    builds = (f"tensorflow-cpu=={version}; {x86}", f"tensorflow=={version}; {others_than_x86}")
    return (*builds, "scikit-learn", *others)


_OLD_SETUPTOOLS = "setuptools<82"  # TensorBoard below 2.21 imports pkg_resources, which 82 removed
# The lowest versions that pyproject.toml allows, all at once.
_FLOORS = ("tensorboard==2.16.*", "rich==13.0.0", "google-crc32c==1.6.0", _OLD_SETUPTOOLS)

ENVIRONMENTS = (
    Environment("oldest", "3.11", _tensorflow("2.16.1", "keras==3.3.3", "numpy==1.26.4", "protobuf==4.25.3", *_FLOORS)),
    Environment("tensorflow 2.16", "3.12", _tensorflow("2.16.2", "keras==3.4.1", _OLD_SETUPTOOLS)),
    Environment("tensorflow 2.17", "3.10", _tensorflow("2.17.1", "keras==3.5.0", _OLD_SETUPTOOLS)),
    Environment("tensorflow 2.18, numpy 1", "3.10", _tensorflow("2.18.1", "keras==3.6.0", "numpy<2", _OLD_SETUPTOOLS)),
    Environment("tensorflow 2.18", "3.12", _tensorflow("2.18.1", "keras==3.8.0", _OLD_SETUPTOOLS)),
    Environment("tensorflow 2.19", "3.11", _tensorflow("2.19.1", "keras==3.10.0", _OLD_SETUPTOOLS)),
    Environment("protobuf 6", "3.13", _tensorflow("2.20.0", "keras==3.12.0", "protobuf==6.*", _OLD_SETUPTOOLS)),
    Environment("tensorflow 2.20", "3.12", _tensorflow("2.20.0", _OLD_SETUPTOOLS)),
    Environment("tensorflow 2.21", "3.10", _tensorflow("2.21.0")),
    Environment("newest", "3.13", _tensorflow("2.21.0")),
    Environment("no tensorflow, oldest", "3.10", ("numpy==1.24.4", "protobuf==4.25.0", *_FLOORS), WITHOUT_TENSORFLOW),
    Environment("no tensorflow, newest", "3.13", (), WITHOUT_TENSORFLOW),
)


def write_row(environment: Environment, installed: str, result: str, time: str) -> None:
    """Puts the row of a run into docs/versions.md, in the place of the one before it.

    Args:
        environment: that was tested.
        installed: what the program PRINT_INSTALLED prints in it.
        result: how many tests passed and failed.
        time: how long they took.
    """
    found = {name.replace("_", "-").removesuffix("-cpu"): each for name, each in json.loads(installed).items()}
    cells = [environment.name, *(found.get(name, "") for name in PACKAGES), result, time]
    head, begin, rest = PAGE.read_text(encoding="utf-8").partition("<!-- rows: begin -->\n")
    old, end, tail = rest.partition("<!-- rows: end -->")
    rows = {line.split("|")[1].strip(): line for line in [*old.splitlines()[2:], f"| {' | '.join(cells)} |"]}
    kept = [rows[each.name] for each in ENVIRONMENTS if each.name in rows]
    table = "\n".join([*old.splitlines()[:2], *kept, ""])
    PAGE.write_text(f"{head}{begin}{table}{end}{tail}", encoding="utf-8")
