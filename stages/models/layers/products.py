"""Linear layers and convolutions as matrix products by oneDNN, where that is faster on a CPU."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: tuple[int, int],
    padding: tuple[int, int],
) -> Tensor:
    """Compute what torch.nn.functional.conv2d does.

    On a CPU, oneDNN's convolutions, above all their weights' gradients, make poor use of a single
    input channel and of small maps all of whose pixels see the whole input. Both are matrix
    products.

    Args:
        input: (N, C, H, W), best in channels_last.
        weight: (out_channels, C, rows, columns), likewise.
        bias: (out_channels,), or None.
        stride: vertical and horizontal.
        padding: zeros at top and bottom, and at left and right.
    """
    if input.device.type == "cpu":
        sides = list(zip(input.shape[2:], weight.shape[2:], stride, padding, strict=True))
        if all(size + pad == taps and pad % step == 0 for size, taps, step, pad in sides):
            return multiply_maps(input, weight, bias, stride)
        if weight.shape[1] == 1 and all(size + 2 * pad >= taps for size, taps, _, pad in sides):
            return multiply_patches(input, weight, bias, stride, padding)
    return functional.conv2d(input, weight, bias, stride, padding)


def multiply_patches(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: tuple[int, int],
    padding: tuple[int, int],
) -> Tensor:
    """Convolve one channel: multiply the pixels under the kernel, at each place, by the kernel."""
    rows, columns = padding
    padded = functional.pad(input, (columns, columns, rows, rows)).squeeze(1)
    patches = padded.unfold(1, weight.shape[2], stride[0]).unfold(2, weight.shape[3], stride[1])
    output = linear(patches.flatten(3).flatten(0, 2), weight.flatten(1), bias)
    return output.view(*patches.shape[:3], len(weight)).permute(0, 3, 1, 2)


def multiply_maps(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, int]
) -> Tensor:
    """Convolve to maps whose pixels all see the whole input, each through a part of the kernel."""
    height, width = input.shape[2:]
    taps = weight.permute(0, 2, 3, 1).flatten(1, 2)
    numbers = torch.arange(taps.shape[1]).view(weight.shape[2:])
    # the kernel's first part belongs to the last pixel
    parts = numbers.unfold(0, height, stride[0]).unfold(1, width, stride[1]).flip(0, 1)
    size, pixels = parts.shape[:2], parts.shape[:2].numel()
    seen = taps.index_select(1, parts.flatten()).unflatten(1, (pixels, -1))
    matrix = seen.transpose(0, 1).flatten(2).flatten(0, 1)
    if bias is not None:
        bias = bias.repeat(pixels)
    output = linear(input.permute(0, 2, 3, 1).flatten(1), matrix, bias)
    return output.view(len(input), *size, len(weight)).permute(0, 3, 1, 2)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute input @ weight.T + bias as torch.nn.functional.linear does.

    On a CPU, PyTorch leaves float32 products to MKL. Its only kernels that are the same on every
    CPU, Intel's or AMD's, are SSE2's, at a third of the speed; oneDNN's AVX2 kernels are the same
    everywhere too.

    Args:
        input: (N, in_features).
        weight: (out_features, in_features).
        bias: (out_features,), or None.
    """
    mkl = input.device.type == "cpu" and input.dtype == torch.float32 and input.dim() == 2
    if mkl and torch.backends.mkldnn.is_available() and not torch.is_autocast_enabled("cpu"):
        return OneDnnLinear.apply(input, weight, bias)
    return functional.linear(input, weight, bias)


class OneDnnLinear(torch.autograd.Function):
    """`linear` and its gradients, each one product by oneDNN."""

    @staticmethod
    def forward(ctx: FunctionCtx, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Compute (N, out_features)."""
        ctx.save_for_backward(input, weight)
        return product(input, weight, bias)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of input, weight and bias from (N, out_features)."""
        input, weight = ctx.saved_tensors
        return (
            product(gradient, weight.t()) if ctx.needs_input_grad[0] else None,
            product(gradient.t(), input.t()) if ctx.needs_input_grad[1] else None,
            gradient.sum(0) if ctx.needs_input_grad[2] else None,
        )


def product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute left @ right.T + bias by oneDNN."""
    return torch.ops.mkldnn._linear_pointwise(left, right, bias, "none", [], "")
