"""Stage `transfer`, `train`, `activation` and `learning_rate`: train one run.

python -m stages.train <run>
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stages import models
from stages.mnist import images, read
from stages.models.layers import condensed
from stages.system import errors, files
from stages.training import devices, distributed, extract, loop, params, runs
from stages.training.checkpoint import Checkpoint, fingerprint
from stages.training.progress import Progress

CURVE_ROWS = 200


def main() -> None:
    """Train the run that the command line names and write its model, metrics and curves."""
    parser = argparse.ArgumentParser(description="Train one run of the pipeline.")
    parser.add_argument("run", help="such as resnet18, model_a-sigmoid or model_b-lr0.1")
    run = runs.find(parser.parse_args().run, params.read())
    pixels, labels = read.load("train")
    torch.manual_seed(run.params["seed"])
    network, settings = start(run)
    distributed.launch()  # after all that a user can have got wrong
    group = distributed.join()
    if group.rank:
        torch.manual_seed(run.params["seed"] + group.rank)  # else all drop the same units out
    device = devices.choose()
    checkpoint = None
    if group.size == 1:
        source = fingerprint(settings, (pixels, labels), network, device)
        checkpoint = Checkpoint(run.name, source)
    data = split(pixels, labels, run.params, device)
    network.to(device, memory_format=torch.channels_last)
    images = run.params["epochs"] * len(data.labels)
    with closing(Progress(run.name, images, group.rank == 0)) as progress:
        history = train(network, settings, data, progress, group, checkpoint)
    if group.rank == 0:
        write(run, settings, network, history)
    if checkpoint:
        checkpoint.remove()


def split(
    pixels: Tensor, labels: Tensor, values: dict[str, Any], device: torch.device
) -> loop.Data:
    """Take the first `train_images` to train on and hold the last `validation_images` out."""
    trained, held_out = values["train_images"], len(labels) - values["validation_images"]
    pixels, labels = pixels.to(device), labels.to(device)
    return loop.Data(pixels[:trained], labels[:trained], pixels[held_out:], labels[held_out:])


def start(run: runs.Run) -> tuple[nn.Module, dict[str, Any]]:
    """Build the run's network with its starting weights, and say what it is trained with.

    Raises:
        UserError: the starting weights are missing, damaged or another architecture's.
    """
    network = models.build(run.model, **run.options)
    settings = {"model": run.model, "options": run.options, "params": run.params}
    if not run.pretrained:
        return network, settings
    path = Path(f"data/weights/{run.model}.pt")
    weights = models.read(path)
    state = weights["state_dict"]
    if run.params["mode"] == "extract" and "stem" in run.options:
        settings |= {"options": run.options | {"stem": "pretrained"}}  # extraction keeps it
    elif run.options.get("stem") == "fresh":
        stem = models.architecture(run.model).STEM + "."
        fresh = {key: value for key, value in network.state_dict().items() if key.startswith(stem)}
        state = state | fresh
    models.restore(network, state, path)
    source = {"weights": weights["params"].get("weights", "unknown")}
    return network, settings | {"params": run.params | source}


def train(
    network: nn.Module,
    settings: dict[str, Any],
    data: loop.Data,
    progress: Progress,
    group: distributed.Group,
    checkpoint: Checkpoint | None,
) -> loop.History:
    """Train the whole network or, in mode `extract`, its head alone."""
    values, size = settings["params"], network.image_size

    def prepare(batch: Tensor) -> Tensor:
        return images.prepare(batch, size)

    if values.get("mode") != "extract":
        with condensed(network, prepare(data.inputs[:1])):
            return loop.fit(network, data, prepare, values, progress, group, checkpoint)
    head = models.architecture(settings["model"]).HEAD
    layer, features = extract.freeze(network, head, data, prepare, values["precision"])
    return loop.fit(layer, features, nn.Identity(), values, progress, group, checkpoint)


def write(
    run: runs.Run, settings: dict[str, Any], network: nn.Module, history: loop.History
) -> None:
    """Write what the pipeline keeps of a run; the same training gives the same bytes."""
    epoch, loss, validation_loss, validation_accuracy = history.epochs[-1]
    files.write_json(
        run.files["metrics"],
        {
            "loss": loss,
            "validation_loss": validation_loss,
            "validation_accuracy": validation_accuracy,
            "epochs": epoch,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
        }
        | ({"diverged": True} if history.diverged else {}),
    )
    header = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]
    files.write_csv(run.files["loss"], header, history.epochs)
    files.write_csv(run.files["steps"], ["step", "loss"], curve(history.losses.cpu()))
    files.write_json(run.files["settings"], settings)
    models.save(run.files["model"], network, **settings)


def curve(losses: Tensor) -> list[tuple[int, float]]:
    """Average (steps,) losses over equal windows, 200 at most: (last step, mean loss) of each."""
    parts = losses.tensor_split(min(CURVE_ROWS, len(losses)))
    ends = torch.tensor([len(part) for part in parts]).cumsum(0).tolist()
    return [(end, part.mean().item()) for end, part in zip(ends, parts, strict=True)]


if __name__ == "__main__":
    errors.run(main)
