"""Trains every program broken and repaired, prints each sentence, and serves TensorBoard on the logs."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(highlight=False)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./demo/run", description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--no-serve", action="store_true", help="train and print, then end")
    mode.add_argument("--serve", action="store_true", help="train nothing, and serve what was trained before")
    parser.add_argument("--port", type=int, default=6006, help="port to begin looking for a free one (default 6006)")
    parser.add_argument("--logdir", type=Path, default=Path("logs/demo"), help="where the runs go (default logs/demo)")
    return parser.parse_args()


def train(logdir: Path) -> int:
    """Trains all programs; returns how many answers were not the expected ones."""
    console.print("Loading TensorFlow ...")
    import keras

    from .programs import PROGRAMS

    shutil.rmtree(logdir, ignore_errors=True)
    wrong = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("training", total=2 * len(PROGRAMS))
        for name, program in PROGRAMS.items():
            for broken in (True, False):
                kind = "broken" if broken else "repaired"
                progress.update(task, description=f"{name}, {kind}")
                keras.utils.set_random_seed(1)
                watch = program.train(str(logdir / name / kind), broken)
                wrong += report(program.title, kind, watch.diagnosis, program.cause if broken else None)
                if broken and program.settle is not None:
                    progress.update(task, description=f"{name}, experiments")
                    wrong += report_experiments(program.settle(watch), program.cause)
                progress.advance(task)
    return wrong


def report(title: str, kind: str, diagnosis, expected: str | None) -> int:
    """Prints one program's answer; returns 1 if it is not the expected one."""
    first = next((cause.name for cause in (*diagnosis.verdicts, *diagnosis.suspects)), None)
    right = first == expected and (expected is not None or diagnosis.status == "healthy")
    colour = "green" if diagnosis.status == "healthy" else "red" if diagnosis.status == "sick" else "yellow"
    console.print(f"\n[bold]{title}[/bold] ({kind})  [{colour}]{diagnosis.status}[/{colour}]")
    console.print(f"  {diagnosis.sentence}", markup=False)
    for verdict in diagnosis.verdicts[:1]:
        console.print("  Fix: " + verdict.fix.replace("\n", "\n       "), style="dim", markup=False)
        for effect in verdict.explains:
            console.print(f"  This explains {effect.name}: {effect.message}", style="dim", markup=False)
    if not right:
        console.print(f"  expected: {expected or 'healthy'}", style="bold red")
    return 0 if right else 1


def report_experiments(probe_report, expected: str) -> int:
    """Prints what experiments have shown; returns 1 unless they confirm the expected cause and no other."""
    console.print("  Only suspected, so watch.probe(x, y) tests it:", style="cyan")
    for experiment in probe_report.experiments:
        if experiment.end != "skipped":
            cost = f"{experiment.steps} steps, {experiment.seconds:.1f} s"
            console.print(f"  {experiment.name}: {experiment.outcome}, {cost}", style="dim", markup=False)
    first = probe_report.diagnosis.suspects[0]
    console.print(f"  {first.outcome.capitalize()}: {first.name}, {first.experiment}.", markup=False)
    console.print("  Fix: " + first.fix.replace("\n", "\n       "), style="dim", markup=False)
    right = probe_report.confirmed == (expected,)
    if not right:
        console.print(f"  expected: {expected} confirmed by an experiment", style="bold red")
    return 0 if right else 1


def free_port(first: int) -> int:
    """Returns the first port from `first` on that nobody listens at."""
    for port in range(first, min(first + 100, 65536)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"no free port between {first} and {first + 99}; choose another start with --port")


def serve(logdir: Path, first: int) -> int:
    """Serves until Ctrl-C."""
    port = free_port(first)
    if port != first:
        console.print(f"Port {first} is taken, using {port}.")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", str(port)]
    process = subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    console.print(
        f"\n[bold]Open http://127.0.0.1:{port}/#weightwatch[/bold]   (Ctrl-C ends it; --serve opens it again)"
    )
    try:
        while process.poll() is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 0
    console.print(f"TensorBoard ended by itself with code {process.returncode}; try: {' '.join(command)}", style="red")
    return 1


def main() -> int:
    options = arguments()
    if options.serve and not options.logdir.is_dir():
        console.print(f"There is nothing in {options.logdir}: run ./demo/run without --serve first.", style="red")
        return 1
    wrong = 0 if options.serve else train(options.logdir)
    if wrong:
        console.print(f"\n{wrong} answers were not the expected ones.", style="bold red")
    command = os.path.relpath(Path(sys.executable).parent / "weightwatch")
    console.print(f"\nReview them again with: {command} review {options.logdir}")
    if options.no_serve:
        return 1 if wrong else 0
    return serve(options.logdir, options.port)


if __name__ == "__main__":
    sys.exit(main())
