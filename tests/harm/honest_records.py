"""Dated records of every kind with every field, as trainings write them: what hostile ones are made from."""

from __future__ import annotations

from typing import Any

from tb_weightwatch.verdict import (
    Claim,
    Diagnosis,
    Evidence,
    Experiment,
    RateCurve,
    Suspect,
    Symptom,
    TestedCause,
    Unknown,
    Verdict,
)

EFFECT = Verdict(
    403, "vanishing-gradient", "gradient", "warning", "likely", ("dense_0/kernel",), 8, 60, False, "small",
    (Evidence("gradient norm", float("nan"), "usual is 1e-3", "", 60, "gradient_norm"),), "use another activation",
)  # fmt: skip
VERDICT = Verdict(
    502, "learning-rate-too-large", "optimizer", "error", "certain", ("dense_0/kernel", "dense_1/bias"), 2, 60, False,
    "the rate is too large: 1e9", (Evidence("rate", 1e9, "1e-3 is usual", "", 2, "learning_rate"),), "lower it",
    (EFFECT,), (Claim("is", "learning_rate", 1e9, 2, 60),), "confirmed", "it was lowered",
)  # fmt: skip
CURVE = RateCurve((1e-4, 1e-3), (0.1, float("nan")), 1e-2, 1e-3, 8, 1e-4, 1e-3)
EXPERIMENT = Experiment(
    "learning-rate-sweep", "1e-3 is better", (TestedCause("learning-rate-too-large", "confirmed", "it is"),),
    "completed", 60, 100, 2.5, CURVE,
)  # fmt: skip
DIAGNOSIS = Diagnosis(
    "sick", "The rate is too large.", (VERDICT,),
    (Symptom("loss-has-blown-up", "loss", "error", "NaN from step 40 on", (), 40, 60),),
    (Suspect(101, "constant-data", "data", 0.5, "inputs are constant", ("a",), ("b",), "give inputs=", "look"),),
    (EFFECT,), ("dead-relu",), (Unknown("frozen-weights", 701, "no weights"),), 60, 60, True, "abc", (EXPERIMENT,),
)  # fmt: skip
_LAYER = {"name": "dense_0", "class": "Dense", "activation": "relu", "units": 4, "trainable": True, "weights": 20}
_NORMALIZATION = {"momentum": 0.99, "input_rank": 2, "synchronized": False}
FACTS: dict[str, Any] = {
    "recorder": {"kind": "loop"},
    "gradients": "used",
    "versions": {"tensorflow": "2.21.0", "keras": "3.15.1"},
    "model": {
        "name": "sequential",
        "class": "Sequential",
        "parameters": 96,
        "layers": [_LAYER, {**_LAYER, "name": "normal", "class": "BatchNormalization",
                            "batch_normalization": _NORMALIZATION}],
        "untracked": [{"layer": "own", "attribute": "w", "name": "w", "shape": [3, 4], "size": 12}],
        "own_train_step": True,
    },
    "precision": "mixed_float16",
    "output_layer": {"name": "dense_2", "activation": "softmax", "units": 3},
    "optimizers": [
        {"class": "Adam", "name": "adam", "own": False,
         "config": {"learning_rate": {"class_name": "CosineDecay", "config": {"decay_steps": 10}}, "epsilon": 1e-7,
                    "beta_1": 0.9, "weight_decay": None, "gradient_accumulation_steps": 4, "clipnorm": 1.0}}
    ],
    "optimizer_state": "zero",
    "loss": {"name": "categorical_crossentropy", "class": "CategoricalCrossentropy", "from_logits": False},
    "input_shape": [None, 8],
    "input_dtype": "float32",
    "target_shape": [32, 3],
    "target_dtype": "int64",
    "prediction_shape": [32, 3],
    "prediction_dtype": "float32",
    "distribution": {"strategy": "MirroredStrategy", "replicas": 2},
    "made_in_step": {"variables": 1, "elements": 12, "names": ["a"]},
    "made_anew": {"steps": 40, "of": 60, "first_step": 2, "variables": 2, "given": 2, "names": ["a"], "start": "same"},
    "called": {"model": "eager", "optimizer": None},
    "updated_variables": {"watched": 1, "trainable": 2, "other": 1, "names": ["b"]},
    "released": 2,
    "tensors_for_variables": {"tensors": 1, "of": 2, "first_step": 1},
}  # fmt: skip
ITEMS = [
    {"name": name, "shape": [4, 4], "dtype": "float32", "layer": name.split("/")[0], "trainable": True,
     "optimized": None}
    for name in ("dense_0/kernel", "dense_0/bias", "normal/gamma", "normal/beta", "normal/moving_mean",
                 "normal/moving_variance")
]  # fmt: skip
LAYERS = [{"name": f"dense_{i}", "kind": "Dense", "activation": "relu"} for i in range(3)]
FEATURE = {"name": "age", "mean": float("inf"), "std": 1.5, "low": 0.0, "high": float("nan")}
SOURCE = {"writer": "tf.summary", "unit": "step", "loss": "loss", "learning_rate": "lr", "others": 3,
          "estimates": {"loss": "mean"}, "shifted": 1, "by_time": ["loss"]}  # fmt: skip
# Kind -> its content, in the order in which a trainer writes them.
RECORDS: dict[str, dict[str, Any]] = {
    "config": {"rules": {"dead-relu": False, "vanishing-gradient": {"depth": 3.0}}, "overhead": 0.02},
    "facts": FACTS,
    "variables": {"items": ITEMS},
    "layers": {"items": LAYERS},
    "preflight": {
        "status": "sick", "sentence": "It is sick.", "passed": ["dead-relu"],
        "verdicts": [{"code": 502, "name": "learning-rate-too-large", "severity": "error", "message": "too large"}],
    },
    "features": {"which": "inputs", "features": [FEATURE]},
    "verdict": VERDICT.as_dict(),
    "experiment": EXPERIMENT.as_dict(),
    "cost": {"overhead": 0.01, "seconds": 12.5, "once": 0.5},
    "stopped": {"reason": "the disk is full"},
    "dropped": {"rows": 7, "maps": 2, "steps": 1},
    "end": {"how": "exception", "detail": "ValueError", "meaning": "non-finite", "step": 61, "after": 60},
}  # fmt: skip
