"""What is recorded, wherever a TensorFlow user trains: each case is a row of README's table, and is tested."""
