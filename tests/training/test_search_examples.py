"""The examples of searches run with the real libraries and say what their pages promise."""

from __future__ import annotations

from pathlib import Path

import tb_weightwatch as ww


def test_keras_tuner(tmp_path: Path) -> None:
    """Of two learning rates the hopeless one is named, and each trial is a run of its own."""
    from demo.examples.keras_tuner_search import search

    answers = search(str(tmp_path))
    assert list(answers) == ["0000", "0001"]
    rate, diagnosis = answers["0000"]
    assert (rate, diagnosis.status, diagnosis.verdicts[0].name) == (1e-9, "sick", "learning-rate-too-small")
    assert answers["0001"][1].status == "healthy"


def test_optuna(tmp_path: Path) -> None:
    """A hopeless trial is pruned, and its reason is among the attributes of the trial."""
    import optuna

    from demo.examples.optuna_search import study_of

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = study_of(str(tmp_path), trials=2)
    first = study.trials[0]
    assert first.state.name == "PRUNED"
    assert "learning rate of 1e-10 is too small" in first.user_attrs["weightwatch"]
    assert all(ww.read(tmp_path / f"trial-{number}")[0].ended for number in (0, 1))
