"""Fixes in the terms of the framework whose training was logged."""

from __future__ import annotations

from typing import NamedTuple

from ...history import History
from ...verdict import number
from ..signals import latest_run_value, model_facts
from .facts import is_third_party

_CLIP = {
    "PyTorch": "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)   # between backward() and step()",
    "Trainer": "TrainingArguments(..., max_grad_norm=1.0)",
    "Lightning": "Trainer(..., gradient_clip_val=1.0)",
}
_SET_RATE = {
    "PyTorch": 'for group in optimizer.param_groups:\n        group["lr"] = {rate}',
    "Trainer": "TrainingArguments(..., learning_rate={rate})",
    "Lightning": "torch.optim.Adam(self.parameters(), lr={rate})   # in configure_optimizers",
}
_DETECT = {
    "PyTorch": "torch.autograd.set_detect_anomaly(True)",
    "Lightning": "Trainer(..., detect_anomaly=True)",
}


class _Fix(NamedTuple):
    """A fix without the terms of a framework, and its lines of code by framework."""

    advice: str
    code: tuple[dict[str, str], ...]


_FIXES = {
    "nonfinite-loss": _Fix("Find the first operation and the first batch whose result is not finite", (_DETECT,)),
    "nonfinite-gradient": _Fix(
        "Find the first operation whose gradient is not finite: usually a logarithm, a root or a division at 0",
        (_DETECT,),
    ),
    "nonfinite-weight": _Fix(
        "Go back to a checkpoint with finite weights, set a lower learning rate, and clip the gradient",
        (_SET_RATE, _CLIP),
    ),
    "exploding-gradient": _Fix("Set a lower learning rate, and clip the gradient", (_SET_RATE, _CLIP)),
    "vanishing-gradient": _Fix(
        "Use activations that do not saturate, initial weights that fit them, and normalization between the layers",
        ({"PyTorch": 'torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")'},),
    ),
    "zero-gradient": _Fix(
        "Check that the loss depends on these weights: nothing detaches or rounds the values between them and the loss",
        ({"PyTorch": "print({name: p.grad for name, p in model.named_parameters()})   # after backward()"},),
    ),
}


def framework(history: History) -> str:
    """Returns what a third-party log was written by: "Keras", "PyTorch", "Trainer", "Lightning", or "" if unknown."""
    writer = str(model_facts(history)["foreign"].get("writer", ""))
    if "keras" in writer or writer == "tf.summary":
        return "Keras"
    known = {"PyTorch": "PyTorch", "Hugging Face": "Trainer", "Lightning": "Lightning"}
    return next((name for start, name in known.items() if writer.startswith(start)), "")


def framework_fix(history: History, rule: str, fix: str) -> str:
    """Returns a rule's fix in the terms of the framework that wrote a third-party log.

    The rules' own fixes are for Keras. Where the framework is unknown, the fix has no code.
    """
    if not is_third_party(history) or framework(history) == "Keras":
        return fix
    if rule == "learning-rate-zero":
        return fix  # `set_learning_rate_fix`
    if rule not in _FIXES:
        return _without_code(fix)
    advice, code = _FIXES[rule]
    rate = float(latest_run_value(history, "learning_rate")[-1])
    lower = {"rate": number(rate / 10) if rate > 0 else "a lower one"}
    return _with_code(advice, [of_framework(lines, framework(history)).format(**lower) for lines in code])


def set_learning_rate_fix(history: History, rate: float) -> str:
    """Returns how to set a learning rate with the framework that wrote the log; "" if it is no third-party log."""
    if not is_third_party(history):
        return ""
    advice = (
        "Make the schedule as long as the training, in the unit in which the schedule counts (batches or epochs), "
        f"or set {number(rate)}"
    )
    if framework(history) == "Keras":
        return _with_code(advice, [f"model.compile(optimizer=keras.optimizers.Adam({number(rate)}), loss=...)"])
    return _with_code(advice, [of_framework(_SET_RATE, framework(history)).format(rate=number(rate))])


def of_framework(lines: dict[str, str], name: str) -> str:
    """Returns the code of a framework; those that build on PyTorch use its code where they have none of their own."""
    return lines.get(name, lines.get("PyTorch", "")) if name else ""


def _with_code(advice: str, code: list[str]) -> str:
    lines = [f"    {line}" for line in code if line]
    return "\n".join([f"{advice}{':' if lines else '.'}", *lines])


def _without_code(fix: str) -> str:
    lines = [line for line in fix.split("\n") if not line.startswith(" ")]
    return "\n".join(f"{line[:-1]}." if line.endswith(":") else line for line in lines)
