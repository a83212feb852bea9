"""What a reader accepts at most. Each number is what the writer can write, with room; a file may hold anything.

A *value* of JSON is a number, string, list or object; a value of rows is one number of one column. What exceeds a bound
is skipped and counted, and memory is taken only after the bound was checked.
"""

from __future__ import annotations

# -- of one datum: the bytes of its decompressed message

# Dated records take about 400 bytes for each variable, with its layer: 80,000 variables. The status holds one row (65
# bytes a variable) and names of variables in its verdicts. A block is bounded by its values (up to 8 bytes each). The
# writer ends a datum of arrays after 16 MiB and one more part of 16 MiB.
MAX_RAW = {"RECORDS": 1 << 25, "NOW": 1 << 25, "ROWS": 1 << 26, "MAPS": 5 << 23}
# Fields of the message; and, where its inner messages have repeated fields, the number of the field that holds them,
# how many fields they may have together, and the number of their field with packed numbers. 20,000 records wait for a
# block at most; a status holds a row in its seventh of eight fields; a datum holds eight arrays, of ten fields, for
# each of 10,000 variables.
MAX_PARTS = {
    "RECORDS": (1 << 16, 0, 0), "NOW": (16, 7, 1 << 9), "ROWS": (1 << 9, 0, 0), "MAPS": (1 << 17, 3, 1 << 21, 3)
}  # fmt: skip
# Bytes of a message whose fields are not counted: a field has at least two, so parsing takes 2 MB of memory at most. A
# field that occurs again, or of a kind that the writer does not write, is then ignored.
MAX_UNCOUNTED = 1 << 14

# -- of JSON

MAX_JSON_VALUES = 1 << 19  # of one record: 16 for each of 32,000 variables; parsed, each takes about 100 bytes
MAX_RUN_VALUES = 1 << 21  # of all records of a run: eight trainings of 10,000 variables with their layers
MAX_ALL_VALUES = 1 << 23  # of all runs that a server holds: 1,000 runs of 500 variables
# What a run may hold in any case, however much the others hold: the description of 250 variables.
GUARANTEED_VALUES = 1 << 12
RECORD_VALUES = 8  # as which a record itself counts, beside its content

# -- of rows

MAX_ROWS = 1 << 16  # of a block
MAX_COLUMNS = 256  # of a block; the table of quantities has fewer than 100
MAX_CELLS = 1 << 23  # values of a block: rows x width, summed over columns
MAX_WIDTH = 1 << 17  # variables or layers
MAX_NAME = 200  # characters of a column's name
MAX_STEP = 1 << 53  # training steps, and other counts: larger integers are not exact in a browser
MAX_TIME = 1e12  # seconds; the writer clips times to it
# The schedule records 700 rows while the steps double, 10,300 at ten million: with 1,000 variables 2.3e8 values.
MAX_LAUNCH_CELLS = 1 << 28
MAX_RUN_CELLS = 1 << 29

# -- of arrays (histograms, motion maps, tensors)

MAX_ELEMENTS = 1 << 30  # of one tensor
MAX_DIMENSIONS = 32
# Tensors do not compress, histograms about 25 times, and a byte of theirs becomes four: 64 bytes held for each byte
# read is more than any training gives, apart from tensors of zeros, which the first number is for.
FREE_ARRAY_BYTES = 1 << 25
ARRAY_BYTES_PER_BYTE = 64
ARRAY_BYTES = 500  # as which an array itself counts, beside its elements

# -- of tags

MAX_TAG = 200  # characters; an identifier of a launch has 100 at most
MAX_LAUNCHES = 2000  # of a run
# Data of a run that are numbered: a block every 15 minutes for seven years.
MAX_DATA = 1 << 18
MAX_WAITING = 1 << 29  # bytes of a run that are not decoded yet
MAX_REASONS = 50  # different reasons for which data of a run were skipped, that are kept apart

# -- of event files

MAX_RECORD = 1 << 28  # bytes of a record; ours have 64 MiB at most, and graphs of others rarely 100
