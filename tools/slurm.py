"""Queue each stage that is out of date as a job of Slurm, which starts it when it can.

python -m tools.slurm --options=OPTIONS [--training=OPTIONS] [stage ...]

A job waits for those of the stages that its own needs. If one fails, Slurm cancels what waits for
it; if a node dies, Slurm starts its jobs again elsewhere.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import fcntl
import shlex
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from dvc.config import Config
from ruamel.yaml import YAML

from stages.system.errors import UserError
from tools.repro import LOGS, outdated

# DVC ignores SIGTERM and waits for the training, which keeps a checkpoint when told to stop.
COMMAND = (
    "trap '' TERM; exec env OMP_WAIT_POLICY=passive"
    " {python} -m dvc --wait-for-lock repro --single-item {stage}"
)
PROBE = LOGS / "probe"
SEEN = f"test -e {PROBE} || exit 10"
LOCKED = f"flock --nonblock {PROBE} true && exit 11 || exit 0"
REFUSALS = {
    10: "a node does not see this folder: move it to a disk that all nodes share and run again",
    11: "a node does not see the locks on files of another, so jobs would overwrite each other's"
    " results: run `dvc config --local core.hardlink_lock true && rm -f .dvc/tmp/lock"
    " .dvc/tmp/rwlock.lock` and then this again",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Queue what is out of date as jobs of Slurm.")
    parser.add_argument("--options", default="", help="of sbatch, for all stages")
    parser.add_argument("--training", default="", help="of sbatch, in addition, for trainings")
    parser.add_argument("--jobs", help="not with Slurm: it decides how many jobs run at once")
    parser.add_argument("stages", nargs="*", help="only these and what they need")
    arguments = parser.parse_args()
    if arguments.jobs:
        raise UserError(
            "JOBS and SLURM exclude each other, as Slurm decides what runs when: omit one"
        )
    needs = outdated(arguments.stages)
    if not needs:
        print("Data and pipelines are up to date.")
        return
    options = shlex.split(arguments.options)
    more = shlex.split(arguments.training)
    probe(options, more, locks=True)
    definitions = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]
    numbers: dict[str, str] = {}
    for stage in TopologicalSorter(needs).static_order():
        definition = definitions[stage.partition("@")[0]]
        trains = "stages.train" in definition.get("do", definition)["cmd"]
        waits = ":".join(numbers[one] for one in needs[stage])
        log = LOGS / f"{stage}.log"
        log.unlink(missing_ok=True)
        numbers[stage] = sbatch(
            *("--requeue", "--kill-on-invalid-dep=yes", f"--job-name={stage}"),
            *([f"--dependency=afterok:{waits}"] if waits else []),
            *("--open-mode=append", f"--output={log}", *options, *(more if trains else [])),
            *("--wrap", COMMAND.format(python=shlex.quote(sys.executable), stage=stage)),
        )
    print(f"queued {len(numbers)} stages; each writes to {LOGS}/STAGE.log")
    print(f"to watch: squeue --me\nto stop: scancel {' '.join(numbers.values())}")


def probe(options: list[str], more: list[str], locks: bool) -> None:
    """Have Slurm check the options, and a node look at this folder and, if asked to, its locks.

    Raises:
        UserError: something is amiss.
    """
    for one in (options, options + more):
        sbatch("--test-only", *one, "--wrap", "")
    if Config.from_cwd()["core"]["hardlink_lock"]:
        locks = False  # DVC's own do not need the file system's
    LOGS.mkdir(parents=True, exist_ok=True)
    with PROBE.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        question = f"{SEEN}; {LOCKED}" if locks else SEEN
        sbatch("--wait", "--job-name=probe", "--output=/dev/null", *options, "--wrap", question)


def sbatch(*arguments: str) -> str:
    """Queue a job and return its number.

    Raises:
        UserError: Slurm refuses it or, with `--wait`, it found something amiss.
    """
    command = ["sbatch", "--parsable", *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise UserError("Slurm is not here (no sbatch): run this where it is") from error
    if result.returncode in REFUSALS:
        raise UserError(REFUSALS[result.returncode])
    if result.returncode:
        said = result.stderr.strip().splitlines()[-1:]
        raise UserError(f"Slurm cannot run this ({' '.join(said)}): correct SLURM and run again")
    return result.stdout.partition(";")[0].strip()
