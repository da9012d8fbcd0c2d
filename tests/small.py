"""A network, data and params on which the training loop takes milliseconds."""

import torch
from torch import nn

from stages.system.progress import Progress
from stages.training import loop
from stages.training.checkpoint import Checkpoint

PARAMS = {"epochs": 2, "batch_size": 8, "lr": 0.01, "schedule": "constant", "beta2": 0.999,
          "clip_norm": 0, "precision": "fp32", "seed": 3}  # fmt: skip
STEPS = 3  # in an epoch of data()


def data(images: int = 20, held_out: int = 6) -> loop.Data:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(images + held_out, 5, generator=generator)
    labels = torch.randint(0, 10, (images + held_out,), generator=generator)
    return loop.Data(inputs[:images], labels[:images], inputs[images:], labels[images:])


def network(*middle: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), *middle, nn.ReLU(), nn.Linear(7, 10))


def fit(
    net: nn.Module,
    given: loop.Data | None = None,
    checkpoint: Checkpoint | None = None,
    **params: object,
) -> loop.History:
    watch = Progress("test", 1), checkpoint
    return loop.fit(net, given or data(), nn.Identity(), PARAMS | params, *watch)
