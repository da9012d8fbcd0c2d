"""Training speed of this pipeline and of the notebook's loop, and how close ours is to the peak.

python -m tools.bench.throughput [--models model_b ...] [--seconds 4] [--rounds 3]

Images/s are medians over the rounds. The ratio is the median of each round's own, because other
load on the machine slows neighbouring measurements alike. "Of peak" is images/s times the FLOPs
that our network computes for an image, over the FLOP/s of the fastest matrix product.
"""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from stages import models
from stages.compute import kernels
from stages.system import errors
from stages.training import recipe
from tools.bench import machine, notebook_loop, rates, table


def main() -> None:
    """Measure each network at the notebook's configuration and at the default one."""
    facts = notebook_loop.facts()
    parser = argparse.ArgumentParser(description="Compare training speed with the notebook's.")
    parser.add_argument("--models", nargs="+", choices=facts["runs"], default=list(facts["runs"]))
    parser.add_argument("--seconds", type=float, default=4, help="per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of measuring each in turn")
    arguments = parser.parse_args()
    found = measure(arguments.models, arguments.seconds, arguments.rounds)
    table.write("throughput", found)


def measure(networks: list[str], seconds: float, rounds: int) -> tuple[str, list[dict[str, Any]]]:
    """Make the table of some networks."""
    values, recorded = recipe.read(), notebook_loop.facts()["configuration"]
    runs = [recipe.find(values, model) for model in networks]
    size = {"image_size": recorded["image_size"]}
    cases = [
        ("notebook", replace(run, options=size, params=run.params | notebook_loop.recipe()))
        for run in runs
    ]
    cases += [("default", run) for run in runs]
    peaks, rows, ours = dict.fromkeys(machine.precisions(), 0.0), [], {}
    with ExitStack() as processes:
        theirs = processes.enter_context(rates.process())
        for precision in peaks:  # the next process's libraries read which kernels
            kernels.use("native" if precision == "bf16" else "portable", values["threads"])
            ours[precision] = processes.enter_context(rates.process())
        for name, run in cases:
            print("measuring", name, run.model, file=sys.stderr)
            size, batch_size = run.options["image_size"], run.params["batch_size"]
            before, after = [], {precision: [] for precision in peaks}
            for _ in range(rounds):
                case = (run.model, size, batch_size, seconds)
                before.append(theirs.submit(rates.notebook, *case).result())
                for precision, speeds in after.items():
                    case = replace(run, params=run.params | {"precision": precision})
                    found = ours[precision].submit(rates.ours, case, seconds)
                    speeds.append(found.result())
            for precision in peaks:  # last: nothing may come before the set-up that `ours` does
                found = ours[precision].submit(rates.peak, precision).result()
                peaks[precision] = max(peaks[precision], found)
            rows += [
                {
                    "configuration": f"{name}: {size} px, batch {batch_size}",
                    "network": run.model,
                    "precision": precision,
                    "notebook (fp32), images/s": median(before),
                    "ours, images/s": median(speeds),
                    "ratio": median(b / a for a, b in zip(before, speeds, strict=True)),
                    "of peak": median(speeds) * flops(run.model, run.options, batch_size),
                }
                for precision, speeds in after.items()
            ]
    for row in rows:
        row["of peak"] = f"{row['of peak'] / peaks[row['precision']]:.0%}"
    best = " and ".join(f"{peak / 1e9:,.0f} GFLOP/s in {name}" for name, peak in peaks.items())
    return f"Peak of a matrix product: {best}.", rows


def flops(model: str, options: dict[str, Any], batch_size: int) -> float:
    """Count the FLOPs of forward and backward pass of our network, per image."""
    with torch.device("meta"):  # counted from shapes alone
        network = models.build(model, **options)
        images = torch.empty(batch_size, 1, options["image_size"], options["image_size"])
        labels = torch.empty(batch_size, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        functional.cross_entropy(network(images), labels).backward()
    return counter.get_total_flops() / batch_size


if __name__ == "__main__":
    errors.run(main)
