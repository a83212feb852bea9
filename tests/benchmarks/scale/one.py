"""One measurement in a process of its own, so that its memory is its own; prints JSON.

python -m tests.benchmarks.scale.one PART SIZE
"""

from __future__ import annotations

import json
import sys

from tb_weightwatch.reader.no_tensorflow import read_without_tensorflow

from .parts import PARTS


def main() -> None:
    """Measures."""
    part, size = sys.argv[1:]
    if not PARTS[part].trains:
        read_without_tensorflow()  # its import would take longer than many a measurement
    print(json.dumps(PARTS[part].measure(int(size))))


if __name__ == "__main__":
    main()
