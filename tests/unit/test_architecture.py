"""The house rules of DESIGN.md: floors, light imports, public names, no rule known to the frontend."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "tb_weightwatch"
FLOORS = {
    "maps": -1, "history": 0, "verdict": 0,
    "statistics": 0.5, "schema": 1,
    "reader": 2, "diagnosis": 2,
    "answers": 3, "writer": 3,
    "capture": 4, "plugin": 4, "report": 4,
    "cli": 5, "probes": 5,
    "__init__": 6, "__main__": 6,
    "_version": -1,
}  # fmt: skip
OUTSIDE = {
    "maps": {"numpy"},
    "history": {"numpy"},
    "verdict": {"numpy"},
    "statistics": {"numpy", "tensorflow", "ml_dtypes"},
    "schema": {"numpy", "google", "tensorboard"},
    "diagnosis": {"numpy"},
    "reader": {"numpy", "tensorboard", "google_crc32c"},
    "writer": {"numpy", "tensorboard"},
    "answers": {"numpy"},
    "capture": {"numpy", "tensorflow", "keras"},
    "plugin": {"numpy", "tensorboard", "werkzeug"},
    "cli": {"rich", "apache_beam"},
    "report": {"numpy"},
}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> list[tuple[str, bool]]:
    """Returns (top-level name, whether it is ours) for each import in the file, nested ones included."""
    here = path.relative_to(PACKAGE.parent).with_suffix("").parts
    found: list[tuple[str, bool]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name.split(".")[0], False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(((node.module or "").split(".")[0], False))
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level]
            target = (*base, *(node.module or "").split(".")) if node.module else base
            names = [target[1]] if len(target) > 1 and target[1] else [alias.name for alias in node.names]
            found += [(name, True) for name in names]
    return found


MODULES = sorted(p for p in PACKAGE.rglob("*.py") if not p.name.endswith("_pb2.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    """A module imports from its own room, from floors below, and from outside only what its room may."""
    own = room(path)
    assert own in FLOORS, f"{own} is not a room of the house"
    for name, ours in imports(path):
        if ours:
            assert name == own or FLOORS[name] < FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {name}"
        elif name not in sys.stdlib_module_names:
            assert name in OUTSIDE.get(own, set()), f"{own} may not import {name}"


def loaded_after(code: str) -> set[str]:
    """Returns the top-level modules that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys; print('\\n'.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import tb_weightwatch", "import tb_weightwatch.plugin.loader"])
def test_import_is_light(code: str) -> None:
    """Importing the package, or its plugin's loader, loads neither TensorFlow nor Keras."""
    assert not loaded_after(code) & {"tensorflow", "keras"}


@pytest.mark.parametrize("code", ["import tb_weightwatch.plugin.backend", "import tb_weightwatch.cli"])
def test_backend_and_command_line_never_import_tensorflow(code: str) -> None:
    """Neither the plugin's backend nor the command line imports TensorFlow or Keras."""
    assert not loaded_after(code) & {"tensorflow", "keras"}


def test_public_names_are_all() -> None:
    """Every name in `__all__` exists, and dir() shows them."""
    import tb_weightwatch as ww

    for name in ww.__all__:
        assert getattr(ww, name) is not None
    assert set(ww.__all__) <= set(dir(ww))


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """A misspelt name is an AttributeError that says so, not an ImportError from inside."""
    import tb_weightwatch as ww

    with pytest.raises(AttributeError, match="WeightWach"):
        ww.WeightWach  # noqa: B018


def test_the_frontend_knows_no_rule() -> None:
    """No rule's name stands in the frontend's sources: texts come from the backend."""
    from tb_weightwatch.diagnosis import catalogue

    sources = (PACKAGE.parent / "frontend" / "src").rglob("*.ts*")
    text = "\n".join(p.read_text() for p in sources)
    assert text
    assert not [name for name in catalogue() if name in text]
