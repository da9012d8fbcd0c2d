"""Stage `weights`: the weights that a network with pretrained weights starts from.

python -m stages.weights <model>
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stages import models
from stages.system import errors
from stages.system.errors import UserError
from stages.training import params


def main() -> None:
    """Write data/weights/<model>.pt, a model file with the ten-class head not trained yet."""
    parser = argparse.ArgumentParser(description="Make the starting weights of one network.")
    parser.add_argument("model", help="resnet18, alexnet or vgg16")
    model = parser.parse_args().model
    values = params.read()
    architecture = models.architecture(model)
    if model not in values["weights"] or not hasattr(architecture, "IMAGENET"):
        raise UserError(
            f"{model!r} has no starting weights: expected one of {', '.join(values['weights'])}, "
            f"a key of `weights` in params.yaml with ImageNet weights in its file"
        )
    torch.manual_seed(values["seed"])
    # torchvision's own initialisation: the stem is made anew, if at all, by the run that trains
    options = {"stem": "pretrained"} if "stem" in architecture.OPTIONS else {}
    network = models.build(model, **options)
    source = values["weights"][model]
    if source == "imagenet":
        transplant(network, imagenet(model, architecture.IMAGENET), architecture.HEAD)
    path = Path(f"data/weights/{model}.pt")
    models.save(path, network, model, options, {"seed": values["seed"], "weights": source})


def imagenet(model: str, weights: Any) -> dict[str, Tensor]:
    """Get torchvision's state dict from torch.hub's cache (TORCH_HOME), else from the network.

    A download is checked against the hash that torchvision pins; no pickle can run code.

    Raises:
        UserError: it is not there and cannot be had, or is damaged.
    """
    name = weights.url.rsplit("/", 1)[1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    try:
        return weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except OSError as error:
        raise UserError(
            f"weights.{model} is imagenet, but {weights.url} cannot be had ({error}): put that "
            f"file at {path}, or set weights.{model} to random"
        ) from error
    except Exception as error:  # a damaged file can fail anywhere in zip, pickle or torch
        raise UserError(
            f"what {weights.url} or {path} holds is not torchvision's {name}: "
            f"remove that file if it is there, and run again"
        ) from error


def transplant(network: nn.Module, state: dict[str, Tensor], head: str) -> None:
    """Put all tensors but the head's into `network`, whose ten-class head stays as it is.

    Raises:
        UserError: the tensors are not those of this architecture.
    """
    own = network.state_dict()
    body = {key: value for key, value in state.items() if not key.startswith(f"{head}.")}
    models.restore(network, own | body, "the ImageNet checkpoint")


if __name__ == "__main__":
    errors.run(main)
