"""The first two fields of serialized events, time and step, of many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_TIME, _STEP = 9, 16  # the first byte of these two fields, with which an event begins
_TIME_SIZE = 9  # bytes of the first field
_LONGEST = 17  # bytes of both, for steps of less than 2**49; all of them are valid
_NO_EVENT = bytes(_LONGEST)


def event_heads(records: Sequence[bytes]) -> tuple[list[int], list[int]]:
    """Returns how many bytes time and step take at the start of each record, and the steps.

    0 bytes: the record must be parsed, since it begins otherwise, has no other field, or has a larger step.
    """
    starts = b"".join([record[:_LONGEST] if len(record) > _LONGEST else _NO_EVENT for record in records])
    data = np.frombuffer(starts, np.uint8).reshape(len(records), _LONGEST)
    number = data[:, _TIME_SIZE + 1 :]  # seven bits in a byte, the lowest first; the highest bit: a byte follows
    is_last = number < 128
    last = is_last.argmax(axis=1)
    place = np.arange(number.shape[1])
    bits = np.where(place <= last[:, None], number & 127, 0).astype(np.int64)
    has_step = data[:, _TIME_SIZE] == _STEP
    steps = np.where(has_step, (bits << 7 * place).sum(axis=1), 0)
    sizes = np.where(has_step, _TIME_SIZE + 2 + last, _TIME_SIZE)
    is_read = (data[:, 0] == _TIME) & (is_last.any(axis=1) | ~has_step)
    return np.where(is_read, sizes, 0).tolist(), steps.tolist()
