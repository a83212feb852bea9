"""What a coding agent can ask about the runs of a log directory; each answer is JSON and bounded in size."""

from __future__ import annotations

import fnmatch
from typing import Any

from ... import answers
from ...diagnosis import catalogue, section
from ...display import printable
from ...history import nearest
from .column_values import MOST_NAMES, column_values
from .launch_answers import findings, launch_entry
from .log_directory import LogDirectory

MOST_RUNS = 200  # in one answer
_MOST_NAMED = 500  # variables and layers in one answer


class RunTools:
    """The tools of the server; their names, arguments and docstrings are what the agent sees.

    Args:
        logdir: where the runs are.
    """

    def __init__(self, logdir: LogDirectory) -> None:
        self._logdir = logdir

    def list_runs(self, pattern: str = "*", first: int = 0) -> dict[str, Any]:
        """Lists the runs of the log directory: state, last step, status (healthy, sick, undecided) and answer.

        Args:
            pattern: only runs whose name fits, such as "sweep/*".
            first: how many runs to skip, to read on where an answer ended; at most 200 runs are in one answer.
        """
        names = [name for name in self._logdir.runs() if fnmatch.fnmatchcase(name, pattern)]
        first = max(0, first)
        shown = names[first : first + MOST_RUNS]
        return {"runs": [self._listed(name) for name in shown], "total": len(names), "first": first}

    def diagnose_run(self, run: str, launch: str = "") -> dict[str, Any]:
        """Tells why the weights of a run are not moving: verdicts with evidence and fix, symptoms, suspects, and what
        could not be told.

        A verdict that is "certain" is an exact fact. A suspect is a cause that fits, with a probability.

        Args:
            run: name of the run, as list_runs gives it.
            launch: one start of its training process; "": the newest.
        """
        chosen = self._logdir.launch(run, launch)
        diagnosis = answers.safe_diagnose(chosen.history)
        return {"run": run, **launch_entry(chosen, diagnosis), **findings(diagnosis)}

    def explain_rule(self, rule: str) -> dict[str, Any]:
        """Explains a cause: what it sees, why it matters, when it is a false alarm, what to try, with two examples.

        Args:
            rule: code or name, such as "403" or "vanishing-gradient".
        """
        entry = next((r for r in catalogue().values() if rule in (r.name, str(r.code))), None)
        if entry is None:
            raise ValueError(f"there is no rule {rule!r}; {nearest(rule, list(catalogue()))}")
        explained = answers.explanation(rule=entry.name)
        examples = {title: section(entry.doc, title) for title in ("Sick example", "Healthy example")}
        return {
            "code": entry.code,
            "name": entry.name,
            "link": entry.link,
            "summary": entry.summary,
            **{part["title"]: part["text"] for part in explained["sections"]},
            **examples,
            "thresholds": entry.thresholds,
            "explains": list(entry.explains),
        }

    def list_columns(self, run: str, launch: str = "") -> dict[str, Any]:
        """Lists what was recorded of a run: columns with unit and meaning, and names of its variables and layers.

        Args:
            run: name of the run.
            launch: one start of its training process; "": the newest.
        """
        history = self._logdir.launch(run, launch).history
        table = answers.quantity_table()
        names = [*history.columns(), *(["update_ratio"] if history.has("update_ratio") else [])]
        columns = [
            {"name": name, "axis": history.axis(name), "unit": table[name].unit, "meaning": table[name].meaning}
            for name in names
            if name in table
        ]
        variables, layers = ([x.name for x in axis] for axis in (history.variables, history.layers))
        return {
            "columns": columns,
            "rows": len(history),
            "first_step": int(history.steps[0]) if len(history) else 0,
            "last_step": int(history.steps[-1]) if len(history) else 0,
            "variables": list(map(printable, variables[:_MOST_NAMED])),
            "variables_left_out": max(0, len(variables) - _MOST_NAMED),
            "layers": list(map(printable, layers[:_MOST_NAMED])),
            "layers_left_out": max(0, len(layers) - _MOST_NAMED),
        }

    def read_column(  # noqa: PLR0913 PLR0917
        self,
        run: str,
        column: str,
        names: list[str] | None = None,
        first_step: int = 0,
        last_step: int = 0,
        launch: str = "",
        limit: int = 500,
    ) -> dict[str, Any]:
        """Reads the recorded numbers of a column, at most 2,000 values; of more rows a sample at even distances.

        "summary" is of all rows. null was not recorded; "NaN", "Infinity" and "-Infinity" were recorded as such.

        Args:
            run: name of the run.
            column: such as "loss", "learning_rate", "update_ratio", "gradient_norm"; list_columns names all.
            names: variables or layers, at most 20; by default the first ones.
            first_step: the first training step; 0: from the beginning.
            last_step: the last training step; 0: up to the end.
            launch: one start of its training process; "": the newest.
            limit: how many values to return.
        """
        history = self._logdir.launch(run, launch).history
        return column_values(history, column, names or [], (first_step, last_step), limit)

    def compare_runs(self, run: str, other: str, launch: str = "", other_launch: str = "") -> dict[str, Any]:
        """Compares two runs: where they first differ, link by link, in which settings, and which one is better.

        Args:
            run: name of a run, "A" in the answer.
            other: name of another run, "B" in the answer.
            launch: one start of the training process of `run`; "": the newest.
            other_launch: the same of `other`.
        """
        history, other_history = (self._logdir.launch(*x).history for x in ((run, launch), (other, other_launch)))
        diagnoses = answers.safe_diagnose(history), answers.safe_diagnose(other_history)
        compared = answers.compare(history, other_history, diagnoses)
        compared["settings"] = compared["settings"][:_MOST_NAMED]
        return {key: value for key, value in compared.items() if key not in ("revision", "steps")}

    def _listed(self, name: str) -> dict[str, Any]:
        try:
            launches = self._logdir.launches(name)
        except (OSError, ValueError) as error:
            return {"run": name, "unreadable": printable(str(error))}
        newest = launches[-1]
        entry = launch_entry(newest, answers.safe_diagnose(newest.history))
        return {"run": name, **entry, "launches": [launch.history.launch for launch in launches[-MOST_NAMES:]]}
