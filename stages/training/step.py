"""One step of training and its optimizer: Adam, the learning rate schedule, CUDA graphs."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR

from stages.compute.inference import autocast

# Part of the steps. With a long warm-up AlexNet leaves its first plateau, a loss of 2.3, sooner.
WARM_UP = 0.2
EAGER_STEPS = 3  # before a CUDA graph is recorded

Step = Callable[[Tensor], Tensor]


class Adam(torch.optim.Adam):
    """torch.optim.Adam whose methods lack the wrappers that keep PyTorch's compiler out.

    The wrappers import the compiler for that: a third of the time until the first batch.
    """

    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    load_state_dict = torch.no_grad()(inspect.unwrap(torch.optim.Adam.load_state_dict))
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)


def configure_optimizer(
    network: nn.Module, params: dict[str, Any], steps: int, captured: torch.device | None
) -> tuple[Adam, OneCycleLR | None]:
    """Make the optimizer of the parameters that require a gradient, and its schedule, if any.

    `steps` is the length of the training; `captured` is the device if they become CUDA graphs.
    """
    optimizer = Adam(
        [parameter for parameter in network.parameters() if parameter.requires_grad],
        lr=torch.tensor(float(params["lr"]), device=captured) if captured else params["lr"],
        betas=(0.9, params["beta2"]),
        fused=True,
        capturable=captured is not None,
    )
    if params["schedule"] == "constant" or steps == 1:
        return optimizer, None
    warm_up = max(WARM_UP, 2 / steps)  # at least two steps: OneCycleLR divides by their span
    schedule = OneCycleLR(optimizer, params["lr"], steps, pct_start=warm_up, cycle_momentum=False)
    return optimizer, schedule


def make_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: Tensor,
    labels: Tensor,
    prepare: Callable[[Tensor], Tensor],
    params: dict[str, Any],
) -> Step:
    """Return a function that trains on a batch, (N,) int64 indices, and returns its mean loss."""

    def step(batch: Tensor) -> Tensor:
        with autocast(inputs.device, params["precision"]):
            logits = network(prepare(inputs[batch]))
            loss = functional.cross_entropy(logits.float(), labels[batch])
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
    launch. The first steps run eagerly, as real steps: they set up what a recording must not.
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
            if self.eager.setdefault(size, 0) < EAGER_STEPS:
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
