"""Which of several names is that of the whole loss."""

from __future__ import annotations

import pytest

from tb_weightwatch.capture.observe.loss_names import whole_loss_name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["accuracy", "kl_loss", "loss"], "loss"),
        (["kl_loss", "total_loss"], "total_loss"),
        (["Total_Loss", "kl_loss", "Loss"], "Loss"),
        (["accuracy", "kl_loss", "d_loss"], "kl_loss"),
        (["accuracy", 3], None),
        ([], None),
    ],
)
def test_the_whole_loss_goes_before_a_part_of_it(names: list[object], expected: str | None) -> None:
    assert whole_loss_name(names) == expected
