"""Stage `weights`: the weights that a network with pretrained weights starts from.

python -m stages.weights MODEL
"""

from stages.compute import kernels

if __name__ == "__main__":
    kernels.run(__spec__.name)

import argparse
import socket
import sys
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from stages import models
from stages.system import errors, params
from stages.system.errors import UserError

TIMEOUT = 30  # seconds without a byte


def main() -> None:
    """Write data/weights/MODEL.pt, a model file whose ten-class head is not trained yet."""
    parser = argparse.ArgumentParser(description="Make the starting weights of one network.")
    parser.add_argument("model", help="a key of `weights` in params.yaml")
    model = parser.parse_args().model
    values = params.read()
    architecture = models.architecture(model)
    if model not in values["weights"] or not hasattr(architecture, "IMAGENET"):
        known = ", ".join(values["weights"])
        raise UserError(f"{model!r} has no starting weights: expected one of {known}")
    source = values["weights"][model]
    torch.manual_seed(values["seed"])
    # torchvision's initialisation; a run with a fresh stem replaces the stem later
    options = {"stem": "pretrained"} if "stem" in architecture.OPTIONS else {}
    network = models.build(model, **options)
    if source == "imagenet":
        transplant(network, architecture, model)
    path = Path(f"data/weights/{model}.pt")
    models.save(path, network, model, options, {"seed": values["seed"], "weights": source})


def transplant(network: nn.Module, architecture: ModuleType, model: str) -> None:
    """Load torchvision's ImageNet weights, except the head's; torch.hub caches the download."""
    url, head = architecture.IMAGENET.url, f"{architecture.HEAD}."
    path = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    progress, timeout = sys.stderr.isatty(), socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)  # torch.hub itself would wait forever
    try:
        state = torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=progress, check_hash=True, weights_only=True
        )
        own = network.state_dict()
        network.load_state_dict(state | {key: own[key] for key in own if key.startswith(head)})
    except Exception as error:  # a corrupt file can fail anywhere in zip, pickle or torch
        if not path.exists():
            raise UserError(
                f"{url} could not be downloaded ({error}): check the network and disk "
                f"space and run again, put the file at {path}, or set weights.{model} to random"
            ) from error
        if isinstance(error, OSError) or errors.out_of_memory(error):
            raise
        raise UserError(f"{path} is not torchvision's {model}: remove it and run again") from error
    finally:
        socket.setdefaulttimeout(timeout)
