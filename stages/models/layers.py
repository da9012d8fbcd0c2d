"""A convolution that leaves out the work whose result is known beforehand.

Both identities are exact up to floating-point rounding, for outputs and for gradients, and leave
the parameters as in torch.nn.Conv2d, so state dicts are interchangeable.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Conv2d(nn.Conv2d):
    """torch.nn.Conv2d, cheaper on grey images and on feature maps smaller than the kernel.

    - Given one channel where `in_channels` are expected, it takes the channels to be copies of it:
      conv(expand(x), w) = conv(x, w.sum(1)).
    - Kernel taps that meet nothing but zero padding are left out: on a 1 x 1 map eight of the nine
      taps of a 3 x 3 kernel.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Convolve (N, in_channels or 1, H, W) to (N, out_channels, H', W')."""
        weight = self.weight
        if input.shape[1] < self.in_channels:
            weight = weight.sum(1, keepdim=True)
        rows, columns = (self._taps(dim, input.shape[2 + dim]) for dim in (0, 1))
        padding = (self.padding[0] - rows.start, self.padding[1] - columns.start)
        # no slice where nothing is cut: autograd would fill and copy a whole gradient for it
        if (rows.stop - rows.start, columns.stop - columns.start) != self.kernel_size:
            weight = weight[:, :, rows, columns]
        return functional.conv2d(input, weight, self.bias, self.stride, padding)

    def _taps(self, dim: int, size: int) -> slice:
        """The taps along one dimension that meet the input, all if cutting needs uneven padding."""
        kernel, stride, padding = self.kernel_size[dim], self.stride[dim], self.padding[dim]
        outputs = (size + 2 * padding - kernel) // stride + 1
        first = max(0, padding - (outputs - 1) * stride)
        last = min(kernel - 1, size - 1 + padding)
        cut = slice(first, last + 1)
        even = (size + 2 * (padding - first) - (last + 1 - first)) // stride + 1 == outputs
        return cut if even else slice(0, kernel)


class AdaptiveAvgPool2d(nn.AdaptiveAvgPool2d):
    """torch.nn.AdaptiveAvgPool2d as one matrix product: its own backward on GPUs is not exact."""

    def forward(self, input: Tensor) -> Tensor:
        """Average (N, C, H, W) over the windows of torch's definition to (N, C, *output_size)."""
        if input.shape[2:] == self.output_size:
            return input
        rows, columns = (
            windows(size, wanted, input)
            for size, wanted in zip(input.shape[2:], self.output_size, strict=True)
        )
        pooled = functional.linear(input.flatten(2), torch.kron(rows, columns))
        return pooled.unflatten(2, self.output_size)


def windows(size: int, wanted: int, like: Tensor) -> Tensor:
    """Make the (wanted, size) matrix of adaptive average pooling along one dimension."""
    # on the device from the start: a copy to it cannot be recorded in a CUDA graph
    matrix = like.new_zeros(wanted, size)
    for row in range(wanted):
        start, stop = row * size // wanted, -((row + 1) * size // -wanted)
        matrix[row, start:stop] = 1 / (stop - start)
    return matrix


def adopt(network: nn.Module) -> None:
    """Turn the plain layers of `network` into this module's, parameters untouched."""
    for module in network.modules():
        if type(module) is nn.Conv2d:
            module.__class__ = Conv2d
        if type(module) is nn.AdaptiveAvgPool2d and module.output_size != (1, 1):
            module.__class__ = AdaptiveAvgPool2d


def pool_first(features: nn.Sequential) -> None:
    """Swap each ReLU with the max pooling behind it.

    The activation is monotonic, so pool(act(x)) = act(pool(x)), on a quarter of the values. Neither
    layer has parameters: the state dict keeps its keys.
    """
    for i in range(len(features) - 1):
        if isinstance(features[i], nn.ReLU) and isinstance(features[i + 1], nn.MaxPool2d):
            features[i], features[i + 1] = features[i + 1], features[i]
