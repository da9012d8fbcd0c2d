"""How many stages run at once; what the kernel says comes from files laid out as its own."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ROOT, put

from tools import machine

V2 = {
    "memory.max": "8000000000\n",
    "memory.high": "max\n",
    "memory.current": "3000000000\n",
    "memory.stat": "anon 1500000000\nfile 5\ninactive_file 1500000000\nactive_file 4096\n",
    "cpu.max": "550000 100000\n",
}
V2_FREE = V2 | {"memory.max": "max\n", "cpu.max": "max 100000\n"}
V1_GROUPS = "4:memory:/docker/3f\n3:cpu,cpuacct:/docker/3f\n1:name=systemd:/docker/3f\n0::/\n"
V1_MEMORY = {
    "memory.limit_in_bytes": "8000000000\n",
    "memory.usage_in_bytes": "3000000000\n",
    "memory.stat": "inactive_file 4096\ntotal_inactive_file 1500000000\n",
}
V1_CPU = {"cpu.cfs_quota_us": "275000\n", "cpu.cfs_period_us": "50000\n"}
V1_FREE = {
    "memory": V1_MEMORY | {"memory.limit_in_bytes": "9223372036854771712\n"},
    "cpu": V1_CPU | {"cpu.cfs_quota_us": "-1\n"},
}


def fake(cores: int, gibibytes: int, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it a machine with these cores and this much free memory."""
    available = SimpleNamespace(available=gibibytes * 2**30)
    monkeypatch.setattr(machine, "ROOT", root)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: available)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))


@pytest.mark.parametrize(
    ("cores", "gpus", "gibibytes", "jobs"),
    [
        (16, "", 64, 9),
        (16, "", 7, 2),
        (16, "", 1, 1),
        (16, "-1", 64, 9),  # no GPU either
        (16, "0,1", 64, 8),
        (4, "0,1", 64, 4),
    ],
)
def test_as_many_as_there_is_room_for(cores, gpus, gibibytes, jobs, tmp_path, monkeypatch) -> None:
    fake(cores, gibibytes, tmp_path, monkeypatch)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
    assert machine.room(machine.gpus()) == jobs


@pytest.mark.parametrize(
    ("groups", "files", "memory", "cores"),
    [
        ("0::/\n", {"": V2}, 2, 6),
        ("0::/pod/app\n", {"pod": V2, "pod/app": V2_FREE}, 2, 6),  # the narrowest counts
        ("0::/app\n", {"app": V2_FREE | {"memory.high": "5000000000\n"}}, 1, 16),
        ("0::/app\n", {"app": V2_FREE}, 21, 16),
        (V1_GROUPS, {"memory/docker/3f": V1_MEMORY, "cpu/docker/3f": V1_CPU}, 2, 6),
        (V1_GROUPS, {"memory": V1_MEMORY, "cpu": V1_CPU}, 2, 6),  # as a container sees its own
        (V1_GROUPS, V1_FREE, 21, 16),
    ],
)
def test_control_groups_count(groups, files, memory, cores, tmp_path: Path, monkeypatch) -> None:
    put(tmp_path / "proc/self/cgroup", groups)
    for group, content in files.items():
        for name, text in content.items():
            put(tmp_path / "sys/fs/cgroup" / group / name, text)
    fake(16, 64, tmp_path, monkeypatch)
    assert (machine.memory(), machine.cores()) == (memory, cores)


def test_gpus_are_those_that_nvidia_smi_names(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpus() == []
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 0; echo 1\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert machine.gpus() == ["0", "1"]
