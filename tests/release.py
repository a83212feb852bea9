"""Makes wheel and source distribution such that the same commit gives the same bytes (`nox -s release`)."""

from __future__ import annotations

import filecmp
import gzip
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.13")  # the wheel and the source distribution are tried out with these
UNWANTED = (
    *(".git", ".venv", ".nox", ".env", ".*_cache", ".hypothesis"),
    *("node_modules", "build", "dist", "*.egg-info", "logs", "output", "__pycache__"),
)


def build(run: Callable[..., object], folder: Path) -> list[Path]:
    """Builds from a copy of the working tree, in which nothing stale can be, and returns wheel and sdist.

    Args:
        run: `session.run` of nox, or a function like it.
        folder: is removed first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    source = shutil.copytree(ROOT, folder / "source", ignore=shutil.ignore_patterns(*UNWANTED))
    environment = {"SOURCE_DATE_EPOCH": str(commit_time())}
    out = folder / "dist"
    run("python", "-m", "build", "--no-isolation", "--outdir", str(out), str(source), env=environment)
    for file in out.glob("*.tar.gz"):
        normalize(file, commit_time())
    return sorted(out.iterdir())


def commit_time() -> int:
    """Returns when the commit was made, in seconds since 1970: the date of all files in the archives."""
    if not (ROOT / ".git").exists():  # in an unpacked source distribution, whose files have that date
        return int((ROOT / "pyproject.toml").stat().st_mtime)
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def normalize(sdist: Path, seconds: int) -> None:
    """Writes a source distribution anew: sorted, of nobody, with one date. setuptools keeps those of the machine."""
    with tarfile.open(sdist) as archive:
        members = sorted(archive.getmembers(), key=lambda member: member.name)
        contents = [archive.extractfile(member) if member.isfile() else None for member in members]
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
            for member, content in zip(members, contents, strict=True):
                plain = tarfile.TarInfo(member.name)
                plain.type, plain.size, plain.mtime = member.type, member.size, seconds
                plain.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
                new.addfile(plain, content)
    sdist.write_bytes(gzip.compress(packed.getvalue(), mtime=seconds))


def compare(first: list[Path], second: list[Path]) -> None:
    """Raises AssertionError unless two builds have the same files with the same bytes."""
    assert [file.name for file in first] == [file.name for file in second]
    for one, other in zip(first, second, strict=True):
        assert filecmp.cmp(one, other, shallow=False), f"{one} and {other} differ, although one commit made both"


def keep(files: list[Path]) -> list[Path]:
    """Copies the files into dist/, which is emptied first, and returns the copies."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    (ROOT / "dist").mkdir()
    return [Path(shutil.copy(file, ROOT / "dist")) for file in files]
