"""One process of the coverage-guided fuzzer (atheris): `python -m tests.harm.fuzz_process TARGET SECONDS FOLDER SEED`.

TARGET is "decoder" or "route". An input that raises, hangs or takes too much memory is left in FOLDER as "crash-...",
"timeout-..." or "oom-...", and the process ends with an error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import atheris

INSTRUMENTED = {
    "decoder": ["tb_weightwatch.schema", "tb_weightwatch.reader"],
    "route": ["tb_weightwatch.plugin", "tb_weightwatch.answers", "tb_weightwatch.reader"],
}
LONGEST = 2.0  # seconds of the processor that one input may take, the fuzzer's own instruments included
HANGS, MOST_MEGABYTES = 60, 2048  # seconds after which an input hangs, however busy the machine; memory of the process


class TooSlowError(Exception):
    """An input took too long."""


def target_of(name: str) -> tuple[Callable[[bytes], None], Iterator[bytes]]:
    """Returns the function that takes an input, and the inputs to begin with."""
    with atheris.instrument_imports(include=INSTRUMENTED[name]):
        from tb_weightwatch.reader import read_without_tensorflow

        if name == "decoder":
            from . import decoder_targets as targets
        else:
            from . import route_targets as targets  # type: ignore[no-redef]
    read_without_tensorflow()
    return targets.feed, targets.seeds()


def in_time(feed: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Returns a function that feeds an input, and raises `TooSlowError` if that took too long."""

    def timed(data: bytes) -> None:
        began = time.process_time()
        feed(data)
        if (seconds := time.process_time() - began) > LONGEST:
            raise TooSlowError(f"{seconds:.1f} s")

    return timed


def main() -> None:
    """Fuzzes until the time is over."""
    name, seconds, folder, seed = sys.argv[1:]
    feed, seeds = target_of(name)
    corpus = Path(folder, "corpus")
    corpus.mkdir(exist_ok=True)
    for number, valid in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(valid)
    limits = [f"-max_total_time={seconds}", f"-timeout={HANGS}", f"-rss_limit_mb={MOST_MEGABYTES}", "-max_len=20000"]
    limits.append(f"-seed={int(seed) + 1}")  # 0 would mean a random one
    found = [f"-artifact_prefix={folder}/", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, *found, str(corpus)], in_time(feed))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
