"""`dvc repro`, with stages that do not need each other side by side.

python -m tools.repro [--jobs N] [stage ...]

DVC runs one stage after another. Here each that may be out of date gets a `dvc repro --single-item`
of its own once those that it needs are done; the results and dvc.lock are the same. DVC is imported
once and forked: starting it anew would take half of a short stage. With one job this is plain
`dvc repro`.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from graphlib import TopologicalSorter
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import psutil
from tqdm import tqdm

from stages.system import errors, interrupts, params
from stages.system.errors import UserError

LOGS = Path(".dvc/tmp/repro")  # git ignores it
TOLD = ("error: ", "warning: ", "resuming ")  # what a stage says that a person should see
MEMORY = 3 * 2**30  # bytes for each job: twice what a stage takes (docs/measured/pipeline.md)
PER_GPU = 4  # stages at once on one GPU: what is small leaves it idle most of the time


class Job(NamedTuple):
    """A stage that is running, in one of the places for jobs."""

    place: int
    process: BaseProcess
    log: Path
    start: float


def main() -> None:
    """Bring everything up to date.

    Raises:
        UserError: the pipeline cannot be read, or a stage failed.
        Interrupted: by a signal.
    """
    parser = argparse.ArgumentParser(description="Run the pipeline, several stages at once.")
    parser.add_argument("--jobs", help="at most; as many as the machine has room for unless given")
    parser.add_argument("stages", nargs="*", help="with what they need; all unless given")
    arguments, devices = parser.parse_args(), gpus()
    jobs = read_number(arguments.jobs) if arguments.jobs else room(devices)
    if jobs == 1:
        os.execv(sys.executable, [sys.executable, "-m", "dvc", "repro", *arguments.stages])
    needs = outdated(arguments.stages)
    if needs:
        reproduce(needs, jobs, devices)
    else:
        print("Data and pipelines are up to date.")


def read_number(wanted: str) -> int:
    """Read how many jobs are wanted.

    Raises:
        UserError: it is not a number from 1.
    """
    if not wanted.isdecimal() or int(wanted) < 1:
        raise UserError(f"JOBS is {wanted!r}, expected a number such as 2: correct or omit it")
    return int(wanted)


def room(devices: list[str]) -> int:
    """Return how many stages the machine, with these GPUs, has room for.

    On a CPU one more than its cores have threads for, as a stage starts and ends on one thread; on
    GPUs PER_GPU for each. Never more than memory allows.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    most = min(cores, PER_GPU * len(devices)) or cores // params.read()["threads"] + 1
    return max(1, min(most, psutil.virtual_memory().available // MEMORY))


def gpus() -> list[str]:
    """List the NVIDIA GPUs that may be used, as CUDA_VISIBLE_DEVICES names them."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        with suppress(OSError, subprocess.CalledProcessError):
            names = subprocess.check_output(query, text=True, stderr=subprocess.DEVNULL)
    return [name for name in (names or "").replace(",", " ").split() if name != "-1"]


def outdated(targets: list[str]) -> dict[str, set[str]]:
    """Return the stages that may have to run, in dvc.yaml's order, each with those it waits for.

    Args:
        targets: stages whose needs alone are looked at; none: all.

    Raises:
        UserError: DVC cannot read the pipeline.
    """
    # not at the top: `dvc repro` itself, which one job is, would import it again
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            changed, graph, stages = set(repo.status()), repo.index.graph, repo.index.stages
            wanted = {one for target in targets for one in repo.stage.collect(target, True)}
    except DvcException as error:
        raise UserError(f"{' '.join(str(error).split())}: correct this and run again") from error
    needs: dict[str, set[str]] = {}
    for stage in TopologicalSorter({stage: graph[stage] for stage in stages}).static_order():
        waits = {one.addressing for one in graph[stage]} & needs.keys()
        if (waits or stage.addressing in changed) and (stage in wanted or not targets):
            needs[stage.addressing] = waits
    order = [stage.addressing for stage in stages]
    return dict(sorted(needs.items(), key=lambda item: order.index(item[0])))


def reproduce(needs: dict[str, set[str]], jobs: int, devices: list[str]) -> None:
    """Run each stage after those that it waits for, else in the order given, `jobs` at once.

    Raises:
        UserError: stages failed; all that do not wait for these have run.
        Interrupted: by a signal; what was training has kept a checkpoint.
    """
    waiting, running, done, failed = list(needs), {}, {}, {}
    tqdm.monitor_interval = 0  # its thread would not survive a fork
    bar = tqdm(total=len(needs), unit=" stages", disable=None)
    with bar, interrupts.noted() as check:
        try:
            while True:
                ready = [stage for stage in waiting if needs[stage] <= done.keys()]
                for stage in ready[: jobs - len(running)]:
                    waiting.remove(stage)
                    places = set(range(jobs)) - {job.place for job in running.values()}
                    running[stage] = start(stage, min(places), devices)
                    bar.write(f"{stage} started")
                if not running:
                    break
                time.sleep(0.1)
                check()
                for stage in [one for one in running if not running[one].process.is_alive()]:
                    job = running.pop(stage)
                    (failed if job.process.exitcode else done)[stage] = job.log
                    bar.write(f"{stage} {outcome(job)}")
                    bar.update()
        finally:
            stop(running.values())
    if failed:
        which = ", ".join(f"{stage} failed (see {log})" for stage, log in failed.items())
        held_up = f", so {', '.join(waiting)} did not run" if waiting else ""
        raise UserError(f"{which}{held_up}: correct this and run again")


def start(stage: str, place: int, devices: list[str]) -> Job:
    """Start a stage; what it says goes to a file."""
    # threads that wait actively would keep the other stages from the cores
    environment = {"OMP_WAIT_POLICY": "passive"}
    if len(devices) > 1:
        environment["CUDA_VISIBLE_DEVICES"] = devices[place % len(devices)]
    log = LOGS / f"{stage}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    process = get_context("fork").Process(target=dvc_repro, args=(stage, log, environment))
    process.start()
    os.setpgid(process.pid, process.pid)  # a terminal's Ctrl-C reaches it through stop() alone
    return Job(place, process, log, time.monotonic())


def dvc_repro(stage: str, log: Path, environment: dict[str, str]) -> None:
    """Be `dvc repro --single-item` of a stage, in a forked process."""
    from dvc.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with log.open("w") as file, Path(os.devnull).open() as nothing:
        for descriptor, target in enumerate((nothing, file, file)):
            os.dup2(target.fileno(), descriptor)
    os.environ.update(environment)
    sys.exit(main(["--wait-for-lock", "repro", "--single-item", stage]))


def outcome(job: Job) -> str:
    """Say in one line how a stage that has ended did."""
    word = "failed after" if job.process.exitcode else "done in"
    lines = job.log.read_text(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(TOLD)]
    return "; ".join([f"{word} {time.monotonic() - job.start:.0f} s", *told])


def stop(jobs: Iterable[Job]) -> None:
    """Interrupt what is still running, as Ctrl-C would, and wait until it has ended."""
    for job in jobs:
        with suppress(ProcessLookupError):
            os.killpg(job.process.pid, signal.SIGINT)
    for job in jobs:
        job.process.join()


if __name__ == "__main__":
    errors.run(main)
