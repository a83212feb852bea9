"""Which experiment, run and launch a request asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tensorboard import plugin_util

from ..reader import CachedRun, Launch, ProviderReader
from .http_responses import NotFound, text


def requested_launch(run: CachedRun, run_name: str, launch: str) -> Launch:
    """Returns the launch of a run with this id; the newest one if it is "".

    Raises:
        NotFound: the run has no such launch.
    """
    launches = [x for x in run.launches if launch in ("", x.history.launch)]
    if not launches:
        raise NotFound(f"run {run_name!r} has no launch {launch!r} that can be read")
    return launches[-1]


def requested_experiment(request: Any) -> tuple[Any, str]:
    """Returns the context and the experiment of a request, as a data provider identifies them."""
    return plugin_util.context(request.environ), plugin_util.experiment_id(request.environ)


@contextmanager
def opened_run(reader: ProviderReader, request: Any, run_name: str) -> Iterator[CachedRun]:
    """Opens a run. A KeyError raised while it is open is not taken for a missing run.

    Raises:
        NotFound: there is no such run.
    """
    with ExitStack() as stack:
        try:
            run = stack.enter_context(reader.locked_run(*requested_experiment(request), run_name))
        except KeyError:
            raise NotFound(f"no run {run_name!r} with data of tb_weightwatch or a third-party log") from None
        yield run


@contextmanager
def opened_launch(reader: ProviderReader, request: Any) -> Iterator[tuple[CachedRun, str, Launch]]:
    """Yields run, run name and launch that a request names; the newest launch if it names none."""
    run_name, launch = text(request.args, "run", required=True), text(request.args, "launch")
    with opened_run(reader, request, run_name) as run:
        yield run, run_name, requested_launch(run, run_name, launch)
