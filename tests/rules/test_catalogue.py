"""The form of every rule: its code, its file, its docstring, its imports, its thresholds."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import find_spec, resolve_name
from pathlib import Path

import pytest

from tb_weightwatch.diagnosis import catalogue, checked_rules
from tb_weightwatch.diagnosis.rule import HEADINGS, Rule
from tb_weightwatch.verdict import LINKS

RULES = list(catalogue().values())
each = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
DIAGNOSIS = "tb_weightwatch.diagnosis"
ALLOWED_IMPORTS = {
    f"{DIAGNOSIS}.{name}" for name in ("fixes", "rule", "signals", "statements", "third_party", "wording")
}


def test_codes_are_unique() -> None:
    """A code belongs to one rule."""
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)


@each
def test_a_rule_lies_in_the_folder_of_its_link(rule: Rule) -> None:
    """The rule `dead-relu` is `dead_relu.py` in the folder of its link; its code lies in the hundred of its link."""
    assert rule.check.__module__ == f"{DIAGNOSIS}.rules.{rule.link}.{rule.name.replace('-', '_')}"
    assert LINKS.index(rule.link) == rule.code // 100 - 1


@each
def test_a_rule_explains_itself(rule: Rule) -> None:
    """The docstring has a summary of one line, all headings in order, and a line for each threshold."""
    assert rule.summary.endswith(".")
    positions = [rule.doc.find(f"\n{heading}:") for heading in HEADINGS]
    assert -1 not in positions
    assert positions == sorted(positions)
    for threshold in rule.thresholds:
        assert f"{threshold}: " in rule.doc, f"threshold {threshold} is not explained"


@each
def test_a_rule_imports_few_modules(rule: Rule) -> None:
    """A rule imports numpy, the standard library, and these modules of ours."""
    offences = sorted(set(offending_imports(rule)))
    assert not offences, f"{rule.check.__module__} imports {', '.join(offences)}"


def offending_imports(rule: Rule) -> Iterator[str]:
    """Yields the modules that the rule's file imports, at its top or inside a function, but may not."""
    spec = find_spec(rule.check.__module__)
    assert spec is not None and spec.origin is not None and spec.parent is not None
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), spec.parent)
            modules = [f"{module}.{alias.name}" for alias in node.names] if module == DIAGNOSIS else [module]
        else:
            continue
        yield from (module for module in modules if not _may_be_imported(module))


def _may_be_imported(module: str) -> bool:
    package = module.partition(".")[0]
    return module in ALLOWED_IMPORTS or package in {"numpy", *sys.stdlib_module_names}


def test_what_a_rule_may_not_import() -> None:
    """Other modules of the package and third-party packages are offences; numpy's submodules are not."""
    assert not _may_be_imported(f"{DIAGNOSIS}.signals.columns") and not _may_be_imported("tb_weightwatch.history")
    assert not _may_be_imported("tensorflow")
    assert _may_be_imported("numpy.typing") and _may_be_imported("functools") and _may_be_imported(f"{DIAGNOSIS}.rule")


@each
def test_misspelt_thresholds_get_a_suggestion(rule: Rule) -> None:
    """A typo in a threshold names the right one."""
    for name in rule.thresholds:
        with pytest.raises(ValueError, match=f"did you mean '{name}'|known are"):
            checked_rules({rule.name: {name + "x": 1}})
