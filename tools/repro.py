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
import fcntl
import os
import signal
import sys
import time
from contextlib import suppress
from graphlib import TopologicalSorter
from multiprocessing.context import ForkProcess
from pathlib import Path

from tqdm import tqdm

from stages.system import interrupts
from stages.system.errors import UserError
from tools import machine

LOGS = Path(".dvc/tmp/repro")  # git ignores it
SHOWN = ("error: ", "warning: ", "resuming ")  # lines of a stage's log that are shown


def main() -> None:
    parser = argparse.ArgumentParser(description="Run what is out of date, stages side by side.")
    parser.add_argument("--jobs", help="stages at once (default: as many as there is room for)")
    parser.add_argument("stages", nargs="*", help="run only these and what they need")
    arguments, devices = parser.parse_args(), machine.gpus()
    wanted = arguments.jobs
    if wanted and not (wanted.isdecimal() and int(wanted)):
        raise UserError(f"JOBS is {wanted!r}, expected a number such as 2: correct or omit it")
    lock()
    jobs = int(wanted) if wanted else machine.room(devices)
    if wanted and jobs > (most := machine.memory()):
        free = f"there is memory for {most} (3 GiB each)"
        print(f"warning: JOBS is {jobs}, but {free}: a stage may be killed", file=sys.stderr)
    if jobs == 1:
        os.execv(sys.executable, [sys.executable, "-m", "dvc", "repro", *arguments.stages])
    if needs := outdated(arguments.stages):
        reproduce(needs, jobs, devices)
    else:
        print("Data and pipelines are up to date.")


def lock() -> None:
    """Let no other run here until this process ends, be it as plain dvc."""
    LOGS.mkdir(parents=True, exist_ok=True)
    file = os.open(LOGS / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a forked process does not hold it
    except (BlockingIOError, PermissionError):
        running = f"`make repro` is running here already (process {os.read(file, 20).decode()})"
        raise UserError(f"{running}: wait for it to end or stop it, then run again") from None
    except OSError:  # a file system without locks
        return
    os.truncate(file, 0)
    os.write(file, str(os.getpid()).encode())
    os.set_inheritable(file, True)


def outdated(targets: list[str]) -> dict[str, set[str]]:
    """Return the stages to run for `targets` or all, in dvc.yaml's order, and what each awaits."""
    # Not at the top: `dvc repro` itself, which one job is, would import DVC again.
    from dvc.repo import Repo

    from tools import tidy

    with Repo() as repo:
        if any(tidy.orphans(repo)):
            print("some results belong to no stage of dvc.yaml: `make tidy` removes them")
        changed, graph, stages = set(repo.status()), repo.index.graph, repo.index.stages
        wanted = {one for target in targets for one in repo.stage.collect(target, True)}
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
                    (failed if code else done).append(stage)
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

    for number in interrupts.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
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
    if code == -signal.SIGKILL or any(f"exited with {number}" in log for number in (-9, 137)):
        shown.append("error: killed, most likely for lack of memory: lower JOBS or batch_size")
    return "; ".join([f"{stage} {'failed after' if code else 'done in'} {seconds:.0f} s", *shown])
