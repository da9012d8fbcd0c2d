"""The training loop: plain PyTorch, the data on the device, one epoch after another."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from stages.system import interrupts, messages
from stages.system.progress import Progress
from stages.training.checkpoint import Checkpoint, RngState
from stages.training.distributed import Group
from stages.training.history import Curves, History
from stages.training.inference import predict, score
from stages.training.optimizer import configure_optimizer
from stages.training.step import CudaGraphStep, make_step


@dataclass
class Data:
    """Inputs and labels of the images trained on and of those held out, all on one device."""

    inputs: Tensor
    labels: Tensor
    validation_inputs: Tensor
    validation_labels: Tensor


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return the number of batches per epoch.

    They are of equal size, give or take one image, and hold two at least: batch normalisation has
    no variance of one.
    """
    return max(1, min(math.ceil(images / batch_size), images // 2))


def fit(
    network: nn.Module,
    data: Data,
    prepare: Callable[[Tensor], Tensor],
    params: dict[str, Any],
    progress: Progress,
    group: Group | None = None,
    checkpoint: Checkpoint | None = None,
    curves: Curves | None = None,
) -> History:
    """Train the parameters of `network` that require a gradient: Adam on the cross entropy.

    An epoch whose loss is not finite is the last one.

    Args:
        network: on the data's device; called with what `prepare` returns.
        data: see Data.
        prepare: turns a batch of `data.inputs` into the network's input, on the device.
        params: epochs, batch_size, lr, schedule, beta2, clip_norm, precision, seed, as in
            params.yaml.
        progress: told of every batch.
        group: the processes that share each batch; the history is whole in all, but for the
            validation, which is the first one's.
        checkpoint: to resume from and to write; see Checkpoint. None for a group of several
            processes, each with random states of its own.
        curves: to write meanwhile; see Curves.

    Raises:
        Interrupted: by a signal; the checkpoint, if any, then holds all steps done.
    """
    group = group or Group()
    device, images = data.inputs.device, len(data.labels)
    steps = steps_per_epoch(images, params["batch_size"])
    total = steps * params["epochs"]
    capture = device.type == "cuda" and group.size == 1
    optimizer, schedule = configure_optimizer(network, params, total, device if capture else None)
    step = make_step(network, optimizer, data.inputs, data.labels, prepare, params, group)
    train = CudaGraphStep(step) if capture else step
    shuffle = torch.Generator().manual_seed(params["seed"])
    history = History(steps, losses=torch.zeros(total, device=device))
    parts = {
        "network": network,
        "optimizer": optimizer,
        "history": history,
        "rng": RngState(device),
    } | ({"schedule": schedule} if schedule else {})
    if checkpoint and checkpoint.resume(parts, device):
        progress.resume(history.done, total)
    with interrupts.noted() as check:
        try:
            for epoch in range(params["epochs"]):
                order = torch.randperm(images, generator=shuffle).to(device).tensor_split(steps)
                if epoch < len(history.epochs):
                    continue  # done before the interruption: only advance the shuffle
                if history.diverged:
                    break
                network.train()
                losses = history.losses[epoch * steps : (epoch + 1) * steps]
                for i in range(history.done - epoch * steps, steps):
                    losses[i] = train(order[i])
                    if schedule and epoch * steps + i + 1 < total:
                        schedule.step()
                    history.done += 1
                    progress.step(len(order[i]), losses[i] * group.size)
                    check()
                    if checkpoint:
                        checkpoint.save_if_due(parts)
                    if curves:
                        curves.write_if_due(history)
                sizes = torch.tensor([len(batch) for batch in order], device=device)
                loss = (group.total(losses) * sizes).sum().item() / images
                held_out = (None, None)
                if len(data.validation_labels) and group.rank == 0:
                    logits = predict(
                        network, data.validation_inputs, prepare, params["precision"], check
                    )
                    held_out = score(logits, data.validation_labels)
                history.epochs.append((epoch + 1, loss, *held_out))
        except interrupts.Interrupted as interrupted:
            if checkpoint and checkpoint.save(parts):
                epoch = min(len(history.epochs) + 1, params["epochs"])
                sentence = messages.interrupted(epoch, params["epochs"])
                raise interrupts.Interrupted(interrupted.number, sentence) from None
            raise
    return history
