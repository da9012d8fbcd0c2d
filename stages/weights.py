"""Stage `weights`: the weights that a network with pretrained weights starts from.

python -m stages.weights <model>
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

import argparse
import hashlib
import http.client
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn
from tqdm import tqdm

from stages import models
from stages.system import errors, files
from stages.system.errors import UserError
from stages.training import params

SECONDS_PER_READ = 30


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

    No pickle in it can run code.

    Raises:
        UserError: it is not there and cannot be had, or is damaged.
    """
    name = weights.url.rsplit("/", 1)[1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        try:
            download(weights.url, path)
        except (OSError, http.client.HTTPException) as error:
            raise UserError(
                f"weights.{model} is imagenet, but {weights.url} cannot be had ({error}): put that "
                f"file at {path}, or set weights.{model} to random"
            ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
            raise TypeError
    except Exception as error:  # a damaged file can fail anywhere in zip, pickle or torch
        if isinstance(error, OSError) or errors.out_of_memory(error):
            raise
        raise UserError(f"{path} is not torchvision's {name}: remove it and run again") from error
    return state


def download(url: str, path: Path) -> None:
    """Download a checkpoint, whole or not at all, and check it against the hash in its name.

    torch.hub does this too, but waits without end and takes any amount.

    Raises:
        OSError: no answer, the connection broke, or what came is not the file.
    """
    prefix = path.stem.rpartition("-")[2]  # of its SHA-256, as torch.hub has it
    digest, size = hashlib.sha256(), 0
    bar = tqdm(desc=path.name, unit="B", unit_scale=True, disable=None)

    def fill(file: BinaryIO) -> None:
        nonlocal size
        while chunk := response.read1(65_536):
            size += len(chunk)
            if size > models.LARGEST_FILE:
                raise OSError(f"it sends more than {models.LARGEST_FILE:,} bytes")
            file.write(chunk)
            digest.update(chunk)
            bar.update(len(chunk))
        if not digest.hexdigest().startswith(prefix):
            raise OSError(f"its {size:,} bytes have SHA-256 {digest.hexdigest()}, not {prefix}...")

    with bar, urllib.request.urlopen(url, timeout=SECONDS_PER_READ) as response:
        files.write(path, fill)


def transplant(network: nn.Module, state: dict[str, Tensor], head: str) -> None:
    """Put all tensors but the head's into `network`, whose ten-class head stays as it is.

    Raises:
        UserError: the tensors are not those of this architecture.
    """
    own, prefix = network.state_dict(), f"{head}."
    kept = {key: value for key, value in own.items() if key.startswith(prefix)}
    body = {key: value for key, value in state.items() if not key.startswith(prefix)}
    models.restore(network, body | kept, "the ImageNet checkpoint")


if __name__ == "__main__":
    errors.run(main)
