"""A study of Optuna that prunes hopeless trials with their reason: `python -m demo.examples.optuna_search [LOGDIR]`.

    pip install optuna scikit-learn

Each trial makes a callback of its own, and keeps the answer as an attribute, which Optuna's storage and dashboard show.
"""

from __future__ import annotations

import sys

import keras
import optuna
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

import tb_weightwatch as ww


def study_of(logdir: str, trials: int = 4) -> optuna.Study:
    """Returns the finished study; its first trial has a learning rate with which nothing moves."""
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("learning_rate", 1e-10, 1e-1, log=True)
        model = keras.Sequential([keras.layers.Dense(10, activation="relu"), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(rate), loss="mse")
        prune = ww.PruneTrial(trial)  # ends the trial as soon as a cause is certain, and keeps the reason
        watch = ww.WeightWatch(f"{logdir}/trial-{trial.number}", verbose=False, on_verdict=prune)
        history = model.fit(x, y, epochs=6, verbose=0, callbacks=[watch])
        trial.set_user_attr("weightwatch", watch.diagnosis.sentence)
        return float(history.history["loss"][-1])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    study.enqueue_trial({"learning_rate": 1e-10})
    study.optimize(objective, n_trials=trials)
    return study


def main(logdir: str = "logs/optuna") -> None:
    """Prints what each trial answered."""
    keras.utils.set_random_seed(1)
    study = study_of(logdir)
    for trial in study.trials:
        print(f"trial {trial.number} ({trial.state.name.lower()}): {trial.user_attrs['weightwatch']}\n")
    print(f"best learning rate: {study.best_params['learning_rate']:.2g}. All trials: weightwatch review {logdir}")


if __name__ == "__main__":
    main(*sys.argv[1:])
