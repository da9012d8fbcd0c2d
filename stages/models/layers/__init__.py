"""Layers that skip work whose result is known in advance.

Outputs and gradients equal those of PyTorch's layers up to floating-point rounding, and parameters
are the same, so state dicts are interchangeable.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Conv2d(nn.Conv2d):
    """torch.nn.Conv2d, cheaper on grey images and on feature maps smaller than the kernel.

    - A single channel where `in_channels` are expected stands for that many copies of it:
      conv(expand(x), w) = conv(x, w.sum(1)).
    - The kernel is cropped to the taps that reach the input: on a 1 x 1 map, one of the nine taps
      of a 3 x 3 kernel.
    - On a CPU, oneDNN's convolutions, above all their weights' gradients, make poor use of a single
      input channel and of small maps all of whose pixels see the whole input. Both become matrix
      products.

    Anything but zero padding given in pixels, without dilation or groups, is left to PyTorch.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Convolve (N, in_channels or 1, H, W) to (N, out_channels, H', W')."""
        if not self._can_crop():
            return super().forward(input.expand(-1, self.in_channels, -1, -1))
        weight = self._weight(input)
        rows, columns, padding = self._crop(input.shape)
        # no slice where nothing is cropped: autograd would fill and copy a whole gradient for it
        if (rows.stop - rows.start, columns.stop - columns.start) != self.kernel_size:
            weight = weight[:, :, rows, columns]
        if input.device.type == "cpu":
            sides = list(zip(input.shape[2:], weight.shape[2:], padding, strict=True))
            if all(size + pad == taps for size, taps, pad in sides):
                return self._multiply_maps(input, weight)
            if weight.shape[1] == 1 and all(size + 2 * pad >= taps for size, taps, pad in sides):
                return self._multiply_patches(input, weight, padding)
        return functional.conv2d(input, weight, self.bias, self.stride, padding)

    def condense(self, shape: torch.Size) -> Callable[[], None]:
        """Keep only the taps that reach inputs of this shape; see `condensed`."""
        if not self._can_crop():
            return lambda: None
        before = self.weight, self.kernel_size, self.padding
        rows, columns, padding = self._crop(shape)
        taps = self.weight.detach()[:, :, rows, columns]
        self.weight = nn.Parameter(taps.clone(), self.weight.requires_grad)
        self.kernel_size, self.padding = tuple(taps.shape[2:]), padding

        def undo() -> None:
            taps.copy_(self.weight.detach())
            self.weight, self.kernel_size, self.padding = before

        return undo

    def _weight(self, input: Tensor) -> Tensor:
        """The kernel for as many channels as the input has."""
        if input.shape[1] < self.in_channels:
            return self.weight.sum(1, keepdim=True)
        return self.weight

    def _can_crop(self) -> bool:
        zeros = self.padding_mode == "zeros" and not isinstance(self.padding, str)
        return zeros and self.groups == 1 and self.dilation == (1, 1)

    def _crop(self, shape: torch.Size) -> tuple[slice, slice, tuple[int, int]]:
        """The kernel's rows and columns that reach the input, and the padding they need."""
        rows, columns = map(reaching_taps, shape[2:], self.kernel_size, self.stride, self.padding)
        return rows, columns, (self.padding[0] - rows.start, self.padding[1] - columns.start)

    def _multiply_patches(self, input: Tensor, weight: Tensor, padding: tuple[int, int]) -> Tensor:
        """Convolve one channel: at each place, multiply the pixels under the kernel by it."""
        rows, columns = padding
        patches = functional.pad(input, (columns, columns, rows, rows)).squeeze(1)
        patches = patches.unfold(1, weight.shape[2], self.stride[0])
        patches = patches.unfold(2, weight.shape[3], self.stride[1])
        output = linear(patches.flatten(3).flatten(0, 2), weight.flatten(1), self.bias)
        return output.view(*patches.shape[:3], len(weight)).permute(0, 3, 1, 2)

    def _multiply_maps(self, input: Tensor, weight: Tensor) -> Tensor:
        """Convolve to maps whose pixels all see the whole input, each through part of a kernel."""
        taps = weight.permute(0, 2, 3, 1).flatten(1, 2)
        parts = torch.arange(taps.shape[1]).view(weight.shape[2:])
        parts = parts.unfold(0, input.shape[2], self.stride[0])
        # the kernel's first part belongs to the last pixel
        parts = parts.unfold(1, input.shape[3], self.stride[1]).flip(0, 1)
        pixels = parts.shape[:2].numel()
        seen = taps.index_select(1, parts.flatten()).unflatten(1, (pixels, -1))
        matrix = seen.transpose(0, 1).flatten(2).flatten(0, 1)
        bias = None if self.bias is None else self.bias.repeat(pixels)
        output = linear(input.permute(0, 2, 3, 1).flatten(1), matrix, bias)
        return output.view(len(input), *parts.shape[:2], len(weight)).permute(0, 3, 1, 2)


class ConvPool2d(Conv2d):
    """A convolution with a stride of 1 and the 2 x 2 max pooling after it, as one convolution.

    The four outputs of a pooling window become four channels of a convolution with a stride of 2,
    with the kernel shifted for each; their maximum is the result. With few channels, PyTorch's
    pooling costs more than the convolution before it.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, in_channels or 1, H, W) to (N, out_channels, H' // 2, W' // 2)."""
        weight = self._weight(input)
        places = [functional.pad(weight, (x, 1 - x, y, 1 - y)) for y in (0, 1) for x in (0, 1)]
        window = functional.conv2d(input, torch.cat(places), stride=2, padding=self.padding)
        return AMax.apply(window.unflatten(1, (4, -1))) + self.bias[:, None, None]


class AMax(torch.autograd.Function):
    """Tensor.amax(1) of (N, M, ...), with a faster backward; all maxima share the gradient."""

    @staticmethod
    def forward(ctx: FunctionCtx, input: Tensor) -> Tensor:
        maximum = input.amax(1)
        ctx.save_for_backward(input, maximum)
        return maximum

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        input, maximum = ctx.saved_tensors
        # floats from the start: PyTorch is slow at multiplying by booleans
        chosen = torch.eq(input, maximum.unsqueeze(1), out=torch.empty_like(input))
        return chosen.mul_((gradient / chosen.sum(1)).unsqueeze(1))


def reaching_taps(size: int, kernel: int, stride: int, padding: int) -> slice:
    """Find the taps that reach the input along one dimension; all of them if none does."""
    outputs = (size + 2 * padding - kernel) // stride + 1
    first = max(0, padding - (outputs - 1) * stride)
    last = min(kernel - 1, size - 1 + padding)
    return slice(first, last + 1) if outputs > 0 and first <= last else slice(0, kernel)


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

    On a CPU, PyTorch leaves float32 products to MKL. Its only kernels that give the same bits on
    every CPU, Intel's or AMD's, are SSE2's, at a third of the speed; so do oneDNN's AVX2 kernels.
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


@contextmanager
def condensed(network: nn.Module, input: Tensor) -> Iterator[None]:
    """Within the block, train only parameters that the input can tell apart.

    The optimizer then carries neither kernel taps that only meet padding nor several weights of
    which only the sum counts: of AlexNet's 57 million at 72 pixels, 20 are left. A layer stays
    whole if it is called with different shapes or shares its weight. Each layer's `condense`
    returns its undo, which restores the parameters with what was learned, even after an exception.
    It switches to eval mode. `input` is (N, C, H, W); all within the block have this C, H and W.
    """
    shapes = {m: set() for m in network.modules() if isinstance(m, Conv2d | PooledLinear)}

    def note(layer: nn.Module, inputs: tuple[Tensor]) -> None:
        shapes[layer].add(inputs[0].shape)

    with ExitStack() as hooks, torch.no_grad():
        for layer in shapes:
            hooks.enter_context(layer.register_forward_pre_hook(note))
        network.eval()(input)
    uses = Counter(id(p) for m in network.modules() for p in m.parameters(recurse=False))
    with ExitStack() as undo:
        for layer, seen in shapes.items():
            if len(seen) == 1 and uses[id(layer.weight)] == 1:
                undo.callback(layer.condense(*seen))
        yield


def convert_layers(network: nn.Module) -> None:
    """Turn PyTorch's layers in `network` into this package's; parameters stay as they are."""
    ours = {nn.Conv2d: Conv2d, nn.Linear: Linear, nn.AdaptiveAvgPool2d: AdaptiveAvgPool2d}
    for module in network.modules():
        # to 1 x 1, PyTorch takes the mean, which is deterministic
        if type(module) in ours and getattr(module, "output_size", None) not in (1, (1, 1)):
            module.__class__ = ours[type(module)]


def fuse_avgpool(network: nn.Module, name: str) -> None:
    """Fuse `network.avgpool`, on square maps, into the linear layer `name` after it."""
    layer = network.get_submodule(name)
    layer.__class__, layer.sides = PooledLinear, network.avgpool.output_size
    network.avgpool = nn.Identity()


def pool_first(features: nn.Sequential) -> None:
    """Swap each ReLU with the max pooling after it: a quarter of the work, as ReLU is monotonic."""
    # neither has parameters, so the state dict keeps its keys
    for i in range(len(features) - 1):
        if isinstance(features[i], nn.ReLU) and isinstance(features[i + 1], nn.MaxPool2d):
            features[i], features[i + 1] = features[i + 1], features[i]
