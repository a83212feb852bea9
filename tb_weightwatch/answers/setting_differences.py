"""The settings in which two launches differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..history import History
from ..verdict import number

NOT_RECORDED = "not recorded"
INITIAL_RATE = "initial learning rate"
_OBSERVED = ("made_anew", "called", "updated_variables", "released")  # by the recorder while the loop runs
_NOT_SETTINGS = ("recorder", "foreign", "variables", "layers", *_OBSERVED)
_LABELS = {"optimizers": "optimizer", "versions": "version"}
_DEEPEST = 6
# Settings that act on a link, by the beginning of their names.
_SETTINGS_OF = {"optimizer": ("optimizers", INITIAL_RATE), "loss": ("loss",), "data": ("input", "target", "batch"),
                "activations": ("model", "output_layer"), "gradient": ("loss", "model")}  # fmt: skip


def setting_differences(one: History, other: History, broken_link: str = "") -> list[dict[str, str]]:
    """Returns name, label and both values of each setting that differs; those that act on `broken_link` first."""
    a, b = settings_of(one), settings_of(other)
    differences = [
        {
            "name": name,
            "label": setting_label(name),
            "one": a.get(name, NOT_RECORDED),
            "other": b.get(name, NOT_RECORDED),
        }
        for name in dict.fromkeys([*a, *b])
        if a.get(name) != b.get(name)
    ]
    prefixes = _SETTINGS_OF.get(broken_link, ())
    return sorted(differences, key=lambda setting: not setting["name"].startswith(prefixes))


def settings_of(history: History) -> dict[str, str]:
    """Returns the settings of a launch: dotted name -> value as text. One that is None, "" or False is left out."""
    return dict(_settings(history))


def setting_label(name: str) -> str:
    """Returns the name of a setting for display: "optimizer: momentum"."""
    head, _, tail = name.replace(".config.", ".").partition(".")
    head = _LABELS.get(head.partition("[")[0], head)
    return f"{head}: {tail}" if tail else head.replace("_", " ")


def _settings(history: History) -> Iterator[tuple[str, str]]:
    """Yields name and value of each setting."""
    for name, label in (("learning_rate", INITIAL_RATE), ("batch_size", "batch size")):
        if history.has(name):
            values = history.column(name)[history.known(name)]
            yield label, number(float(values[0]), 4)
    for key, value in history.facts.items():
        if key not in _NOT_SETTINGS:
            yield from _flattened(key, value)
    if history.config.get("rules"):
        yield "rules", str(history.config["rules"])


def _flattened(path: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yields path and text of each value; names that Keras numbers by itself (adam_7) are left out."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, item in value.items():
            # The learning rate of the first recorded row is the one that took effect.
            constant_rate = key == "learning_rate" and isinstance(item, (int, float))
            if not constant_rate and (key not in ("name", "registered_name", "module") or path == "loss"):
                yield from _flattened(f"{path}.{key}", item, depth + 1)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value) and depth < _DEEPEST:
        for index, item in enumerate(value):
            yield from _flattened(path if len(value) == 1 else f"{path}[{index}]", item, depth + 1)
    elif value not in (None, "", False):
        yield path, number(value, 6) if isinstance(value, float) else str(value)
