"""The recorded data: everything that is diagnosed or drawn is a `History`.

A History is one launch (one process start) of a training: recorded rows, and dated records. It only grows. A value that
was not recorded is "not recorded" (`known` is False); it is not zero, and NaN alone does not mean it.
"""

from .descriptions import RECORD_KINDS, Layer, Record, Variable
from .history import History
from .nearest_name import nearest
from .rows import AXES, Column, Rows

__all__ = ["AXES", "RECORD_KINDS", "Column", "History", "Layer", "Record", "Rows", "Variable", "nearest"]
