"""Train a run in the current folder undisturbed, then stopped by one signal after another.

python killed.py MODEL SIGNAL...

Prints a line of JSON for the undisturbed training, and one for each that was sent a signal and then
run again: SIGKILL at a random moment, another at the first checkpoint. A checkpoint is written at
every step, so that many signals hit a write. Each training is a fork of this process, which has
imported what it needs: that takes longer than the training.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from helpers import ROOT, do, results

from stages import models, train
from stages.system import errors
from stages.training import checkpoint

OUTPUTS = ["data/models", "data/settings", "metrics", "plots"]


def reports(here: Path, model: str, signals: list[int]) -> list[dict]:
    """Run this script in a folder; return what it printed, the undisturbed training first."""
    numbers = [str(int(number)) for number in signals]
    python = ["env", "--default-signal=HUP", sys.executable]  # these tests may run under nohup
    printed = do(here, *python, __file__, model, *numbers, PYTHONPATH=str(ROOT))
    return [json.loads(line) for line in printed.splitlines()]


def start(log: Path) -> int:
    """Start a training that writes its messages to `log`, and wait for its first checkpoint."""
    child = os.fork()
    if not child:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.argv = ["train", sys.argv[1]]
        errors.run(train.main)
        os._exit(0)
    over = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while not (any(checkpoint.FOLDER.glob("*.pt")) or os.waitid(os.P_PID, child, over)):
        time.sleep(0.001)
    return child


def take() -> dict[str, str]:
    """Hash the outputs and remove them, so that they can't pass for the next training's."""
    hashes = results(Path(), *OUTPUTS)
    for folder in OUTPUTS:
        shutil.rmtree(folder, ignore_errors=True)
    return hashes


def main() -> None:
    _, model, *signals = sys.argv
    checkpoint.INTERVAL, checkpoint.MAX_OVERHEAD = 0, float("inf")
    models.architecture(model)
    log = Path("log")
    child, began = start(log), time.monotonic()
    os.waitpid(child, 0)
    seconds = time.monotonic() - began
    print(json.dumps({"outputs": take(), "resumed": log.read_text()}), flush=True)
    moments = random.Random(0)
    while signals:
        child, number = start(log), int(signals[0])
        if number == signal.SIGKILL:
            time.sleep(moments.uniform(0, seconds))
        os.kill(child, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stopped, there = log.read_text(), take()
        if not any(checkpoint.FOLDER.glob("*.pt")):
            continue  # it was over already: on a busy machine no two trainings take the same time
        del signals[0]
        os.waitpid(start(log), 0)
        report = {"code": code, "stopped": stopped, "there": there}
        report |= {"outputs": take(), "resumed": log.read_text()}
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
