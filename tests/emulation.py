"""Commands on other CPUs.

Emulated by qemu-user, they compute bit for bit as the real ones do, but slowly. Pretended by
cpuid.c, this one computes at full speed and only says that it is another.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.bench.cpus import QEMU, emulated
from tools.bench.machine import cpuinfo

needed = pytest.mark.skipif(
    not QEMU, reason="no qemu-x86_64: install qemu-user, as .ci/run does, to emulate other CPUs"
)

pretended = pytest.mark.skipif(
    not (shutil.which("cc") and "cpuid_fault" in cpuinfo()),
    reason="no C compiler, or no cpuid_fault in /proc/cpuinfo, to pretend another CPU",
)


def pretence(folder: Path) -> Path:
    """Compile cpuid.c; return the library to preload."""
    library = folder / "cpuid.so"
    source = Path(__file__).with_name("cpuid.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


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
