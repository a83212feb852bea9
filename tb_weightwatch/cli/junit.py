"""A review as JUnit XML, which every CI can show: a suite a log directory, a case a launch."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from .. import answers
from .review_result import Done, LaunchResult


def write(path: str, done: Sequence[Done], sick: set[int]) -> None:
    """Writes the file; `sick` holds the ids (as `id()` gives them) of the launches that count as failures."""
    root = ET.Element("testsuites", name="weightwatch")
    for logdir in dict.fromkeys(one.job.logdir for one in done):
        suite = ET.SubElement(root, "testsuite", name=_text(logdir))
        for one in (d for d in done if d.job.logdir == logdir):
            for launch in one.launches:
                _case(suite, launch, failed=id(launch) in sick)
            if not one.launches and one.skipped:
                case = ET.SubElement(suite, "testcase", classname=_text(one.job.run), name="read")
                ET.SubElement(case, "error", type="unreadable", message=_text(str(one.skipped)))
        _count(suite)
    _count(root)
    tree = ET.ElementTree(root)
    ET.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _case(suite: ET.Element, one: LaunchResult, *, failed: bool) -> None:
    case = ET.SubElement(suite, "testcase", classname=_text(one.job.run), name=_text(one.launch))
    found = one.diagnosis
    if failed:
        kind = found.verdicts[0].name if found.verdicts else one.symptoms[0].kind
        ET.SubElement(case, "failure", type=kind, message=_text(found.sentence)).text = _text("\n".join(_lines(one)))
    elif found.status == "undecided":
        ET.SubElement(case, "skipped", message=_text(found.sentence))
    else:
        ET.SubElement(case, "system-out").text = _text(found.sentence)


def _lines(one: LaunchResult) -> list[str]:
    found = []
    for verdict in one.diagnosis.verdicts:
        found.append(f"{verdict.code} {verdict.name} ({verdict.severity}, {verdict.certainty}): {verdict.message}")
        found += [f"- {answers.evidence_text(item)}" for item in verdict.evidence]
        found.append(f"Fix: {verdict.fix}")
    return found + [f"{s.kind} ({s.severity}): {s.text}" for s in one.symptoms]


def _count(element: ET.Element) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(1 for _ in element.iter(tag))))


def _text(text: str) -> str:
    """Returns text without what XML 1.0 can not hold."""
    return "".join(c if c in "\n\t" or (c >= " " and not 0xD800 <= ord(c) < 0xE000 and c not in "\ufffe\uffff") else "�"
                   for c in text)  # fmt: skip
