"""The same hash from every CPU: `tools.verify` on this one and, emulated by qemu-user, on others.

python -m tools.bench.cpus [--cpus EPYC-Milan ...] [--images 4]

In each cell the start of a SHA-256: of a network after two steps of training, or of all parts of
`tools.verify` together.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stages.system import errors
from stages.system.errors import UserError
from tools.bench import table
from tools.verify import IMAGES, NETWORKS

# Zen 1 to 3 and Intel from 2013 on; qemu has no AVX-512
CPUS = ["EPYC", "EPYC-Rome", "EPYC-Milan", "Haswell", "Broadwell", "Skylake-Client"]
QEMU = shutil.which("qemu-x86_64")


def main() -> None:
    """Hash the same work on each CPU.

    Raises:
        UserError: qemu-user is not installed, or something failed.
    """
    parser = argparse.ArgumentParser(description="Compare the bits that CPUs compute.")
    parser.add_argument("--cpus", nargs="+", default=CPUS, help="see qemu-x86_64 -cpu help")
    parser.add_argument("--images", type=int, default=IMAGES, help="to train on, in two steps")
    arguments = parser.parse_args()
    if not QEMU:
        raise UserError("qemu-x86_64 is not installed: install qemu-user and run again")
    verify = ["-m", "tools.verify", "--images", str(arguments.images)]
    python = [sys.executable, *verify]
    commands = {
        "this one": python,
        "this one, OMP_NUM_THREADS=1": ["env", "OMP_NUM_THREADS=1", *python],
        "this one, OMP_NUM_THREADS=7": ["env", "OMP_NUM_THREADS=7", *python],
        "this one, one core": ["taskset", "--cpu-list", "0", *python],
    }
    commands |= {f"{cpu}, emulated": [*emulated(cpu), *verify] for cpu in arguments.cpus}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # emulation leaves cores idle
        rows = list(pool.map(hashes, commands, commands.values()))
    note = f"{arguments.images} images in two steps, portable kernels, two threads."
    table.write("cpus", (note, rows))


def emulated(cpu: str) -> list[str]:
    """Return a command that is this Python on a CPU that `qemu-x86_64 -cpu help` lists."""
    # emulated threads that wait actively for each other get nowhere
    variables = [f"PYTHONPATH={Path(__file__).parents[1]}", "OMP_WAIT_POLICY=passive"]
    # the interpreter itself, called by its name in .venv, where it finds what is installed
    python = ["-0", sys.executable, os.path.realpath(sys.executable)]
    return ["env", *variables, QEMU, "-cpu", cpu, *python]


def hashes(cpu: str, command: list[str]) -> dict[str, str]:
    """Make a row of the table."""
    print("computing on", cpu, file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{cpu}: {done.stderr.splitlines()[-1]}")
    parts = dict(line.split("  ")[::-1] for line in done.stdout.splitlines())
    everything = hashlib.sha256(done.stdout.encode()).hexdigest()
    trained = {network: parts[f"training {network}"] for network in NETWORKS}
    return {"CPU": cpu, **trained, "all parts": everything[:12]}


if __name__ == "__main__":
    errors.run(main)
