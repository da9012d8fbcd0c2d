"""The parts of a training: what it starts from, what it trains on, and what it writes."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from stages import models
from stages.mnist import images
from stages.models.layers import condensed
from stages.system import messages, outputs
from stages.system.progress import Progress
from stages.training import extract, loop
from stages.training.checkpoint import Checkpoint
from stages.training.history import Curves, History
from stages.training.recipe import Recipe


def start(recipe: Recipe) -> tuple[nn.Module, Recipe]:
    """Build the network with its starting weights; add to the recipe which weights they are.

    Raises:
        UserError: the starting weights are missing, corrupt or another architecture's.
    """
    network = models.build(recipe.model, **recipe.options)
    if not recipe.pretrained:
        return network, recipe
    path = Path(f"data/weights/{recipe.model}.pt")
    weights = models.read(path)
    state, options = weights["state_dict"], recipe.options
    if recipe.params["mode"] == "extract" and "stem" in options:
        options = options | {"stem": "pretrained"}  # extraction keeps it
    elif options.get("stem") == "fresh":
        stem = models.architecture(recipe.model).STEM + "."
        fresh = {key: value for key, value in network.state_dict().items() if key.startswith(stem)}
        state = state | fresh
    models.restore(network, state, path)
    source = {"weights": weights["params"].get("weights", "unknown")}
    return network, replace(recipe, options=options, params=recipe.params | source)


def check(recipe: Recipe, device: torch.device) -> None:
    """Refuse what the device cannot compute.

    Raises:
        UserError: bf16 with portable kernels on a CPU, since AVX2 has no bf16.
    """
    wanted = recipe.params["precision"], recipe.params["kernels"]
    if device.type == "cpu" and wanted == ("bf16", "portable"):
        raise messages.error("bf16 is not portable")


def split(recipe: Recipe, pixels: Tensor, labels: Tensor) -> loop.Data:
    """Take the first `train_images` to train on and hold the last `validation_images` out."""
    trained = recipe.params["train_images"]
    held_out = len(labels) - recipe.params["validation_images"]
    return loop.Data(pixels[:trained], labels[:trained], pixels[held_out:], labels[held_out:])


def train(
    recipe: Recipe,
    network: nn.Module,
    data: loop.Data,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
    curves: Curves | None = None,
) -> History:
    """Train the whole network or, in mode `extract`, its head alone; see `loop.fit`."""
    params, watch = recipe.params, (progress, checkpoint, curves)
    prepare = partial(images.prepare, image_size=network.image_size)
    if params.get("mode") != "extract":
        with condensed(network, prepare(data.inputs[:1])):
            return loop.fit(network, data, prepare, params, *watch)
    head = models.architecture(recipe.model).HEAD
    layer, features = extract.freeze(network, head, data, prepare, params["precision"])
    return loop.fit(layer, features, nn.Identity(), params, *watch)


def write(recipe: Recipe, network: nn.Module, history: History) -> None:
    """Write what the pipeline keeps of a run, byte-identical each time."""
    epochs, loss, validation_loss, validation_accuracy = history.epochs[-1]
    metrics = {
        "loss": loss,
        "validation_loss": validation_loss,
        "validation_accuracy": validation_accuracy,
        "epochs": epochs,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    if history.diverged:
        metrics["diverged"] = True
    outputs.write_json(Path(f"metrics/train/{recipe.name}.json"), metrics)
    Curves(recipe.name).write(history)
    outputs.write_json(Path(f"data/settings/{recipe.name}.json"), recipe.settings)
    models.save(Path(f"data/models/{recipe.name}.pt"), network, **recipe.settings)
