"""Records the text logs beside it with the real libraries (torch 2.13.0, transformers 5.24.0, lightning 2.6.6).

    pip install torch transformers accelerate lightning; python tests/third_party/record_text_logs.py

They are committed so that the tests need none of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
from transformers import Trainer, TrainingArguments

HERE = Path(__file__).parent


def samples() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.randn(256, 8)
    return x, (x @ torch.randn(8, 3)).argmax(1)


def network() -> torch.nn.Module:
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))


class TrainerModel(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, x: Any = None, labels: Any = None) -> dict[str, torch.Tensor]:
        logits = self.network(x)
        return {"loss": cross_entropy(logits, labels), "logits": logits}


def train_with_trainer(name: str, rate: float, **options: Any) -> None:
    data = [{"x": x, "labels": y} for x, y in zip(*samples(), strict=True)]
    arguments = TrainingArguments(
        output_dir=str(HERE / name),
        learning_rate=rate,
        num_train_epochs=6,
        logging_steps=4,
        per_device_train_batch_size=16,
        eval_strategy="epoch",
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        **options,
    )
    trainer = Trainer(TrainerModel(), arguments, train_dataset=data, eval_dataset=data[:64])
    trainer.train()
    trainer.save_state()


class LightningModel(lightning.LightningModule):
    def __init__(self, rate: float) -> None:
        super().__init__()
        self.network, self.rate = network(), rate

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        loss = cross_entropy(self.network(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", cross_entropy(self.network(batch[0]), batch[1]))

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        self.log_dict(lightning.pytorch.utilities.grad_norm(self, norm_type=2))

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=self.rate)


def train_with_lightning(name: str, rate: float) -> None:
    batches = DataLoader(TensorDataset(*samples()), 16)
    trainer = lightning.Trainer(
        max_epochs=6,
        logger=CSVLogger(HERE / name, name="", version=""),
        callbacks=[LearningRateMonitor()],
        log_every_n_steps=4,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        accelerator="cpu",
    )
    trainer.fit(LightningModel(rate), batches, batches)


if __name__ == "__main__":
    train_with_trainer("trainer-healthy", 1e-2, optim="adamw_torch")
    train_with_trainer("trainer-diverges", 300.0, optim="sgd", max_grad_norm=0.0)
    train_with_lightning("lightning-healthy", 0.1)
    train_with_lightning("lightning-diverges", 300.0)
