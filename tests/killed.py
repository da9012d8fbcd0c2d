"""Train a run of the repository in the current folder once, then killed again and again.

python killed.py <run> <kills> <seed> <writings>

Prints a line of JSON for the undisturbed run, which it commits, and one for each that was killed
with SIGKILL at a random moment of its training and then run again: the outputs' SHA-256, those of
the outputs that were there after the kill, what the second run wrote to standard error and what
`git status` says after it. Checkpoints are written
all the time, so that many kills hit a writing. Each training is a fork of this process, which has
imported what it needs: that takes longer than the training.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stages import models, train
from stages.system import errors
from stages.training import checkpoint, params, runs


def start(run: str, log: Path) -> int:
    child = os.fork()
    if not child:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.argv = ["train", run]
        errors.run(train.main)
        os._exit(0)
    return child


def training(child: int) -> bool:
    """Wait until a run has written its first checkpoint; False if it is over before."""
    while not list(checkpoint.FOLDER.glob("*.pt")):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return False
        time.sleep(0.001)
    return True


def take(files: dict[str, Path]) -> dict[str, str]:
    """Remove what is there, so that it can't pass for the next run's, and return its hashes."""
    found = {name: path for name, path in files.items() if path.exists()}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}
    for path in found.values():
        path.unlink()
    return hashes


def git(*arguments: str) -> str:
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    command = ["git", *author, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def main() -> None:
    run, kills, seed, writings = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    checkpoint.INTERVAL, checkpoint.SHARE = 0, writings
    models.architecture(run.partition("-")[0])
    files = runs.find(run, params.read()).files
    log = Path(tempfile.mkdtemp()) / "log"
    child = start(run, log)
    training(child)
    begin = time.monotonic()
    os.waitpid(child, 0)
    seconds = time.monotonic() - begin
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "undisturbed")
    print(json.dumps({"outputs": take(files), "error": log.read_text()}), flush=True)
    moments = random.Random(seed)
    while kills:
        child = start(run, log)
        if training(child):
            time.sleep(moments.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        there = take(files)
        if not list(checkpoint.FOLDER.glob("*.pt")):
            continue  # it was over already: on a busy machine no two runs take the same time
        kills -= 1
        os.waitpid(start(run, log), 0)
        status = git("status", "--porcelain")
        report = {
            "outputs": take(files),
            "error": log.read_text(),
            "there": there,
            "status": status,
        }
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
