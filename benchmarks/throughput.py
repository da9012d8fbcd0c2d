"""Training speed of the notebook's loop and of ours, measured in turn on the same work.

python -m benchmarks.throughput [--models resnet18 ...] [--seconds 4] [--rounds 3]

The notebook's loop always computes in fp32. A ratio is the median over the rounds, each of which
measures the loops one after the other. FLOP/s are images/s times the FLOPs of forward and backward
pass of the plain network: work that ours leaves out counts as done. The last column counts only
the FLOPs that ours really does.
"""

import argparse
import sys
from collections.abc import Callable
from statistics import median

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import machine, notebook_loop, rates, results
from stages import models
from stages.system import errors
from stages.training import params, runs

COLUMNS = ["configuration", "network", "precision", "notebook (fp32), images/s", "ours, images/s",
           "ratio", "GFLOP/s", "of peak", "of peak, work left out not counted"]  # fmt: skip


def main() -> None:
    """Measure each network at the notebook's configuration and at the default one."""
    parser = argparse.ArgumentParser(description="Measure training speed beside the notebook's.")
    facts = notebook_loop.facts()
    parser.add_argument("--models", nargs="+", choices=facts["runs"], default=list(facts["runs"]))
    parser.add_argument("--seconds", type=float, default=4, help="per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of measuring each in turn")
    options = parser.parse_args()
    values = params.read()
    theirs = facts["configuration"]
    size = {"image_size": theirs["image_size"]}
    cases = [("notebook", model, size, theirs["batch_size"]) for model in options.models]
    for model in options.models:
        run = runs.find(model, values)
        cases.append(("default", model, run.options, run.params["batch_size"]))
    precisions = machine.precisions()
    peaks = dict.fromkeys(precisions, 0.0)
    measured = []
    with rates.Worker(rates.Notebook) as notebook, rates.Worker(rates.Ours) as ours:
        for case in cases:
            print("measuring", *case, file=sys.stderr)
            for precision in precisions:
                peaks[precision] = max(peaks[precision], ours.call("peak", precision))
            rounds = []
            for _ in range(options.rounds):
                before = notebook.call("rate", *case[1:], "fp32", options.seconds)
                after = [ours.call("rate", *case[1:], p, options.seconds) for p in precisions]
                rounds.append((before, *after))
            measured.append(list(zip(*rounds, strict=True)))
    best = " and ".join(f"{peak / 1e9:,.0f} GFLOP/s in {p}" for p, peak in peaks.items())
    rows = []
    for (name, model, built, batch), (before, *after) in zip(cases, measured, strict=True):
        size = built["image_size"]
        plain = flops(lambda m=model, s=size: notebook_loop.build(m, s), 3, size, batch)
        own = flops(lambda m=model, o=built: models.build(m, **o), 1, size, batch)
        for precision, speeds in zip(precisions, after, strict=True):
            speed, peak = median(speeds), peaks[precision]
            rows.append(
                [
                    f"{name}: {size} px, batch {batch}",
                    model,
                    precision,
                    median(before),
                    speed,
                    median(b / a for a, b in zip(before, speeds, strict=True)),
                    speed * plain / 1e9,
                    f"{speed * plain / peak:.0%}",
                    f"{speed * own / peak:.0%}",
                ]
            )
    results.report("throughput", f"Peak of a matrix product: {best}.", COLUMNS, rows)


def flops(build: Callable[[], nn.Module], channels: int, image_size: int, batch: int) -> float:
    """Count the FLOPs of a training step, optimizer aside, per image."""
    with torch.device("meta"):  # counted from shapes alone
        network = build()
        images = torch.empty(batch, channels, image_size, image_size)
        labels = torch.empty(batch, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        functional.cross_entropy(network(images), labels).backward()
    return counter.get_total_flops() / batch


if __name__ == "__main__":
    errors.run(main)
