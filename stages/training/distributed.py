"""Several processes that share every batch, each with a device of its own.

How many is a matter of the machine: PROCESSES=2 in the environment, or torchrun itself. It is no
parameter of the experiment. Results change by rounding alone where a network has neither dropout,
which each process draws for its own images, nor, on a CPU, batch normalisation.
"""

import os
import sys
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from stages.system.errors import UserError


@dataclass(frozen=True)
class Group:
    """The processes that train together; this one is number `rank` of `size`."""

    rank: int = 0
    size: int = 1

    def share(self, batch: Tensor) -> Tensor:
        """Take this process's part of a batch's (N,) image numbers.

        Raises:
            UserError: there are more processes than images.
        """
        if self.size > len(batch):
            raise UserError(
                f"a batch of {len(batch)} images cannot be split over {self.size} processes: "
                f"start fewer, or raise batch_size"
            )
        return batch[self.rank :: self.size]

    def wrap(self, network: nn.Module) -> nn.Module:
        """Let backward() average the gradients of all processes."""
        if self.size == 1:
            return network
        # batch statistics of the whole batch, as one process would see it; on GPUs alone
        if next(network.parameters()).is_cuda:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return nn.parallel.DistributedDataParallel(network)

    def total(self, values: Tensor) -> Tensor:
        """Sum a tensor over the processes, in place."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values


def launch() -> None:
    """Start this command again under torchrun if PROCESSES asks for several of it.

    Raises:
        UserError: PROCESSES is no number of processes, or more than there are GPUs.
    """
    wanted = os.environ.get("PROCESSES", "1")
    if not wanted.isdecimal() or int(wanted) < 1:
        raise UserError(
            f"PROCESSES is {wanted!r}, expected a number such as 2: correct or unset it"
        )
    devices = torch.accelerator.device_count() if torch.accelerator.is_available() else None
    if devices is not None and int(wanted) > devices:
        raise UserError(f"PROCESSES is {wanted}, expected one for each GPU, {devices} at most")
    if int(wanted) > 1 and not distributed.is_torchelastic_launched():
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", wanted]
        os.execv(sys.executable, [sys.executable, *torchrun, *sys.orig_argv[1:]])


def join() -> Group:
    """Join the processes that torchrun started; a group of one if it started none."""
    if not distributed.is_torchelastic_launched():
        return Group()
    if torch.accelerator.is_available():
        torch.accelerator.set_device_index(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group()
    return Group(distributed.get_rank(), distributed.get_world_size())
