"""Images/s of the notebook's training loop and of ours, each measured in a process of its own.

Ours is set up in the same order as by `python -m stages.train`, which changes the whole process,
after `kernels.fix`; the notebook's keeps PyTorch's default environment.
"""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace

import torch
from torch import Tensor

from stages import models
from stages.compute import devices
from stages.mnist import images
from stages.training import loop
from stages.training import run as training
from stages.training.recipe import Recipe
from tools.bench import machine, notebook_loop, plain

ENDLESS = 1000  # epochs: the timer ends a training long before


class EnoughError(Exception):
    """The measurement is over."""


class Timer:
    """Stands in for Progress: after some steps it times the next ones, then ends the training."""

    def __init__(self, seconds: float, device: torch.device):
        """Measure for `seconds` and at least two steps."""
        self.seconds, self.device = seconds, device
        # a GPU has kernels to choose and CUDA graphs to record first
        self.warm_up = 2 if device.type == "cpu" else 20
        self.steps = self.images = 0

    def step(self, images: int, loss: Tensor) -> None:
        """Count a batch.

        Raises:
            EnoughError: the time is up; `rate` holds the images/s.
        """
        self.steps += 1
        if self.steps == self.warm_up:
            machine.synchronize(self.device)
            self.start = time.perf_counter()
        elif self.steps > self.warm_up:
            self.images += images
            over = time.perf_counter() - self.start >= self.seconds
            if over and self.steps >= self.warm_up + 2:
                machine.synchronize(self.device)
                self.rate = self.images / (time.perf_counter() - self.start)
                raise EnoughError


def notebook(model: str, image_size: int, batch_size: int, seconds: float) -> float:
    """Return the images/s of the notebook's loop."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = notebook_loop.Digits(*images.load("train"), image_size)
    network, timer = plain.build(model, image_size).to(device), Timer(seconds, device)
    with suppress(EnoughError):
        notebook_loop.fit(network, data, batch_size, 0.001, ENDLESS, timer)
    return timer.rate


def ours(run: Recipe, seconds: float) -> float:
    """Return the images/s of training all of a run's network, as `stages.train` does."""
    pixels, labels = images.load("train")
    network = models.build(run.model, **run.options)
    device = devices.choose()
    pixels, labels = pixels.to(device), labels.to(device)
    data = loop.Data(pixels, labels, pixels[:0], labels[:0])
    network.to(device, memory_format=torch.channels_last)
    timer = Timer(seconds, device)
    run = replace(run, params=run.params | {"epochs": ENDLESS, "mode": "finetune"})
    with suppress(EnoughError):
        training.train(run, network, data, timer)
    return timer.rate


def peak(precision: str) -> float:
    """Return the FLOP/s of a matrix product in the environment of `ours`."""
    return machine.peak(devices.choose(), precision)


def process() -> ProcessPoolExecutor:
    """Start a process to call these functions in, in the environment as it is now.

    Idle, it takes no CPU time.
    """
    spawn = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(1, spawn, initializer=_end_with_parent)
    executor.submit(os.getpid).result()
    return executor


def _end_with_parent() -> None:
    """Do not outlive the parent, however it ends; the executor's processes else wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
