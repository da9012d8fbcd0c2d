"""Commands on other CPUs, emulated by qemu-user: slowly, but bit for bit as they compute."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.cpus import QEMU, emulated

needed = pytest.mark.skipif(
    not QEMU, reason="no qemu-x86_64: install qemu-user, as .ci/run does, to emulate other CPUs"
)


def start(cpu: str, *arguments: str, cwd: Path) -> subprocess.Popen:
    """Start `python <arguments>` in `cwd` on another CPU."""
    return subprocess.Popen(
        [*emulated(cpu), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> str:
    """Wait until it has succeeded; return what it said on standard error, but for qemu's own."""
    _, error = process.communicate()
    assert process.returncode == 0, error
    return "".join(line for line in error.splitlines(True) if not line.startswith("qemu-x86_64"))
