"""Seconds of the whole pipeline, with portable and with native kernels.

python -m tools.bench.pipeline [--jobs N] [stage ...]

Each time, what is committed runs in a clone with an empty cache.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import re
import sys

from tools import machine
from tools.bench import workspace


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long the pipeline takes.")
    jobs = machine.room(machine.gpus())
    parser.add_argument("--jobs", type=int, default=jobs, help=f"stages at once (here {jobs})")
    parser.add_argument("stages", nargs="*", help="default: all")
    arguments, rows = parser.parse_args(), []
    command = ["python", "-m", "tools.repro", "--jobs", str(arguments.jobs), *arguments.stages]
    for kernels in ("native", "portable"):
        print("measuring", kernels, file=sys.stderr)
        with workspace.cloned() as root:
            workspace.set_params(root, kernels=kernels)
            printed, seconds = workspace.run(root, *command)
            idle = workspace.run(root, *command)[1]
        row = {"kernels": kernels, "seconds": f"{seconds:.0f}"}
        rows.append(row | {"seconds with nothing to do": f"{idle:.1f}"})
    stages = re.findall(r"^(\S+) done in (\d+ s)", printed, re.MULTILINE)
    each = ", ".join(f"{stage} {seconds}" for stage, seconds in stages)
    workspace.write("pipeline", f"JOBS={arguments.jobs}. By stage, portable: {each}.", rows)
