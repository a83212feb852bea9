"""Reads the third-party logs of a run directory: event files of others with their validation half, or text files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from .assembly import RunAssembler
from .event_records import put_records
from .file_kinds import ReadableFiles
from .launch import Launch
from .run_directories import event_files, is_event_file
from .third_party import (
    TagCollector,
    add_validation,
    is_training,
    metric_files,
    read_metric_file,
    third_party_launches,
    validation_halves,
)


def read_third_party(
    path: str, collectors: Sequence[TagCollector], files: ReadableFiles, *, within: bool
) -> list[Launch]:
    """Returns the launches that event files of others hold, or else those in text files.

    Args:
        path: the run directory, or the file.
        collectors: what its event files hold.
        files: decides which files are read, and counts what is not.
        within: whether the validation half, which is beside the directory, must be in the log directory of `files`.
    """
    directory = os.path.dirname(path) if is_event_file(path) else path
    validation = _validation_half(path) if any(collectors) else ""
    if validation and (files.is_inside(validation) or not within):
        collector = TagCollector()
        for file in event_files(validation, replace(files, root=validation)):
            put_records(file, RunAssembler(), collector)
        add_validation(collectors[-1], collector)
    result = third_party_launches(collectors, directory)
    if not result:
        texts = [read_metric_file(file) for file in metric_files(path) if files.may_read(file)]
        result = third_party_launches(texts, directory)
        for text in texts:
            if not text:
                files.skipped.note_all(text.skipped)
    return result


def _validation_half(path: str) -> str:
    """Returns the local directory of the validation that belongs to a training; "" if there is none."""
    if "://" in path or not is_training(path):
        return ""
    training = os.path.abspath(path)
    parent = os.path.dirname(training)
    names = os.listdir(parent) if os.path.isdir(parent) else ()  # it may be gone by now
    return validation_halves(os.path.join(parent, name) for name in names).get(training, "")
