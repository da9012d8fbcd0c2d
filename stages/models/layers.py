"""Layers that leave out the work whose result is known beforehand.

All identities are exact up to floating-point rounding, for outputs and for gradients, and leave
the parameters as in PyTorch's own layers, so state dicts are interchangeable.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
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
        weight = self._weight(input)
        rows, columns = (self._taps(dim, input.shape[2 + dim]) for dim in (0, 1))
        padding = (self.padding[0] - rows.start, self.padding[1] - columns.start)
        # no slice where nothing is cut: autograd would fill and copy a whole gradient for it
        if (rows.stop - rows.start, columns.stop - columns.start) != self.kernel_size:
            weight = weight[:, :, rows, columns]
        return functional.conv2d(input, weight, self.bias, self.stride, padding)

    def condense(self, input: Tensor) -> Callable[[], None]:
        """Be a convolution with the taps alone that meet inputs like this one; see `condensed`."""
        rows, columns = (self._taps(dim, input.shape[2 + dim]) for dim in (0, 1))
        before = self.weight, self.kernel_size, self.padding
        taps = self.weight.detach()[:, :, rows, columns]
        self.weight = nn.Parameter(taps.clone(), self.weight.requires_grad)
        self.kernel_size = tuple(taps.shape[2:])
        self.padding = (self.padding[0] - rows.start, self.padding[1] - columns.start)

        def expand() -> None:
            taps.copy_(self.weight.detach())
            self.weight, self.kernel_size, self.padding = before

        return expand

    def _weight(self, input: Tensor) -> Tensor:
        """The kernel for the channels that the input has."""
        if input.shape[1] < self.in_channels:
            return self.weight.sum(1, keepdim=True)
        return self.weight

    def _taps(self, dim: int, size: int) -> slice:
        """The taps along one dimension that meet the input, all if cutting needs uneven padding."""
        kernel, stride, padding = self.kernel_size[dim], self.stride[dim], self.padding[dim]
        outputs = (size + 2 * padding - kernel) // stride + 1
        first = max(0, padding - (outputs - 1) * stride)
        last = min(kernel - 1, size - 1 + padding)
        cut = slice(first, last + 1)
        even = (size + 2 * (padding - first) - (last + 1 - first)) // stride + 1 == outputs
        return cut if even else slice(0, kernel)


class ConvPool2d(Conv2d):
    """Conv2d with a stride of 1 and max pooling over 2 x 2 behind it, as one convolution.

    The four outputs of a window are four channels of a convolution with a stride of 2, by the
    kernel in its four places; the largest is the pooled one. PyTorch's own pooling costs more than
    the convolution before it where channels are few.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, in_channels or 1, H, W) to (N, out_channels, H' // 2, W' // 2)."""
        weight = self._weight(input)
        places = [functional.pad(weight, (x, 1 - x, y, 1 - y)) for y in (0, 1) for x in (0, 1)]
        window = functional.conv2d(input, torch.cat(places), stride=2, padding=self.padding)
        window = window.unflatten(1, (4, self.out_channels))
        return Largest.apply(window) + self.bias[:, None, None]


class Largest(torch.autograd.Function):
    """amax(1), the gradient in equal parts to all that are largest, by a quicker way back."""

    @staticmethod
    def forward(ctx: FunctionCtx, input: Tensor) -> Tensor:
        """Take the maximum of (N, M, ...) over its M to (N, ...)."""
        largest = input.amax(1)
        ctx.save_for_backward(input, largest)
        return largest

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        """Hand the gradient down."""
        input, largest = ctx.saved_tensors
        # as numbers from the start: PyTorch multiplies by booleans slowly
        chosen = torch.eq(input, largest.unsqueeze(1), out=torch.empty_like(input))
        return chosen.mul_((gradient / chosen.sum(1)).unsqueeze(1))


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


class PooledLinear(nn.Linear):
    """torch.nn.Linear behind average pooling to `sides`, which it does itself, on its weights.

    Pooling is linear, so W (P x) = (W P) x. On a 1 x 1 map it makes copies alone, and what is left
    of AlexNet's first linear layer is a thirty-sixth. A map that is larger than `sides` is pooled
    itself, which is less work.
    """

    sides: tuple[int, int]

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, C * H * H), not pooled yet, to (N, out_features)."""
        if input.shape[1] == self.weight.shape[1]:
            return super().forward(input)
        places = math.prod(self.sides)
        channels = self.in_features // places
        side = math.isqrt(input.shape[1] // channels)
        windows_of = torch.kron(*(windows(side, wanted, input) for wanted in self.sides))
        if input.shape[1] > self.in_features:  # the weights would grow
            pooled = functional.linear(input.unflatten(1, (channels, side * side)), windows_of)
            return super().forward(pooled.flatten(1))
        weight = self.weight.unflatten(1, (channels, places)) @ windows_of
        return functional.linear(input, weight.flatten(1), self.bias)

    def condense(self, input: Tensor) -> Callable[[], None]:
        """On a 1 x 1 map be a linear layer with the sums over copies; see `condensed`.

        Adam would move each of 36 equal parts by the learning rate, so their sum by 36 times that.
        """
        before, places = self.weight, math.prod(self.sides)
        if input.shape[1] * places != self.in_features:
            return lambda: None
        parts = before.detach().unflatten(1, (-1, places))
        start = parts.sum(2)
        self.weight = nn.Parameter(start.clone(), before.requires_grad)

        def expand() -> None:
            parts.add_(((self.weight.detach() - start) / places).unsqueeze(2))
            self.weight = before

        return expand


@contextmanager
def condensed(network: nn.Module, input: Tensor) -> Iterator[None]:
    """Let `network` hold those parameters alone, within the block, that its inputs can tell apart.

    The optimizer has nothing to carry along then for the taps of a kernel that meet padding alone,
    and one parameter for weights that are summed: of AlexNet's 57 million at 72 pixels, 20 are
    left. Afterwards the network has its own parameters again, with what was learned.

    Args:
        network: on the inputs' device; left in the mode that the block leaves it in.
        input: (N, C, H, W), as all inputs within the block are, but for N.
    """
    undo: list[Callable[[], None]] = []
    hooks = [
        module.register_forward_pre_hook(lambda layer, inputs: undo.append(layer.condense(*inputs)))
        for module in network.modules()
        if isinstance(module, Conv2d | PooledLinear)
    ]
    with torch.no_grad():
        network.eval()(input)
    for hook in hooks:
        hook.remove()
    try:
        yield
    finally:
        for expand in undo:
            expand()


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


def pool_in(network: nn.Module, linear: str) -> None:
    """Leave the average pooling of `network` to the linear layer of that name behind it."""
    layer = network.get_submodule(linear)
    layer.__class__, layer.sides = PooledLinear, network.avgpool.output_size
    network.avgpool = nn.Identity()


def pool_first(features: nn.Sequential) -> None:
    """Swap each ReLU with the max pooling behind it.

    The activation is monotonic, so pool(act(x)) = act(pool(x)), on a quarter of the values. Neither
    layer has parameters: the state dict keeps its keys.
    """
    for i in range(len(features) - 1):
        if isinstance(features[i], nn.ReLU) and isinstance(features[i + 1], nn.MaxPool2d):
            features[i], features[i + 1] = features[i + 1], features[i]
