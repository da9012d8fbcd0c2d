"""Queue stages, or experiments, as jobs of Slurm: `make repro SLURM=OPTIONS`, `make experiments`.

A stage's job waits for those that it needs; if one fails, Slurm cancels what waits for it. An
experiment's job has a clone of its own, shares DVC's cache and pushes to origin. When a node dies,
Slurm starts its jobs again elsewhere, and trainings resume.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import fcntl
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from dvc.repo import Repo
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import get_hydra_sweeps
from ruamel.yaml import YAML

from stages.system.errors import UserError
from tools.repro import LOGS, lock, outdated
from tools.review.sides import git, prefix

JOB = ["--parsable", "--requeue", "--open-mode=append", "--kill-on-invalid-dep=yes"]
# SIGTERM is for the training, which keeps a checkpoint; DVC waits for it.
STAGE = "trap '' TERM; exec env OMP_WAIT_POLICY=passive dvc --wait-for-lock repro --single-item "
PROBE = LOGS / "probe"
SEEN, LOCKED = f"test -e {PROBE} || exit 10", f"flock --nonblock {PROBE} true && exit 11 || exit 0"
ANSWERS = {
    10: "a node does not see this folder: move it to a disk that all nodes share and run again",
    11: "a node does not see the locks on files of another, which would lose results: run `dvc "
    "config --local core.hardlink_lock true && rm -f .dvc/tmp/{lock,rwlock.lock}` and this again",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Queue stages, or experiments, as jobs of Slurm.")
    words = {"type": shlex.split, "default": []}
    parser.add_argument("--options", **words, help="of sbatch, for all jobs")
    parser.add_argument("--training", **words, help="more of them, for stages that train")
    parser.add_argument("-S", "--set-param", action="append", help="NAME=VALUE,...: experiments")
    parser.add_argument("stages", nargs="*", help="only these and what they need")
    given = parser.parse_args()
    if given.set_param:
        queue_experiments(given.set_param, given.stages, given.options)
    else:
        queue_stages(given.stages, given.options, given.training)


def queue_stages(targets: list[str], options: list[str], training: list[str]) -> None:
    lock()
    if not (needs := outdated(targets)):
        print("Data and pipelines are up to date.")
        return
    probe(options, options + training)
    definitions = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]
    numbers: dict[str, str] = {}
    while waiting := [one for one in needs if one not in numbers]:  # in the order of dvc.yaml
        stage = next(one for one in waiting if needs[one] <= numbers.keys())
        trains = "python -m stages.train " in str(definitions[stage.partition("@")[0]])
        waits = ":".join(numbers[one] for one in needs[stage])
        (LOGS / f"{stage}.log").unlink(missing_ok=True)
        job = [*JOB, f"--job-name={stage}", f"--output={LOGS}/{stage}.log"]
        job += [f"--dependency=afterok:{waits}"] if waits else []
        job += options + training if trains else options
        numbers[stage] = sbatch(*job, "--wrap", STAGE + stage)
    print(f"queued {len(numbers)} stages; each writes to {LOGS}/STAGE.log")
    print(f"to watch: squeue --me\nto stop: scancel {' '.join(numbers.values())}")


def queue_experiments(changes: list[str], stages: list[str], options: list[str]) -> None:
    """Queue an experiment for each combination of values, as `dvc exp run --queue` has them."""
    if git("status", "--porcelain"):
        raise UserError("experiments would not see your uncommitted changes: commit or stash them")
    if not (origin := git("config", "--default", "", "remote.origin.url").strip()):
        raise UserError("there is no remote named origin to push experiments to: add it")
    grid = get_hydra_sweeps(to_path_overrides(changes))
    with Repo() as repo:
        cache = repo.cache.local.path
    probe(options)
    busy = subprocess.check_output(["squeue", "--noheader", "--format=%Z"], text=True)
    for point in grid:
        values = [f"{path}:{value}" for path, some in point.items() for value in some]
        name = "-".join(re.sub(r"[^\w.=+-]", "_", value.partition(":")[2]) for value in values)
        clone = Path(".dvc/tmp/experiments", name).absolute()  # git ignores it
        folder = clone / prefix()  # the repository may be a larger one
        if f"{folder}\n" in busy:
            raise UserError(f"{name} is queued or running already: wait for it or cancel it")
        shutil.rmtree(clone, ignore_errors=True)  # of one that failed
        git("clone", "--quiet", "--shared", git("rev-parse", "--show-toplevel").strip(), str(clone))
        git("-C", str(clone), "config", "remote.origin.url", origin)
        (folder / ".dvc/config.local").write_text(f'[cache]\n    dir = "{cache}"\n')
        job = [*JOB, f"--job-name={name}", f"--output={clone}.log", f"--chdir={folder}", *options]
        sbatch(*job, "tools/experiment.sh", name, *(f"-S{value}" for value in values), *stages)
        print(f"queued {name}")


def probe(*kinds: list[str]) -> None:
    """Have Slurm check options and, once, a node look at this folder and at a lock in it."""
    for options in kinds:
        sbatch("--test-only", *options, "--wrap", "")
    with Repo() as repo:
        own = repo.config["core"]["hardlink_lock"]  # DVC then needs none of the file system's
    question = SEEN if own else f"{SEEN}; {LOCKED}"
    asked = f"{question} in {Path.cwd()} with {kinds[0]}"
    if PROBE.exists() and PROBE.read_text() == asked:
        return
    print("asking a node, once, whether it sees this folder and its locks", flush=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    with PROBE.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sbatch("--wait", "--job-name=probe", "--output=/dev/null", *kinds[0], "--wrap", question)
    PROBE.write_text(asked)


def sbatch(*arguments: str) -> str:
    """Queue a job and return its number; with `--wait`, raise what a node answers."""
    try:
        result = subprocess.run(["sbatch", *arguments], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise UserError("Slurm is not here (no sbatch): run this where it is") from error
    if result.returncode:
        said = " ".join(result.stderr.strip().splitlines()[-1:])
        sentence = f"Slurm cannot run this ({said}): correct SLURM and run again"
        raise UserError(ANSWERS.get(result.returncode, sentence))
    return result.stdout.partition(";")[0].strip()
