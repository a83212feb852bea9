"""A review as JUnit XML, which every CI system can show: one suite per log directory, one case per launch."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ... import answers
from ...verdict import Diagnosis, answering_symptom, answering_verdict, experiment_fact, experiment_lines, suspect_lines
from ..review_result import LaunchResult, Review


def junit(review: Review) -> str:
    """Returns the XML: a sick launch is a failure, an undecided one is skipped, an unreadable run is an error."""
    root = ET.Element("testsuites", name="weightwatch")
    for logdir in dict.fromkeys(result.job.logdir for result in review.results):
        suite = ET.SubElement(root, "testsuite", name=_xml_text(logdir))
        for result in (r for r in review.results if r.job.logdir == logdir):
            for launch in result.launches:
                _add_case(suite, launch, failed=review.is_failure(launch))
            if not result.launches and result.skipped:
                case = ET.SubElement(suite, "testcase", classname=_xml_text(result.job.run), name="read")
                ET.SubElement(case, "error", type="unreadable", message=_xml_text(str(result.skipped)))
        _set_counts(suite)
    _set_counts(root)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add_case(suite: ET.Element, launch: LaunchResult, *, failed: bool) -> None:
    case = ET.SubElement(suite, "testcase", classname=_xml_text(launch.job.run), name=_xml_text(launch.launch))
    diagnosis = launch.diagnosis
    sentence = _xml_text(diagnosis.sentence)
    if failed:
        failure = ET.SubElement(case, "failure", type=_kind(diagnosis), message=sentence)
        failure.text = _xml_text("\n".join(_lines(launch)))
    elif diagnosis.status == "undecided":
        ET.SubElement(case, "skipped", message=sentence)
    else:
        ET.SubElement(case, "system-out").text = sentence


def _kind(diagnosis: Diagnosis) -> str:
    """Returns the name of the answer; of the first finding where notes count as failures, too."""
    findings = (answering_verdict(diagnosis), answering_symptom(diagnosis), *diagnosis.verdicts, *diagnosis.symptoms)
    return next(x.name for x in findings if x is not None)


def _lines(launch: LaunchResult) -> list[str]:
    lines = []
    for verdict in launch.diagnosis.verdicts:
        lines.append(f"{verdict.code} {verdict.name} ({verdict.severity}, {verdict.certainty}): {verdict.message}")
        lines += [f"- {answers.evidence_text(item)}" for item in verdict.evidence]
        lines.append(f"Fix: {verdict.fix}")
        lines += [f"{label}: {text}" for label, text in experiment_fact(verdict.outcome, verdict.experiment).items()]
    lines += [f"{s.name} ({s.severity}): {s.message}" for s in launch.diagnosis.symptoms]
    lines += suspect_lines(launch.diagnosis)
    return lines + [f"experiment {line}" for line in experiment_lines(launch.diagnosis.experiments)]


def _set_counts(element: ET.Element) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(1 for _ in element.iter(tag))))


def _xml_text(text: str) -> str:
    """Returns text with the characters replaced that XML 1.0 does not allow."""
    return "".join(c if c in "\n\t" or (c >= " " and not 0xD800 <= ord(c) < 0xE000 and c not in "\ufffe\uffff") else "�"
                   for c in text)  # fmt: skip
