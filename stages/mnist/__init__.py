"""MNIST as the stages share it: the files' pins, how to read them, what a network is shown."""
