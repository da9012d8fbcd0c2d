"""Python on other CPUs: emulated by qemu-user, bit for bit but slowly, or pretended by cpuid.c."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

# AMD's Zen 1 to 3 and Intel's since Haswell; qemu has no AVX-512.
CPUS = ["EPYC", "EPYC-Rome", "EPYC-Milan", "Haswell", "Broadwell", "Skylake-Client"]
QEMU = shutil.which("qemu-x86_64")
CPUINFO = Path("/proc/cpuinfo")

needed = pytest.mark.skipif(
    not QEMU, reason="no qemu-x86_64: install qemu-user, as .ci/run does, to emulate other CPUs"
)
pretended = pytest.mark.skipif(
    not (shutil.which("cc") and CPUINFO.exists() and "cpuid_fault" in CPUINFO.read_text()),
    reason="no C compiler, or no cpuid_fault in /proc/cpuinfo, to pretend another CPU",
)


def emulated(cpu: str) -> list[str]:
    """Return a command that is this Python on a CPU that `qemu-x86_64 -cpu help` lists."""
    # Emulated threads that wait actively for each other get nowhere.
    environment = ["env", f"PYTHONPATH={ROOT}", "OMP_WAIT_POLICY=passive"]
    # The interpreter itself, called by its name in .venv, where it finds what is installed.
    return [*environment, QEMU, "-cpu", cpu, "-0", sys.executable, os.path.realpath(sys.executable)]


def pretence(folder: Path) -> str:
    """Compile cpuid.c; return the library to preload."""
    library = str(folder / "cpuid.so")
    source = Path(__file__).with_name("cpuid.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library
