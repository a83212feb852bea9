"""What came out: who was told what, how sure that is, and after how many steps."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from .judge import Judged, judge

PROVEN = 0.3  # of what takes no skill is gained: from there on a run counts as healthy
GROUPS = {
    "programs": "programs at hand",
    "calibration": "drawn, calibration",
    "held out": "drawn, held-out families",
    "fresh": "drawn afterwards",
}


class Outcome(NamedTuple):
    """One judged run. `causes`: what would be right, () if it is healthy; `families`: those held out."""

    name: str
    group: str
    causes: tuple[str, ...]
    families: tuple[str, ...]
    judged: Judged
    bare: bool = False  # a compiled loop that hands over the loss alone

    @property
    def first(self) -> str:
        return self.judged.found[0] if self.judged.found else self.judged.status

    def alarmed(self) -> bool:
        """Says whether it was called sick at any step."""
        return self.judged.status == "sick" or bool(self.judged.passing)

    @property
    def right(self) -> bool:
        """Whether the first answer is right."""
        return self.judged.rank(self.causes) == 1 if self.causes else self.judged.status != "sick"


class Left(NamedTuple):
    """What does not count: runs not proven healthy, faults without effect, processes that died."""

    unproven: int
    harmless: int
    lost: int


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Returns the 95 % interval of a share."""
    if not total:
        return 0.0, 1.0
    share, square = hits / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z * math.sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def outcomes(
    folder: Path, results: dict[str, dict[str, Any]], report: Callable[[int], Any] = lambda n: None
) -> tuple[list[Outcome], Left]:
    """Judges all that was trained (what these rules have judged before is read back) and says what was left out."""
    kept = folder / f"judged-{_rules()}.jsonl"
    known = {line[0]: line for line in map(json.loads, kept.read_text().splitlines())} if kept.exists() else {}
    found: list[Outcome] = []
    left: Counter[str] = Counter()
    for number, (name, line) in enumerate(results.items()):
        report(number)
        told = _asked(name, line)
        if told is None:
            left["lost"] += 1
            continue
        group, causes, families = told
        if name not in known:
            known[name] = [name, judge(folder / name, causes)._asdict()]
            with kept.open("a") as file:
                file.write(json.dumps(known[name]) + "\n")
        fields = {key: tuple(v) if isinstance(v, list) else v for key, v in known[name][1].items()}
        judged = Judged(**fields)
        if why := _left_out(name, line):
            left[why] += 1
        else:
            found.append(Outcome(name, group, causes, families, judged, line.get("run", {}).get("loop") == "bare"))
    return found, Left(left["unproven"], left["harmless"], left["lost"])


def _asked(name: str, line: dict[str, Any]) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    """Returns group, causes and held-out families of a run, None if its process died or nobody knows it any more."""
    from tests.clinic.lab import PROGRAMS

    from .draw import LOOKED_AT
    from .faults import FAULTS, drawn

    if "lost" in line:
        return None
    if name.startswith("program-"):
        program = PROGRAMS.get(name.removeprefix("program-"))
        return ("programs", (program.expected, *program.also) if program.expected else (), ()) if program else None
    run = drawn(name)
    fault = FAULTS.get(run.fault)
    causes = (fault.expected, *fault.also) if fault else ()
    if run.index >= LOOKED_AT[run.kind]:
        return "fresh", causes, ()
    return "held out" if run.held_out else "calibration", causes, run.held_out


def _left_out(name: str, line: dict[str, Any]) -> str:
    """Says why a run does not count, "" if it does: a healthy one that nothing proves to be so, a harmless fault."""
    from .build import constant_loss
    from .faults import FAULTS, drawn

    if name.startswith("program-"):
        return ""
    run = drawn(name)
    fault = FAULTS.get(run.fault)
    own = fault is None or fault.mutate is None  # the loss is that of the drawn run
    gained = line["skill"] >= PROVEN and (not own or line["loss"] < constant_loss(run))
    if fault is None:
        return "" if gained else "unproven"
    return "harmless" if gained and fault.effect else ""


def _rules() -> str:
    import tb_weightwatch.diagnosis as rules

    files = sorted(Path(rules.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


# -- tables


def _rate(hits: int, total: int) -> str:
    low, high = wilson(hits, total)
    return f"{hits} of {total} ({100 * low:.1f} to {100 * high:.1f} %)" if total else "-"


def _steps(chosen: Iterable[Outcome]) -> str:
    steps = [one.judged.right for one in chosen if one.judged.right is not None]
    return f"{median(steps):.0f}" if steps else "-"


def summary(found: Sequence[Outcome]) -> list[str]:
    """Returns the table of rates, one column a group."""
    columns = {group: [one for one in found if one.group == group] for group in GROUPS}
    columns = {group: chosen for group, chosen in columns.items() if chosen}

    def row(what: str, say: Callable[[list[Outcome]], str]) -> str:
        return f"| {what} | " + " | ".join(say(chosen) for chosen in columns.values()) + " |"

    def well(chosen: list[Outcome]) -> list[Outcome]:
        return [one for one in chosen if not one.causes]

    def ill(chosen: list[Outcome]) -> list[Outcome]:
        return [one for one in chosen if one.causes]

    def shown(chosen: list[Outcome]) -> list[Outcome]:
        return [one for one in chosen if not one.bare]

    def count(chosen: list[Outcome], true: Callable[[Outcome], bool]) -> str:
        return _rate(sum(map(true, chosen)), len(chosen))

    return [
        "| | " + " | ".join(GROUPS[group] for group in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        row("healthy: called sick", lambda c: count(well(c), lambda one: not one.right)),
        row("healthy: called sick at some step", lambda c: count(well(c), Outcome.alarmed)),
        row("healthy: undecided", lambda c: count(well(c), lambda one: one.judged.status == "undecided")),
        row("sick: right cause first", lambda c: count(ill(c), lambda one: one.right)),
        row("the same, if more than the loss is recorded", lambda c: count(shown(ill(c)), lambda one: one.right)),
        row("sick: cause in the first three", lambda c: count(ill(c), lambda one: 0 < one.judged.rank(one.causes) < 4)),
        row("sick: not called sick", lambda c: count(ill(c), lambda one: one.judged.status != "sick")),
        row("steps until the right verdict, median", lambda c: _steps(ill(c))),
        row("the same, for verdicts that are certain", lambda c: _steps(one for one in ill(c) if one.judged.certain)),
    ]  # fmt: skip


def matrix(found: Sequence[Outcome]) -> list[str]:
    """Returns the confusion matrix, written by rows: what was wrong, how often it was said, and what else was."""
    from tb_weightwatch.diagnosis import catalogue

    lines = [
        "| true cause | programs at hand | drawn | steps | other answers |",
        "|---|---|---|---|---|",
    ]
    for name, rule in [*catalogue().items(), ("healthy", None)]:
        chosen = [one for one in found if (one.causes[0] if one.causes else "healthy") == name]
        if not chosen:
            continue
        parts = []
        for hand in (True, False):
            some = [one for one in chosen if (one.group == "programs") is hand]
            parts.append(f"{sum(one.right for one in some)} of {len(some)}" if some else "-")
        others = Counter(one.first for one in chosen if not one.right or (one.causes and one.first != name))
        others |= Counter(one.first for one in chosen if not one.causes and one.first == "undecided")
        told = ", ".join(f"{other} {n}" for other, n in others.most_common())
        code = f"{rule.code} {name}" if rule else "nothing"
        lines.append(f"| {code} | {parts[0]} | {parts[1]} | {_steps(chosen)} | {told} |")
    return lines


def families(found: Sequence[Outcome]) -> list[str]:
    """Returns a row for each family that was held out."""
    names = sorted({name for one in found for name in one.families})
    lines = ["| held out | healthy: called sick | sick: right cause first |", "|---|---|---|"]
    for name in names:
        chosen = [one for one in found if name in one.families]
        well, ill = [o for o in chosen if not o.causes], [o for o in chosen if o.causes]
        wrong, right = sum(not o.right for o in well), sum(o.right for o in ill)
        lines.append(f"| {name} | {wrong} of {len(well)} | {right} of {len(ill)} |")
    return lines if names else []


def spread(found: Sequence[Outcome]) -> str:
    """Says for how many drawn programs the answer changed with seed, learning rate and scale."""
    groups: dict[str, set[str]] = {}
    repeats: Counter[str] = Counter()
    for one in found:
        program, _, number = one.name.partition(".")
        if number:
            groups.setdefault(program, set()).add("sick" if one.judged.status == "sick" and not one.causes else
                                                  "right" if one.right else one.first)  # fmt: skip
            repeats[program] += 1
    several = [program for program in groups if repeats[program] > 1]
    same = sum(len(groups[program]) == 1 for program in several)
    return (
        f"{same} of {len(several)} programs repeated with other seeds, rates and scales got the same answer each time"
    )


def tables(found: Sequence[Outcome], left: Left) -> list[str]:
    """Returns all of it as Markdown."""
    counts = Counter((one.group, bool(one.causes)) for one in found)
    told = [
        f"{counts[group, True]} sick and {counts[group, False]} healthy {GROUPS[group]}"
        for group in GROUPS if counts[group, True] + counts[group, False]
    ]  # fmt: skip
    lines = [f"{'; '.join(told)}. Intervals hold 95 % (Wilson).", "", *summary(found), ""]
    if any(one.group != "programs" for one in found):
        uncounted = (
            f"Of the drawn runs {left.unproven} are not counted, since nothing proves them healthy, {left.harmless} "
            f"since the fault did no harm, {left.lost} since their process died; {spread(found)}."
        )
        lines += [uncounted, "", *families(found), ""]
    return [*lines, *matrix(found)]


def wrong(found: Sequence[Outcome]) -> list[str]:
    """Returns a line for each run that was told something else than expected."""
    return [
        f"{one.name}: {' or '.join(one.causes) or 'healthy'}, told {', '.join(one.judged.found) or one.judged.status}: "
        f"{one.judged.sentence}"
        for one in found
        if not one.right
    ]
