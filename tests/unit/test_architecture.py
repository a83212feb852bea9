"""The architecture: floors, light imports, no circles, no private names across modules, and citations that exist."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tb_weightwatch"
FLOORS = {
    "display": -2, "task_thread": -2, "maps": -1, "history": 0, "verdict": 0,
    "statistics": 0.5, "schema": 1,
    "reader": 2, "diagnosis": 2,
    "answers": 3, "writer": 3, "actions": 3, "notebook": 3.5,
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
    "cli": {"rich", "apache_beam", "mcp"},
    "probes": {"numpy", "tensorflow", "keras"},
    "report": {"numpy"},
    "notebook": {"numpy", "tensorboard"},
}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if not p.name.endswith("_pb2.py"))


# -- imports, as they stand in the source


class Import(NamedTuple):
    """One name that a file imports.

    Attributes:
        target: the module that the statement names, dotted; relative imports are resolved.
        name: what is imported from it; "" for `import target`.
        typing_only: whether it stands under `if TYPE_CHECKING`.
    """

    target: str
    name: str
    typing_only: bool


def dotted(path: Path) -> str:
    """Returns a file's module name; that of a package for its `__init__`."""
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


@cache
def imports(path: Path) -> list[Import]:
    """Returns all imports of a file, nested ones included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test).endswith("TYPE_CHECKING")
        for statement in test.body
        for node in ast.walk(statement)
    }
    package = path.relative_to(ROOT).parent.parts
    result = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            result += [Import(alias.name, "", id(node) in guarded) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            target = ".".join([*base, *filter(None, [node.module])])
            result += [Import(target, alias.name, id(node) in guarded) for alias in node.names]
    return result


MODULE_NAMES = {dotted(path): path for path in PACKAGE.rglob("*.py")}  # generated ones included


@cache
def imported_module(statement: Import) -> str:
    """Returns the module of ours that a statement imports: a submodule if it names one. "" for one from outside."""
    submodule = f"{statement.target}.{statement.name}"
    return submodule if submodule in MODULE_NAMES else statement.target if statement.target in MODULE_NAMES else ""


def room(module: str) -> str:
    """Returns the room (the part of the package directly below `tb_weightwatch`) of a module."""
    return [*module.split("."), "__init__"][1]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    """A module imports from its own room, from floors below, and from outside only what its room may.

    A name that stands in signatures only loads nothing, and may be that of any type.
    """
    own = room(dotted(path))
    assert own in FLOORS, f"{own} has no floor"
    for statement in (statement for statement in imports(path) if not statement.typing_only):
        module, outside = imported_module(statement), statement.target.split(".")[0]
        if module:
            other = room(module)
            assert other == own or FLOORS[other] < FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {other}"
        elif outside not in {*sys.stdlib_module_names, PACKAGE.name}:
            assert outside in OUTSIDE.get(own, set()), f"{own} may not import {outside}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """The graph of imports between modules, nested imports included, has no circle."""
    graph = {
        module: {imported_module(s) for s in imports(path) if not s.typing_only} - {"", module}
        for module, path in MODULE_NAMES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other in a circle: {' <- '.join(error.args[1])}")


def private_imports() -> Iterator[str]:
    """Yields the imports of private modules and of private names, and uses of private names of imported modules."""
    for module, path in MODULE_NAMES.items():
        statements = [s for s in imports(path) if imported_module(s) and imported_module(s) != module]
        for s in statements:
            names = [*s.target.split("."), s.name]
            if any(name.startswith("_") and not name.startswith("__") and name != "_version" for name in names):
                yield f"{module}: {s.target}.{s.name}"
        modules = {s.name for s in statements if imported_module(s) != s.target}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
                continue
            if node.value.id in modules and node.attr.startswith("_") and not node.attr.startswith("__"):
                yield f"{module}: {node.value.id}.{node.attr}"


def test_no_module_imports_a_private_name_of_another() -> None:
    """A name that begins with an underscore is used in its own module only."""
    assert set(private_imports()) == set()


def deep_imports() -> Iterator[str]:
    """Yields the imports of another room's modules that are neither the room itself nor one of its packages."""
    for module, path in MODULE_NAMES.items():
        for target in {imported_module(s) for s in imports(path) if not s.typing_only} - {""}:
            if room(target) != room(module) and target.count(".") > 1 and MODULE_NAMES[target].name != "__init__.py":
                yield f"{module}: {target}"


def test_another_room_is_imported_through_its_packages() -> None:
    """A room is used through its package or a package below, so that its modules can be divided and renamed."""
    assert set(deep_imports()) == set()


def test_a_rule_stands_in_the_folder_of_its_link() -> None:
    """`diagnosis/rules/<link>/<name>.py` holds the rule of that name and link."""
    from tb_weightwatch.diagnosis import catalogue

    for rule in catalogue().values():
        expected = f"tb_weightwatch.diagnosis.rules.{rule.link}.{rule.name.replace('-', '_')}"
        assert rule.check.__module__ == expected


# -- what an import loads


def loaded_after(code: str) -> set[str]:
    """Returns the top-level modules that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys; print('\\n'.join({{m.split('.')[0] for m in sys.modules}}))"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(process.stdout.split())


@pytest.mark.parametrize("code", ["import tb_weightwatch", "import tb_weightwatch.plugin.loader"])
def test_import_is_light(code: str) -> None:
    """Importing the package, or its plugin's loader, loads neither TensorFlow nor Keras."""
    assert not loaded_after(code) & {"tensorflow", "keras"}


@pytest.mark.parametrize("code", ["import tb_weightwatch.plugin.backend", "import tb_weightwatch.cli"])
def test_backend_and_command_line_never_import_tensorflow(code: str) -> None:
    """Neither the plugin's backend nor the command line imports TensorFlow or Keras."""
    assert not loaded_after(code) & {"tensorflow", "keras"}


# -- names


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """A misspelt name is an AttributeError that names it, not an ImportError from inside."""
    import tb_weightwatch as ww

    with pytest.raises(AttributeError, match="WeightWach"):
        ww.WeightWach  # noqa: B018


def test_the_frontend_knows_no_rule() -> None:
    """No rule's name is in the frontend's sources: texts come from the backend."""
    from tb_weightwatch.diagnosis import catalogue

    sources = (ROOT / "frontend" / "src").rglob("*.ts*")
    text = "\n".join(p.read_text(encoding="utf-8") for p in sources)
    assert text
    assert not [name for name in catalogue() if name in text]


# -- citations

ENDINGS = "py|md|tsx?|mjs|css|proto|toml|txt|sh|json|html|yml"
CITATION = re.compile(
    rf"(?<![\w./:<>*{{}}-])(?:"
    rf"(?:\.{{0,2}}/)?(?:[\w-]+/)+[\w.-]*\w\.(?:{ENDINGS})"  # a path to a file
    rf"|(?:tests|demo|docs|frontend|tb_weightwatch)/[\w./-]*\w"  # a path from the project's root
    rf"|[A-Z][A-Z_]+\.md"  # a page in capitals: README.md
    rf")(?![\w*<{{(]|/[*<{{])"
)
PROGRAM = re.compile(r"-m ((?:tests|demo|tb_weightwatch)(?:\.\w+)*)")
FILE_NAME = re.compile(r"(?<![\w/.*-])[\w-]+\.(?:py|tsx?|mjs|css)\b(?!\()")
CODE = (".ts", ".tsx", ".mjs", ".css", ".proto")  # with comments as in C
GENERATED = ("tests/output", "demo/logs", "frontend/node_modules")  # not committed


def sources() -> Iterator[Path]:
    """Yields the files of the project that may cite others."""
    yield from (*ROOT.glob("*.md"), *ROOT.glob("*.py"), ROOT / "pyproject.toml", ROOT / ".ci" / "run")
    for folder in ("tb_weightwatch", "tests", "demo", "docs", "frontend"):
        for path in (ROOT / folder).rglob("*"):
            known = path.suffix in (*CODE, ".py", ".md", ".sh") or path.name == "run"
            if known and not str(path.relative_to(ROOT)).startswith(GENERATED):
                yield path


def prose(path: Path) -> str:
    """Returns the text of a file that speaks to a reader: of code its comments and docstrings, of pages no fences."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    if path.suffix in CODE:
        return "\n".join(re.findall(r"(?<!:)//.*|/\*.*?\*/", text, flags=re.S if path.suffix == ".css" else 0))
    if path.suffix != ".py":
        return text
    comments = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [ast.get_docstring(n) or "" for n in ast.walk(ast.parse(text)) if isinstance(n, documented)]
    return "\n".join(comments + docstrings)


def exists(citation: str, path: Path) -> bool:
    """Checks whether a cited path exists: from the root, from the citing file, or from the package or frontend."""
    folders = (ROOT, path.parent, PACKAGE, ROOT / "frontend", ROOT / "frontend" / "src")
    return any((folder / citation).exists() for folder in folders)


def missing_citations() -> Iterator[str]:
    """Yields the citations of files that do not exist.

    Bare file names are not checked in pages, which may name files of their readers, such as train.py.
    """
    names = {path.name for path in sources()}
    for path in sources():
        text = prose(path)
        if path.suffix != ".md":
            yield from (f"{path.relative_to(ROOT)}: {name}" for name in FILE_NAME.findall(text) if name not in names)
        for citation in CITATION.findall(text):
            if not citation.startswith(GENERATED) and not exists(citation, path):
                yield f"{path.relative_to(ROOT)}: {citation}"
        for program in PROGRAM.findall(text):
            location = program.replace(".", "/")
            if not any((ROOT / f"{location}{ending}").exists() for ending in (".py", "/__main__.py", "/__init__.py")):
                yield f"{path.relative_to(ROOT)}: {program}"


def test_every_cited_file_exists() -> None:
    """A path or program that is named in a page, docstring or comment is part of the project."""
    assert list(missing_citations()) == []


def test_a_citation_is_recognised() -> None:
    """Paths, pages and programs are citations; URLs, patterns and plain words are not."""
    text = "`tests/no.py`, (docs/gone.md) and a/b.ts, see HOUSE.md; https://x.y/a/b.py, rules/<link>/x.py, tests/*.py"
    assert CITATION.findall(text) == ["tests/no.py", "docs/gone.md", "a/b.ts", "HOUSE.md"]
    assert FILE_NAME.findall("see loops.py and a/b.py, x.python, np.css()") == ["loops.py"]
    assert PROGRAM.findall("python -m tests.benchmarks.no --x") == ["tests.benchmarks.no"]
