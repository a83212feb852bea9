"""What the server of training processes imports before it is forked; the clock first, since others take its time."""

from __future__ import annotations

import importlib

for _name in (
    "tests.harm.clock",
    "tests.harm.situations",
    "tensorboard.summary.writer.event_file_writer",
    "tb_weightwatch.diagnosis",
    "tests.harm.trainings",
):
    importlib.import_module(_name)
