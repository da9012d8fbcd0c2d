"""Stage `report`: write plots/report.md and its pictures, every run next to the notebook's figures.

python -m stages.report --RUN ARCHITECTURE ...

DVC expands `${runs}` to these options, so a run removed from dvc.yaml disappears from the report.
"""

from stages.system import errors, outputs

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import sys
from dataclasses import replace
from pathlib import Path

from stages.reporting import accuracy, comparisons, curves, mistakes, notebook, tables
from stages.results import runs, seeds


def main() -> None:
    """Read all results below the working directory and write the report."""
    measured = runs.read(option.removeprefix("--") for option in sys.argv[1::2])
    recorded, with_seeds, wrong = notebook.read(), seeds.read(), mistakes.read(measured)
    for name, run in measured.items():
        if name in with_seeds and with_seeds[name].has(run.test):
            run = replace(run, accuracies=with_seeds[name].values("accuracy"))
        if name in wrong:
            run = replace(run, mistakes=frozenset(wrong[name].places.tolist()))
        measured[name] = run
    compared = comparisons.compare(measured)
    activations = {name: compared[name] for name in ("Model A", "Model B")}
    contents = {
        "accuracy.png": accuracy.draw(measured, recorded),
        "transfer.png": curves.draw("ResNet18 and AlexNet", {"": compared["transfer"]}),
        "small_cnns.png": curves.draw("Model A and Model B", {"": compared["small"]}),
        "activations.png": curves.draw("Activation functions", activations),
        "learning_rates.png": curves.draw("Model B: learning rates", {"": compared["rates"]}),
        "notebook.png": curves.reference(recorded, measured),
        "report.md": tables.report(measured, recorded, wrong).encode(),
        **{f"mistakes/{name}.png": mistakes.draw(name, found) for name, found in wrong.items()},
    }
    for name, content in contents.items():
        outputs.write_bytes(Path("plots", name), content)
    Path("plots/mistakes").mkdir(exist_ok=True)
