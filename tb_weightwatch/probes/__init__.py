"""Experiments that settle what a recording can only suspect: `ww.probe`, `ww.assert_learns`.

* `run`: takes the program, runs the experiments that are worth it, returns a report
* `experiments`: one experiment a file
* `experiment`: the definition of an experiment, what it works with, and the catalogue
* `program`, `updates`, `trials`: the training step under test, ways to change its update, short trainings
* `state`: saves the state and puts it back bit for bit
"""

from .assert_learns import assert_learns
from .experiment import ExperimentKind, catalogue
from .report import ProbeReport
from .run import probe

__all__ = ["ExperimentKind", "ProbeReport", "assert_learns", "catalogue", "probe"]
