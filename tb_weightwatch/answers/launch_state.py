"""The state of a launch, and the diagnosis of a History that may be damaged."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ..diagnosis import diagnose, recording_stop, unit
from ..history import History
from ..reader import Launch
from ..statistics import QUANTITIES
from ..verdict import SEVERITIES, Diagnosis, Evidence, Severity, Verdict, number

# An event file is seen with TensorBoard's reload interval (5 s) and the pass before it; clocks of machines differ.
RELOAD_LAG = 30.0
_DEFAULT_INTERVAL = 60.0  # seconds between signs of life, if none was recorded


class LaunchState(NamedTuple):
    """The state of a launch.

    Attributes:
        name: "training", "ended", "stopped" (by an exception or a signal; or the recording stopped, by a failure of the
            recorder) or "died" (no end was recorded).
        text: the same in words, with the step.
        last_step: the last training step known.
    """

    name: str
    text: str
    last_step: int


def safe_diagnose(history: History) -> Diagnosis:
    """Returns the diagnosis of a History that was read: as `diagnose`, but never raises.

    A recorded rule configuration that this version does not know is ignored, and the sentence says so.
    """
    try:
        return diagnose(history)
    except ValueError as error:
        reason = str(error)
    except Exception as error:  # facts may have types that no trainer writes
        return _undiagnosed(error)
    try:
        diagnosis = diagnose(history, {})
    except Exception as error:
        return _undiagnosed(error)
    return replace(diagnosis, sentence=f"{diagnosis.sentence} (The recorded rule settings were ignored: {reason}.)")


def _undiagnosed(error: Exception) -> Diagnosis:
    reason = f"{type(error).__name__}: {error}"
    return Diagnosis("undecided", f"Cannot tell: the recorded data could not be diagnosed ({reason}).")


def state(launch: Launch, time: float) -> LaunchState:
    """Returns the state of a launch at a time (unix seconds)."""
    history, now = launch.history, launch.now
    step = max(now.step if now else 0, int(history.steps[-1]) if len(history) else 0)
    ended = history.ended
    if ended is not None:
        step = max(step, ended.step)
        return _ended(ended.data, step, unit(history))
    stop = recording_stop(history)
    if stop is not None:
        at = f"at step {stop.step:,}" if stop.step else "before the first step"
        return LaunchState("stopped", f"recording stopped {at}; training went on unrecorded", max(step, stop.step))
    alive = now.time if now else (float(history.times[-1]) if len(history) else history.started)
    interval = now.due if now else _DEFAULT_INTERVAL
    if time - alive <= 3 * interval + RELOAD_LAG:
        return LaunchState(
            "training", f"training, at {unit(history)} {step:,}" if step else "training, before its first step", step
        )
    alive_text = datetime.fromtimestamp(min(max(alive, 0.0), 2e11), timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    when = f"at {unit(history)} {step:,}" if step else f"before its first {unit(history)}"
    return LaunchState("died", f"no end was recorded; last sign of life {when}, {alive_text}", step)


def _ended(data: Any, step: int, unit: str) -> LaunchState:
    how, detail = str(data.get("how", "")), str(data.get("detail", ""))
    after = f"after {step:,} {unit}{'' if step == 1 else 's'}" if step else f"before its first {unit} was completed"
    if how == "log":  # a third-party log does not record how the training ended
        return LaunchState("ended", f"the log ends {after}", step)
    raised_in = data.get("step")  # a step that was not completed
    if how == "exception" and isinstance(raised_in, int) and raised_in > step:
        return LaunchState("stopped", f"stopped by {detail or how} in {unit} {raised_in:,}", step)
    if how == "stopped":  # as `on_verdict` has asked
        return LaunchState("stopped", f"stopped {after}{f' because of {detail}' if detail else ''}", step)
    article = "an " if how == "exception" else "a "
    if how in ("exception", "signal"):
        return LaunchState("stopped", f"stopped by {detail or article + how} {after}", step)
    return LaunchState("ended", f"ended {after}", step)


def severity(diagnosis: Diagnosis) -> str:
    """Returns the worst severity of the open verdicts and of symptoms, or "none"."""
    severities = [*(v.severity for v in diagnosis.verdicts), *(s.severity for s in diagnosis.symptoms)]
    return max(severities, key=SEVERITIES.index, default="none")


def worst_severities(diagnosis: Diagnosis) -> dict[str, Severity]:
    """Returns the worst severity of the open verdicts and symptoms that name a variable or layer, by its name."""
    verdicts = [v for cause in diagnosis.verdicts for v in with_consequences(cause)]
    named = [(x.variables, x.severity) for x in verdicts] + [(x.variables, x.severity) for x in diagnosis.symptoms]
    worst: dict[str, Severity] = {}
    for names, severity in named:
        for name in names:
            worst[name] = max(worst.get(name, SEVERITIES[0]), severity, key=SEVERITIES.index)
    return worst


def evidence_number(evidence: Evidence) -> str:
    """Returns the number of a piece of evidence as text; a share in percent."""
    quantity = QUANTITIES.get(evidence.quantity)
    share = evidence.unit == "share" or (quantity is not None and quantity.encoding == "share" and not evidence.unit)
    return percent(evidence.value) if share and 0 <= evidence.value <= 1 else number(evidence.value)


def percent(share: float) -> str:
    """Returns a share in percent; 0 % and 100 % only for none and all."""
    if not 0 < share < 1:
        return f"{number(100 * share)} %"
    text = number(100 * share)
    return "> 99.9 %" if text == "100" else f"{text} %"


def evidence_text(evidence: Evidence) -> str:
    """Returns evidence ready to show: its text, completed by name, number and step where the text lacks them."""
    text, value = evidence.text, evidence_number(evidence)
    if evidence.name.lower() in text.lower():
        return text
    # The "1" of "slope under 1 %" or of "1e-3 is usual" is not the number.
    if re.search(rf"(?<![\w.,-]){re.escape(value)}(?![\w.,]*\w| %)", text):
        return f"{evidence.name}: {text}"
    unit = f" {evidence.unit}" if evidence.unit and evidence.unit != "share" else ""
    step = f" at step {evidence.step:,}" if evidence.step is not None and "step" not in text else ""
    return f"{evidence.name} {value}{unit}{step}" + (f" ({text})" if text else "")


def with_consequences(verdict: Verdict) -> list[Verdict]:
    """Returns a verdict, followed by all verdicts that it explains, directly or indirectly."""
    return [verdict, *(v for consequence in verdict.explains for v in with_consequences(consequence))]
