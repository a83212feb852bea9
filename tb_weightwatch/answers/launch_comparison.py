"""Two launches held against each other: where they part, link by link, what was set otherwise, and which is better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..history import History
from ..statistics import QUANTITIES
from ..verdict import LINKS, SEVERITIES, Diagnosis, number
from .chain import chain
from .launch_state import severity
from .paired_series import common, pair
from .third_party import with_symptoms

_COLUMNS = {
    "data": ("input_", "target_", "batch_size"),
    "activations": ("zero_share", "dead_share", "saturated_share", "output_"),
    "loss": ("loss",),
    "gradient": ("gradient_norm", "gradient_max", "gradient_zero_share", "gradient_nonfinite"),
    "optimizer": ("learning_rate", "iterations"),
    "update": ("update_norm", "update_max", "changed_share"),
    "weight": ("weight_norm", "weight_max", "weight_nonfinite"),
}
# Where a setting acts: the better run's setting on the worse one's broken link is named first.
_ACTS = {"optimizer": ("optimizers", "learning rate"), "loss": ("loss",), "data": ("input", "target", "batch"),
         "activations": ("model", "output_layer"), "gradient": ("loss", "model")}  # fmt: skip
_NAMES = ("recorder", "foreign", "variables", "layers")


def compare_launches(one: History, other: History, found: tuple[Diagnosis, Diagnosis]) -> dict[str, Any]:
    """Returns how two launches differ.

    "first_step": the first step, of those that both recorded, at which a number differs by more than a hundredth;
    "links": each link's state in both, and when it parts; "settings": what was set otherwise; "better": 0, 1, or None
    where that is not clear, and "why".
    """
    links = _links(one, other, found)
    steps = [link["first_step"] for link in links if link["first_step"] is not None]
    settings = _settings(one, other)
    better, why = _better(one, other, found)
    if better is not None:
        worse = found[1 - better]
        link = worse.verdicts[0].link if worse.status == "sick" and worse.verdicts else ""
        acts = _ACTS.get(link, ())
        settings.sort(key=lambda setting: not setting["name"].startswith(acts) if acts else False)
    return {
        "common_steps": len(common(one, other)[0]),
        "first_step": min(steps, default=None),
        "first_links": [link["link"] for link in links if steps and link["first_step"] == min(steps)],
        "links": links,
        "settings": settings,
        "better": better,
        "why": why,
    }


# -- the chain


def _links(one: History, other: History, found: tuple[Diagnosis, Diagnosis]) -> list[dict[str, Any]]:
    chains = [
        with_symptoms({"chain": chain(h, d), "detail": ""}, h)["chain"]
        for h, d in zip((one, other), found, strict=True)
    ]
    sides = [{link["link"]: link for link in links} for links in chains]
    told, shared = [], common(one, other)
    for name in LINKS:
        at = _parting(name, one, other, shared)
        states = [{key: side[name][key] for key in ("state", "number", "meaning", "text")} for side in sides]
        differs = at is not None or states[0]["state"] != states[1]["state"]
        told.append({"link": name, "title": sides[0][name]["title"], "one": states[0], "other": states[1],
                     "differs": differs, "first_step": at})  # fmt: skip
    return told


def _parting(link: str, one: History, other: History, shared: tuple[Any, Any, Any]) -> int | None:
    steps, *rows = shared
    pairs = [pair(q, one, other, rows) for q in QUANTITIES.values() if q.name.startswith(_COLUMNS[link])]
    first = [row for both in pairs if both is not None and (row := both.first()) is not None]
    return int(steps[min(first)]) if first else None


# -- settings


def _settings(one: History, other: History) -> list[dict[str, str]]:
    here, there = (dict(_flat(h)) for h in (one, other))
    names = dict.fromkeys([*here, *there])
    return [
        {"name": name, "one": here.get(name, "not known"), "other": there.get(name, "not known")}
        for name in names
        if here.get(name) != there.get(name)
    ]


def _flat(history: History) -> Iterator[tuple[str, str]]:
    """Yields each setting's name and value; names that Keras numbers by itself are none."""
    for name, label in (("learning_rate", "learning rate at first"), ("batch_size", "batch size")):
        if history.has(name):
            values = history.column(name)[history.known(name)]
            yield label, number(float(values[0]), 4)
    for key, value in history.facts.items():
        if key not in _NAMES:
            yield from _leaves(key, value)
    if history.config.get("rules"):
        yield "rules", str(history.config["rules"])


def _leaves(path: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth < 6:
        for key, part in value.items():
            told = key == "learning_rate" and isinstance(part, (int, float))  # by its first row, which is what counted
            if not told and (key not in ("name", "registered_name", "module") or path == "loss"):
                yield from _leaves(f"{path}.{key}", part, depth + 1)
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value) and depth < 6:
        for place, part in enumerate(value):
            yield from _leaves(path if len(value) == 1 else f"{path}[{place}]", part, depth + 1)
    elif value not in (None, "", False):
        yield path, number(value, 6) if isinstance(value, float) else str(value)


# -- which is better


def _better(one: History, other: History, found: tuple[Diagnosis, Diagnosis]) -> tuple[int | None, str]:
    order = ("healthy", "undecided", "sick")
    ranks = [(order.index(d.status), SEVERITIES.index(s) if (s := severity(d)) in SEVERITIES else -1) for d in found]
    if ranks[0][0] != ranks[1][0]:
        better = int(ranks[1] < ranks[0])
        return better, f"it is {found[better].status}, the other {found[1 - better].status}"
    late = [_late(history) for history in (one, other)]
    losses = [history.facts.get("loss") for history in (one, other)]
    if losses[0] != losses[1]:
        return None, "their losses are different functions, so they can not be held against each other"
    if not all(np.isfinite(late)) or abs(late[0] - late[1]) <= 0.05 * max(abs(late[0]), abs(late[1])):
        return None, f"both are {found[0].status}, and their losses end alike or are not known"
    better = int(late[1] < late[0])
    ends = f"its loss ends at {number(late[better])}, the other's at {number(late[1 - better])}"
    return better, f"both are {found[0].status}; {ends}"


def _late(history: History) -> float:
    """Returns the mean of the last eighth of the losses; NaN where there is none, or it is not finite."""
    if not history.has("loss"):
        return float("nan")
    loss = history.loss[history.known("loss")]
    return float(np.mean(loss[-max(1, len(loss) // 8) :]))
