"""A `tf.Module` with a compiled step and an update by hand: no Keras model, no optimizer."""

import tensorflow as tf
from sklearn.datasets import load_diabetes

import tb_weightwatch as ww

LEARNING_RATE = 0.05


class Linear(tf.Module):
    """Linear regression."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((features, 1)), name="kernel")
        self.bias = tf.Variable(tf.zeros((1,)), name="bias")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return x @ self.kernel + self.bias


def main(logdir: str = "logs/tf-module", steps: int = 150) -> ww.Watch:
    x, y = load_diabetes(return_X_y=True)
    x, y = (x / x.std(axis=0)).astype("float32"), ((y - y.mean()) / y.std()).astype("float32")[:, None]
    model = Linear(x.shape[1])

    @tf.function
    def step(inputs: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            predictions = model(inputs)
            loss = tf.reduce_mean(tf.square(predictions - targets))
        gradients = tape.gradient(loss, model.trainable_variables)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(LEARNING_RATE * gradient)
        return loss, predictions, gradients

    with ww.Watch(logdir, variables=model.trainable_variables) as watch:
        for _ in range(steps):
            loss, predictions, gradients = step(x, y)
            watch.step(  # a compiled step shows only what is passed
                loss,
                inputs=x,
                targets=y,
                predictions=predictions,
                gradients=zip(gradients, model.trainable_variables, strict=True),
            )
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
