"""The plugin: one small handler per route. It reads through TensorBoard's data provider only, and writes nothing."""

from __future__ import annotations

import hashlib
import time
from contextlib import ExitStack
from typing import Any

import numpy.ma  # noqa: F401  # the first median imports it, which would be while somebody waits for the first run
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from .. import answers, schema
from ..reader import ProviderReader
from .answer_cache import cached_answer, diagnosis_of, memo_of, revision_of
from .diagnosis_cache import DiagnosisCache, RunLocation
from .http_responses import (
    NotFound,
    error_response,
    json_answer,
    method_not_allowed,
    resolution,
    revalidated,
    route,
    text,
)
from .requested import opened_launch, opened_run, requested_experiment, requested_launch
from .run_entries import run_entry
from .run_table_cache import RunTableCache
from .shared_answers import Answer, SharedAnswers
from .static_files import static_files


class WeightWatchPlugin(base_plugin.TBPlugin):  # type: ignore[misc]
    """The panel "Weight watch".

    Attributes:
        reader: reads runs through TensorBoard's data provider.
        diagnoses: the diagnoses of the run list.
        tables: the rows of the table of all runs.
        shared: the answers that are being computed or took long.
    """

    plugin_name = schema.PLUGIN

    def __init__(self, context: Any) -> None:
        self.reader = ProviderReader(context.data_provider, hints=context.sampling_hints)
        self.diagnoses = DiagnosisCache(self.reader)
        self.tables = RunTableCache(self.reader, self.diagnoses)
        self.shared = SharedAnswers()
        self._static = static_files()

    def get_plugin_apps(self) -> dict[str, Any]:
        """Returns the routes; they answer GET and HEAD only."""
        return {
            "/index.js": self._file,
            "/static/*": self._file,
            "/runs": self._runs(),
            "/overview": self._overview(),
            "/heatmap": self._heatmap(),
            "/curves": self._curves(),
            "/maps": self._maps(),
            "/compare": self._compare(),
            "/explanation": self._explanation(),
            "/table": self._table(),
        }

    def is_active(self) -> bool:
        """Returns False without any work: TensorBoard uses `data_plugin_names` instead."""
        return False

    def data_plugin_names(self) -> tuple[str, ...]:
        """Returns the plugins whose data activate the tab: ours, and those that third-party logs write."""
        return (schema.PLUGIN, "scalars", "histograms")

    def frontend_metadata(self) -> Any:
        """Returns the panel's module and the name of its tab."""
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="Weight watch")

    # -- routes

    @wrappers.Request.application  # type: ignore[untyped-decorator]
    def _file(self, request: Any) -> Any:
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed(request)
        name = request.path.rpartition(f"/{schema.PLUGIN}/")[2].removeprefix("static/")
        if name not in self._static:
            return error_response(request, 404, "the panel has no such file")
        return revalidated(request, *self._static[name])

    @route
    def _runs(self, request: Any) -> Answer:
        ctx, experiment = requested_experiment(request)
        now, budget, entries = time.time(), self.diagnoses.budget(), {}
        digest = hashlib.sha256()
        for run_name, run in sorted(self.reader.poll(ctx, experiment).items()):
            location = RunLocation(ctx, experiment, run_name)
            launches = [(x, self.diagnoses.get(location, run, x, now, budget)) for x in list(run.launches)]
            if launches:
                listed = [run_entry(run, x, d, now) for x, d in launches]
                entries[run_name] = [entry.fields for entry in listed]
                digest.update(repr((run_name, [entry.digest for entry in listed])).encode())
        runs = answers.runs(digest.hexdigest()[:16], entries)
        return json_answer(runs, complete=not budget.was_refused)

    @route
    def _table(self, request: Any) -> Answer:
        ctx, experiment = requested_experiment(request)
        table = self.tables.table(ctx, experiment, self.reader.poll(ctx, experiment), time.time())
        return json_answer(table, complete=not table["pending"])

    @route
    def _overview(self, request: Any) -> Answer:
        with opened_launch(self.reader, request) as (run, run_name, launch):
            now = time.time()
            state = answers.state(launch, now)

            def payload() -> Any:
                maps = run.map_revisions.get(launch.history.launch, "")
                overview = answers.overview(run_name, launch, diagnosis_of(launch), now, run.skipped.total())
                revision = {"revision": f"{run.revision}:{state.name}", "maps": maps}
                return {**answers.with_source(overview, launch.history), **revision}

            return cached_answer(run.memo, ("overview", launch.history.launch, state), payload)

    @route
    def _heatmap(self, request: Any) -> Answer:
        quantity = text(request.args, "quantity", required=True)
        columns, steps = resolution(request.args)
        with opened_launch(self.reader, request) as (_, _, launch):

            def payload() -> Any:
                diagnosis = diagnosis_of(launch)
                heatmap = answers.heatmap(launch.history, quantity, columns, steps=steps, diagnosis=diagnosis)
                return {**heatmap, "revision": revision_of(launch)}

            try:
                return cached_answer(memo_of(launch), ("heatmap", quantity, columns, steps), payload)
            except KeyError:
                raise NotFound(f"no quantity {quantity!r} was recorded in this launch") from None

    @route
    def _curves(self, request: Any) -> Answer:
        name = text(request.args, "name")
        columns, steps = resolution(request.args)
        with opened_launch(self.reader, request) as (_, _, launch):

            def payload() -> Any:
                curves = answers.curves(launch.history, name, columns, steps=steps)
                return {**curves, "revision": revision_of(launch)}

            try:
                return cached_answer(memo_of(launch), ("curves", name, columns, steps), payload)
            except KeyError:
                raise NotFound(f"no variable or layer {name!r} was recorded in this launch") from None

    @route
    def _maps(self, request: Any) -> Answer:
        name = text(request.args, "name", required=True)
        with opened_launch(self.reader, request) as (run, run_name, launch):
            variable = next((v for v in launch.history.variables if v.name == name), None)
            if variable is None:
                raise NotFound(f"no variable {name!r} was recorded in this launch")
            revision = run.map_revisions.get(launch.history.launch, "")

            def payload() -> Any:
                maps, left_out = self.reader.maps(*requested_experiment(request), run_name, launch.history.launch, name)
                return answers.maps(variable, maps, revision=revision, left_out=left_out)

            return cached_answer(launch.maps, (revision, name), payload)

    @route
    def _compare(self, request: Any) -> Answer:
        run, launch = text(request.args, "run", required=True), text(request.args, "launch")
        other_run, other_launch = text(request.args, "other", required=True), text(request.args, "other_launch")
        with ExitStack() as stack:
            # Always locked in the same order: two requests that lock the same runs crosswise would wait forever.
            opened = {
                name: stack.enter_context(opened_run(self.reader, request, name)) for name in sorted({run, other_run})
            }
            one = requested_launch(opened[run], run, launch)
            other = requested_launch(opened[other_run], other_run, other_launch)

            def payload() -> Any:
                diagnoses = diagnosis_of(one), diagnosis_of(other)
                names = answers.label(run), answers.label(other_run)
                comparison = answers.compare(one.history, other.history, diagnoses, names)
                return {**comparison, "revision": f"{revision_of(one)} {revision_of(other)}"}

            key = ("compare", other_run, other.history.launch, revision_of(other))
            return cached_answer(memo_of(one), key, payload)

    @route
    def _explanation(self, request: Any) -> Answer:
        rule, quantity = text(request.args, "rule"), text(request.args, "quantity")
        try:
            return json_answer(answers.explanation(rule=rule, quantity=quantity))
        except KeyError as error:
            raise NotFound(str(error.args[0])) from None
