"""Several trainings in one folder, and a folder that is removed: all rows are seen, by both loaders and the review."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tb_weightwatch as ww
from tb_weightwatch.reader import launches, runs
from tests.support.tensorboard_process import get_json, tensorboard
from tests.support.trainer_process import Trainer
from tests.support.until import until

HOUR, YEAR = 3600.0, 365 * 86400.0
LOADERS = ("--load_fast=true", "--load_fast=false")
Rows = list[tuple[str, list[int]]]  # label of each run, and the rows of its launches, sorted


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def addresses(logs: Path) -> Iterator[list[str]]:
    """Two TensorBoards of the same directory, one with each loader, that run all the time."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(tensorboard(logs, loader, tensorflow=False)) for loader in LOADERS]
        yield [f"{address}/data/plugin/weightwatch" for address in found]


def rows_in_panel(address: str, name: str) -> Rows:
    """Returns the rows of the runs in one folder, as the panel shows them."""
    found = []
    for run in get_json(f"{address}/runs")["runs"]:
        if run["label"].split("/")[0] == name:
            urls = [f"{address}/overview?run={run['run']}&launch={one['launch']}" for one in run["launches"]]
            found.append((run["label"], sorted(get_json(url)["rows"] for url in urls)))
    return sorted(found)


def rows_in_files(logs: Path, name: str) -> Rows:
    found = []
    for run, directory in runs(logs / name):
        read = launches(directory)
        assert not any(launch.skipped for launch in read)
        found.append((name if run == "." else f"{name}/{run}", sorted(len(launch.history) for launch in read)))
    return sorted(found)


@pytest.fixture
def shown(logs: Path, addresses: list[str]) -> Callable[[str, Rows], None]:
    """Returns a check that both loaders come to show these rows, and that the files hold them."""

    def check(name: str, expected: Rows) -> None:
        for address in addresses:
            seen: list[Any] = []

            def is_shown(address: str = address, seen: list[Any] = seen) -> bool:
                with contextlib.suppress(AssertionError):  # a run is listed a moment before its rows can be read
                    seen[:] = rows_in_panel(address, name)
                return seen == expected

            try:
                until(is_shown, 40)
            except AssertionError:
                pytest.fail(f"{address} shows {seen} and not {expected}")
        assert rows_in_files(logs, name) == expected

    return check


def test_two_processes_in_one_folder(logs: Path, shown: Callable[[str, Rows], None]) -> None:
    """The second one, whatever its clock says, is a run below the first; both are followed and told as they grow."""
    clocks = {"same": 0.0, "back": -5 * HOUR, "ahead": 30 * YEAR}
    with contextlib.ExitStack() as stack:
        pairs = {
            name: [stack.enter_context(Trainer(logs / name, seconds)) for seconds in (0.0, clock)]
            for name, clock in clocks.items()
        }
        own = {name: f"{name}/process-{second.process.pid}" for name, (_, second) in pairs.items()}
        for first, second in pairs.values():
            first.do("train(20)")
            second.do("train(30)")
        for name in pairs:
            shown(name, [(name, [20]), (own[name], [30])])
        for first, second in [*pairs.values(), *pairs.values()]:
            first.do("train(10)")
            second.do("train(10)")
        for name in pairs:
            shown(name, [(name, [40]), (own[name], [50])])
        for name, (first, second) in pairs.items():
            assert first.end() == (0, "")
            status, told = second.end()
            assert status == 0 and told.count("another training records in") == 1 and own[name] in told
            assert [history.ended is not None for history in ww.read(logs / name)] == [True]


def test_restarts_with_any_clock(logs: Path, shown: Callable[[str, Rows], None]) -> None:
    """Each start is a launch of the same run, also with fewer or more steps, while TensorBoard reads on."""
    expected: list[int] = []
    for steps, clock in ((30, 0.0), (10, -5 * HOUR), (50, 40 * YEAR), (20, -20 * YEAR)):
        with Trainer(logs / "restarts", clock) as trainer:
            trainer.do(f"train({steps})")
            assert trainer.end() == (0, "")
        expected.append(steps)
        shown("restarts", [("restarts", sorted(expected))])


def test_a_training_that_ends_and_goes_on(logs: Path, shown: Callable[[str, Rows], None]) -> None:
    """The closed file goes on; where another training has used the folder meanwhile, in a further file or folder."""
    with Trainer(logs / "goes-on") as first, Trainer(logs / "goes-on") as second:
        end = "writer._recorder.end('completed')"
        for statement in ("train(10)", end, "train(10)", end):
            first.do(statement)
        shown("goes-on", [("goes-on", [20])])
        assert len(list((logs / "goes-on" / "weightwatch").iterdir())) == 1
        second.do("train(5)")
        second.do(end)
        first.do("train(10)")
        shown("goes-on", [("goes-on", [5, 30])])
        first.do(end)
        second.do("train(5)")
        first.do("train(10)")  # the second one writes there now
        own = f"goes-on/process-{first.process.pid}"
        shown("goes-on", [("goes-on", [10, 30]), (own, [40])])
        assert first.end()[0] == second.end()[0] == 0


def test_a_folder_that_is_removed(logs: Path, addresses: list[str], shown: Callable[[str, Rows], None]) -> None:
    """All that was recorded is written again, which is told once however often it happens."""
    with Trainer(logs / "removed") as trainer:
        trainer.do("train(40)")
        shown("removed", [("removed", [40])])
        for more in (10, 20):
            shutil.rmtree(logs / "removed")
            # TensorBoard's Python loader finds the new file only if it has seen that the folder is gone.
            until(lambda: not any("removed" in str(get_json(f"{address}/runs")) for address in addresses))
            trainer.do(f"train({more})")
            trainer.do("train(1)")
        shown("removed", [("removed", [72])])
        status, told = trainer.end()
        assert status == 0 and told.count("was removed") == 1
    (history,) = ww.read(logs / "removed")
    assert history.complete and history.ended is not None and history.variables[0].name == "w"


def test_forked_children(logs: Path, shown: Callable[[str, Rows], None]) -> None:
    """A child leaves its parent's recording alone, whatever it does; it can read it, and record its own training."""
    with Trainer(logs / "forked") as trainer:
        trainer.do("train(20)")
        for in_child in (
            "os._exit(0)",
            "sys.exit(0)",
            "os._exit(writer.diagnosis.rows - 20)",
            "train(15); writer.close(); os._exit(writer.diagnosis.rows - 35)",
            "os.kill(os.getpid(), signal.SIGTERM)",
        ):
            trainer.do(_forked(in_child))
        own = "mine = ww.summary.create_file_writer(logs, verbose=False); train(15, mine); sys.exit(0)"
        trainer.do(_forked(own))
        trainer.do("import multiprocessing as mp; pool = mp.get_context('fork').Pool(2)")
        trainer.do("assert pool.map(abs, range(10)) == list(range(10))")
        trainer.do("train(10)")
        (child,) = [name for name, _ in rows_in_files(logs, "forked") if name != "forked"]
        shown("forked", [("forked", [30]), (child, [15])])
        assert trainer.end()[0] == 0
    assert len(list((logs / "forked" / "weightwatch").iterdir())) == 1


def _forked(statement: str) -> str:
    """Returns a line that executes a statement in a child of fork(), and checks that the child ends as it should."""
    expected = -15 if "SIGTERM" in statement else 0
    return (
        f"child = os.fork(); child or exec({statement!r}); "
        f"status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]); assert status == {expected}, status"
    )
