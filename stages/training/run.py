"""The parts of a training: what it starts from, what it trains on, and what it writes."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from stages import models
from stages.compute.inference import Prepare, predict
from stages.mnist import images
from stages.models.layers import condensed
from stages.system import outputs
from stages.training import loop
from stages.training.history import History
from stages.training.recipe import Recipe
from stages.training.step import Data


def start(recipe: Recipe) -> tuple[nn.Module, Recipe]:
    """Build the network with its starting weights, and record in the recipe which these are."""
    network = models.build(recipe.model, **recipe.options)
    if "mode" not in recipe.params:  # only networks with pretrained weights have one
        return network, recipe
    path = Path(f"data/weights/{recipe.model}.pt")
    weights = models.read(path)
    state, options = weights["state_dict"], recipe.options
    if recipe.params["mode"] == "extract" and "stem" in options:
        options = options | {"stem": "pretrained"}  # extraction keeps it
    elif options.get("stem") == "fresh":
        stem = models.architecture(recipe.model).STEM + "."
        state |= {key: value for key, value in network.state_dict().items() if key.startswith(stem)}
    models.restore(network, state, path)
    params = recipe.params | {"weights": weights["params"].get("weights", "unknown")}
    return network, replace(recipe, options=options, params=params)


def split(recipe: Recipe, pixels: Tensor, labels: Tensor) -> Data:
    """Take the first `train_images` to train on and hold out the last `validation_images`."""
    trained = recipe.params["train_images"]
    held_out = len(labels) - recipe.params["validation_images"]
    return Data(pixels[:trained], labels[:trained], pixels[held_out:], labels[held_out:])


def train(recipe: Recipe, network: nn.Module, data: Data, *watchers: Any) -> History:
    """Train the network or, in mode `extract`, its head; `watchers`: Progress, Checkpoint."""
    params = recipe.params
    prepare = partial(images.prepare, image_size=network.image_size)
    if params.get("mode") != "extract":
        with condensed(network, prepare(data.inputs[:1])):
            return loop.fit(network, data, prepare, params, *watchers)
    name = models.architecture(recipe.model).HEAD
    head, features = freeze(network, name, data, prepare, params["precision"])
    return loop.fit(head, features, nn.Identity(), params, *watchers)


def freeze(
    network: nn.Module, name: str, data: Data, prepare: Prepare, precision: str
) -> tuple[nn.Module, Data]:
    """Freeze a network except its last layer, `name`; return that and its data, (N, features)."""
    network.requires_grad_(False)
    head = network.get_submodule(name)
    network.set_submodule(name, nn.Identity())
    inputs = data.inputs, data.validation_inputs
    features = [predict(network, x, prepare, precision) if len(x) else x for x in inputs]
    network.set_submodule(name, head.requires_grad_(True))
    return head, Data(features[0], data.labels, features[1], data.validation_labels)


def write(recipe: Recipe, network: nn.Module, history: History) -> None:
    """Write what the pipeline keeps of a run, the same bytes each time."""
    epochs, *last = history.epochs[-1]
    metrics = dict(zip(["loss", "validation_loss", "validation_accuracy"], last, strict=True))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    metrics |= {"epochs": epochs, "parameters": parameters}
    if history.diverged:
        metrics["diverged"] = True
    outputs.write_json(Path(f"metrics/train/{recipe.name}.json"), metrics)
    history.write(recipe.name)
    outputs.write_json(Path(f"data/settings/{recipe.name}.json"), recipe.settings)
    models.save(Path(f"data/models/{recipe.name}.pt"), network, **recipe.settings)
