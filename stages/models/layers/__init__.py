"""Layers that skip work whose result is known in advance.

Outputs and gradients equal those of PyTorch's layers up to floating-point rounding, and parameters
are the same, so state dicts are interchangeable.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from stages.models.layers.convolution import Conv2d
from stages.models.layers.convolution import ConvPool2d as ConvPool2d
from stages.models.layers.linear import AdaptiveAvgPool2d, Linear, PooledLinear

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


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
