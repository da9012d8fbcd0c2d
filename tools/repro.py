"""`dvc repro`, with stages that do not need each other side by side.

python -m tools.repro [--jobs N] [stage ...]

Each stage that may be out of date gets its own `dvc repro --single-item` once those that it needs
are done. DVC is imported once and forked, since starting it takes half as long as a short stage.
With one job this is plain `dvc repro`; the results and dvc.lock are the same.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from graphlib import TopologicalSorter
from multiprocessing.context import ForkProcess
from pathlib import Path

import psutil
from tqdm import tqdm

from stages.system import interrupts, params
from stages.system.errors import UserError

LOGS = Path(".dvc/tmp/repro")  # git ignores it
SHOWN = ("error: ", "warning: ", "resuming ")  # lines of a stage's log that are shown
MEMORY = 3 * 2**30  # bytes per job: twice what a stage takes (docs/measured/pipeline.md)
PER_GPU = 4  # stages at once on one GPU, which small networks leave idle most of the time


def main() -> None:
    parser = argparse.ArgumentParser(description="Run what is out of date, stages side by side.")
    parser.add_argument("--jobs", help="stages at once (default: as many as there is room for)")
    parser.add_argument("stages", nargs="*", help="run only these and what they need")
    arguments, devices = parser.parse_args(), gpus()
    wanted = arguments.jobs
    if wanted and not (wanted.isdecimal() and int(wanted)):
        raise UserError(f"JOBS is {wanted!r}, expected a number such as 2: correct or omit it")
    jobs = int(wanted) if wanted else room(devices)
    if jobs == 1:
        os.execv(sys.executable, [sys.executable, "-m", "dvc", "repro", *arguments.stages])
    if needs := outdated(arguments.stages):
        reproduce(needs, jobs, devices)
    else:
        print("Data and pipelines are up to date.")


def room(devices: list[str]) -> int:
    """Return how many stages the machine, with these GPUs, has room for.

    On a CPU, one more than its cores have threads for, as a stage starts and ends on one thread. On
    GPUs, PER_GPU each. Never more than there are cores or memory for.
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

    Only `targets` and what they need, if any are given.
    """
    # Not at the top: `dvc repro` itself, which one job is, would import DVC again.
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    from tools import tidy

    try:
        with Repo() as repo:
            if any(tidy.orphans(repo)):
                print("some results belong to no stage of dvc.yaml: `make tidy` removes them")
            changed, graph, stages = set(repo.status()), repo.index.graph, repo.index.stages
            wanted = {one for target in targets for one in repo.stage.collect(target, True)}
    except DvcException as error:
        raise UserError(f"{' '.join(str(error).split())}: correct this and run again") from error
    needs: dict[str, set[str]] = {}
    for stage in TopologicalSorter({stage: graph[stage] for stage in stages}).static_order():
        waits = {one.addressing for one in graph[stage]} & needs.keys()
        if (waits or stage.addressing in changed) and (stage in wanted or not targets):
            needs[stage.addressing] = waits
    return {name: needs[name] for stage in stages if (name := stage.addressing) in needs}


def reproduce(needs: dict[str, set[str]], jobs: int, devices: list[str]) -> None:
    """Run each stage after those that it waits for, else in the order given, `jobs` at once.

    Raises:
        UserError: stages failed; all that do not wait for these have run.
        Interrupted: by a signal; what was training has kept a checkpoint.
    """
    waiting, running, done, failed = list(needs), {}, [], []
    began, device = {}, {}
    LOGS.mkdir(parents=True, exist_ok=True)
    tqdm.monitor_interval = 0  # its thread would not survive a fork
    with tqdm(total=len(needs), unit=" stages", disable=None) as bar, interrupts.noted() as check:
        try:
            while True:
                ready = [stage for stage in waiting if needs[stage] <= set(done)]
                for stage in ready[: jobs - len(running)]:
                    waiting.remove(stage)
                    used = [device[one] for one in running]
                    device[stage] = min(devices, key=used.count, default=None)
                    began[stage] = time.monotonic()
                    process = ForkProcess(target=dvc_repro, args=(stage, device[stage]))
                    process.start()
                    os.setpgid(process.pid, process.pid)  # a terminal's Ctrl-C ends it only below
                    running[stage] = process
                    bar.write(f"{stage} started")
                if not running:
                    break
                time.sleep(0.1)
                check()
                for stage in [one for one in running if not running[one].is_alive()]:
                    code = running.pop(stage).exitcode
                    ended = failed if code else done
                    ended.append(stage)
                    bar.write(outcome(stage, code, time.monotonic() - began[stage]))
                    bar.update()
        finally:
            for process in running.values():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)
            for process in running.values():
                process.join()
    if failed:
        which = ", ".join(f"{stage} failed (see {LOGS}/{stage}.log)" for stage in failed)
        held_up = f", so {', '.join(waiting)} did not run" if waiting else ""
        raise UserError(f"{which}{held_up}: correct this and run again")


def dvc_repro(stage: str, device: str | None) -> None:
    """Be `dvc repro --single-item` of a stage, in a forked process; its output goes to a file."""
    from dvc.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with (LOGS / f"{stage}.log").open("w") as log, Path(os.devnull).open() as nothing:
        for descriptor, target in enumerate((nothing, log, log)):
            os.dup2(target.fileno(), descriptor)
    os.environ["OMP_WAIT_POLICY"] = "passive"  # or waiting threads keep others from the cores
    if device:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    sys.exit(main(["--wait-for-lock", "repro", "--single-item", stage]))


def outcome(stage: str, code: int, seconds: float) -> str:
    """Say in one line how a stage ended."""
    log = (LOGS / f"{stage}.log").read_text(errors="replace")
    shown = [line for line in log.splitlines() if line.startswith(SHOWN)]
    return "; ".join([f"{stage} {'failed after' if code else 'done in'} {seconds:.0f} s", *shown])
