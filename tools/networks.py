"""Print each network's layers, output shapes and parameter counts as Markdown tables.

python -m tools.networks > docs/networks.md
"""

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

from results.markdown import table
from stages import models

IMAGE_SIZE = 224


def main() -> None:
    """Print one table per network, for an image as the notebook feeds it."""
    print(f"# The networks\n\nAt {IMAGE_SIZE} pixels, as `python -m tools.networks` prints them.\n")
    for name in models.names():
        network = models.build(name, image_size=IMAGE_SIZE).eval()
        total = sum(parameter.numel() for parameter in network.parameters())
        print(f"## {name}: {total:,} parameters\n")
        rows = [[*row, f"{count:,}"] for *row, count in describe(network)]
        print(table(["layer", "kind", "output shape", "parameters"], rows, 1), end="\n\n")


def describe(network: nn.Module) -> list[tuple[str, str, str, int]]:
    """List (name, kind, output shape, parameters) of each call, in order.

    A residual block is one row; a layer's parameters are counted at its first call.
    """
    rows, seen = [], set()

    def note(module: nn.Module, inputs: tuple, output: torch.Tensor, *, name: str) -> None:
        count = 0 if name in seen else sum(p.numel() for p in module.parameters())
        seen.add(name)
        shape = " x ".join(map(str, output.shape[1:]))
        rows.append((f"`{name}`", type(module).__name__, shape, count))

    blocks = [name for name, module in network.named_modules() if isinstance(module, BasicBlock)]
    for name, module in network.named_modules():
        inside = any(name.startswith(f"{block}.") for block in blocks)
        if name in blocks or (not list(module.children()) and not inside):
            module.register_forward_hook(
                lambda module, inputs, output, name=name: note(module, inputs, output, name=name)
            )
    with torch.inference_mode():
        network(torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE))
    return rows


if __name__ == "__main__":
    main()
