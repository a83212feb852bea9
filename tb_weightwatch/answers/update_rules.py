"""The update rules of Keras' optimizers, as terms of the equation `w_new = w_old - update`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..verdict import number


class Term(NamedTuple):
    """A term or an operator of the equation.

    Attributes:
        symbol: as it is written.
        words: the same in words; of a term, also its meaning.
        link: the link of the chain that it belongs to; "" if it belongs to none.
        over: what it is divided by; "" if it is not a fraction.
        sub: its index, such as "new".
        operator: whether it is an operator.
    """

    symbol: str
    words: str
    link: str = ""
    over: str = ""
    sub: str = ""
    operator: bool = False


class UpdateRule(NamedTuple):
    """How an optimizer makes an update.

    Attributes:
        terms: the update, term by term; () if it is no short formula.
        where: what symbols of the terms stand for; "" if they speak for themselves.
        remark: what is to be said about it, in a sentence; "" if nothing is.
        is_product: whether it is exactly the learning rate times the gradient.
        one_rate: whether one learning rate holds for all variables.
    """

    terms: tuple[Term, ...] = ()
    where: str = ""
    remark: str = ""
    is_product: bool = False
    one_rate: bool = True


_Terms = tuple[Term, ...]
_Config = Mapping[str, Any]

RATE = Term("lr", "learning rate", "optimizer")
GRADIENT = Term("gradient", "gradient", "gradient")
TIMES, PLUS = Term("·", "times", operator=True), Term("+", "and", operator=True)
_SUM = Term("(", "the sum of", operator=True), Term(")", "", operator=True)
_ADAM = Term("m̂", "running mean of the gradient, divided by the root of the running mean of its square", "gradient",
             "√v̂ + ε")  # fmt: skip


def update_rule(facts: Mapping[str, Any]) -> UpdateRule:
    """Returns the update rule of a recorded optimizer; one without terms if it is not known, or no short formula.

    Args:
        facts: the recorded facts. They come from disk, so nothing is assumed about their types.
    """
    listed = facts.get("optimizers")
    optimizers = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    if not optimizers:
        return UpdateRule(remark="The optimizer was not recorded.")
    rules = [_rule_of(optimizer) for optimizer in optimizers]
    if len(rules) > 1 and len({rule.terms for rule in rules}) > 1:
        names = " and ".join(sorted({str(optimizer.get("class") or "unknown") for optimizer in optimizers}))
        return UpdateRule(remark=f"Several optimizers make the updates: {names}.", one_rate=False)
    rates = {str(_config(optimizer).get("learning_rate")) for optimizer in optimizers}
    return rules[0]._replace(one_rate=len(rates) == 1)


def _rule_of(optimizer: Mapping[str, Any]) -> UpdateRule:
    name, config = str(optimizer.get("class") or ""), _config(optimizer)
    if optimizer.get("own") is True:
        return UpdateRule(remark=f"The program defines the update rule of {name or 'the optimizer'} itself.")
    make = _RULES.get(name.lower())
    if make is None:
        return UpdateRule(remark=f"The update rule of {name or 'the optimizer'} is not written here.")
    terms = make(config)
    decay = _setting(config, "weight_decay")
    if decay:
        weight = Term("w", "old weight", sub="old")
        terms += (PLUS, RATE, TIMES, _constant(decay, "weight decay"), TIMES, weight)
    steps = int(_setting(config, "gradient_accumulation_steps") or 1)
    remark = f"The gradient is the mean over {steps:,} steps, and only the last of them updates." if steps > 1 else ""
    is_product = terms == (RATE, TIMES, GRADIENT) and steps == 1
    where = _where(name.lower(), config)
    return UpdateRule((_SUM[0], *terms, _SUM[1]) if PLUS in terms else terms, where, remark, is_product)


def _config(optimizer: Mapping[str, Any]) -> _Config:
    config = optimizer.get("config")
    return config if isinstance(config, dict) else {}


def _setting(config: _Config, name: str) -> float:
    value = config.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


_ADAM_WHERE = "m̂, v̂: running means of the gradient and of gradient²"
_WHERE = {
    "adam": _ADAM_WHERE,
    "adamw": _ADAM_WHERE,
    "nadam": f"{_ADAM_WHERE}, m̂ with Nesterov's momentum",
    "adamax": "m̂: running mean of the gradient, u: running maximum of its size",
    "adagrad": "Σ gradient²: the sum over all steps so far",
    "adadelta": "RMS(Δ), RMS(gradient): running root mean squares of updates and gradients",
    "lion": "m̂: running mean of the gradient",
    "lamb": "a: Adam's direction m̂ / (√v̂ + ε)",
}


def _constant(value: float, words: str) -> Term:
    return Term(number(value), f"{words} {number(value)}")


def _where(name: str, config: _Config) -> str:
    """Returns what the symbols of a rule stand for."""
    if name == "sgd":
        return (
            "v: the sum of the earlier updates, each times the momentum once more"
            if _setting(config, "momentum")
            else ""
        )
    if name == "rmsprop":
        mean = ", ḡ: that of the gradient" if config.get("centered") else ""
        last = ", Δ: the update before" if _setting(config, "momentum") else ""
        return f"v: running mean of gradient²{mean}{last}"
    return _WHERE.get(name, "") + (", max v̂: the largest v̂ so far" if config.get("amsgrad") else "")


# -- one function for each rule, as Keras computes it


def _sgd(config: _Config) -> _Terms:
    momentum = _setting(config, "momentum")
    if not momentum:
        return RATE, TIMES, GRADIENT
    # Keras keeps the velocity with the learning rate in it; Nesterov's rule applies the momentum to the new velocity.
    velocity = Term("v", "new velocity", sub="new") if config.get("nesterov") else Term("v", "old velocity", sub="old")
    return _constant(momentum, "momentum"), TIMES, velocity, PLUS, RATE, TIMES, GRADIENT


def _adam(config: _Config) -> _Terms:
    if config.get("amsgrad"):
        words = "running mean of the gradient, divided by the root of the largest running mean of its square so far"
        return RATE, TIMES, Term("m̂", words, "gradient", "√max v̂ + ε")
    return RATE, TIMES, _ADAM


def _adamax(config: _Config) -> _Terms:
    words = "running mean of the gradient, divided by the running maximum of its size"
    return RATE, TIMES, Term("m̂", words, "gradient", "u + ε")


def _rmsprop(config: _Config) -> _Terms:
    root = "√(v - ḡ² + ε)" if config.get("centered") else "√(v + ε)"
    words = "gradient, divided by the root of the running mean of its square"
    terms, momentum = (RATE, TIMES, Term("gradient", words, "gradient", root)), _setting(config, "momentum")
    last = Term("Δ", "the update before", sub="old")
    return (_constant(momentum, "momentum"), TIMES, last, PLUS, *terms) if momentum else terms


def _adagrad(config: _Config) -> _Terms:
    words = "gradient, divided by the root of the sum of its squares so far"
    return RATE, TIMES, Term("gradient", words, "gradient", "√(Σ gradient² + ε)")


def _adadelta(config: _Config) -> _Terms:
    words = "root mean square of the updates so far, divided by that of the gradients"
    return RATE, TIMES, Term("RMS(Δ)", words, over="RMS(gradient)"), TIMES, GRADIENT


def _lion(config: _Config) -> _Terms:
    return RATE, TIMES, Term("sign(m̂)", "sign of a running mean of the gradient", "gradient")


def _lamb(config: _Config) -> _Terms:
    ratio = Term("‖w‖", "norm of the weight, divided by that of Adam's direction", over="‖a‖")
    direction = Term("a", "Adam's direction: the running mean of the gradient over the root of that of its square",
                     "gradient")  # fmt: skip
    return RATE, TIMES, ratio, TIMES, direction


_RULES: dict[str, Callable[[_Config], _Terms]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adam,
    "nadam": _adam,
    "adamax": _adamax,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "lion": _lion,
    "lamb": _lamb,
}
