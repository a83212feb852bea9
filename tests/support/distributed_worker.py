"""One of several workers that train together: `python -m tests.support.distributed_worker INDEX ...`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(index: int, ports: list[str], logs: Path, rate: float) -> None:
    """Trains under MultiWorkerMirroredStrategy, watched, and prints what it sees at the end."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
    import tensorflow as tf

    from ..supported.distribute import looped

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    assert strategy.num_replicas_in_sync == len(ports)
    watch, model, _ = looped(logs if index == 0 else logs / "other", strategy, rate=rate, reduced=True)
    weights = [v.numpy().tobytes().hex() for v in model.trainable_variables]
    print(json.dumps({"rows": len(watch.history), "sentence": watch.diagnosis.sentence, "weights": weights}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2].split(","), Path(sys.argv[3]), float(sys.argv[4]))
