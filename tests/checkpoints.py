"""Stand-ins for torchvision's ImageNet checkpoints, which tests cannot download."""

from pathlib import Path

import torch
import torchvision

OFFICIAL = {"resnet18": "resnet18-f37072fd.pth", "alexnet": "alexnet-owt-7be5be79.pth"}


def cached(hub: Path, model: str) -> Path:
    """Return where torch.hub looks for the official checkpoint when TORCH_HOME is `hub`."""
    return hub / "hub/checkpoints" / OFFICIAL[model]


def stand_in(hub: Path, model: str) -> dict[str, torch.Tensor]:
    """Put a checkpoint of the official shape where torch.hub looks for the official one."""
    torch.manual_seed(99)
    state = getattr(torchvision.models, model)(num_classes=1000).state_dict()
    cached(hub, model).parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, cached(hub, model))
    return state
