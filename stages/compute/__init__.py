"""Where and how networks are computed: what decides the bits of every training and prediction.

The package imports nothing, because `entry` and `kernels` have to run before PyTorch is loaded.
"""
