"""MNIST as the stages share it: the files' pins, and images as networks read them."""
