"""Legacy Keras (`tf_keras`, or `tf.keras` with `TF_USE_LEGACY_KERAS=1`): what it does in another way than Keras 3.

Both may be in use in one process. So each object is asked which of the two it belongs to, and `tf_keras` is never
imported.
"""

from .objects import is_legacy

__all__ = ["is_legacy"]
