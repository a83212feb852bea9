"""Experiments that settle what a recording can only suspect: `ww.probe`, `ww.assert_learns`.

* `probe`: takes the program, runs the experiments that are worth it, returns a report
* `experiments`: one experiment a file
* `experiment`: the definition of an experiment, what it works with, and the catalogue
* `program`, `updates`, `trials`: the training step under test, ways to change its update, short trainings
* `state`: saves the state and puts it back bit for bit
"""

# The folder is imported first: its import sets the name `experiments`, which the function of that name then takes over.
from . import experiments as _folder  # noqa: F401
from .experiment import ExperimentKind, experiments
from .probe import probe
from .report import ProbeReport

__all__ = ["ExperimentKind", "ProbeReport", "experiments", "probe"]
