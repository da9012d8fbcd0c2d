"""What decides the bits of a training or prediction. Imports nothing: `kernels` comes first."""
