"""A network's predictions and their score."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH = 200  # inputs of at most 224 x 224 numbers; fewer if they are larger

Prepare = Callable[[Tensor], Tensor]  # from a dataset's inputs to the network's


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Compute in bfloat16 where that is safe if `precision` is bf16; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


@torch.inference_mode()
def predict(
    network: nn.Module,
    inputs: Tensor,
    prepare: Prepare,
    precision: str,
    check: Callable[[], None] = lambda: None,
) -> Tensor:
    """Compute the float32 outputs for all inputs, in eval mode; call `check` after each batch."""
    network.eval()
    batch = max(1, min(BATCH, BATCH * 224**2 // prepare(inputs[:1]).numel()))
    outputs = []
    with autocast(inputs.device, precision):
        for part in inputs.split(batch):
            outputs.append(network(prepare(part)).float())
            check()
    return torch.cat(outputs)


def score(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Compute the mean cross entropy and the accuracy (a fraction) of (N, 10) logits."""
    loss = functional.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(1) == labels).sum().item() / len(labels)
