"""Several processes that share every batch, each with a device of its own.

How many depends on the machine, not on the experiment: PROCESSES=2 in the environment, or torchrun
itself. Results change by rounding alone where a network has neither dropout, which each process
draws for its own images, nor, on a CPU, batch normalisation.
"""

import os
import sys
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from stages.system import messages


@dataclass(frozen=True)
class Group:
    """The processes that train together; this one is number `rank` of `size`."""

    rank: int = 0
    size: int = 1

    def shard(self, batch: Tensor) -> Tensor:
        """Take this process's part of a batch's (N,) image numbers.

        Raises:
            UserError: there are more processes than images.
        """
        if self.size > len(batch):
            raise messages.too_few_images(len(batch), self.size)
        return batch[self.rank :: self.size]

    def wrap(self, network: nn.Module) -> nn.Module:
        """Let backward() average the gradients of all processes."""
        if self.size == 1:
            return network
        # statistics of the whole batch, as one process would see it; PyTorch has this on GPUs only
        if next(network.parameters()).is_cuda:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return nn.parallel.DistributedDataParallel(network)

    def total(self, values: Tensor) -> Tensor:
        """Sum a tensor over the processes, in place."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def leave(self) -> None:
        """End the connection to the other processes; otherwise PyTorch warns."""
        if self.size > 1:
            distributed.destroy_process_group()


def launch() -> None:
    """Start this command again under torchrun if PROCESSES asks for several processes.

    Raises:
        UserError: PROCESSES is not a number, or larger than the number of GPUs.
    """
    wanted = os.environ.get("PROCESSES", "1")
    if not wanted.isdecimal() or int(wanted) < 1:
        raise messages.no_process_count(wanted)
    if int(wanted) == 1 or distributed.is_torchelastic_launched():
        return
    if torch.accelerator.is_available() and int(wanted) > torch.accelerator.device_count():
        raise messages.too_few_gpus(wanted, torch.accelerator.device_count())
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
