"""Records the event files beside it with PyTorch's own SummaryWriter (torch 2.13.0, tensorboard 2.21.0).

    pip install torch tensorboard; python tests/third_party/record.py

They are committed so that the tests need no PyTorch. Few bins keep them small; all else is as usual.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter

HERE = Path(__file__).parent


def train(
    name: str,
    rate: float,
    *,
    epochs: int = 10,
    stop: int = -1,
    nan: int = -1,
    by_step: bool = False,
    log_rate: bool = True,
) -> None:
    torch.manual_seed(0)
    x = torch.randn(96, 8)
    y = (x @ torch.randn(8, 3)).argmax(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.BatchNorm1d(16), torch.nn.Linear(16, 3)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    shutil.rmtree(HERE / name, ignore_errors=True)
    writer = SummaryWriter(HERE / name)
    for epoch in range(epochs):
        if epoch == stop:
            for group in optimizer.param_groups:
                group["lr"] = 0.0
        total = 0.0
        for batch in range(3):
            rows = slice(32 * batch, 32 * batch + 32)
            loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 3
            if by_step:
                writer.add_scalar("Loss/train", loss.item(), 3 * epoch + batch)
        if epoch == nan:
            with torch.no_grad():
                model[0].weight[0, 0] = float("nan")
        if not by_step:
            writer.add_scalar("Loss/train", total, epoch)
            if log_rate:
                writer.add_scalar("lr", optimizer.param_groups[0]["lr"], epoch)
        for key, parameter in model.named_parameters():
            if nan < 0 or epoch <= nan:  # PyTorch itself refuses a histogram of nothing but NaN
                writer.add_histogram(key, parameter, epoch, max_bins=8)
                writer.add_histogram(f"{key}.grad", parameter.grad, epoch, max_bins=8)
        for key, buffer in model.named_buffers():
            if buffer.numel() > 1 and not torch.isnan(buffer).any():
                writer.add_histogram(key, buffer, epoch, max_bins=8)
    writer.close()


if __name__ == "__main__":
    train("torch-healthy", 0.05)
    train("torch-steps", 0.05, by_step=True)
    train("torch-stops", 0.001, stop=4, epochs=18)
    train("torch-stops-untold", 0.001, stop=3, log_rate=False)
    train("torch-nan", 0.05, nan=5)
    with contextlib.suppress(ValueError):  # PyTorch cannot count numbers that overflowed, and ends the training
        train("torch-diverges", 40.0, epochs=8)
