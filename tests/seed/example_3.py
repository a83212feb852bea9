import tensorflow as tf
import numpy as np

# Data with varying scales
X_train = np.random.rand(100, 10) * 100  # Large values
y_train = np.random.rand(100, 1) * 10   # Smaller values

# Model definition
model = tf.keras.Sequential([
    tf.keras.layers.Dense(10, activation='relu', input_shape=(10,)),
    tf.keras.layers.Dense(1)
])

optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)

# Training loop with data normalization
X_train_normalized = (X_train - np.mean(X_train, axis=0)) / np.std(X_train, axis=0)
y_train_normalized = (y_train - np.mean(y_train)) / np.std(y_train)

for epoch in range(10):
    with tf.GradientTape() as tape:
        predictions = model(X_train_normalized)
        loss = tf.reduce_mean(tf.square(predictions - y_train_normalized))

    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    print(f"Epoch {epoch+1}, Loss: {loss.numpy()}")
