"""The explanations of rules and quantities, which the panel opens."""

from __future__ import annotations

import pytest

from tb_weightwatch import answers
from tb_weightwatch.diagnosis import Rule, catalogue
from tb_weightwatch.diagnosis.rule import HEADINGS
from tb_weightwatch.reader import Launch
from tb_weightwatch.statistics import FORMULAS, PRECISION
from tests.support.histories import recorded_history
from tests.support.suspected_run import suspected

each_rule = pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.name)


def texts(explanation: dict[str, object]) -> dict[str, str]:
    """Returns heading -> text of an explanation."""
    sections = explanation["sections"]
    assert isinstance(sections, list)
    return {section["title"]: section["text"] for section in sections}


@each_rule
def test_a_rule_is_explained_by_its_own_text(rule: Rule) -> None:
    """The sections are those of its docstring without the examples, found by code and by name."""
    explanation = answers.explanation(rule=str(rule.code))
    assert explanation == answers.explanation(rule=rule.name)
    assert (explanation["title"], explanation["summary"]) == (f"{rule.code} {rule.name}", rule.summary)
    assert list(texts(explanation)) == [heading for heading in HEADINGS if not heading.endswith("example")]
    one_line = " ".join(rule.doc.replace("**", "").split())
    for text in texts(explanation).values():
        assert " ".join(text.split()) in one_line


@pytest.mark.parametrize("name", answers.quantity_table())
def test_a_quantity_is_explained(name: str) -> None:
    """Meaning, unit, what it is recorded for, computation and precision are sentences."""
    explanation = answers.explanation(quantity=name)
    assert tuple(texts(explanation)) == answers.QUANTITY_HEADINGS
    for text in texts(explanation).values():
        assert text.endswith(".") and not text.endswith("..") and not text.lower().startswith("the same")


def test_the_tables_of_quantities_agree() -> None:
    """There is a formula for each quantity that the panel draws and for no other, and a precision for each encoding."""
    table = answers.quantity_table()
    assert set(FORMULAS) == set(table)
    assert set(PRECISION) == {quantity.encoding for quantity in table.values()}


@pytest.mark.parametrize("asked", [{"rule": "999"}, {"rule": "dead"}, {"quantity": "typo"}, {}])
def test_what_does_not_exist_is_named(asked: dict[str, str]) -> None:
    """An unknown rule or quantity is an error that names it."""
    with pytest.raises(KeyError, match=f"there is no (rule|quantity) {next(iter(asked.values()), '')!r}"):
        answers.explanation(**asked)


def test_which_rules_an_overview_shows() -> None:
    """Rules of verdicts, of those that they explain, of muted verdicts and of suspects; not of checks that passed."""
    overview = answers.overview("run", Launch(recorded_history(8)), suspected(8), 0.0)
    assert answers.explained_rules(overview) == {suspect.code for suspect in suspected(8).suspects}
    inner = {"code": 402, "explains": []}
    shown = {"verdicts": [{"code": 201, "explains": [inner]}], "resolved": [{"code": 303, "explains": []}]}
    muted = [{"verdict": None}, {"verdict": {"code": 701, "explains": []}}]
    assert answers.explained_rules({**shown, "muted": muted, "suspects": [{"code": 106}]}) == {201, 402, 303, 701, 106}
