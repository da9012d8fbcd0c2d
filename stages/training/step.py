"""What a training reads, and one step of it: forward, backward, optimizer."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.compute.inference import Prepare, autocast
from stages.training.optimizer import Adam

Step = Callable[[Tensor], Tensor]


@dataclass
class Data:
    """Inputs and labels of the images trained on and of those held out, all on one device."""

    inputs: Tensor
    labels: Tensor
    validation_inputs: Tensor
    validation_labels: Tensor


def make_step(
    network: nn.Module, optimizer: Adam, data: Data, prepare: Prepare, params: dict[str, Any]
) -> Step:
    """Return a function that trains on a batch, (N,) int64 indices, and returns its mean loss."""

    def step(batch: Tensor) -> Tensor:
        with autocast(data.inputs.device, params["precision"]):
            logits = network(prepare(data.inputs[batch]))
            loss = functional.cross_entropy(logits.float(), data.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        if params["clip_norm"]:
            nn.utils.clip_grad_norm_(network.parameters(), params["clip_norm"])
        optimizer.step()
        return loss.detach()

    return step


class CudaGraphStep:
    """A step recorded as a CUDA graph, one for each size of batch, and replayed.

    With small batches a GPU waits for the CPU to launch its many small kernels; a graph is one
    launch. The first three of a size are eager, real steps: they set up what a recording must not.
    """

    def __init__(self, step: Step):
        self.step = step
        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()  # shared: only one graph replays at a time
        self.eager: dict[int, int] = {}
        self.graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, batch: Tensor) -> Tensor:
        size = len(batch)
        if size not in self.graphs:
            if self.eager.setdefault(size, 0) < 3:
                self.eager[size] += 1
                return self._warm_up(batch)
            recorded, graph = batch.clone(), torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, self.pool, self.stream):
                self.graphs[size] = graph, recorded, self.step(recorded)
        graph, recorded, loss = self.graphs[size]
        recorded.copy_(batch)
        graph.replay()
        return loss.clone()

    def _warm_up(self, batch: Tensor) -> Tensor:
        """Run one step eagerly on the stream that is recorded from later."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*capturable=True")  # it soon will be
            loss = self.step(batch)
        torch.cuda.current_stream().wait_stream(self.stream)
        return loss
