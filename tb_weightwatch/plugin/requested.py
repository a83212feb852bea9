"""Which experiment and launch a request asks for."""

from __future__ import annotations

from typing import Any

from tensorboard import plugin_util

from ..reader import CachedRun, Launch
from .http_responses import NotFound


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
