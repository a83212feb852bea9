import tensorflow as tf

# Model with potential gradient flow problem
model = tf.keras.Sequential([
    tf.keras.layers.Dense(10, activation='relu', input_shape=(10,)),
    tf.keras.layers.Dense(1, activation='sigmoid') # Problematic activation?
])

optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)

# Training loop with gradient checking
for epoch in range(10):
    with tf.GradientTape() as tape:
        predictions = model(X_train)
        loss = tf.reduce_mean(tf.keras.losses.binary_crossentropy(y_train, predictions)) #Appropriate loss for binary classification?

    gradients = tape.gradient(loss, model.trainable_variables)
    for grad in gradients:
        if tf.reduce_all(tf.equal(grad, tf.zeros_like(grad))):  # Check for zero gradients
            print("Zero gradient detected!")
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
