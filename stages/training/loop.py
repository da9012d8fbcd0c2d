"""The training loop: plain PyTorch, the data on the device, one epoch after another."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stages.compute.inference import Prepare, predict, score
from stages.system import interrupts, messages
from stages.system.progress import Progress
from stages.training.checkpoint import Checkpoint
from stages.training.history import History
from stages.training.optimizer import configure_optimizer
from stages.training.step import CudaGraphStep, Data, make_step


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Count the batches; they differ by at most one image and hold at least two, for batch norm."""
    return max(1, min(math.ceil(images / batch_size), images // 2))


def fit(
    network: nn.Module,
    data: Data,
    prepare: Prepare,
    params: dict[str, Any],
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train the parameters that require a gradient: Adam on the cross entropy.

    `prepare` turns a batch of the data's inputs into the network's input, on their device; `params`
    holds epochs, batch_size, lr, schedule, beta2, clip_norm, precision and seed. Training stops
    after an epoch whose loss is not finite, or with Interrupted by a signal; the checkpoint, if
    any, then holds all steps done.
    """
    device, images, precision = data.inputs.device, len(data.labels), params["precision"]
    steps = steps_per_epoch(images, params["batch_size"])
    total = steps * params["epochs"]
    captured = device if device.type == "cuda" else None
    optimizer, schedule = configure_optimizer(network, params, total, captured)
    step = make_step(network, optimizer, data, prepare, params)
    if captured:
        step = CudaGraphStep(step)
    shuffle = torch.Generator().manual_seed(params["seed"])
    history = History(steps, torch.zeros(total, device=device))
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule, "history": history}
    if checkpoint and checkpoint.resume(parts, device):
        progress.resume(history.done, total)

    def run_epoch(batches: Sequence[Tensor]) -> float:
        """Train on the batches, (N,) int64 indices, that are not done; return the mean loss."""
        start = len(history.epochs) * steps
        losses = history.losses[start : start + steps]
        for i in range(history.done - start, steps):
            losses[i] = step(batches[i])
            history.done += 1
            if history.done < total:
                schedule.step()
            progress.step(len(batches[i]), losses[i])
            check()
            if checkpoint:
                checkpoint.save_if_due(parts)
                history.write_if_due(checkpoint.run)
        sizes = torch.tensor([len(batch) for batch in batches], device=device)
        return (losses * sizes).sum().item() / sizes.sum().item()

    with interrupts.noted() as check:
        try:
            for epoch in range(1, params["epochs"] + 1):
                order = torch.randperm(images, generator=shuffle).to(device).tensor_split(steps)
                if epoch <= len(history.epochs):
                    continue  # done before the interruption: only advance the shuffle
                if history.diverged:
                    break
                network.train()
                loss = run_epoch(order)
                held_out = None, None
                if len(data.validation_labels):
                    logits = predict(network, data.validation_inputs, prepare, precision, check)
                    held_out = score(logits, data.validation_labels)
                history.epochs.append((epoch, loss, *held_out))
        except interrupts.Interrupted as interrupted:
            if not (checkpoint and checkpoint.save(parts)):
                raise
            epoch = min(len(history.epochs) + 1, params["epochs"])
            sentence = messages.text("interrupted", epoch=epoch, epochs=params["epochs"])
            raise interrupts.Interrupted(interrupted.number, sentence) from None
    return history
