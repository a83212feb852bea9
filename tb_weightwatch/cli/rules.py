"""`weightwatch rules` and `weightwatch rule`."""

from __future__ import annotations

import argparse
import re

from ..diagnosis import PREAMBLE, Rule, catalogue, section
from ..history import nearest
from ..verdict import LINKS, number
from .terminal import Line, Screen, fail

_HEADINGS = re.compile(r"^(\S.*):$", re.M)
_THRESHOLD = re.compile(r"^(\w+): ", re.M)
_WIDEST = 100  # of prose, which is hard to read in longer lines


def rules(_: argparse.Namespace) -> int:
    """Lists all rules, from the first link of the chain to the last."""
    screen = Screen()
    width = max(map(len, catalogue()))
    widths = (3, width, max(20, screen.width - width - 7))
    for link in LINKS:
        screen.put(Line(link, "bold"))
        for entry in (entry for entry in catalogue().values() if entry.link == link):
            screen.row([[Line(str(entry.code))], [Line(entry.name)], [Line(entry.summary)]], widths)
    screen.put()
    screen.put(Line("`weightwatch rule CODE` explains a rule.", "dim"))
    return 0


def rule(options: argparse.Namespace) -> int:
    """Explains a rule: what it detects, how to fix it, its thresholds, and an example of a sick and a healthy run."""
    asked = options.rule
    entry = next((r for r in catalogue().values() if asked in (r.name, str(r.code))), None)
    if entry is None:
        return fail(f"no rule has the code or name {asked!r}; {nearest(asked, list(catalogue()))}")
    screen = Screen()
    screen.put(Line(f"{entry.code} {entry.name} (link: {entry.link})", "bold"))
    screen.put()
    screen.put(Line(entry.summary), most=_WIDEST)
    for heading in _HEADINGS.findall(entry.doc):
        if heading != "Args":
            _show_section(screen, heading, section(entry.doc, heading))
    _show_thresholds(screen, entry)
    if entry.explains:
        _show_section(screen, "Explains", ", ".join(entry.explains))
    if section(entry.doc, "Sick example"):
        _show_section(screen, "Both examples begin with", PREAMBLE, is_code=True)
    return 0


def _show_section(screen: Screen, heading: str, text: str, *, is_code: bool = False) -> None:
    """Shows a section of the explanation: prose wraps anew, code and addresses stay as they are."""
    screen.put()
    screen.put(Line(f"{heading}:", "bold"))
    if is_code or heading.endswith("example") or heading == "References":
        for line in text.rstrip().split("\n"):
            screen.put(Line(f"    {line}"))
    else:
        screen.put(Line(" ".join(text.split()), indent=4), most=_WIDEST)


def _show_thresholds(screen: Screen, entry: Rule) -> None:
    """Shows each threshold with its default and its meaning, and how to change one."""
    if not entry.thresholds:
        return
    screen.put()
    screen.put(Line("Thresholds:", "bold"))
    meanings = threshold_meanings(entry)
    defaults = {name: number(value) for name, value in entry.thresholds.items()}
    before = (2, max(map(len, defaults)), max(map(len, defaults.values())))
    widths = (*before, max(20, min(screen.width, _WIDEST) - sum(before) - 6))
    for name, default in defaults.items():
        screen.row([[], [Line(name)], [Line(default)], [Line(meanings.get(name, ""))]], widths)
    name, value = next(iter(entry.thresholds.items()))
    screen.put()
    change = "To use another value, or False to mute the rule, pass rules= to ww.WeightWatch or ww.Watch:"
    screen.put(Line(change, indent=4), most=_WIDEST)
    screen.put(Line(f'        rules={{"{entry.name}": {{"{name}": {value!r}}}}}'))


def threshold_meanings(entry: Rule) -> dict[str, str]:
    """Returns what each threshold of a rule means, from the section of its explanation that describes arguments."""
    _, *parts = _THRESHOLD.split(section(entry.doc, "Args"))
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    return {name: " ".join(texts[name].split()) for name in entry.thresholds if name in texts}
