"""A diagnosis, a History and the results of experiments as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import answers
from ..display import counted
from ..history import History
from ..verdict import (
    MOST_SUSPECTS,
    Diagnosis,
    Experiment,
    answering_verdict,
    experiment_answer,
    experiment_fact,
    known_cause,
    suspect_title,
)
from .chain_picture import chain_svg, links_of
from .curve_picture import curve_svg, rates_svg
from .markup import GREEN, RED, YELLOW, block, escaped, with_code
from .series import loss, update_ratio

_COLOURS = {"sick": RED, "healthy": GREEN, "undecided": YELLOW}
_MOST_FINDINGS, _MOST_EXPERIMENTS = 3, 8
_DIM = "opacity:.75;font-size:12px"


def html(value: Any) -> str:
    """Returns a Diagnosis or a History as HTML of at most about 20 kB."""
    return history_html(value) if isinstance(value, History) else diagnosis_html(value)


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Returns answer, fix, the links as far as the diagnosis tells them, and the other findings."""
    return _page(*_answer(diagnosis), block(chain_svg(links_of(diagnosis))), *_findings(diagnosis), _footer(diagnosis))


def history_html(history: History) -> str:
    """Returns answer, fix, the chain with its numbers, loss, update ratio, and the other findings."""
    diagnosis = answers.safe_diagnose(history)
    series = {"Loss": loss(history), "Update ratio of the whole model": update_ratio(history)}
    curves = [curve_svg(title, *drawn) for title, drawn in series.items() if len(drawn[0])]
    return _page(
        *_answer(diagnosis),
        block(chain_svg(answers.chain(history, diagnosis))),
        block("".join(f'<span style="display:inline-block;margin-right:12px">{curve}</span>' for curve in curves)),
        *_findings(diagnosis),
        _footer(diagnosis, _recorded(history)),
    )


def experiments_html(diagnosis: Diagnosis | None, experiments: Sequence[Experiment]) -> str:
    """Returns the diagnosis, if there is one, and what each experiment has shown, with the learning rates it tried."""
    ran = [experiment for experiment in experiments if experiment.end != "skipped"]
    skipped = [experiment.name for experiment in experiments if experiment.end == "skipped"]
    items = "".join(
        f'<li style="margin:2px 0">{_experiment(experiment)}</li>' for experiment in ran[:_MOST_EXPERIMENTS]
    )
    curves = [rates_svg(experiment.curve) for experiment in ran if experiment.curve is not None]
    return _page(
        *([] if diagnosis is None else [diagnosis_html(diagnosis)]),
        block(f"<b>Experiments.</b> {escaped(experiment_answer(experiments))}"),
        f'<ul style="margin:4px 0;padding-left:20px">{items}</ul>' if items else "",
        *map(block, curves[:1]),
        block(f"Not run: {escaped(', '.join(skipped))}", _DIM) if skipped else "",
    )


def _page(*parts: str) -> str:
    return f'<div style="max-width:800px;font:13px/1.45 system-ui,sans-serif">{"".join(parts)}</div>'


def _answer(diagnosis: Diagnosis) -> Iterator[str]:
    """Yields status and sentence, the fix, and what an experiment says of the cause."""
    colour = _COLOURS[diagnosis.status]
    yield block(
        f'<span style="border:1.5px solid {colour};border-radius:4px;padding:1px 6px;font-weight:600">'
        f"{diagnosis.status.upper()}</span> {escaped(diagnosis.sentence, 1200)}"
    )
    cause = known_cause(diagnosis)
    if cause is not None:
        yield block(f"<b>Fix:</b> {with_code(cause.fix, 2000)}") if cause.fix else ""
        for label, text in experiment_fact(cause.outcome, cause.experiment).items():
            if text not in diagnosis.sentence:
                yield block(f"<b>{escaped(label.capitalize())}:</b> {escaped(text)}")


def _findings(diagnosis: Diagnosis) -> Iterator[str]:
    """Yields the other findings, and the suspects with what would settle the first one."""
    answer = answering_verdict(diagnosis)
    messages = [(f"{v.code} {v.name}", v.message) for v in diagnosis.verdicts if v is not answer]
    messages += [(s.name.replace("-", " "), s.message) for s in diagnosis.symptoms]
    also = [(name, message) for name, message in messages if message[1:] not in diagnosis.sentence]
    for name, message in also[:_MOST_FINDINGS]:
        yield block(f"<b>Also: {escaped(name, 80)}.</b> {escaped(message)}")
    if len(also) > _MOST_FINDINGS:
        yield block(f"and {counted(len(also) - _MOST_FINDINGS, 'other finding')}", _DIM)
    suspects = diagnosis.suspects[:MOST_SUSPECTS]
    if suspects:
        yield block(f"<b>Suspects:</b> {escaped(', '.join(map(suspect_title, suspects)), 500)}")
        first = suspects[0]
        if first.settle and first.outcome not in ("confirmed", "refuted"):
            yield block(f"<b>To settle it:</b> {with_code(first.settle, 600)}")


def _experiment(experiment: Experiment) -> str:
    end = experiment.outcome if experiment.end == "completed" else experiment.end
    cost = f"{counted(experiment.steps, 'step')}, {experiment.seconds:.1f} s"
    return f"<b>{escaped(experiment.name, 60)}</b> ({escaped(end)}, {cost}): {escaped(experiment.message)}"


def _recorded(history: History) -> str:
    if not len(history):
        return "no step was recorded"
    first, last = int(history.steps[0]), int(history.steps[-1])
    return f"{len(history):,} of the steps {first:,} to {last:,} were recorded"


def _footer(diagnosis: Diagnosis, recorded: str = "") -> str:
    checks = f"{counted(len(diagnosis.passed), 'check')} passed, {len(diagnosis.unknown)} could not tell"
    steps = recorded or (f"{counted(diagnosis.rows, 'recorded step')} up to step {diagnosis.step:,}")
    return block(escaped(f"{checks}; {steps}"), _DIM)
