"""Headlines: every finding is stated in at most 120 characters, in whole words, with how sure it is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tb_weightwatch import answers
from tb_weightwatch.diagnosis import catalogue, diagnose
from tb_weightwatch.diagnosis.rule import Rule
from tb_weightwatch.history import History
from tb_weightwatch.reader import Launch
from tb_weightwatch.verdict import (
    MOST_CHARACTERS,
    Diagnosis,
    Headline,
    Suspect,
    Symptom,
    Verdict,
    diagnosis_headline,
    short_paths,
    suspect_headline,
    verdict_headline,
)
from tests.support.run_variants import DECOYS, SICK
from tests.support.synthetic_history import VARIABLES, synthetic_history

LONG = tuple(f"model/encoder/block_{i}/multi_head_attention/query/{kind}:0" for i in range(20) for kind in ("w", "b"))


def with_long_names(columns: dict[str, Any]) -> History:
    """Returns a history of a hundred and twenty rows whose variables and layers have long paths."""
    names = dict(zip((v["name"] for v in VARIABLES), LONG, strict=False))
    variables = [
        {**v, "name": names[v["name"]], "layer": f"model/encoder/block_7/multi_head_attention/{v['layer']}"}
        for v in columns.get("variables", VARIABLES)
    ]
    return synthetic_history(120, **{**columns, "variables": variables})


def verdict(message: str, certainty: Any = "certain", outcome: Any = "", name: str = "dead-relu") -> Verdict:
    """Returns a verdict with this message."""
    return Verdict(201, name, "activations", "error", certainty, (), 1, 2, False, message, (), "", (), (), outcome)


def suspect(name: str, probability: float, outcome: Any = "") -> Suspect:
    """Returns a suspect."""
    return Suspect(302, name, "loss", probability, "x", (), (), "", "", outcome)


def headline_of(message: str, suspects: tuple[Suspect, ...] = ()) -> Headline:
    """Returns the headline of a run that has this symptom."""
    symptom = Symptom("weights-do-not-move", "weight", "error", message, (), 1, 2)
    return diagnosis_headline(Diagnosis("sick", f"{message}.", symptoms=(symptom,), suspects=suspects))


@pytest.mark.parametrize("name", SICK)
def test_the_headline_of_every_sick_history(name: str) -> None:
    """Verdicts of runs with long paths begin with a short sentence, which says if they are only likely."""
    history = with_long_names(SICK[name])
    overview = answers.overview("run", Launch(history), diagnose(history), 0.0)
    assert len(overview["headline"]) <= MOST_CHARACTERS
    first = overview["verdicts"][0]
    assert overview["headline"] == first["headline"]
    for found in (first, *first["explains"], *overview["resolved"]):
        beginning = found["headline"].removesuffix("; a likely cause")
        assert found["headline"].endswith("; a likely cause") == (found["certainty"] == "likely")
        assert found["message"].startswith(beginning) and len(found["headline"]) <= MOST_CHARACTERS
        assert found["message"] == beginning or f"{beginning}: {found['rest']}" == found["message"]


@pytest.mark.parametrize("name", DECOYS)
@pytest.mark.parametrize("rows", [2, 12, 60, 120])
def test_the_headline_of_every_healthy_history(name: str, rows: int) -> None:
    """The sentence of a run without a finding has a headline that begins with its status, not the status alone."""
    diagnosis = diagnose(with_long_names(DECOYS[name])[:rows])
    headline = diagnosis_headline(diagnosis)
    bare, sentence = (re.sub(r" \([^()]*\)", "", text) for text in (headline.text, diagnosis.sentence))
    assert sentence.startswith(bare) and len(headline.text) <= MOST_CHARACTERS
    assert len(headline.text) > len("undecided")


@pytest.mark.parametrize("loss", [1.1, 0.7, 1e30, float("nan"), None])
@pytest.mark.parametrize("rows", [2, 12, 120])
def test_the_headline_where_no_rule_answers(loss: float | None, rows: int) -> None:
    """Sentences about the loss are cut at a clause, and keep what they deny."""
    history = synthetic_history(rows, loss=loss, update_norm=1.23e-10, weight_norm=1.0)
    diagnosis = diagnose(history, dict.fromkeys(catalogue(), False))
    headline = diagnosis_headline(diagnosis)
    assert len(diagnosis.status) < len(headline.text) <= MOST_CHARACTERS
    assert diagnosis.status == "sick" or ("not" in headline.text.split()) == (" not " in diagnosis.sentence)


@pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.name)
def test_a_rule_has_a_headline_for_messages_of_other_versions(rule: Rule) -> None:
    """A message whose beginning is too long gives way to the summary of the rule; the message stands below."""
    message = "Something with many words " * 9 + "is not as it should be: 1e-3"
    headline = verdict_headline(verdict(message, "likely", name=rule.name), summary=rule.summary)
    assert headline == Headline(f"{rule.summary.rstrip('.')}; a likely cause", message)
    assert len(headline.text) <= MOST_CHARACTERS


def test_a_verdict_that_was_written_without_a_colon() -> None:
    """It is its own headline if it is short; the name of the rule is the headline if nothing else is short."""
    assert verdict_headline(verdict("Weights are not finite.")) == Headline("Weights are not finite", "")
    long = "word " * 40
    assert verdict_headline(verdict(long), summary="x" * 200) == Headline("Dead relu", long.strip())


def test_what_stands_in_quotes_and_parentheses_ends_no_headline() -> None:
    """A colon in the name of a variable or in parentheses is none of the sentence."""
    message = "'a: b' does not move (as here: never): it is 'c'"
    assert verdict_headline(verdict(message)) == Headline("'a: b' does not move (as here: never)", "it is 'c'")


def test_how_sure_a_verdict_is() -> None:
    """A likely verdict is called likely, and one that an experiment has confirmed is called so."""
    assert verdict_headline(verdict("A: b", "likely")).text == "A; a likely cause"
    assert verdict_headline(verdict("A: b", "likely", "refuted")).text == "A; a likely cause"
    assert verdict_headline(verdict("A: b", "likely", "confirmed")).text == "A (confirmed by an experiment)"


def test_the_headline_of_symptoms_says_what_is_suspected() -> None:
    """The most probable cause is called suspected, confirmed by an experiment, or refuted like all others."""
    message = "The weights do not move: none has changed in 96 steps"
    moves, rest = message.split(": ")
    assert headline_of(message) == Headline(moves, rest)
    suspects = (suspect("dead-relu", 0.7, "refuted"), suspect("wrong-loss", 0.6))
    assert headline_of(message, suspects).text == f"{moves}; suspected cause: wrong-loss (60 %)"
    assert headline_of(message, suspects[:1]).text == f"{moves}; experiments refute every cause that fits"
    confirmed = (suspect("wrong-loss", 0.6, "confirmed"),)
    assert headline_of(message, confirmed).text == f"{moves}; cause, confirmed by an experiment: wrong-loss"
    long = headline_of("The weights " * 12, suspects)
    assert long == Headline(
        "The weights do not move; suspected cause: wrong-loss (60 %)", ("The weights " * 12).strip()
    )


def test_a_suspect_has_a_headline_of_its_own() -> None:
    """In the list of suspects it needs not be called suspected again."""
    assert suspect_headline(suspect("wrong-loss", 0.6)).text == "x"


def test_short_paths_are_unambiguous() -> None:
    """A path keeps as many of its last parts as tell it apart from every other."""
    short = short_paths([*LONG, "decoder/kernel", "kernel", "a/b"])
    assert short[LONG[14]] == "block_7/multi_head_attention/query/w:0"
    assert (short["decoder/kernel"], short["kernel"], short["a/b"]) == ("decoder/kernel", "kernel", "b")
    assert len(set(short.values())) == len(short)


def test_names_in_a_headline_are_short() -> None:
    """Paths are shortened in the headline only, by the names of the run."""
    message = f"The gradient of '{LONG[0]}' is zero: '{LONG[0]}'"
    headline = verdict_headline(verdict(message), short_paths(LONG))
    assert headline.text == "The gradient of 'block_0/multi_head_attention/query/w:0' is zero"
    assert headline.rest == f"'{LONG[0]}'"
