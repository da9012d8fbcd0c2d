"""Convolutions that skip what their input cannot reach, and pooling done by a convolution."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from stages.models.layers.linear import linear


class Conv2d(nn.Conv2d):
    """torch.nn.Conv2d, cheaper on grey images and on feature maps smaller than the kernel.

    - A single channel where `in_channels` are expected stands for that many copies of it:
      conv(expand(x), w) = conv(x, w.sum(1)).
    - The kernel is cropped to the taps that reach the input: on a 1 x 1 map, one of the nine taps
      of a 3 x 3 kernel.
    - On a CPU, oneDNN's convolutions, above all their weights' gradients, make poor use of a single
      input channel and of small maps all of whose pixels see the whole input. Both become matrix
      products. On other small maps, `SmallMapsConv2d` computes the weights' gradients.

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
            if SmallMapsConv2d.pays_off(input, weight):
                return SmallMapsConv2d.apply(input, weight, self.bias, self.stride, padding)
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


class SmallMapsConv2d(torch.autograd.Function):
    """functional.conv2d, with a faster gradient of the weights where maps are small.

    A tap's gradient is a sum over all images and all pixels of the output: a convolution again, of
    the input by the gradient, with images and channels exchanged. As such, oneDNN computes it in
    half the time that its own backward takes on maps of a few pixels.
    """

    @staticmethod
    def pays_off(input: Tensor, weight: Tensor) -> bool:
        """Tell by shape alone, so that every CPU sums in the same order."""
        small = input.shape[2:].numel() <= 14 * 14 and weight.shape[2:].numel() > 1
        return small and weight.shape[1] >= 128 and not torch.is_autocast_enabled("cpu")

    @staticmethod
    def forward(
        ctx: FunctionCtx, input: Tensor, weight: Tensor, bias: Tensor | None, *steps: tuple
    ) -> Tensor:
        ctx.save_for_backward(input, weight)
        ctx.stride, ctx.padding = steps
        return functional.conv2d(input, weight, bias, *steps)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (input, weight), needed, found = ctx.saved_tensors, ctx.needs_input_grad, [None] * 5
        if needed[0]:
            shape = input.shape
            found[0] = torch.nn.grad.conv2d_input(shape, weight, gradient, ctx.stride, ctx.padding)
        if needed[1]:
            maps, kernels = (
                one.transpose(0, 1).contiguous(memory_format=torch.channels_last)
                for one in (input, gradient)
            )
            taps = functional.conv2d(maps, kernels, None, 1, ctx.padding, ctx.stride)
            found[1] = taps[:, :, : weight.shape[2], : weight.shape[3]].transpose(0, 1)
        if needed[2]:
            found[2] = gradient.sum((0, 2, 3))
        return tuple(found)


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
