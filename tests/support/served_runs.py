"""A log directory to serve to a coding agent, and links that lead out of it."""

from __future__ import annotations

from pathlib import Path

from tests.support import synthetic_runs

WIDE = tuple(f"block_{i}/kernel" for i in range(40))
EVIL = ("\x1b[31mred", "\u202eevil")


def write(path: Path) -> Path:
    """Writes two runs, and outside of them another, to which links lead in every way that a link can.

    Returns the log directory; the other run is in `outside/secret` beside it.
    """
    outside = path / "outside"
    synthetic_runs.write(outside / "secret", 40)
    inside = path / "logs"
    synthetic_runs.write(inside / "wide", 240, variables=WIDE)
    synthetic_runs.write(inside / "sick", 240, nan_from=161, variables=EVIL)
    synthetic_runs.write(inside / "sick", 40, launch="b2", started=synthetic_runs.STARTED + 900)
    (secret,) = (outside / "secret" / "weightwatch").iterdir()
    (inside / "linked").symlink_to(outside / "secret", target_is_directory=True)
    (inside / "linked-part").mkdir()
    (inside / "linked-part" / "weightwatch").symlink_to(outside / "secret" / "weightwatch", target_is_directory=True)
    (inside / "linked-file").mkdir()
    (inside / "linked-file" / secret.name).symlink_to(secret)
    return inside
