"""Stages `transfer`, `train`, `activation` and `learning_rate`: train one run.

python -m stages.train MODEL [--activation A] [--lr X]
"""

from stages.compute import kernels

if __name__ == "__main__":
    kernels.run(__spec__.name, "lower batch_size or the model's image_size in params.yaml")

import argparse
import os

import torch

from stages.compute import devices
from stages.mnist import images
from stages.system import messages, params
from stages.system.progress import Progress
from stages.training import recipe, run
from stages.training.checkpoint import Checkpoint, fingerprint


def main() -> None:
    parser = argparse.ArgumentParser(description="Train one run of the pipeline.")
    parser.add_argument("model", help="a key of `models` in params.yaml")
    parser.add_argument("--activation", help="replaces the one in params.yaml")
    parser.add_argument("--lr", help="replaces the learning rate in params.yaml")
    given = recipe.find(params.read(), **vars(parser.parse_args()))
    pixels, labels = images.load("train")
    torch.manual_seed(given.params["seed"])
    network, given = run.start(given)
    device = devices.choose()
    wanted = given.params["precision"], given.params["kernels"]
    if device.type == "cpu" and wanted == ("bf16", "portable"):  # AVX2 has no bf16
        raise messages.error("bf16 is not portable")
    checkpoint = Checkpoint(given.name, fingerprint(given.settings, network, device))
    if checkpoint.restore():
        return
    data = run.split(given, pixels.to(device), labels.to(device))
    network.to(device, memory_format=torch.channels_last)
    with Progress(given.name, given.params["epochs"] * len(data.labels)) as progress:
        history = run.train(given, network, data, progress, checkpoint)
    run.write(given, network, history)
    if "DVC_STAGE" in os.environ:
        checkpoint.keep()
    checkpoint.remove()
