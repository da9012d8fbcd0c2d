"""Stages `transfer`, `train`, `activation` and `learning_rate`: train one run.

python -m stages.train MODEL [--activation A] [--lr X]
"""

from stages.compute import entry

if __name__ == "__main__":
    entry.run(__spec__.name, "lower batch_size or the model's image_size in params.yaml")

import argparse
from contextlib import closing

import torch

from stages.compute import devices
from stages.mnist import images
from stages.system import params
from stages.system.progress import Progress
from stages.training import recipe, run
from stages.training.checkpoint import Checkpoint, fingerprint
from stages.training.history import Curves


def main() -> None:
    """Train the run that the command line describes and write its model, metrics and curves."""
    parser = argparse.ArgumentParser(description="Train one run of the pipeline.")
    parser.add_argument("model", help="a key of `models` in params.yaml")
    parser.add_argument("--activation", help="replaces the one in params.yaml")
    parser.add_argument("--lr", help="replaces the learning rate in params.yaml")
    given = recipe.find(params.read(), **vars(parser.parse_args()))
    pixels, labels = images.load("train")
    torch.manual_seed(given.params["seed"])
    network, given = run.start(given)
    device = devices.choose()
    run.check(given, device)
    checkpoint = Checkpoint(given.name, fingerprint(given.settings, network, device))
    data = run.split(given, pixels.to(device), labels.to(device))
    network.to(device, memory_format=torch.channels_last)
    with closing(Progress(given.name, given.params["epochs"] * len(data.labels))) as progress:
        history = run.train(given, network, data, progress, checkpoint, Curves(given.name))
    run.write(given, network, history)
    checkpoint.remove()
