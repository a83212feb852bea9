"""Pages that are made when the site is built: one for each rule, and those that stand outside of docs."""

from __future__ import annotations

import re
from pathlib import Path

import mkdocs_gen_files

from tb_weightwatch import answers
from tb_weightwatch.cli.rules import threshold_meanings
from tb_weightwatch.diagnosis import KINDS, PREAMBLE, catalogue, example
from tb_weightwatch.diagnosis.rule import Rule
from tb_weightwatch.verdict import LINKS, number

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images" / "rules"
FROM_ROOT = {
    "index.md": "README.md",
    "architecture.md": "ARCHITECTURE.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}


def write(page: str, text: str) -> None:
    """Adds a page to the site."""
    with mkdocs_gen_files.open(page, "w") as file:
        file.write(text)


def from_root(page: str) -> str:
    """Returns a page that stands in the repository's root, with links as from docs."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"(\]\(|srcset=\"|src=\")(?!https?://|#)(?=[\w./-])", r"\1../", text)
    return re.sub(r"((?:\]\(|srcset=\"|src=\"))\.\./docs/", r"\1", text)


def rule_page(rule: Rule) -> str:
    """Returns the page of a rule: its explanation, both examples, and what the panel shows of them."""
    explanation = answers.explanation(rule=rule.name)
    lines = [f"# {explanation['title']}", "", explanation["summary"], ""]
    lines += [f"Link of the chain: **{rule.link}**. On the command line: `weightwatch rule {rule.code}`.", ""]
    for part in explanation["sections"]:
        lines += [f"## {part['title']}", "", part["text"], ""]
    meanings = threshold_meanings(rule)
    rows = [f"- `{name}` ({number(value)}): {meanings[name]}" for name, value in rule.thresholds.items()]
    lines += ["## Thresholds", "", f'Set them with `rules={{"{rule.name}": {{...}}}}`.', "", *rows, ""] if rows else []
    for kind in KINDS:
        lines += [f"## {kind}", "", "```python", example(rule, kind).rstrip(), "```", ""]
        picture = f"{rule.name}-{kind.partition(' ')[0].lower()}.png"
        if (PICTURES / picture).exists():
            lines += [f"![What the panel shows of it](../images/rules/{picture})", ""]
    lines += ['??? note "What both examples begin with"', "", *(f"    {x}".rstrip() for x in _fenced(PREAMBLE)), ""]
    return "\n".join(lines)


def _fenced(code: str) -> list[str]:
    return ["```python", *code.rstrip().split("\n"), "```"]


def rules_index() -> str:
    """Returns the page that lists all rules by link."""
    codes = "Codes of 1xx belong to the first link of the chain from data to weight, 7xx to the last."
    lines = ["# All causes", "", f"Each cause that tb_weightwatch knows is a rule. {codes}"]
    for link in LINKS:
        lines += ["", f"## {link.capitalize()}", "", "| cause | in one sentence |", "|---|---|"]
        for rule in catalogue().values():
            if rule.link == link:
                lines.append(f"| [{rule.code} {rule.name}]({page_of(rule)}) | {rule.summary} |")
    return "\n".join(lines) + "\n"


def page_of(rule: Rule) -> str:
    """Returns the name of a rule's page."""
    return f"{rule.code}-{rule.name}.md"


for site_page, source in FROM_ROOT.items():
    write(site_page, from_root(source))
write("rules/index.md", rules_index())
for each_rule in catalogue().values():
    write(f"rules/{page_of(each_rule)}", rule_page(each_rule))
