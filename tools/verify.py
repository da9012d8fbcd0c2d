"""Say whether this machine computes the committed bits and, if not, which part differs first.

python -m tools.verify [--write] [--images 4]

A small version of each thing that the pipeline computes, with portable kernels and two threads,
whatever params.yaml says, is hashed and compared with tools/verified.json. `--write` makes that
file anew; another number of images is not compared, only hashed.
"""

from stages.compute import kernels
from stages.system import errors

if __name__ == "__main__":
    kernels.use("portable", 2)  # before PyTorch is loaded
    errors.run_module(__spec__.name)

import argparse
import hashlib
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from stages import models
from stages.compute import devices, inference
from stages.mnist import images
from stages.models import layers
from stages.reporting import curves
from stages.reporting.comparisons import Comparison
from stages.results.runs import Epoch, Run, Window
from stages.system import outputs
from stages.system.progress import Progress
from stages.training import run
from stages.training.recipe import Recipe

PATH = Path(__file__).with_name("verified.json")
NETWORKS = {
    "resnet18": {"image_size": 32},
    "alexnet": {"image_size": 72, "dropout": 0},
    "model_a": {"image_size": 28},
    "model_b": {"image_size": 28},
}
PARAMS = {"seed": 0, "epochs": 1, "lr": 0.001, "schedule": "one-cycle",
          "beta2": 0.98, "clip_norm": 1, "precision": "fp32"}  # fmt: skip
IMAGES = 4  # to train on, in two steps, and as many to test


def main() -> None:
    """Compute each part and compare it with what is committed.

    Raises:
        UserError: a part differs.
    """
    parser = argparse.ArgumentParser(description="Compare this machine's bits with the committed.")
    parser.add_argument("--write", action="store_true", help="commit to this machine's")
    parser.add_argument(
        "--images",
        type=int,
        choices=[IMAGES, 64, 128, 256],
        default=IMAGES,
        help="to train on, in two steps",
    )
    arguments = parser.parse_args()
    compare = not arguments.write and arguments.images == IMAGES
    devices.choose()
    found, different = {}, []
    expected = json.loads(PATH.read_text()) if compare else {}
    for name, tensors in parts(arguments.images):
        found[name] = digest(tensors)
        if compare and found[name] != expected.get(name):
            different.append(name)
        print(f"{found[name][:12]}  {name}", flush=True)
    if different:
        raise errors.UserError(
            f"this machine computes other bits than the committed ones, first in: {different[0]}; "
            f"results made here will differ from others' in the last digits: check that "
            f"requirements.txt is installed and no file is changed, or report this CPU"
        )
    if arguments.write:
        outputs.write_json(PATH, found)
    if compare:
        print("the same bits as committed", file=sys.stderr)


def parts(size: int) -> Iterator[tuple[str, Iterable[Tensor]]]:
    """Compute each part; one that differs makes others after it differ too."""
    pixels, labels = images.load("test")
    yield "data", (pixels, labels)
    pooled = layers.ConvPool2d(3, 8, 3, padding=1)
    yield "convolution", passes(nn.Sequential(pooled, layers.Conv2d(8, 16, 3)), (1, 28, 28))
    yield "linear layer", passes(layers.Linear(1568, 64), (1568,))
    for name, options in NETWORKS.items():
        torch.manual_seed(PARAMS["seed"])
        network = models.build(name, **options).to(memory_format=torch.channels_last)
        yield f"starting weights of {name}", state(network)
        yield f"evaluation of {name}", evaluate(network, pixels[:size], labels[:size])
        sizes = {"batch_size": size // 2, "train_images": size, "validation_images": size}
        recipe = Recipe(name, name, options, PARAMS | sizes)
        yield f"training {name}", trained(recipe, network, pixels[: 2 * size], labels[: 2 * size])
    yield "picture", picture()


def digest(tensors: Iterable[Tensor]) -> str:
    """Return the SHA-256 (hex) of tensors' CRC-32s, which an emulated CPU computes faster."""
    flat = (tensor.detach().contiguous().flatten().view(torch.uint8) for tensor in tensors)
    return hashlib.sha256(str([zlib.crc32(one.numpy()) for one in flat]).encode()).hexdigest()


def state(network: nn.Module) -> list[Tensor]:
    """Return a network's tensors."""
    return list(network.state_dict().values())


def passes(network: nn.Module, shape: tuple[int, ...]) -> list[Tensor]:
    """Return the outputs for 32 inputs of a shape, and all gradients of their sum of squares."""
    for tensor in state(network):
        tensor.copy_(ramp(*tensor.shape))
    given = ramp(32, *shape).requires_grad_()
    outputs = network(given)
    return [outputs, *torch.autograd.grad(outputs.square().sum(), [given, *network.parameters()])]


def ramp(*shape: int) -> Tensor:
    """Return numbers from -0.5 to 0.5 that no kernel rounds otherwise than another."""
    numbers = torch.arange(torch.Size(shape).numel()) * 7919 % 1009
    return (numbers / 1024 - 0.5).view(shape)


def evaluate(network: nn.Module, pixels: Tensor, labels: Tensor) -> list[Tensor]:
    """Test a network; return logits, probabilities, loss and accuracy."""
    prepare = partial(images.prepare, image_size=network.image_size)
    logits = inference.predict(network, pixels, prepare, "fp32")
    score = inference.score(logits, labels)
    return [logits, logits.softmax(1), torch.tensor(score, dtype=torch.float64)]


def trained(recipe: Recipe, network: nn.Module, pixels: Tensor, labels: Tensor) -> list[Tensor]:
    """Train a network for two steps, half of the images held out; return what came of it."""
    data = run.split(recipe, pixels, labels)
    progress = Progress(recipe.name, len(data.labels))
    history = run.train(recipe, network, data, progress)
    return [*state(network), history.losses, torch.tensor(history.epochs, dtype=torch.float64)]


def picture() -> list[Tensor]:
    """Draw loss curves; return the bytes of the PNG."""
    points = [(step / 100, 2.3 * 0.97**step) for step in range(1, 101)]
    steps = [Window(None, epoch, loss) for epoch, loss in points]
    made = Run(
        "run", epochs=[Epoch(epoch, loss, loss, None) for epoch, loss in points], steps=steps
    )
    drawn = curves.draw("Loss", {"run": Comparison({"run": made}, [], "")})
    return [torch.frombuffer(bytearray(drawn), dtype=torch.uint8)]
