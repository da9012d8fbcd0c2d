"""Other CPUs, emulated by qemu-user: slowly, but bit for bit as they compute."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT

QEMU = shutil.which("qemu-x86_64")
needed = pytest.mark.skipif(
    not QEMU, reason="no qemu-x86_64: install qemu-user, as .ci/run does, to emulate other CPUs"
)


def start(cpu: str, *arguments: str, cwd: Path) -> subprocess.Popen:
    """Start `python <arguments>` in `cwd` on a CPU that `qemu-x86_64 -cpu help` lists."""
    # the interpreter itself, called by the name in .venv: a link would be followed natively
    python = ["-0", sys.executable, os.path.realpath(sys.executable)]
    return subprocess.Popen(
        [QEMU, "-cpu", cpu, *python, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "QEMU_LOG_FILENAME": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> str:
    """Wait until it has succeeded; return what it said on standard error, but for qemu's own."""
    _, error = process.communicate()
    assert process.returncode == 0, error
    return "".join(line for line in error.splitlines(True) if not line.startswith("qemu-x86_64"))
