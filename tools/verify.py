"""Check that this machine computes the committed bits, and name the first part that differs.

python -m tools.verify [--write]

A small version of each thing that the pipeline computes, with portable kernels and two threads,
whatever params.yaml says, is hashed and compared with tools/verified.json.
"""

from stages.compute import kernels
from stages.system import errors, outputs

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
from torch import Tensor

from stages import models
from stages.compute import devices, inference
from stages.mnist import images
from stages.reporting import curves
from stages.reporting.comparisons import Comparison
from stages.results.runs import Run
from stages.system.progress import Progress
from stages.training import run
from stages.training.recipe import Recipe

PATH = Path(__file__).with_name("verified.json")
NETWORKS = {"resnet18": {"image_size": 32}, "alexnet": {"image_size": 72, "dropout": 0}}
NETWORKS |= {name: {"image_size": 28} for name in ("model_a", "model_b")}
PARAMS = {"seed": 0, "epochs": 1, "lr": 0.001, "schedule": "one-cycle",
          "beta2": 0.98, "clip_norm": 1, "precision": "fp32"}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Check that this machine computes the same bits.")
    parser.add_argument("--write", action="store_true", help="overwrite the committed hashes")
    write = parser.parse_args().write
    devices.choose()
    found = {}
    for name, tensors in parts():
        found[name] = digest(tensors)
        print(f"{found[name][:12]}  {name}", flush=True)
    if write:
        outputs.write_json(PATH, found)
    expected = json.loads(PATH.read_text())
    if different := [name for name in found if found[name] != expected.get(name)]:
        raise errors.UserError(
            f"this machine computes other bits than the committed ones, first in: {different[0]}; "
            f"results made here will differ from others' in the last digits: check that "
            f"requirements.txt is installed and no file is changed, or report this CPU"
        )
    print("the same bits as committed", file=sys.stderr)


def parts() -> Iterator[tuple[str, Iterable[Tensor]]]:
    """Compute each part; one that differs makes others after it differ too."""
    yield "data", images.load("test")
    for name in NETWORKS:
        yield from network_parts(name, 4)
    losses = [2.3 * 0.97**step for step in range(1, 101)]
    curve = {"epoch": [step / 100 for step in range(1, 101)], "loss": losses}
    made = Run("run", epochs=curve | {"validation_loss": losses}, steps=curve)
    drawn = curves.draw("Loss", {"run": Comparison({"run": made}, [], "")})
    yield "picture", [torch.frombuffer(bytearray(drawn), dtype=torch.uint8)]


def network_parts(name: str, size: int) -> Iterator[tuple[str, Iterable[Tensor]]]:
    """Build a network, test it on `size` images and train it on them in two steps."""
    pixels, labels = (tensor[: 2 * size] for tensor in images.load("test"))
    torch.manual_seed(PARAMS["seed"])
    network = models.build(name, **NETWORKS[name]).to(memory_format=torch.channels_last)
    yield f"starting weights of {name}", network.state_dict().values()
    prepare = partial(images.prepare, image_size=network.image_size)
    logits = inference.predict(network, pixels[:size], prepare, "fp32")
    score = torch.tensor(inference.score(logits, labels[:size]), dtype=torch.float64)
    yield f"evaluation of {name}", [logits, logits.softmax(1), score]
    sizes = {"batch_size": size // 2, "train_images": size, "validation_images": size}
    recipe = Recipe(name, name, NETWORKS[name], PARAMS | sizes)
    history = run.train(recipe, network, run.split(recipe, pixels, labels), Progress(name, size))
    epochs = torch.tensor(history.epochs, dtype=torch.float64)
    yield f"training {name}", [*network.state_dict().values(), history.losses, epochs]


def digest(tensors: Iterable[Tensor]) -> str:
    """Return the SHA-256 (hex) of tensors' CRC-32s, which an emulated CPU computes faster."""
    flat = (tensor.detach().contiguous().flatten().view(torch.uint8) for tensor in tensors)
    return hashlib.sha256(str([zlib.crc32(one.numpy()) for one in flat]).encode()).hexdigest()
