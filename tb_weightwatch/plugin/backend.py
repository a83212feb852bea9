"""The backend: thin routes over reader and answers. It reads through the data provider only, and writes nothing."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorboard import plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from .. import answers, schema
from ..diagnosis import version
from ..reader import Launch, ProviderReader, ReadRun
from ..verdict import Diagnosis
from ._requests import NotFound, failed, packed, refused, route, text, whole_number
from ._static import static_files

_BODIES = 24  # answers that are kept for a launch


class WeightWatchPlugin(base_plugin.TBPlugin):  # type: ignore[misc]
    """The panel "Weight watch"."""

    plugin_name = schema.PLUGIN

    def __init__(self, context: Any) -> None:
        self._reader = ProviderReader(context.data_provider)
        self._static = static_files()

    def get_plugin_apps(self) -> dict[str, Any]:
        """Returns the routes; all answer GET and HEAD alone."""
        return {
            "/index.js": self._file,
            "/static/*": self._file,
            "/runs": self._runs(),
            "/overview": self._overview(),
            "/heatmap": self._heatmap(),
            "/curves": self._curves(),
        }

    def is_active(self) -> bool:
        """Returns False without looking: TensorBoard knows by `data_plugin_names` whether there are data."""
        return False

    def data_plugin_names(self) -> tuple[str, ...]:
        """Returns whose data light the tab."""
        return (schema.PLUGIN,)

    def frontend_metadata(self) -> Any:
        """Returns where the panel's module is and what its tab is called."""
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="Weight watch")

    # -- routes

    @wrappers.Request.application  # type: ignore[untyped-decorator]
    def _file(self, request: Any) -> Any:
        if request.method not in ("GET", "HEAD"):
            return refused(request)
        name = request.path.rpartition(f"/{schema.PLUGIN}/")[2].removeprefix("static/")
        if name not in self._static:
            return failed(request, 404, "the panel has no such file")
        content, kind = self._static[name]
        return http_util.Respond(request, content, kind)

    @route
    def _runs(self, request: Any) -> bytes:
        ctx, experiment = _where(request)
        now, found = time.time(), {}
        for run, entry in self._reader.peek(ctx, experiment).items():
            launches = list(entry.launches)
            where = (ctx, experiment, run)
            found[run] = [answers.launch_entry(x, self._badge(where, entry, x, now), now) for x in launches]
        found = {run: launches for run, launches in found.items() if launches}
        revision = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
        return packed(answers.runs(revision, found))

    @route
    def _overview(self, request: Any) -> bytes:
        with self._launch(request) as (run, name, launch):
            now = time.time()
            stands = answers.state(launch, now)

            def answer() -> Any:
                found = answers.overview(name, launch, _diagnosis(launch), now, run.skipped.total())
                return {**found, "revision": f"{run.revision}:{stands.name}"}

            return _kept(run.memo, ("overview", launch.history.launch, stands), answer)

    @route
    def _heatmap(self, request: Any) -> bytes:
        quantity = text(request.args, "quantity", required=True)
        columns = whole_number(request.args, "columns", 300, 16, 1000)
        with self._launch(request) as (_, _, launch):

            def answer() -> Any:
                return answers.heatmap(launch.history, quantity, columns, revision=_revision(launch))

            try:
                return _kept(_memo(launch), ("heatmap", quantity, columns), answer)
            except KeyError:
                raise NotFound(f"no quantity {quantity!r} was recorded in this launch") from None

    @route
    def _curves(self, request: Any) -> bytes:
        name = text(request.args, "name")
        columns = whole_number(request.args, "columns", 300, 16, 1000)
        with self._launch(request) as (_, _, launch):

            def answer() -> Any:
                return answers.curves(launch.history, name, columns, revision=_revision(launch))

            try:
                return _kept(_memo(launch), ("curves", name, columns), answer)
            except KeyError:
                raise NotFound(f"no variable or layer {name!r} was recorded in this launch") from None

    # -- what they stand on

    @contextmanager
    def _launch(self, request: Any) -> Iterator[tuple[ReadRun, str, Launch]]:
        """Gives the run and the launch that a request names; the newest launch if it names none."""
        run, launch = text(request.args, "run", required=True), text(request.args, "launch")
        ctx, experiment = _where(request)
        try:
            opening = self._reader.opened(ctx, experiment, run)
            opened = opening.__enter__()
        except KeyError:
            raise NotFound(f"no run {run!r} holds data of tb_weightwatch") from None
        try:
            found = [x for x in opened.launches if launch in ("", x.history.launch)]
            if not found:
                raise NotFound(f"run {run!r} has no launch {launch!r} that can be read")
            yield opened, run, found[-1]
        finally:
            opening.__exit__(None, None, None)

    def _badge(self, where: tuple[Any, str, str], entry: ReadRun, launch: Launch, now: float) -> Diagnosis:
        """Returns the diagnosis for the run list: the trainer's own, which needs no rows, where ours would be as it."""
        told = launch.now.diagnosis if launch.now else None
        if told is not None and told.rules == version() and launch.now is not None:
            whole = told.rows == launch.now.rows and not launch.skipped
            if whole or answers.state(launch, now).name == "training":
                return told
        key = f"badge {launch.history.launch}"
        if key not in entry.memo:
            try:
                with self._reader.opened(*where) as opened:
                    same = [x for x in opened.launches if x.history.launch == launch.history.launch]
                    entry.memo[key] = opened.memo[key] = _diagnosis(same[0] if same else launch)
            except KeyError:  # deleted in between
                return _diagnosis(launch)
        found: Diagnosis = entry.memo[key]
        return found


def _where(request: Any) -> tuple[Any, str]:
    return plugin_util.context(request.environ), plugin_util.experiment_id(request.environ)


def _revision(launch: Launch) -> str:
    """Returns what changes when a launch's rows or dated records do."""
    history = launch.history
    return f"{history.launch}:{len(history)}:{len(history.records)}:{int(history.complete)}"


def _memo(launch: Launch) -> dict[Any, Any]:
    """Returns what is kept for the launch's present rows and records."""
    revision = _revision(launch)
    if launch.memo.get("revision") != revision:
        launch.memo.clear()
        launch.memo["revision"] = revision
    return launch.memo


def _diagnosis(launch: Launch) -> Diagnosis:
    memo = _memo(launch)
    if "diagnosis" not in memo:
        memo["diagnosis"] = answers.judge(launch.history)
    found: Diagnosis = memo["diagnosis"]
    return found


def _kept(memo: dict[Any, Any], key: tuple[Any, ...], answer: Callable[[], Any]) -> bytes:
    if key not in memo:
        bodies = [k for k in memo if isinstance(k, tuple)]
        for old in bodies[: max(0, len(bodies) - _BODIES)]:
            del memo[old]
        memo[key] = packed(answer())
    body: bytes = memo[key]
    return body
