"""Opens the panel: inline in a notebook, by a message elsewhere."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import sys
import uuid
from typing import Any
from urllib.parse import quote

from .tensorboard_start import start_problem

_PORT = 6006  # TensorBoard's own choice, if it is free
_FRAME = """<iframe id="{frame}" width="100%" height="{height}" frameborder="0" title="weightwatch"></iframe>
<script>
(function () {{
  const url = new URL({address}, window.location);
  if ({port}) url.port = {port};
  url.hash = {fragment};
  document.getElementById("{frame}").src = url;
}})();
</script>"""


def show(logdir: str | os.PathLike[str], *, run: str = "", launch: str = "", height: int = 800) -> None:
    """Opens the panel with the runs of a log directory.

    In a Jupyter notebook it starts TensorBoard, or uses the one that already serves this directory, as `%tensorboard`
    does, and shows it below the cell, with the tab of tb_weightwatch and the run selected. In Colab the tab has to be
    chosen by hand. Elsewhere it prints which command to run and which address to open. It was tested with a stand-in
    for IPython, a real TensorBoard and Chromium; not in each kind of notebook.

    Args:
        logdir: log directory, as for `tensorboard --logdir`.
        run: name of a run, as TensorBoard gives it; "": the panel chooses.
        launch: launch of that run; "": the newest.
        height: height of the frame in pixels.

    Raises:
        RuntimeError: TensorBoard cannot be started.
    """
    logdir, fragment = os.fspath(logdir), _fragment(run, launch)
    kind = _notebook_kind()
    problem = start_problem()
    if not kind:
        if problem:
            print(f"{problem}.\n")
        print(
            f"This is no notebook. To see the panel, run\n\n    tensorboard --logdir {shlex.quote(logdir)}\n\n"
            f"and open http://localhost:{_PORT}/#{fragment} (TensorBoard prints the port if it is another one)."
        )
        return
    if problem:
        raise RuntimeError(problem)
    port = _started(logdir)
    if kind == "colab":
        print('Choose the tab "Weight watch" in TensorBoard.')
        importlib.import_module("tensorboard.notebook").display(port=port, height=height)
        return
    display: Any = importlib.import_module("IPython.display")
    display.display(display.HTML(_frame(port, fragment, height)))


def _fragment(run: str, launch: str) -> str:
    """Returns the part of the address behind "#", which selects the tab, the run and the launch."""
    selection = {"run": run, "launch": launch}
    parts = [f"p.weightwatch.{key}={quote(value, safe='')}" for key, value in selection.items() if value]
    return "&".join(["weightwatch", *parts])


def _notebook_kind() -> str:
    """Returns "colab", "jupyter" for any other kernel of IPython, or "" outside of a notebook."""
    ipython: Any = sys.modules.get("IPython")  # it has been imported wherever it runs
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return ""
    if "google.colab" in sys.modules:
        return "colab"
    return "jupyter" if shell.has_trait("kernel") else ""


def _started(logdir: str) -> int:
    """Starts TensorBoard, or finds the one that was started with the same arguments, and returns its port.

    Raises:
        RuntimeError: it cannot be started.
    """
    manager: Any = importlib.import_module("tensorboard.manager")
    result = manager.start(["--logdir", logdir])
    if isinstance(result, (manager.StartLaunched, manager.StartReused)):
        return int(result.info.port)
    if isinstance(result, manager.StartExecFailed):
        reason = f"{result.os_error}; set TENSORBOARD_BINARY to the path of the command `tensorboard`"
    elif isinstance(result, manager.StartTimedOut):
        reason = f"it has not answered for a minute; it may still be starting as process {result.pid}"
    else:
        reason = f"it ended with exit code {result.exit_code}: {(result.stderr or '').strip()}"
    raise RuntimeError(f"TensorBoard cannot be started: {reason}")


def _frame(port: int, fragment: str, height: int) -> str:
    """Returns the frame: on the host of the notebook's page, or where TENSORBOARD_PROXY_URL says, as `%tensorboard`."""
    proxy = os.environ.get("TENSORBOARD_PROXY_URL", "").replace("%PORT%", str(port))
    return _FRAME.format(
        frame=f"weightwatch-{uuid.uuid4().hex[:12]}",
        height=int(height),
        address=_script_text(proxy or "/"),
        port=0 if proxy else port,
        fragment=_script_text(fragment),
    )


def _script_text(text: str) -> str:
    """Returns a text as a literal of JavaScript that cannot end the script."""
    return json.dumps(text).replace("<", "\\u003c")
