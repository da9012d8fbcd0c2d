"""Where and how networks are computed: what decides the bits of every training and prediction.

The package itself imports nothing: `entry` and `kernels` have to run before PyTorch is loaded.
"""
