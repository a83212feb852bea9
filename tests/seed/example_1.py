import tensorflow as tf

# Model definition (simplified for clarity)
model = tf.keras.Sequential([
    tf.keras.layers.Dense(10, activation='relu', input_shape=(10,)),
    tf.keras.layers.Dense(1)
])

# Optimizer with a very small learning rate
optimizer = tf.keras.optimizers.Adam(learning_rate=1e-10)  # Problematic learning rate

# Training loop
for epoch in range(100):
    with tf.GradientTape() as tape:
        predictions = model(X_train)  # Assuming X_train is defined
        loss = tf.reduce_mean(tf.square(predictions - y_train))  # MSE Loss

    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))

    print(f"Epoch {epoch+1}, Loss: {loss.numpy()}") # Observe minimal loss change
