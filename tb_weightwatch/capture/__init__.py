"""How numbers leave a training step: Keras callback, hand-written loop, summary functions; one recorder behind them."""
