"""Write plots/report.md and its pictures: every run, compared, beside the notebook's figures.

Usage: python -m stages.report
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

from collections.abc import Sequence
from pathlib import Path

from stages.plotting import accuracy, curves
from stages.reporting import claims, comparisons, results, tables
from stages.reporting.comparisons import Comparison
from stages.reporting.results import NAMES, Notebook, Run
from stages.system import errors, files
from stages.training import batches

SMALL = ("model_a", "model_b")


def main() -> None:
    """Read all results below the working directory and write the report.

    Raises:
        UserError: a file of results is damaged.
    """
    notebook = results.read_notebook(Path("data/notebook.yaml"))
    runs = results.read_runs(Path(), list(notebook.runs))
    transfer = comparisons.networks(runs, ("resnet18", "alexnet"))
    small = comparisons.networks(runs, SMALL)
    activations = {NAMES[model]: comparisons.activations(runs, model) for model in SMALL}
    rates = comparisons.learning_rates(runs, "model_b")
    outputs = {
        "accuracy.png": accuracies(runs, notebook),
        "transfer.png": curves.draw("ResNet18 and AlexNet", [panel("", transfer)]),
        "small_cnns.png": curves.draw("Model A and Model B", [panel("", small)]),
        "activations.png": curves.draw(
            "Activation functions",
            [panel(name, one) for name, one in activations.items()],
        ),
        "learning_rates.png": curves.draw("Model B: learning rates", [panel("", rates)]),
        "notebook.png": recorded(runs, notebook),
        "report.md": document(
            runs,
            notebook,
            [
                ("ResNet18 and AlexNet", "transfer.png", [("network", transfer)]),
                ("Model A and Model B", "small_cnns.png", [("network", small)]),
                (
                    "Activation functions",
                    "activations.png",
                    list(activations.items()),
                ),
                ("Learning rates on Model B", "learning_rates.png", [("learning rate", rates)]),
            ],
            claims.judge(notebook, transfer, small, activations, rates),
        ).encode(),
    }
    for name, content in outputs.items():
        files.write_bytes(Path("plots") / name, content)


def panel(heading: str, compared: Comparison) -> curves.Panel:
    """Return a comparison as a panel of curves, training loss over epochs."""
    drawn, missing = [], list(compared.unusable)
    # A setting keeps its colour in every panel, even where another one is missing.
    places = list(dict.fromkeys([*compared.expected, *compared.runs]))
    for key, run in compared.runs.items():
        if not run.steps or not run.losses or run.settings is None:
            missing.append(f"{run.name} has left incomplete files")
            continue
        an_epoch = batches.in_an_epoch(run.settings["train_images"], run.settings["batch_size"])
        drawn.append(
            curves.Curve(
                label=key,
                train=[(step / an_epoch, loss) for step, loss in run.steps],
                validation=[(epoch, loss) for epoch, _, loss in run.losses],
                colour=places.index(key),
            )
        )
    return curves.Panel(heading, drawn, missing)


def recorded(runs: dict[str, Run], notebook: Notebook) -> bytes:
    """Draw the notebook's loss curves and ours over them."""
    pairs = []
    for place, (name, figures) in enumerate(notebook.runs.items()):
        theirs = curves.Curve(NAMES[name], list(enumerate(figures.loss, 1)), (), place)
        points = [(epoch, loss) for epoch, loss, _ in runs[name].losses] if name in runs else []
        ours = curves.Curve(NAMES[name], points, (), place) if points else None
        pairs.append((theirs, ours))
    return curves.reference("Training loss: the notebook's and ours", pairs)


def accuracies(runs: dict[str, Run], notebook: Notebook) -> bytes:
    """Draw every run's test error with its interval and the notebook's."""
    rows, missing = [], [name for name in notebook.runs if name not in runs]
    for name, run in runs.items():
        if run.errors is None:
            missing.append(name)
            continue
        low, high = claims.interval(run.errors)
        known = notebook.runs.get(name)
        rows.append(
            accuracy.Row(
                name,
                run.errors / results.TEST_IMAGES,
                low,
                high,
                1 - known.accuracy if known else None,
            )
        )
    return accuracy.draw("Test error of every run", rows, missing)


def document(
    runs: dict[str, Run],
    notebook: Notebook,
    compared: Sequence[tuple[str, str, list[tuple[str, Comparison]]]],
    judged: Sequence[claims.Claim],
) -> str:
    """Return the report: configuration, all runs, comparisons, claims."""
    lacking = [path for run in runs.values() for path in run.missing]
    sections = [
        "# Report",
        "Written by the `report` stage from `metrics/` and `plots/runs/`; `dvc repro` brings it "
        "up to date. *The notebook* is a student's lab notebook (CO543 Image Processing, Lab 07, "
        "26 February 2025), whose recorded figures are in `data/notebook.yaml`.",
        "What became of [the notebook's claims](#the-notebooks-claims):",
        "\n".join(f"{i}. {one.statement} **{one.verdict}**" for i, one in enumerate(judged, 1)),
        "## Configuration",
        "What each run below was trained with, as the run itself recorded it.",
        tables.configuration(runs, notebook),
        "## All runs",
        "A run's name links to the test images that it got wrong most confidently.",
        tables.results(runs, notebook) if runs else "**No run has left any results yet.**",
    ]
    if lacking:
        sections.append("**Missing files:** " + ", ".join(f"`{path}`" for path in lacking) + ".")
    sections += [picture("Test error of every run", "accuracy.png")]
    sections += [picture("Loss that the notebook recorded, and here", "notebook.png")]
    for heading, name, parts in compared:
        sections += [f"## {heading}", picture(heading, name)]
        sections += [tables.comparison(one, first) for first, one in parts]
    sections += ["## The notebook's claims", tables.otherwise(runs, notebook)]
    sections += [tables.claims(judged)]
    return "\n\n".join(sections) + "\n"


def picture(text: str, name: str) -> str:
    """Return a Markdown image of a file beside the report."""
    return f"![{text}]({name})"


if __name__ == "__main__":
    errors.run(main)
