"""What came out of the recorded runs: which of them count, in which group, and what each was told."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .judge import Judged, judge

PROVEN = 0.3  # of what takes no skill is gained: from there on a run counts as healthy
GROUPS = {
    "programs": "programs at hand",
    "field": "field",
    "healthy kinds": "new healthy kinds",
    "faulty kinds": "new faulty kinds",
    "calibration": "drawn, calibration",
    "held out": "drawn, held-out families",
    "fresh": "drawn afterwards",
}
HAND = ("programs", "field", "healthy kinds", "faulty kinds")  # the others are drawn


class Outcome(NamedTuple):
    """One judged run. `causes`: what would be right, () if it is healthy; `families`: those held out."""

    name: str
    group: str
    causes: tuple[str, ...]
    families: tuple[str, ...]
    judged: Judged
    bare: bool = False  # a compiled loop that hands over the loss alone
    kind: str = ""  # kind of fault or of training

    @property
    def first(self) -> str:
        """The first answer: a cause, or else the status."""
        return next(iter(self.judged.answers), self.judged.status)

    def alarmed(self) -> bool:
        """Says whether it was called sick at any step."""
        return self.judged.status == "sick" or bool(self.judged.passing) or self.judged.alarm is not None

    @property
    def right(self) -> bool:
        """Whether the first answer is right."""
        return self.judged.rank(self.causes) == 1 if self.causes else self.judged.status != "sick"


class Left(NamedTuple):
    """What does not count: not proven healthy, a fault without effect, a process that died, a goal not reached."""

    unproven: int = 0
    harmless: int = 0
    lost: int = 0
    failed: int = 0


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
        told = asked(name, line)
        if told is None:
            left["lost"] += 1
            continue
        group, causes, families = told
        if name not in known:
            known[name] = [name, judge(folder / name, causes)._asdict()]
            with kept.open("a") as file:
                file.write(json.dumps(known[name]) + "\n")
        judged = Judged.from_json(known[name][1])
        if why := _left_out(name, line):
            left[why] += 1
        else:
            bare = line.get("run", {}).get("loop") == "bare"
            found.append(Outcome(name, group, causes, families, judged, bare, kind_of(name)))
    return found, Left(**left)


def asked(name: str, line: dict[str, Any]) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    """Returns group, causes and held-out families of a run, None if its process died or nobody knows it any more."""
    from tests.clinic.programs import PROGRAMS

    from .draw import LOOKED_AT
    from .faults import FAULTS, drawn

    if "lost" in line:
        return None
    if name.startswith("program-"):
        program = PROGRAMS.get(name.removeprefix("program-"))
        return (_group(program), (program.expected, *program.also) if program.expected else (), ()) if program else None
    run = drawn(name)
    fault = FAULTS.get(run.fault)
    causes = (fault.expected, *fault.also) if fault else ()
    if run.index >= LOOKED_AT[run.kind]:
        return "fresh", causes, ()
    return "held out" if run.held_out else "calibration", causes, run.held_out


def _group(program: Any) -> str:
    if program.source == "kinds":
        return "faulty kinds" if program.expected else "healthy kinds"
    return "field" if program.source == "field" else "programs"


def kind_of(name: str) -> str:
    """Returns the kind of a run: what is left out together in cross-validation.

    A program's kind is what it says; of programs without one, the sick ones are of the kind of their cause, and each
    healthy one is a kind of its own. Drawn runs are of the kind of their fault, or else of their architecture.
    """
    from tests.clinic.programs import PROGRAMS

    from .faults import drawn

    if not name.startswith("program-"):
        run = drawn(name)
        return str(run.fault or run.architecture)
    program = PROGRAMS[name.removeprefix("program-")]
    return str(program.kind or program.expected or program.name)


def _left_out(name: str, line: dict[str, Any]) -> str:
    """Says why a run does not count, "" if it does: a healthy one that nothing proves to be so, a harmless fault.

    A healthy program raises unless it has reached its goal.
    """
    from tests.clinic.programs import PROGRAMS

    from .build import constant_loss
    from .faults import FAULTS, drawn

    if name.startswith("program-"):
        healthy = PROGRAMS[name.removeprefix("program-")].expected is None
        return "failed" if healthy and line["broke"] else ""
    run = drawn(name)
    fault = FAULTS.get(run.fault)
    own = fault is None or fault.mutate is None  # the loss is that of the drawn run
    gained = line["skill"] >= PROVEN and (not own or line["loss"] < constant_loss(run))
    if fault is None:
        return "" if gained else "unproven"
    return "harmless" if gained and fault.effect else ""


def _rules() -> str:
    import tb_weightwatch.diagnosis as rules

    parts = [file for file in Path(rules.__file__).parent.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    files = [*sorted(parts), Path(__file__).with_name("judge.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]
