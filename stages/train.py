"""Stages `transfer`, `train`, `activation` and `learning_rate`: train one run.

python -m stages.train MODEL [--activation A] [--lr X]
"""

from stages.system import errors
from stages.training import kernels

if __name__ == "__main__":
    errors.run(kernels.fix)  # before PyTorch is loaded

import argparse
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from stages import models
from stages.mnist import images, read
from stages.models.layers import condensed
from stages.system import files, messages, rules
from stages.system.progress import Progress
from stages.training import devices, distributed, extract, loop, params
from stages.training.checkpoint import Checkpoint, fingerprint
from stages.training.history import Curves, History

SLOW = ("bf16", "portable")  # ten times slower than fp32: AVX2 has no bf16


def main() -> None:
    """Train the run that the command line describes and write its model, metrics and curves."""
    parser = argparse.ArgumentParser(description="Train one run of the pipeline.")
    parser.add_argument("model", help="a key of `models` in params.yaml")
    parser.add_argument("--activation", help="instead of the one in params.yaml")
    parser.add_argument("--lr", help="a learning rate instead of the one in params.yaml")
    run = params.find(rules.read(), **vars(parser.parse_args()))
    pixels, labels = read.load("train")
    torch.manual_seed(run.params["seed"])
    network, run = start(run)
    distributed.launch()  # after everything that a user can get wrong
    group = distributed.join()
    if group.rank:
        torch.manual_seed(run.params["seed"] + group.rank)  # otherwise all drop the same units
    device = devices.choose()
    if device.type == "cpu" and (run.params["precision"], run.params["kernels"]) == SLOW:
        raise messages.bf16_is_not_portable()
    checkpoint = curves = None
    if group.size == 1:
        curves = Curves(run.name)
        checkpoint = Checkpoint(run.name, fingerprint(run.settings, network, device))
    data = split(run, pixels.to(device), labels.to(device))
    network.to(device, memory_format=torch.channels_last)
    total = run.params["epochs"] * len(data.labels)
    with closing(Progress(run.name, total, group.rank == 0)) as progress:
        history = train(run, network, data, progress, group, checkpoint, curves)
    if group.rank == 0:
        write(run, network, history)
    if checkpoint:
        checkpoint.remove()
    group.leave()


def start(run: params.Run) -> tuple[nn.Module, params.Run]:
    """Build the run's network with its starting weights, and note in the run which they are.

    Raises:
        UserError: the starting weights are missing, corrupt or another architecture's.
    """
    network = models.build(run.model, **run.options)
    if not run.pretrained:
        return network, run
    path = Path(f"data/weights/{run.model}.pt")
    weights = models.read(path)
    state, options = weights["state_dict"], run.options
    if run.params["mode"] == "extract" and "stem" in options:
        options = options | {"stem": "pretrained"}  # extraction keeps it
    elif options.get("stem") == "fresh":
        stem = models.architecture(run.model).STEM + "."
        fresh = {key: value for key, value in network.state_dict().items() if key.startswith(stem)}
        state = state | fresh
    models.restore(network, state, path)
    source = {"weights": weights["params"].get("weights", "unknown")}
    return network, replace(run, options=options, params=run.params | source)


def split(run: params.Run, pixels: Tensor, labels: Tensor) -> loop.Data:
    """Take the first `train_images` to train on and hold the last `validation_images` out."""
    trained = run.params["train_images"]
    held_out = len(labels) - run.params["validation_images"]
    return loop.Data(pixels[:trained], labels[:trained], pixels[held_out:], labels[held_out:])


def train(
    run: params.Run,
    network: nn.Module,
    data: loop.Data,
    progress: Progress,
    group: distributed.Group,
    checkpoint: Checkpoint | None = None,
    curves: Curves | None = None,
) -> History:
    """Train the whole network or, in mode `extract`, its head alone."""
    prepare = partial(images.prepare, image_size=network.image_size)
    if run.params.get("mode") != "extract":
        with condensed(network, prepare(data.inputs[:1])):
            return loop.fit(network, data, prepare, run.params, progress, group, checkpoint, curves)
    head = models.architecture(run.model).HEAD
    layer, features = extract.freeze(network, head, data, prepare, run.params["precision"])
    prepare = nn.Identity()
    return loop.fit(layer, features, prepare, run.params, progress, group, checkpoint, curves)


def write(run: params.Run, network: nn.Module, history: History) -> None:
    """Write what the pipeline keeps of a run, byte-identical each time."""
    epochs, loss, validation_loss, validation_accuracy = history.epochs[-1]
    metrics = {
        "loss": loss,
        "validation_loss": validation_loss,
        "validation_accuracy": validation_accuracy,
        "epochs": epochs,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    } | ({"diverged": True} if history.diverged else {})
    files.write_json(Path(f"metrics/train/{run.name}.json"), metrics)
    Curves(run.name).write(history)
    files.write_json(Path(f"data/settings/{run.name}.json"), run.settings)
    models.save(Path(f"data/models/{run.name}.pt"), network, **run.settings)


if __name__ == "__main__":
    errors.run(main, "lower batch_size or the model's image_size in params.yaml")
