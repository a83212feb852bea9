"""When experiments run while a training is recorded, and how their results are recorded.

Experiments stand on a floor above this one, so what runs them is handed in: `tb_weightwatch` does when `WeightWatch`
or `Watch` is first used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..verdict import Diagnosis, answering_symptom, answering_verdict
from .arguments import received
from .recorder import Recorder
from .safe_warning import warn
from .schedule.budget import Budget

if TYPE_CHECKING:
    from ..probes import ProbeReport

ON_VERDICT: Final = "on-verdict"
KEPT_BATCHES = 4
_LOOKS = 2  # at which the same answer must stand before it is tested

_runners: list[Callable[..., ProbeReport]] = []


def provide(runner: Callable[..., ProbeReport]) -> None:
    """Sets what runs experiments: a function with the arguments of `ww.probe`, which returns a ProbeReport."""
    _runners[:] = [runner]


def checked_occasion(probe: Any) -> bool:
    """Returns whether `probe=` asks for experiments during training.

    Raises:
        ValueError: it is neither None nor "on-verdict".
    """
    if probe is None:
        return False
    if not isinstance(probe, str) or probe != ON_VERDICT:
        raise ValueError(f'probe must be "{ON_VERDICT}", or None to run no experiments, got {received(probe)}')
    return True


def open_question(diagnosis: Diagnosis) -> str:
    """Returns the name of a likely verdict or of a symptom that experiments may settle; "" if there is none."""
    verdict, symptom = answering_verdict(diagnosis), answering_symptom(diagnosis)
    if verdict is not None:
        return verdict.name if verdict.certainty == "likely" and not verdict.outcome else ""
    is_open = symptom is not None and not any(suspect.outcome for suspect in diagnosis.suspects)
    return symptom.name if symptom is not None and is_open and diagnosis.suspects else ""


class Probing:
    """Runs experiments for one recording, at most once by itself.

    Args:
        recorder: gives the diagnosis and records the results.
        budget: is paused meanwhile, since experiments are no part of the training.
        asked: whether experiments are to run when an answer is open.

    Attributes:
        ran: whether experiments have run.
        running: whether they run now.
        batches: of the last recorded steps, as a training step gets them.
    """

    def __init__(self, recorder: Recorder, budget: Budget, *, asked: bool) -> None:
        self._recorder, self._budget = recorder, budget
        self.asked, self.ran, self.running = asked, False, False
        self.batches: deque[Any] = deque(maxlen=KEPT_BATCHES)
        self._question, self._looks, self._step = "", 0, 0

    def keep(self, batch: Any) -> None:
        """Keeps the batch of a recorded step, if experiments may run later."""
        if self.asked:
            self.batches.append(batch)

    def is_due(self, diagnosis: Diagnosis | None) -> bool:
        """Checks whether experiments should run by themselves: the same answer was open at two looks.

        Args:
            diagnosis: the last one; None if there is none yet.
        """
        if not self.asked or self._recorder.off or diagnosis is None or diagnosis.step == self._step:
            return False
        question = open_question(diagnosis)
        self._looks = self._looks + 1 if question and question == self._question else int(bool(question))
        self._question, self._step = question, diagnosis.step
        return self._looks >= _LOOKS

    def run(self, **arguments: Any) -> ProbeReport:
        """Runs experiments and records them; returns the report, with the diagnosis that follows from them.

        Args:
            arguments: those of `ww.probe`; without `x` and `batches` the kept batches are used.

        Raises:
            RuntimeError: nothing has been handed in that runs experiments.
        """
        batches, self.asked, self.ran = list(self.batches), False, True
        self.batches.clear()
        if not _runners:
            raise RuntimeError("experiments need `import tb_weightwatch as ww` and ww.WeightWatch or ww.Watch")
        if arguments.get("x") is None and "batches" not in arguments and batches:
            arguments["batches"] = batches
        self.running = True
        try:
            with self._budget.paused():
                report = _runners[0](diagnosis=self._recorder.diagnosis, **arguments)
        finally:
            self.running = False
        with self._recorder.guarded():
            self._recorder.add_experiments(report.experiments)
        return replace(report, diagnosis=self._recorder.latest_diagnosis or report.diagnosis)

    def run_by_itself(self, **arguments: Any) -> ProbeReport | None:
        """Runs experiments that became due; an exception is a warning, None is returned, and training goes on.

        Raises:
            KeyboardInterrupt: the user interrupted an experiment, and means the training.
        """
        report = None
        try:
            report = self.run(**arguments)
        except Exception as error:
            warn(f"experiments could not run ({type(error).__name__}: {error}); training goes on")
        if report is not None and any(experiment.end == "interrupted" for experiment in report.experiments):
            raise KeyboardInterrupt
        return report
