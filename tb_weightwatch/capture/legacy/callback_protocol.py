"""What `model.fit` of legacy Keras asks of a callback beyond what `keras.callbacks.Callback` of Keras 3 has."""

from __future__ import annotations


class LegacyCallbackProtocol:
    """Lets a callback of Keras 3 take part in a `fit` of `tf_keras`, which calls nothing else than these."""

    _supports_tf_logs = True  # the logs are not read, so they need not be copied from the device for this callback
    _chief_worker_only = None  # all workers call it

    def _implements_train_batch_hooks(self) -> bool:
        return True

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False
