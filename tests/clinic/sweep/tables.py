"""The tables: how often the answers are right, how sure that is, and after how many steps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from .report import GROUPS, HAND, Left, Outcome

BINS = 5  # of the first suspect's probability


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Returns the 95 % interval of a share."""
    if not total:
        return 0.0, 1.0
    share, square = hits / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z * math.sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _rate(hits: int, total: int) -> str:
    low, high = wilson(hits, total)
    return f"{hits} of {total} ({100 * low:.1f} to {100 * high:.1f} %)" if total else "-"


def _steps(chosen: Iterable[Outcome]) -> str:
    steps = [one.judged.right for one in chosen if one.judged.right is not None]
    return f"{median(steps):.0f}" if steps else "-"


def summary(found: Sequence[Outcome]) -> list[str]:
    """Returns the table of rates, one column a group; () if there is no run."""
    columns = {group: [one for one in found if one.group == group] for group in GROUPS}
    columns = {group: chosen for group, chosen in columns.items() if chosen}
    if not columns:
        return []

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
        row("steps until the right answer, median", lambda c: _steps(ill(c))),
        row("the same, for verdicts that are certain", lambda c: _steps(one for one in ill(c) if one.judged.certain)),
    ]  # fmt: skip


def matrix(found: Sequence[Outcome]) -> list[str]:
    """Returns the confusion matrix, written by rows: what was wrong, how often it was said, and what else was."""
    from tb_weightwatch.diagnosis import catalogue

    lines = [
        "| true cause | at hand | field | kinds | drawn | steps | other answers |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rule in [*catalogue().items(), ("healthy", None)]:
        chosen = [one for one in found if (one.causes[0] if one.causes else "healthy") == name]
        if not chosen:
            continue
        parts = []
        for column in ("programs", "field", "kinds", "drawn"):
            some = [one for one in chosen if _column(one) == column]
            parts.append(f"{sum(one.right for one in some)} of {len(some)}" if some else "-")
        others = Counter(one.first for one in chosen if not one.right or (one.causes and one.first != name))
        others |= Counter(one.first for one in chosen if not one.causes and one.first == "undecided")
        told = ", ".join(f"{other} {n}" for other, n in others.most_common())
        code = f"{rule.code} {name}" if rule else "nothing"
        lines.append(f"| {code} | {' | '.join(parts)} | {_steps(chosen)} | {told} |")
    return lines


def _column(one: Outcome) -> str:
    return "kinds" if one.group.endswith(" kinds") else one.group if one.group in HAND else "drawn"


def reliability(found: Sequence[Outcome]) -> list[str]:
    """Returns how often the first suspect is right, by its probability, over all runs answered by suspects."""
    asked = [one for one in found if one.judged.suspects and not one.judged.found]
    if not asked:
        return []
    lines = [
        "| probability of the first suspect | runs | mean probability | it is the cause |",
        "|---|---|---|---|",
    ]
    apart = 0.0
    for i in range(BINS):
        chosen = [one for one in asked if min(int(one.judged.suspects[0][1] * BINS), BINS - 1) == i]
        right = sum(one.judged.suspects[0][0] in one.causes for one in chosen)
        mean = sum(one.judged.suspects[0][1] for one in chosen) / max(len(chosen), 1)
        apart += abs(right - mean * len(chosen)) / len(asked)
        edges = f"{i / BINS:.1f} to {(i + 1) / BINS:.1f}"
        lines.append(f"| {edges} | {len(chosen)} | {mean:.2f} | {_rate(right, len(chosen))} |" if chosen
                     else f"| {edges} | 0 | - | - |")  # fmt: skip
    return [*lines, "", f"Mean difference of probability and share, weighted by runs: {apart:.3f}."]


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
        f"{GROUPS[group]}: "
        + " and ".join(f"{counts[group, ill]} {word}" for ill, word in ((True, "sick"), (False, "healthy"))
                       if counts[group, ill])
        for group in GROUPS if counts[group, True] + counts[group, False]
    ]  # fmt: skip
    lines = [f"{'; '.join(told).capitalize()}. Intervals hold 95 % (Wilson).", ""]
    by_hand, drawn = [[one for one in found if (one.group in HAND) is which] for which in (True, False)]
    lines += [line for some in (by_hand, drawn) if some for line in (*summary(some), "")]
    if left.failed:
        lines += [f"{left.failed} healthy programs are not counted, since they failed to reach their own goal.", ""]
    if drawn:
        uncounted = (
            f"Of the drawn runs {left.unproven} are not counted, since nothing proves them healthy, {left.harmless} "
            f"since the fault did no harm, {left.lost} since their process died; {spread(found)}."
        )
        lines += [uncounted, "", *families(found), ""]
    if trusted := reliability(found):
        lines += [*trusted, ""]
    return [*lines, *matrix(found)]


def wrong(found: Sequence[Outcome]) -> list[str]:
    """Returns a line for each run that was told something else than expected."""
    return [
        f"{one.name}: {' or '.join(one.causes) or 'healthy'}, told "
        f"{', '.join(one.judged.answers[:3]) or one.judged.status}: {one.judged.sentence}"
        for one in found
        if not one.right
    ]
