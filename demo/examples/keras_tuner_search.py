"""A search of KerasTuner in which each trial is recorded: `python -m demo.examples.keras_tuner_search [LOGDIR]`.

    pip install keras-tuner scikit-learn

KerasTuner copies the callback for each execution of a trial. The copies record in "LOGDIR/0000/execution0" and so on,
as KerasTuner names the folders of `keras.callbacks.TensorBoard`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import keras_tuner
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

import tb_weightwatch as ww


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    rate = hp.Choice("learning_rate", [1e-9, 1e-2])
    model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(rate), loss="binary_crossentropy")
    return model


def search(logdir: str) -> dict[str, tuple[float, ww.Diagnosis]]:
    """Returns trial -> its learning rate and its diagnosis."""
    x, y = load_breast_cancer(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), y.astype("float32").reshape(-1, 1)
    tuner = keras_tuner.GridSearch(build, objective="loss", directory=f"{logdir}/tuner", overwrite=True)
    tuner.search(x, y, epochs=6, verbose=0, callbacks=[ww.WeightWatch(logdir, verbose=False)])
    answers = {}
    for trial in tuner.oracle.trials.values():
        history = ww.read(Path(logdir, trial.trial_id, "execution0"))[-1]
        answers[trial.trial_id] = trial.hyperparameters.get("learning_rate"), ww.diagnose(history)
    return answers


def main(logdir: str = "logs/keras-tuner") -> None:
    """Prints the diagnosis of each trial."""
    keras.utils.set_random_seed(1)
    for trial, (rate, diagnosis) in search(logdir).items():
        print(f"trial {trial}, learning rate {rate:g}: {diagnosis.status}. {diagnosis.sentence}\n")
    print(f"All trials: weightwatch review {logdir}")


if __name__ == "__main__":
    main(*sys.argv[1:])
