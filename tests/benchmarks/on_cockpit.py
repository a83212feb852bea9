"""Cockpit (PyTorch, configuration "economy") on 3c3d: its step against its own plain step, by turns; prints JSON.

It stands alone, for an environment of its own with torch and cockpit-for-pytorch:

PYTHON tests/benchmarks/on_cockpit.py --seconds 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from backpack import extend
from cockpit import Cockpit
from cockpit.utils.configuration import configuration
from torch import nn


def network() -> nn.Sequential:
    """3c3d, as `models.cnn`."""
    pool = lambda: nn.MaxPool2d(3, 2, padding=1)  # noqa: E731
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 5), nn.ReLU(), pool()),
        *(nn.Conv2d(64, 96, 3), nn.ReLU(), pool()),
        *(nn.Conv2d(96, 128, 3, padding=1), nn.ReLU(), pool(), nn.Flatten()),
        *(nn.Linear(1152, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)),
    )


def plain(x: torch.Tensor, y: torch.Tensor) -> Callable[[int], None]:
    """Returns what trains so many steps."""
    model, loss_of = network(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def run(count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()

    return run


def watched(x: torch.Tensor, y: torch.Tensor) -> Callable[[int], None]:
    """Returns the same with Cockpit's economy gauges, every step."""
    model, loss_of = extend(network()), extend(nn.CrossEntropyLoss(reduction="mean"))
    single = extend(nn.CrossEntropyLoss(reduction="none"))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    cockpit = Cockpit(model.parameters(), quantities=configuration("economy"))
    step = 0

    def run(count: int) -> None:
        nonlocal step
        for _ in range(count):
            optimizer.zero_grad()
            out = model(x)
            loss = loss_of(out, y)
            info = {
                "batch_size": len(x),
                "individual_losses": single(out, y),
                "loss": loss,
                "optimizer": optimizer,
            }
            with cockpit(step, info=info):
                loss.backward(create_graph=cockpit.create_graph(step))
            optimizer.step()
            step += 1

    return run


def main() -> None:
    """Measures both by turns."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=5.0)
    given = ask.parse_args()
    torch.manual_seed(0)
    x, y = torch.randn(128, 3, 32, 32), torch.randint(0, 10, (128,))
    runs = {"plain": plain(x, y), "cockpit": watched(x, y)}
    took: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(3)
    while sum(took["plain"]) < given.seconds:
        for name, run in runs.items():
            begin = time.perf_counter()
            run(4)
            took[name].append(time.perf_counter() - begin)
    each = [a / b for a, b in zip(took["cockpit"], took["plain"], strict=True)]
    low, middle, high = statistics.quantiles(each, n=4)
    step_ms = 250 * statistics.median(took["plain"])
    print(json.dumps({"step_ms": step_ms, "cockpit": {"median": middle, "low": low, "high": high}}))


if __name__ == "__main__":
    main()
