"""Training speed of this code, uncommitted changes included, next to that of the notebook's loop.

python -m tools.bench.speed [--models model_b ...] [--ways portable ...] [--seconds 4] [--rounds 3]

With the notebook's configuration and with params.yaml's: portable and native kernels in fp32, and
bf16, which is slow on a CPU that lacks it. Images/s are medians over the rounds; the ratio is the
median of the rounds' ratios, as other load slows neighbouring measurements alike.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import sys
from pathlib import Path
from statistics import median

from tools.bench import notebook, workspace

WAYS = ["portable", "native", "bf16"]


def main() -> None:
    known = list(notebook.facts()["runs"])
    parser = argparse.ArgumentParser(description="Compare training speed with the notebook's.")
    parser.add_argument("--models", nargs="+", choices=known, default=known, help="default: all")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="default: all")
    parser.add_argument("--seconds", type=float, default=4, help="per measurement (default: 4)")
    parser.add_argument("--rounds", type=int, default=3, help="of measurements (default: 3)")
    given, rows = parser.parse_args(), []
    for configuration in ("notebook", "default"):
        for model in given.models:
            print("measuring", configuration, model, file=sys.stderr)
            rounds = [
                [measure(model, configuration, way, given.seconds) for way in ("loop", *given.ways)]
                for _ in range(given.rounds)
            ]
            loop, *ours = zip(*rounds, strict=True)
            for way, found in zip(given.ways, ours, strict=True):
                row = {"configuration": configuration, "network": model, "way": way}
                row["notebook (fp32), images/s"] = f"{median(loop):,.1f}"
                row["ours, images/s"] = f"{median(found):,.1f}"
                ratio = median(b / a for a, b in zip(loop, found, strict=True))
                rows.append(row | {"ratio": f"{ratio:.2f}"})
    workspace.write("speed", f"Medians of {given.rounds} rounds of {given.seconds:g} s.", rows)


def measure(model: str, configuration: str, way: str, seconds: float) -> float:
    """Return images/s, measured by `tools.bench.rate`."""
    arguments = [model, configuration, way, str(seconds)]
    return float(workspace.run(Path(), "python", "-m", "tools.bench.rate", *arguments)[0])
