"""Linear layers and average pooling, which is linear too."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional


class Linear(nn.Linear):
    """torch.nn.Linear, by oneDNN where PyTorch would use MKL: see `linear`."""

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)


class PooledLinear(Linear):
    """`Linear` and the average pooling to `sides` before it, applied to the weights.

    Pooling is linear, so W (P x) = (W P) x. Pooling a 1 x 1 map to AlexNet's 6 x 6 only copies it,
    so a 36th of the weights is enough. A map larger than `sides` is pooled itself: less work.
    """

    sides: tuple[int, int]

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, C * H * H), flattened but not pooled, to (N, out_features)."""
        if input.shape[1] == self.weight.shape[1]:
            return super().forward(input)
        channels = self.in_features // math.prod(self.sides)
        size = math.isqrt(input.shape[1] // channels)
        pooling = torch.kron(*(pooling_matrix(size, side, input) for side in self.sides))
        if input.shape[1] > self.in_features:  # the weights would grow
            pooled = functional.linear(input.unflatten(1, (channels, size * size)), pooling)
            return super().forward(pooled.flatten(1))
        weight = self.weight.unflatten(1, (channels, -1)) @ pooling
        return linear(input, weight.flatten(1), self.bias)

    def condense(self, shape: torch.Size) -> Callable[[], None]:
        """On 1 x 1 maps, keep only the sums over copies; see `condensed`.

        With Adam, the sum then moves by the learning rate and not by 36 times as much.
        """
        before, places = self.weight, math.prod(self.sides)
        if shape[1] * places != self.in_features:
            return lambda: None
        parts = before.detach().unflatten(1, (-1, places))
        start = parts.sum(2)
        self.weight = nn.Parameter(start.clone(), before.requires_grad)

        def undo() -> None:
            parts.add_(((self.weight.detach() - start) / places).unsqueeze(2))
            self.weight = before

        return undo


class AdaptiveAvgPool2d(nn.AdaptiveAvgPool2d):
    """torch.nn.AdaptiveAvgPool2d as a matrix product: its backward on GPUs is not deterministic."""

    def forward(self, input: Tensor) -> Tensor:
        """Average (N, C, H, W) over PyTorch's windows to (N, C, *output_size)."""
        sides = self.output_size
        sides = sides if isinstance(sides, tuple) else (sides, sides)
        if input.shape[2:] == sides:
            return input
        rows, columns = map(pooling_matrix, input.shape[2:], sides, (input, input))
        return functional.linear(input.flatten(2), torch.kron(rows, columns)).unflatten(2, sides)


def pooling_matrix(size: int, wanted: int, like: Tensor) -> Tensor:
    """Make the (wanted, size) matrix of adaptive average pooling along one dimension."""
    # on the device from the start: a copy to it cannot be recorded in a CUDA graph
    matrix = like.new_zeros(wanted, size)
    for row in range(wanted):
        start, stop = row * size // wanted, -((row + 1) * size // -wanted)
        matrix[row, start:stop] = 1 / (stop - start)
    return matrix


def linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute torch.nn.functional.linear: (N, in_features) to (N, out_features).

    On a CPU, PyTorch leaves float32 products to MKL. The only kernels of MKL that give the same
    bits on Intel and AMD are SSE2's. oneDNN's for AVX2 do too, at three times the speed.
    """
    mkl = input.device.type == "cpu" and input.dtype == torch.float32 and input.dim() == 2
    if mkl and torch.backends.mkldnn.is_available() and not torch.is_autocast_enabled("cpu"):
        return OneDnnLinear.apply(input, weight, bias)
    return functional.linear(input, weight, bias)


class OneDnnLinear(torch.autograd.Function):
    """`linear` and its gradients, each one product by oneDNN."""

    @staticmethod
    def forward(ctx: FunctionCtx, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(input, weight)
        return product(input, weight, bias)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        input, weight = ctx.saved_tensors
        return (
            product(gradient, weight.t()) if ctx.needs_input_grad[0] else None,
            product(gradient.t(), input.t()) if ctx.needs_input_grad[1] else None,
            gradient.sum(0) if ctx.needs_input_grad[2] else None,
        )


def product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute left @ right.T + bias by oneDNN."""
    return torch.ops.mkldnn._linear_pointwise(left, right, bias, "none", [], "")
