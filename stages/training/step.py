"""One step of training: forward, backward, optimizer."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.training.distributed import Group
from stages.training.inference import autocast

EAGER_STEPS = 3


class Step:
    """Trains on a batch; returns its mean loss, or this process's part of it, on the device."""

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        inputs: Tensor,
        labels: Tensor,
        prepare: Callable[[Tensor], Tensor],
        precision: str,
        group: Group,
        clip: float | None = None,
    ):
        """Bind what stays the same from step to step; see `loop.fit`.

        `clip` is the largest norm that the gradient of a step may have; it is scaled down to that.
        """
        self.network = group.wrap(network)
        self.optimizer = optimizer
        self.inputs, self.labels = inputs, labels
        self.prepare, self.precision, self.group = prepare, precision, group
        self.clip = clip

    def __call__(self, batch: Tensor) -> Tensor:
        """Train on the images whose numbers `batch` holds, (N,) int64."""
        share = self.group.share(batch)
        with autocast(self.inputs.device, self.precision):
            logits = self.network(self.prepare(self.inputs[share]))
            loss = functional.cross_entropy(logits.float(), self.labels[share])
        part = loss * (len(share) / len(batch))
        self.optimizer.zero_grad()
        (part * self.group.size).backward()  # gradients are averaged over the processes
        if self.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        return part.detach()


class Captured:
    """A step recorded as a CUDA graph, one for each size of batch, and replayed.

    At small batches a GPU waits for the CPU to launch its many small kernels; a graph is one
    launch. The first steps run eagerly, as real steps: they set up what a recording must not.
    """

    def __init__(self, step: Step):
        """Wrap `step`, whose optimizer must be capturable."""
        self.step = step
        self.stream = torch.cuda.Stream()
        self.eager: dict[int, int] = {}
        self.graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, batch: Tensor) -> Tensor:
        """Do as Step does."""
        size = len(batch)
        if size not in self.graphs:
            if self.eager.setdefault(size, 0) < EAGER_STEPS:
                self.eager[size] += 1
                return self._aside(batch)
            self.graphs[size] = self._record(batch)
        graph, given, loss = self.graphs[size]
        given.copy_(batch)
        graph.replay()
        return loss.clone()

    def _aside(self, batch: Tensor) -> Tensor:
        """Run one step eagerly on the stream that is recorded from later."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*capturable=True")  # it soon will be
            loss = self.step(batch)
        torch.cuda.current_stream().wait_stream(self.stream)
        return loss

    def _record(self, batch: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        given, graph = batch.clone(), torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            loss = self.step(given)
        return graph, given, loss
