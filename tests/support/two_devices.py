"""Splits the processor into two devices, on which `tf.distribute.MirroredStrategy` runs two replicas."""

import tensorflow as tf

(_processor,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(_processor, [tf.config.LogicalDeviceConfiguration()] * 2)
