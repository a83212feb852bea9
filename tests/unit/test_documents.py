"""The Markdown pages: generated tables are those that the code gives, and the README stays short."""

from __future__ import annotations

from tb_weightwatch import answers
from tb_weightwatch.diagnosis import catalogue
from tests.support.document_tables import (
    README,
    RECORDING,
    ROOT,
    RULES,
    SUSPECTS,
    block,
    causes_table,
    quantities_table,
    rule_explanations,
    rules_table,
)


def test_the_table_of_rules_is_that_of_the_catalogue() -> None:
    """README.md lists every rule (`python -m tests.support.document_tables` writes the table)."""
    assert block("rules", rules_table()) in README.read_text(encoding="utf-8")


def test_the_table_of_causes_is_that_of_the_ranking() -> None:
    """docs/suspects.md shows by which facts suspects are ranked."""
    assert block("causes", causes_table()) in SUSPECTS.read_text(encoding="utf-8")


def test_the_explanations_are_those_of_the_code() -> None:
    """docs/rules.md explains every rule, and docs/recording.md every quantity."""
    assert block("explanations", rule_explanations()) in RULES.read_text(encoding="utf-8")
    assert block("quantities", quantities_table()) in RECORDING.read_text(encoding="utf-8")


def test_the_address_of_a_rule_exists() -> None:
    """The address that the panel shows is a heading of a page, as GitHub and GitLab make anchors of headings."""
    headings = [line[4:] for line in RULES.read_text(encoding="utf-8").split("\n") if line.startswith("### ")]
    anchors = {f"{answers.RULES_PAGE}#{heading.lower().replace(' ', '-')}" for heading in headings}
    assert {answers.rule_address(rule) for rule in catalogue().values()} == anchors
    assert "\n## Quantities\n" in RECORDING.read_text(encoding="utf-8")
    assert f"{RECORDING.relative_to(ROOT).as_posix()}#quantities" == answers.QUANTITIES_PAGE


def test_the_readme_can_be_read_in_two_minutes() -> None:
    """README.md has at most 12,000 characters; all else is in docs/."""
    assert len(README.read_text(encoding="utf-8")) <= 12_000


def test_every_page_is_linked_from_the_readme() -> None:
    """A page that nobody links to is not read."""
    text = README.read_text(encoding="utf-8")
    pages = [page.relative_to(ROOT).as_posix() for page in [*ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md"]]
    assert len(pages) > 4
    assert [page for page in pages if f"]({page})" not in text] == []
