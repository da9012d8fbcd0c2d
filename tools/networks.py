"""Print each network's layers as Markdown tables, which docs/networks.md has."""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import torch
from torchvision.models.resnet import BasicBlock

from stages import models
from stages.results.markdown import table


def main() -> None:
    print("# The networks\n\nAt 224 pixels, as `python -m tools.networks` prints them.\n")
    for model in models.names():
        network = models.build(model, image_size=224).eval()
        print(f"## {model}: {parameters(network)} parameters\n")
        print(table(["layer", "kind", "output shape", "parameters"], describe(network), 1) + "\n")


def describe(network: torch.nn.Module) -> list[list[str]]:
    """Return a row for each layer in the order of the calls, one for a residual block."""
    rows, names = [], {module: name for name, module in network.named_modules()}

    def note(module: torch.nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        shape = " x ".join(map(str, output.shape[1:]))
        rows.append([f"`{names[module]}`", type(module).__name__, shape, parameters(module)])

    blocks = tuple(f"{name}." for one, name in names.items() if isinstance(one, BasicBlock))
    for module, name in names.items():
        whole = isinstance(module, BasicBlock) or not list(module.children())
        if whole and not name.startswith(blocks):
            module.register_forward_hook(note)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 224, 224))
    return rows


def parameters(module: torch.nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in module.parameters()):,}"
