"""Queue experiments as jobs of Slurm, each in a clone of its own, each pushed to origin when done.

python -m tools.experiments [--options=OPTIONS] -S NAME=VALUE[,VALUE ...] [-S ...] [stage ...]

A grid of values is expanded as `dvc exp run --queue` does. The clones share DVC's cache and
nothing that DVC would lock.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import get_hydra_sweeps
from hydra.errors import HydraException

from stages.system.errors import UserError
from tools.slurm import probe, sbatch

FOLDER = Path(".dvc/tmp/experiments")  # git ignores it
# A job that Slurm has started before finds its clone as it was left: the checkpoint is of use, the
# rest is not. SIGTERM is for the training; DVC and the shell wait until it has kept a checkpoint.
SCRIPT = """\
set -e
trap '' TERM
touch params.yaml; git restore .
git for-each-ref --format='delete %(refname)' refs/exps | git update-ref --stdin
OMP_WAIT_POLICY=passive {python} -m dvc exp run --name {name} {arguments}
{python} -m dvc exp push --no-cache --force origin {name}
rm -r "$(git rev-parse --show-toplevel)"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Queue experiments as jobs of Slurm.")
    parser.add_argument("--options", default="", help="of sbatch, for every experiment")
    parser.add_argument("-S", "--set-param", action="append", default=[], metavar="NAME=VALUES")
    parser.add_argument("stages", nargs="*", help="only these and what they need")
    arguments = parser.parse_args()
    if not arguments.set_param:
        raise UserError("GRID has no values to try: set it, as in GRID='-S lr=0.003,0.002'")
    if git("status", "--porcelain"):
        raise UserError("experiments would not see your uncommitted changes: commit or stash them")
    try:
        origin = git("remote", "get-url", "origin")
    except subprocess.CalledProcessError as error:
        raise UserError("there is no remote named origin to push experiments to: add it") from error
    with Repo() as repo:
        cache = repo.cache.local.path
    options = shlex.split(arguments.options)
    probe(options, [], locks=False)
    folders = subprocess.check_output(["squeue", "--noheader", "--format=%Z"], text=True)
    for name, changes in experiments(arguments.set_param).items():
        clone = FOLDER.resolve() / name
        root = clone / git("rev-parse", "--show-prefix")  # the repository may be a larger one
        if f"{root}\n" in folders:
            raise UserError(f"{name} is queued or running already: wait for it or cancel it")
        shutil.rmtree(clone, ignore_errors=True)  # an earlier job's, which did not succeed
        git("clone", "--quiet", "--shared", git("rev-parse", "--show-toplevel"), str(clone))
        git("-C", str(clone), "remote", "set-url", "origin", origin)
        (root / ".dvc/config.local").write_text(f'[cache]\n    dir = "{cache}"\n')
        script = SCRIPT.format(
            python=shlex.quote(sys.executable),
            name=name,
            arguments=shlex.join([*changes, *arguments.stages]),
        )
        sbatch(
            *("--requeue", "--open-mode=append", f"--job-name={name}", f"--chdir={root}"),
            *(f"--output={FOLDER.resolve()}/{name}.log", *options, "--wrap", script),
        )
        print(f"queued {name}")


def experiments(changes: list[str]) -> dict[str, list[str]]:
    """Expand a grid into the arguments that `dvc exp run` takes, by each experiment's name."""
    try:
        grid = get_hydra_sweeps(to_path_overrides(changes))
    except (DvcException, HydraException) as error:
        raise UserError(f"{' '.join(str(error).split())}: correct GRID and run again") from error
    named = {}
    for point in grid:
        values = [f"{path}:{value}" for path, some in point.items() for value in some]
        name = "-".join(value.partition(":")[2] for value in values)
        named[re.sub(r"[^\w.=+-]", "_", name)] = [f"--set-param={value}" for value in values]
    return named


def git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
