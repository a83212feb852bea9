"""The backend: thin routes over reader and answers. It reads through the data provider only, and writes nothing."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from tensorboard import plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from .. import answers, schema
from ..reader import CachedRun, Launch, ProviderReader
from .answer_cache import diagnosis_of, kept, memo_of, revision_of
from .diagnosis_cache import PATIENCE, DiagnosisCache, TimeBudget, Where
from .http_responses import NotFound, error_response, gzip_json, method_not_allowed, route, text, whole_number
from .static_files import static_files


class WeightWatchPlugin(base_plugin.TBPlugin):  # type: ignore[misc]
    """The panel "Weight watch"."""

    plugin_name = schema.PLUGIN

    def __init__(self, context: Any) -> None:
        self._reader = ProviderReader(context.data_provider, hints=context.sampling_hints)
        self._badges = DiagnosisCache(self._reader)
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
            "/maps": self._maps(),
            "/compare": self._compare(),
        }

    def is_active(self) -> bool:
        """Returns False without looking: TensorBoard knows by `data_plugin_names` whether there are data."""
        return False

    def data_plugin_names(self) -> tuple[str, ...]:
        """Returns whose data light the tab: ours, and the curves that others write of a training."""
        return (schema.PLUGIN, "scalars", "histograms")

    def frontend_metadata(self) -> Any:
        """Returns where the panel's module is and what its tab is called."""
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="Weight watch")

    # -- routes

    @wrappers.Request.application  # type: ignore[untyped-decorator]
    def _file(self, request: Any) -> Any:
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed(request)
        name = request.path.rpartition(f"/{schema.PLUGIN}/")[2].removeprefix("static/")
        if name not in self._static:
            return error_response(request, 404, "the panel has no such file")
        content, kind = self._static[name]
        return http_util.Respond(request, content, kind)

    @route
    def _runs(self, request: Any) -> bytes:
        ctx, experiment = _where(request)
        now, turns, found = time.time(), TimeBudget(PATIENCE), {}
        for run, entry in self._reader.poll(ctx, experiment).items():
            badge = partial(self._badges.of, Where(ctx, experiment, run), entry, now=now, turns=turns)
            found[run] = [
                answers.launch_entry(x, (b := badge(x)).diagnosis, now, b.symptoms) for x in list(entry.launches)
            ]
        found = {run: launches for run, launches in found.items() if launches}
        revision = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
        return gzip_json(answers.runs(revision, found))

    @route
    def _overview(self, request: Any) -> bytes:
        with self._launch(request) as (run, name, launch):
            now = time.time()
            stands = answers.state(launch, now)

            def answer() -> Any:
                maps = run.map_revisions.get(launch.history.launch, "")
                found = answers.overview(name, launch, diagnosis_of(launch), now, run.skipped.total())
                found = answers.with_symptoms(found, launch.history)
                return {**found, "revision": f"{run.revision}:{stands.name}", "maps": maps}

            return kept(run.memo, ("overview", launch.history.launch, stands), answer)

    @route
    def _heatmap(self, request: Any) -> bytes:
        quantity = text(request.args, "quantity", required=True)
        columns, steps = _part(request)
        with self._launch(request) as (_, _, launch):

            def answer() -> Any:
                told = diagnosis_of(launch)
                found = answers.heatmap(launch.history, quantity, columns, steps=steps, diagnosis=told)
                return {**found, "revision": revision_of(launch)}

            try:
                return kept(memo_of(launch), ("heatmap", quantity, columns, steps), answer)
            except KeyError:
                raise NotFound(f"no quantity {quantity!r} was recorded in this launch") from None

    @route
    def _curves(self, request: Any) -> bytes:
        name = text(request.args, "name")
        columns, steps = _part(request)
        with self._launch(request) as (_, _, launch):

            def answer() -> Any:
                found = answers.curves(launch.history, name, columns, steps=steps)
                return {**found, "revision": revision_of(launch)}

            try:
                return kept(memo_of(launch), ("curves", name, columns, steps), answer)
            except KeyError:
                raise NotFound(f"no variable or layer {name!r} was recorded in this launch") from None

    @route
    def _maps(self, request: Any) -> bytes:
        name = text(request.args, "name", required=True)
        with self._launch(request) as (run, run_name, launch):
            told = [v for v in launch.history.variables if v.name == name]
            if not told:
                raise NotFound(f"no variable {name!r} was recorded in this launch")
            revision = run.map_revisions.get(launch.history.launch, "")

            def answer() -> Any:
                where = (*_where(request), run_name, launch.history.launch, name)
                found, left_out = self._reader.maps(*where)
                return answers.maps(told[0], found, revision=revision, left_out=left_out)

            return kept(launch.maps, (revision, name), answer)

    @route
    def _compare(self, request: Any) -> bytes:
        other = {"run": text(request.args, "other", required=True), "launch": text(request.args, "other_launch")}
        mine = {"run": text(request.args, "run", required=True), "launch": text(request.args, "launch")}
        with ExitStack() as stack:
            # Always in one order: two requests that lock two runs crosswise would wait for each other for ever.
            opened = {
                run: stack.enter_context(self._opened(request, run)) for run in sorted({mine["run"], other["run"]})
            }
            one, two = (_chosen(opened[x["run"]], x["run"], x["launch"]) for x in (mine, other))
            key = ("compare", other["run"], two.history.launch, revision_of(two))

            def answer() -> Any:
                found = answers.compare(one.history, two.history)
                return {**found, "revision": f"{revision_of(one)} {revision_of(two)}"}

            return kept(memo_of(one), key, answer)

    # -- what they stand on

    @contextmanager
    def _launch(self, request: Any) -> Iterator[tuple[CachedRun, str, Launch]]:
        """Gives the run and the launch that a request names; the newest launch if it names none."""
        run, launch = text(request.args, "run", required=True), text(request.args, "launch")
        with self._opened(request, run) as opened:
            yield opened, run, _chosen(opened, run, launch)

    @contextmanager
    def _opened(self, request: Any, run: str) -> Iterator[CachedRun]:
        opening = self._reader.locked_run(*_where(request), run)
        try:
            opened = opening.__enter__()
        except KeyError:
            raise NotFound(
                f"no run {run!r} holds data of tb_weightwatch, or a loss or weights that others wrote"
            ) from None
        try:
            yield opened
        finally:
            opening.__exit__(None, None, None)


def _chosen(opened: CachedRun, run: str, launch: str) -> Launch:
    found = [x for x in opened.launches if launch in ("", x.history.launch)]
    if not found:
        raise NotFound(f"run {run!r} has no launch {launch!r} that can be read")
    return found[-1]


def _part(request: Any) -> tuple[int, answers.StepRange]:
    """Returns the number of buckets and the part of the axis of steps that a request names."""
    first, last = (whole_number(request.args, name, 0, 0, 999_999_999) for name in ("from", "to"))
    return whole_number(request.args, "columns", 300, 16, 1000), answers.StepRange(first, last)


def _where(request: Any) -> tuple[Any, str]:
    return plugin_util.context(request.environ), plugin_util.experiment_id(request.environ)
