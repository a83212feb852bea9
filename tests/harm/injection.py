"""What became of trainings in which a function of the recorder failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Injection:
    """One failure, and what became of the training.

    Attributes:
        training: name of the training.
        function: the function that failed.
        call: number of the call at which it failed.
        once: whether it worked again afterwards.
        raised: the exception that came out; "" for none.
        same: whether the weights are those of a training without the recorder.
        told: how many messages said that recording stopped.
        hung: whether the training did not end in time.
    """

    training: str
    function: str
    call: int
    once: bool
    raised: str
    same: bool
    told: int
    hung: bool

    @property
    def survived(self) -> bool:
        """Whether the training was unharmed."""
        return not self.raised and self.same and not self.hung

    @property
    def is_bad(self) -> bool:
        """Whether it did harm, or was not told exactly once."""
        return not self.survived or self.told != 1


def table(injections: list[Injection]) -> str:
    """Returns counts by training."""
    lines = [f"{'training':14}{'functions':>10}{'injections':>11}{'survived':>9}{'told once':>10}{'hung':>5}"]
    for name in dict.fromkeys(item.training for item in injections):
        of = [item for item in injections if item.training == name]
        counts = (len({i.function for i in of}), len(of), sum(i.survived for i in of), sum(i.told == 1 for i in of))
        lines.append(f"{name:14}{counts[0]:10}{counts[1]:11}{counts[2]:9}{counts[3]:10}{sum(i.hung for i in of):5}")
    return "\n".join(lines)
