"""Settings that every test shares; set before TensorFlow is imported."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TB_WEIGHTWATCH_STRICT", "1")  # a fault of ours fails the test


def pytest_configure() -> None:
    """Splits the processor into two devices, which `tf.distribute.MirroredStrategy` takes for two machines' worth."""
    import tensorflow as tf

    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
