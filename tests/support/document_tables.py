"""Generated tables in the Markdown pages: each stands between two HTML comments and is written by a program.

python -m tests.support.document_tables      writes the rules in README.md and docs/rules.md, the quantities in
                                             docs/recording.md, the causes in docs/suspects.md and the experiments in
                                             docs/experiments.md
python -m tests.supported                    writes the table of supported ways of training in docs/recording.md
python -m tests.clinic --all --sweep --write, python -m tests.benchmarks,
python -m tests.benchmarks.scale             write those that are measured
"""

from __future__ import annotations

from pathlib import Path

from tb_weightwatch import answers
from tb_weightwatch.cli.rules import threshold_meanings
from tb_weightwatch.diagnosis import catalogue
from tb_weightwatch.diagnosis.suspects import TABLE
from tb_weightwatch.verdict import LINKS, number

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RULES = ROOT / answers.RULES_PAGE
RECORDING = ROOT / answers.QUANTITIES_PAGE.partition("#")[0]
SUSPECTS = ROOT / "docs" / "suspects.md"
EXPERIMENTS = ROOT / "docs" / "experiments.md"


def block(name: str, content: str) -> str:
    """Returns a table between its two comments."""
    return f"<!-- table of {name}: begin -->\n\n{content}\n\n<!-- table of {name}: end -->"


def replace_block(page: Path, name: str, content: str) -> None:
    """Puts a table into its place in a page.

    Raises:
        ValueError: the page has no such place.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = (f"<!-- table of {name}: {which} -->" for which in ("begin", "end"))
    if begin not in text or end not in text:
        raise ValueError(f"{page} must have the lines {begin} and {end}")
    head, tail = text.split(begin)[0], text.split(end)[1]
    page.write_text(f"{head}{block(name, content)}{tail}", encoding="utf-8")


def rules_table() -> str:
    """Returns the table of all rules by link, from the catalogue."""
    rules = catalogue().values()
    rows = [(link, ", ".join(f"{rule.code} {rule.name}" for rule in rules if rule.link == link)) for link in LINKS]
    table = "\n".join(["| link | causes |", "|---|---|", *(f"| {link} | {causes} |" for link, causes in rows)])
    return f"{table}\n\n[All rules explained]({answers.RULES_PAGE})"


def rule_explanations() -> str:
    """Returns what each rule sees, why it matters, its false alarms and what to try, from its docstring."""
    lines: list[str] = []
    for link in LINKS:
        lines += [f"## {link.capitalize()}", ""]
        for rule in (rule for rule in catalogue().values() if rule.link == link):
            explanation = answers.explanation(rule=rule.name)
            lines += [f"### {explanation['title']}", "", explanation["summary"], ""]
            for part in explanation["sections"]:
                lines += [f"**{part['title']}.** {part['text']}", ""]
            meanings = threshold_meanings(rule)
            rows = [f"- `{name}` ({number(value)}): {meanings[name]}" for name, value in rule.thresholds.items()]
            lines += ["**Thresholds.**", "", *rows, ""] if rows else []
    return "\n".join(lines).rstrip()


def quantities_table() -> str:
    """Returns the table of all quantities: what they are, and how they are computed."""
    lines = ["| quantity | what it is | how it is computed |", "|---|---|---|"]
    for name in answers.quantity_table():
        texts = {part["title"]: part["text"] for part in answers.explanation(quantity=name)["sections"]}
        what, how = (texts[title].replace("|", "\\|") for title in ("What it is", "How it is computed"))
        lines.append(f"| {name} | {what} | {how} |")
    return "\n".join(lines)


def causes_table() -> str:
    """Returns the table by which suspects are ranked: for each cause its symptoms and what its facts weigh."""
    lines = ["| cause | symptoms | facts, with their weight if they hold / if they do not |", "|---|---|---|"]
    for name, cause in TABLE.items():
        symptoms = ", ".join(f"{symptom} {weight:+g}" for symptom, weight in cause.symptoms.items())
        facts = "; ".join(
            f"{fact.__name__.replace('_', ' ')} {if_so:+g} / {if_not:+g}" for fact, if_so, if_not in cause.facts
        )
        lines.append(f"| {catalogue()[name].code} {name} | {symptoms} | {facts} |")
    return "\n".join(lines)


def experiments_table() -> str:
    """Returns the table of all experiments, from their docstrings; imports TensorFlow."""
    from tb_weightwatch.probes import catalogue as experiments

    lines = ["| experiment | what it does | causes that it tests | steps |", "|---|---|---|---|"]
    for kind in experiments().values():
        causes = ", ".join(f"{catalogue()[name].code} {name}" for name in kind.tests)
        lines.append(f"| {kind.name} | {kind.summary} | {causes} | {kind.steps} |")
    return "\n".join(lines)


if __name__ == "__main__":
    replace_block(README, "rules", rules_table())
    replace_block(RULES, "explanations", rule_explanations())
    replace_block(RECORDING, "quantities", quantities_table())
    replace_block(SUSPECTS, "causes", causes_table())
    replace_block(EXPERIMENTS, "experiments", experiments_table())
