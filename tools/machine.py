"""How many stages there is room for on this machine, or in a container or batch job on it.

Linux limits control groups: a process's own and those above it. Version 2 has one folder per group,
version 1 one per controller as well (https://docs.kernel.org/admin-guide/, cgroup-v2, cgroup-v1).
"""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from stages.system import params

ROOT = Path("/")
PER_STAGE = 3 * 2**30  # bytes: twice what a stage takes (docs/measured/pipeline.md)
PER_GPU = 4  # stages at once on one GPU, which small networks leave idle most of the time
MEMORY = [  # the limit, what is used, and how much of that the kernel drops when it needs room
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.high", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
]


def room(devices: list[str]) -> int:
    """Return how many stages can run at once with these GPUs.

    On a CPU, one more than its cores have threads for, as a stage starts and ends on one thread. On
    GPUs, PER_GPU each. Never more than there are cores or memory for.
    """
    most = min(cores(), PER_GPU * len(devices)) or cores() // params.read()["threads"] + 1
    return min(most, memory())


def gpus() -> list[str]:
    """List the NVIDIA GPUs that may be used, as CUDA_VISIBLE_DEVICES names them."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        with suppress(OSError, subprocess.CalledProcessError):
            names = subprocess.check_output(query, text=True, stderr=subprocess.DEVNULL)
    return [name for name in (names or "").replace(",", " ").split() if name != "-1"]


def memory() -> int:
    """Return how many stages the free memory is enough for, at least one."""
    free = psutil.virtual_memory().available
    for limit, used, cache in MEMORY:
        for most, now, *stat in files("memory", limit, used, "memory.stat"):
            if most != "max":
                dropped = stat[stat.index(cache) + 1]
                free = min(free, int(most) - int(now) + int(dropped))
    return max(1, free // PER_STAGE)


def cores() -> int:
    """Return how many cores may compute at a time."""
    found = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    for names in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):
        for quota, period in files("cpu", *names):
            if quota not in ("max", "-1"):
                found = min(found, math.ceil(int(quota) / int(period)))
    return found


def files(controller: str, *names: str) -> Iterator[list[str]]:
    """Yield the words in these files for each control group that has all of them."""
    with suppress(OSError):  # not Linux
        for line in (ROOT / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)  # version 2 has no controllers here
            if controllers and controller not in controllers.split(","):
                continue
            group = ROOT / "sys/fs/cgroup" / (controllers and controller) / path.lstrip("/")
            for folder in (group, *group.parents):
                with suppress(OSError):
                    yield " ".join((folder / name).read_text() for name in names).split()
