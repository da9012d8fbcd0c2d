"""Print each network's layers, output shapes and parameter counts as Markdown tables.

python -m tools.networks > docs/networks.md
"""

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

from stages import models
from stages.results.markdown import table

IMAGE_SIZE = 224


def main() -> None:
    """Print one table per network, for an image as the notebook feeds it."""
    print(f"# The networks\n\nAt {IMAGE_SIZE} pixels, as `python -m tools.networks` prints them.\n")
    for name in models.names():
        network = models.build(name, image_size=IMAGE_SIZE).eval()
        total = sum(parameter.numel() for parameter in network.parameters())
        print(f"## {name}: {total:,} parameters\n")
        header = ["layer", "kind", "output shape", "parameters"]
        print(table(header, describe(network), 1), end="\n\n")


def describe(network: nn.Module) -> list[list[str]]:
    """List name, kind, output shape and parameters of each layer, in the order of the calls.

    A residual block is one row.
    """
    rows, names = [], {module: name for name, module in network.named_modules()}

    def note(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        count = sum(parameter.numel() for parameter in module.parameters())
        shape = " x ".join(map(str, output.shape[1:]))
        rows.append([f"`{names[module]}`", type(module).__name__, shape, f"{count:,}"])

    blocks = [module for module in names if isinstance(module, BasicBlock)]
    inside = {part for block in blocks for part in block.modules()}
    for module in names:
        if module in blocks or (module not in inside and not list(module.children())):
            module.register_forward_hook(note)
    with torch.inference_mode():
        network(torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE))
    return rows


if __name__ == "__main__":
    main()
