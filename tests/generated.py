"""Builds the committed generated files again, elsewhere, and fails if a byte differs.

`python tests/generated.py` does the protobuf module, `--frontend` the panel's bundle; `--write` keeps what was built.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "tb_weightwatch" / "schema"
STATIC = ROOT / "tb_weightwatch" / "static"
# protoc 25: its modules load on protobuf 3.20 to 7. It needs an older protobuf than TensorFlow: an own environment.
PROTOC = ["grpcio-tools==1.62.3", "setuptools<81"]


def build_schema(target: Path) -> None:
    environment = ROOT / ".venv" / "protoc"
    python = environment / "bin" / "python"
    if not (environment / "stamp").exists():
        venv.create(environment, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PROTOC], check=True)
        (environment / "stamp").touch()
    for name in ("weightwatch.proto",):
        shutil.copy(SCHEMA / name, target)
    command = [python, "-m", "grpc_tools.protoc", f"-I{target}", f"--python_out={target}", f"--pyi_out={target}"]
    subprocess.run([*command, "weightwatch.proto"], check=True, cwd=target)


def build_frontend(target: Path) -> None:
    command = ["npm", "run", "--silent", "build", "--", "--outDir", str(target), "--logLevel", "warn"]
    subprocess.run(command, check=True, cwd=ROOT / "frontend")


def compare(built: Path, committed: Path, names: list[str]) -> list[str]:
    return [
        name
        for name in names
        if not (committed / name).exists() or not filecmp.cmp(built / name, committed / name, shallow=False)
    ]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder)
        frontend = "--frontend" in sys.argv
        (build_frontend if frontend else build_schema)(built)
        committed = STATIC if frontend else SCHEMA
        names = sorted(p.name for p in built.iterdir() if p.suffix in {".js", ".css", ".txt", ".py", ".pyi"})
        if not names:
            print("nothing was built", file=sys.stderr)
            return 1
        if "--write" in sys.argv:
            for name in names:
                shutil.copy(built / name, committed / name)
        different = compare(built, committed, names)
    for name in different:
        command = " ".join(dict.fromkeys([*sys.argv, "--write"]))
        print(f"{committed / name}: not what its source gives; run: python {command}", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
