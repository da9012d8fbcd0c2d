"""The report's Markdown: tables of figures, and the claims beside them."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from stages.reporting.claims import CRITERIA, Claim
from stages.reporting.comparisons import Comparison, label
from stages.reporting.results import Notebook, Run

NONE = "–"  # noqa: RUF001 an en dash, as tables print an empty cell

SETTINGS = {
    "image_size": "image size, px",
    "epochs": "epochs",
    "batch_size": "batch",
    "lr": "learning rate",
    "schedule": "schedule",
    "precision": "precision",
    "train_images": "training images",
    "validation_images": "validation images",
    "activation": "activation",
    "weights": "initial weights",
    "dropout": "dropout",
    "mode": "mode",
    "stem": "stem",
}


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int) -> str:
    """Return a Markdown table; the last `numbers` columns are aligned to the right."""
    rule = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def configuration(runs: dict[str, Run], notebook: Notebook) -> str:
    """Tabulate what each run was trained with, the notebook's configuration first."""
    rows = [["*the notebook*", *_settings(notebook.configuration)]]
    rows += [[f"`{run.name}`", *_settings(run.settings or {})] for run in runs.values()]
    return table(["run", *SETTINGS.values()], rows, 0)


def results(runs: dict[str, Run], notebook: Notebook) -> str:
    """Tabulate every run's figures, with the notebook's accuracy where it recorded one."""
    header = [
        "run",
        "parameters",
        "epochs",
        "training loss",
        "validation loss",
        "validation accuracy",
        "test accuracy",
        "test errors",
        "notebook",
        "difference (points)",
    ]
    rows = []
    for run in runs.values():
        train = run.train
        recorded = notebook.runs.get(run.name)
        points = (
            f"{100 * (run.accuracy - recorded.accuracy):+.2f}"
            if recorded and run.accuracy is not None
            else NONE
        )
        rows.append(
            [
                f"[`{run.name}`](runs/{run.name}/mistakes.png)" if run.test else f"`{run.name}`",
                f"{train.parameters:,}" if train else NONE,
                str(train.epochs) if train else NONE,
                loss(run.final_loss),
                loss(train.validation_loss if train else None),
                percent(train.validation_accuracy if train else None),
                percent(run.accuracy),
                NONE if run.errors is None else str(run.errors),
                percent(recorded.accuracy if recorded else None),
                points,
            ]
        )
    return table(header, rows, len(header) - 1)


def comparison(compared: Comparison, title: str) -> str:
    """Tabulate runs side by side, with what is missing and what else differs below."""
    header = [
        title,
        "run",
        "loss, first epoch",
        "loss at the end",
        "validation loss",
        "test accuracy",
        "test errors",
    ]
    rows = [
        [
            key,
            f"`{run.name}`",
            loss(run.first_epoch_loss),
            loss(run.final_loss),
            loss(run.train.validation_loss if run.train else None),
            percent(run.accuracy),
            NONE if run.errors is None else str(run.errors),
        ]
        for key, run in compared.runs.items()
    ]
    text = [table(header, rows, 5)] if rows else []
    text += [f"**Missing:** {'; '.join(compared.unusable)}."] if compared.unusable else []
    if compared.caution:
        text.append(f"**Not like for like**, these settings differ too: {compared.caution}.")
    return "\n\n".join(text)


def otherwise(runs: dict[str, Run], notebook: Notebook) -> str:
    """Say which settings are not the notebook's in some of the runs that it has too."""
    theirs = notebook.configuration
    ours = [run.settings or {} for name, run in runs.items() if name in notebook.runs]
    differing = [
        words.partition(",")[0]
        for key, words in SETTINGS.items()
        if key in theirs and any(label(one.get(key, theirs[key])) != label(theirs[key])
                                 for one in ours)
    ]  # fmt: skip
    if not differing:
        return "The runs were trained as the notebook's."
    return (
        f"The runs were not trained as the notebook's ({', '.join(differing)}): what follows is "
        "about the configuration above."
    )


def claims(judged: Sequence[Claim]) -> str:
    """Write each claim with its verdict, and a table of its parts."""
    text = ["Each figure below is measured here; the verdicts follow from it by these criteria:"]
    text.append(CRITERIA)
    for number, claim in enumerate(judged, 1):
        text.append(f"### {number}. {claim.statement}\n\n**{claim.verdict.capitalize()}**")
        rows = [[part.statement, part.evidence, part.verdict] for part in claim.parts]
        text.append(table(["statement", "measured", "verdict"], rows, 0))
        if claim.recorded:
            text.append(f"The notebook's own figures, by the same test: {claim.recorded}.")
        if claim.caution:
            text.append(f"**Not like for like**, these settings differ too: {claim.caution}.")
    return "\n\n".join(text)


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage with two decimals, a dash for None."""
    return NONE if fraction is None else f"{100 * fraction:.2f} %"


def loss(value: float | None) -> str:
    """Return a loss with four decimals; None is a dash, infinity says so."""
    if value is None:
        return NONE
    return f"{value:.4f}" if math.isfinite(value) else "not finite"


def _settings(settings: dict[str, Any]) -> list[str]:
    return [label(settings[key]) if key in settings else NONE for key in SETTINGS]
