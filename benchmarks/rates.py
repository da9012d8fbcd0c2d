"""Images/s of the two ways of training, each in a process of its own, driven one at a time.

The processes are kept, so that the two can alternate without starting anew; one that is not being
measured waits for its next request and does nothing.
"""

import multiprocessing
import time
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from benchmarks import machine, notebook_loop
from stages import models
from stages.mnist import images, read
from stages.models.layers import condensed
from stages.system.errors import UserError
from stages.training import devices, loop

ENDLESS = 1000  # epochs: the timer ends a training, not these


class EnoughError(Exception):
    """The measurement is over."""


class Timer:
    """Stands in for Progress: counts images after some steps of warming up, ends the training."""

    def __init__(self, seconds: float, device: torch.device):
        """Measure for `seconds` and for two steps at least."""
        self.seconds, self.device = seconds, device
        self.warm_up = 2 if device.type == "cpu" else 20  # there: kernels are chosen and recorded
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

    def close(self) -> None:
        """Do nothing: there is no bar."""


class Notebook:
    """The notebook's loop, in PyTorch's default environment."""

    def __init__(self):
        """Read the training images and choose the device as the notebook does."""
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.pixels, self.labels = read.load("train")
        self.network, self.built = None, None

    def rate(
        self, model: str, options: dict[str, Any], batch_size: int, precision: str, seconds: float
    ) -> float:
        """Train at a constant learning rate and return images/s."""
        if self.built != (model, options):
            self.network = self.build(model, options)
            self.built = (model, options)
        timer = Timer(seconds, self.device)
        try:
            self.fit(options["image_size"], batch_size, precision, timer)
        except EnoughError:
            return timer.rate
        raise RuntimeError("the training ended before the measurement")

    def build(self, model: str, options: dict[str, Any]) -> torch.nn.Module:
        """Build the plain network; it knows no option but the image size."""
        return notebook_loop.build(model, options["image_size"]).to(self.device)

    def fit(self, size: int, batch_size: int, precision: str, timer: Timer) -> None:
        """Train until the timer ends it; the notebook knows no precision but fp32."""
        data = notebook_loop.Digits(self.pixels, self.labels, size)
        notebook_loop.fit(self.network, data, batch_size, 0.001, ENDLESS, timer)


class Ours(Notebook):
    """The loop of `stages.training`, in the environment that `stages.train` sets up."""

    def __init__(self):
        """Set up the environment and put the training images on the device."""
        device = devices.choose()
        super().__init__()
        self.device = device
        self.pixels, self.labels = self.pixels.to(device), self.labels.to(device)

    def build(self, model: str, options: dict[str, Any]) -> torch.nn.Module:
        """Build the pipeline's network."""
        network = models.build(model, **options)
        return network.to(self.device, memory_format=torch.channels_last)

    def fit(self, size: int, batch_size: int, precision: str, timer: Timer) -> None:
        """Train until the timer ends it."""
        data = loop.Data(self.pixels, self.labels, self.pixels[:0], self.labels[:0])
        params = {"epochs": ENDLESS, "batch_size": batch_size, "lr": 0.001, "seed": 0}
        params |= {"schedule": "constant", "precision": precision}

        def prepare(batch: torch.Tensor) -> torch.Tensor:
            return images.prepare(batch, size)

        with condensed(self.network, prepare(self.pixels[:1])):
            loop.fit(self.network, data, prepare, params, timer)

    def peak(self, precision: str) -> float:
        """Measure the FLOP/s of a matrix product in the same environment."""
        return machine.peak(self.device, precision)


def serve(pipe: Connection, way: type[Notebook]) -> None:
    """Answer requests (a method's name and arguments) until None comes."""
    try:
        served = way()
        for method, arguments in iter(pipe.recv, None):
            pipe.send(getattr(served, method)(*arguments))
    except UserError as error:
        pipe.send(error)
        pipe.recv()  # the caller may still be sending


class Worker:
    """A process that measures one way of training."""

    def __init__(self, way: type[Notebook]):
        """Start the process."""
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, way), daemon=True)
        self.process.start()
        theirs.close()

    def __enter__(self) -> "Worker":
        """Return the worker."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        if kind:
            self.process.terminate()
        else:
            self.pipe.send(None)
        self.process.join()

    def call(self, method: str, *arguments: object) -> float:
        """Have a method called there and return its answer.

        Raises:
            UserError: the data are missing or damaged.
        """
        self.pipe.send((method, arguments))
        answer = self.pipe.recv()
        if isinstance(answer, UserError):
            raise answer
        return answer
