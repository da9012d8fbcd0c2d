"""Kill short runs at random moments and run them again, and watch what that does to the machine.

python -m benchmarks.soak [rounds]
"""

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import results, workspace
from stages.system import errors
from stages.system.errors import UserError

ROUNDS = 300
MOST_KILLS = 4  # in one round
# `python -m stages.train`, but that it keeps a checkpoint after every step.
OFTEN = """
from stages import train
from stages.system import errors
from stages.training import checkpoint

checkpoint.INTERVAL = checkpoint.SHARE = 0
errors.run(train.main)
"""
SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
RESULTS = ["data/models", "metrics", "plots"]
COMMAND = [sys.executable, "-c", OFTEN, "model_b"]
QUARTERS = 4


class Round(NamedTuple):
    """A round: kills, starts that resumed, peak memory (MiB), open files, files and MiB left."""

    kills: int
    resumed: int
    mebibytes: float
    open_files: int
    files: int
    disk: float


def main() -> None:
    """Run all rounds; a result that differs from the undisturbed run's ends it.

    Raises:
        UserError: a result was partial, or not the undisturbed run's.
    """
    parser = argparse.ArgumentParser(description="Kill runs and run them again.")
    parser.add_argument("rounds", type=int, nargs="?", default=ROUNDS)
    rounds = parser.parse_args().rounds
    chance = random.Random(0)
    with workspace.copied() as copy:
        copy.set(train_images=2, validation_images=0, models__model_b__epochs=1)
        start = copy.python(*COMMAND[1:]).seconds
        copy.set(train_images=400, validation_images=100, batch_size=8, models__model_b__epochs=3)
        end = copy.python(*COMMAND[1:]).seconds
        expected = workspace.results(copy.root, *RESULTS)
        took = []
        for number in range(1, rounds + 1):
            took.append(disturb(copy.root, expected, (start / 2, end), chance))
            print(f"round {number} of {rounds}: {took[-1].kills} kills", file=sys.stderr)
    table(took)


def disturb(
    root: Path, expected: dict[str, str], moments: tuple[float, float], chance: random.Random
) -> Round:
    """Start the run without any result, kill it some times, let it end, and compare.

    Args:
        root: of the copy.
        expected: hashes of the undisturbed run's results by path.
        moments: the earliest and the latest second of a run to kill it at.
        chance: draws the kills.

    Raises:
        UserError: a result was partial, or not the undisturbed run's.
    """
    for path in expected:
        (root / path).unlink()
    peak = open_files = resumed = 0
    kills = chance.randint(1, MOST_KILLS)
    for left in reversed(range(kills + 1)):
        process = subprocess.Popen(
            COMMAND, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        end = time.monotonic() + chance.uniform(*moments) if left else float("inf")
        while process.poll() is None and time.monotonic() < end:
            peak, open_files = max(peak, memory(process.pid)), max(open_files, opened(process.pid))
            time.sleep(0.05)
        if left:
            process.send_signal(chance.choice(SIGNALS))
        error = process.communicate()[1]
        resumed += "resuming at step" in error
        check(workspace.results(root, *RESULTS), expected, whole=not left)
        if process.returncode and not left:
            raise UserError(f"a run that nobody killed failed: {error.strip()}")
    files = [path for path in root.rglob("*") if path.is_file()]
    used = sum(path.stat().st_size for path in files)
    return Round(kills, resumed, peak / 2**20, open_files, len(files), used / 2**20)


def check(found: dict[str, str], expected: dict[str, str], whole: bool) -> None:
    """Compare results byte for byte; after a kill some may be missing.

    Raises:
        UserError: they differ.
    """
    for path, content in found.items():
        if content != expected.get(path):
            raise UserError(f"{path} is partial or not the undisturbed run's")
    if whole and set(found) != set(expected):
        raise UserError(f"these are missing: {', '.join(set(expected) - set(found))}")


def memory(process: int) -> int:
    """Return a process's peak of resident memory so far, in bytes; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def opened(process: int) -> int:
    """Count the files that a process has open; 0 if it has ended."""
    try:
        return len(os.listdir(f"/proc/{process}/fd"))  # noqa: PTH208
    except OSError:
        return 0


def table(took: list[Round]) -> None:
    """Print and keep the figures by quarter: what grows would grow from one to the next."""
    bounds = [len(took) * quarter // QUARTERS for quarter in range(QUARTERS + 1)]
    rows = []
    for first, end in itertools.pairwise(bounds):
        part = took[first:end]
        if part:
            kills, resumed, peak, opened, files, disk = zip(*part, strict=True)
            rows.append([f"{first + 1} to {end}", sum(kills), sum(resumed), max(peak),
                         max(opened), max(files), max(disk)])  # fmt: skip
    results.report(
        "soak",
        f"`python -m benchmarks.soak {len(took)}`: `stages.train model_b` on 400 images, with a "
        f"checkpoint after every step, killed up to {MOST_KILLS} times a round at random moments "
        "(SIGKILL, SIGTERM, SIGINT) and run again. After each kill every result was whole or "
        "absent; after each round all were the undisturbed run's, byte for byte.",
        ["rounds", "kills", "resumed", "peak memory, MiB", "open files", "files left", "disk, MiB"],
        rows,
    )


if __name__ == "__main__":
    errors.run(main)
