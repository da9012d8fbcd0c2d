"""Print the images/s of training one network: by the notebook's loop, or by ours.

python -m tools.bench.rate MODEL {notebook,default} {loop,portable,native,bf16} SECONDS

`loop` is the notebook's, in PyTorch's default environment. The others are ours, set up in the same
order as by `python -m stages.train`, which changes the whole process; `portable` and `native` are
kernels in fp32, bf16 has native ones.
"""

import sys

from stages.compute import kernels
from stages.system import errors, params

if __name__ == "__main__":
    if "loop" not in sys.argv:  # before PyTorch is loaded; AVX2 has no bf16
        wanted = "portable" if "portable" in sys.argv else "native"
        kernels.use(wanted, params.read()["threads"])
    errors.run_module(__spec__.name)

import time
from dataclasses import replace

import torch
from torch import Tensor

from stages import models
from stages.compute import devices
from stages.mnist import images
from stages.training import loop, recipe, run
from tools.bench import notebook


class Timer:
    """Stands in for Progress: times some steps, prints the images/s and ends the program."""

    def __init__(self, seconds: float):
        self.seconds, self.steps = seconds, 0
        # a GPU has kernels to choose and CUDA graphs to record first
        self.warm_up = 20 if torch.accelerator.is_available() else 2

    def step(self, images: int, loss: Tensor) -> None:
        self.steps += 1
        if self.steps <= self.warm_up:
            self.images, self.start = 0, now()
            return
        self.images += images
        if time.perf_counter() > self.start + self.seconds:
            print(self.images / (now() - self.start))
            sys.exit()


def now() -> float:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter()


def main() -> None:
    _, model, configuration, way, seconds = sys.argv
    given, (pixels, labels) = recipe.find(params.read(), model), images.load("train")
    changed = {"epochs": 1000, "mode": "finetune"}
    changed["precision"] = "bf16" if way == "bf16" else "fp32"
    if configuration == "notebook":
        theirs = notebook.facts()["configuration"]
        changed |= {key: theirs[key] for key in ("batch_size", "schedule", "beta2", "clip_norm")}
        given = replace(given, options={"image_size": theirs["image_size"]})
    given = replace(given, params=given.params | changed)
    timer, size = Timer(float(seconds)), given.options["image_size"]
    if way == "loop":
        network = notebook.build(model, size).to("cuda" if torch.cuda.is_available() else "cpu")
        notebook.fit(network, notebook.MNIST(size), given.params["batch_size"], timer)
    network, device = models.build(model, **given.options), devices.choose()
    pixels, labels = pixels.to(device), labels.to(device)
    data = loop.Data(pixels, labels, pixels[:0], labels[:0])
    network.to(device, memory_format=torch.channels_last)
    run.train(given, network, data, timer)
