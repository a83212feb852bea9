"""The chain as an inline SVG: seven links, each with its state in words and, where it was recorded, its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..diagnosis import catalogue
from ..display import counted
from ..verdict import LINKS, Diagnosis, known_cause
from .markup import BLUE, GREEN, GREY, ORANGE, RED, YELLOW, escaped, svg, text_element

_WIDTH, _HEIGHT, _GAP = 100, 58, 12  # of a link


class _Look(NamedTuple):
    colour: str
    mark: str
    words: str
    dashed: bool = False


_LOOKS = {
    "broken": _Look(RED, "✕", "broken"),
    "suspected": _Look(YELLOW, "?", "suspected"),
    "affected": _Look(ORANGE, "↓", "affected"),
    "note": _Look(BLUE, "i", "note"),
    "passed": _Look(GREY, "", "checks passed"),
    "unknown": _Look(GREY, "", "not recorded", dashed=True),
    "ok": _Look(GREEN, "✓", "works"),
}


def chain_svg(links: Sequence[dict[str, Any]]) -> str:
    """Returns the chain whose links `answers.chain` or `links_of` describe."""
    parts = []
    for index, link in enumerate(links):
        x = index * (_WIDTH + _GAP)
        parts.append(_link(link, x + 1))
        if index:
            parts.append(text_element(x - _GAP / 2 + 0.5, 33, "→", 'text-anchor="middle" opacity=".6"'))
    label = "; ".join(f"{link['title']}: {_words(link)}" for link in links)
    return svg(len(links) * (_WIDTH + _GAP) - _GAP + 2, _HEIGHT + 2, label, "".join(parts))


def _words(link: dict[str, Any]) -> str:
    """Returns the state in a word or two."""
    words = "breaks here" if link["first"] and link["state"] == "broken" else _LOOKS[link["state"]].words
    return str(link.get("state_text") or words).partition(",")[0]


def _link(link: dict[str, Any], x: int) -> str:
    look = _LOOKS[link["state"]]
    meaning = f"{link['number']}: {link['meaning']}. " if link["number"] else ""
    dash = ' stroke-dasharray="4 3"' if look.dashed else ""
    width = 2.5 if link["first"] else 1.2
    middle = x + _WIDTH / 2
    centred = 'text-anchor="middle"'
    return (
        f"<g><title>{escaped(meaning + link['text'], 220)}</title>"
        f'<rect x="{x}" y="2" width="{_WIDTH}" height="{_HEIGHT - 3}" rx="6" fill="{look.colour}" fill-opacity=".1" '
        f'stroke="{look.colour}" stroke-width="{width}"{dash}/>'
        + text_element(middle, 17, link["title"], f'{centred} font-weight="600"')
        + text_element(middle, 33, _short(link["number"]), centred)
        + text_element(middle, 50, f"{look.mark} {_words(link)}".strip(), f'{centred} font-size="10"')
        + "</g>"
    )


def _short(text: str) -> str:
    return text if len(text) <= 16 else text[:15] + "…"


def links_of(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """Returns the links as a diagnosis alone knows them, without its History: what was said of each, and no number.

    A link of which nothing was said is not known to work: its state is how many of its checks passed.
    """
    cause = known_cause(diagnosis)
    return [
        {
            "title": name.capitalize(),
            "number": "",
            "meaning": "",
            "first": cause is not None and cause.link == name,
            **_state(name, diagnosis),
        }
        for name in LINKS
    ]


def _state(link: str, diagnosis: Diagnosis) -> dict[str, str]:
    """Returns state and text of a link: the first that applies."""
    broken = [v.message for v in diagnosis.verdicts if v.link == link and v.severity != "info"]
    consequences = [v.message for cause in diagnosis.verdicts for v in cause.explains if v.link == link]
    symptoms = [s.message for s in diagnosis.symptoms if s.link == link and s.severity != "info"]
    suspects = {s.message: s.outcome for s in diagnosis.suspects if s.link == link and s.outcome != "refuted"}
    broken += [message for message, outcome in suspects.items() if outcome == "confirmed"]
    notes = [v.message for v in diagnosis.verdicts if v.link == link]
    said = {"broken": broken, "suspected": list(suspects), "affected": consequences + symptoms, "note": notes}
    for state, messages in said.items():
        if messages:
            return {"state": state, "state_text": "", "text": messages[0]}
    rules = {rule.name for rule in catalogue().values() if rule.link == link}
    passed = len(rules.intersection(diagnosis.passed))
    lacked = [unknown.lacked for unknown in diagnosis.unknown if unknown.rule in rules]
    if passed:
        text = f"{counted(passed, 'check')} passed, {len(lacked)} could not tell"
        return {"state": "passed", "state_text": f"{counted(passed, 'check')} passed", "text": text}
    return {"state": "unknown", "state_text": "cannot tell", "text": (lacked or ["nothing is known of this link"])[0]}
