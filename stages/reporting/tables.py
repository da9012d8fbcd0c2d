"""The report's Markdown: what fills template.md."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from stages.reporting import claims, comparisons
from stages.reporting.comparisons import Comparison, label
from stages.results.markdown import NONE, count, listed, loss, percent, table
from stages.results.runs import Run

TEMPLATE = Path(__file__).with_name("template.md")
SETTINGS = {
    "image_size": "image size, px",
    "epochs": "epochs",
    "batch_size": "batch",
    "lr": "learning rate",
    "schedule": "schedule",
    "beta2": "Adam's beta2",
    "clip_norm": "gradient clipping, norm",
    "precision": "precision",
    "train_images": "training images",
    "validation_images": "validation images",
    "activation": "activation",
    "weights": "initial weights",
    "dropout": "dropout",
    "mode": "mode",
    "stem": "stem",
}
FIGURES = {
    "parameters": lambda run: count(run.train.get("parameters")),
    "epochs": lambda run: count(run.train.get("epochs")),
    "loss, first epoch": lambda run: loss(run.first_epoch_loss),
    "loss, last epoch": lambda run: loss(run.final_loss),
    "validation loss": lambda run: loss(run.train.get("validation_loss")),
    "validation accuracy": lambda run: percent(run.train.get("validation_accuracy")),
    "test accuracy": lambda run: percent(run.accuracy),
    "test errors": lambda run: count(run.errors),
}
COMPARED = [name for name in FIGURES if "loss" in name or "test" in name]


def report(runs: dict[str, Run], notebook: dict[str, Run], linked: Collection[str]) -> str:
    """Return report.md on the pipeline's runs, next to the notebook's; both are by name.

    `linked` are the runs that have a picture of mistakes.
    """
    compared = comparisons.every(runs)
    judged = claims.judge(compared, comparisons.every(notebook))
    numbered = list(enumerate(judged, start=1))
    titles = {"transfer": "network", "small": "network", "rates": "learning rate"}
    sections = {name: comparison(one, titles.get(name, name)) for name, one in compared.items()}
    return TEMPLATE.read_text(encoding="utf-8").format(
        **sections,
        verdicts="\n".join(f"{i}. {one.claim} **{one.verdict}**" for i, one in numbered),
        configuration=configuration(runs, notebook),
        runs=results(runs, notebook, linked),
        otherwise=otherwise(runs, notebook),
        judged="\n\n".join(claim(i, one) for i, one in numbered),
        claims=claims,
    )


def configuration(runs: dict[str, Run], notebook: dict[str, Run]) -> str:
    """Tabulate what each run was trained with, the notebook's configuration first."""
    theirs = next(iter(notebook.values())).settings
    rows = [["*the notebook*", *_settings(theirs)]]
    rows += [[f"`{name}`", *_settings(run.settings)] for name, run in runs.items()]
    return table(["run", *SETTINGS.values()], rows)


def results(runs: dict[str, Run], notebook: dict[str, Run], linked: Collection[str]) -> str:
    """Tabulate every run's figures and the notebook's accuracy; name missing files below."""
    figures = [name for name in FIGURES if name != "loss, first epoch"]
    rows = []
    for name, run in runs.items():
        ours, theirs = run.accuracy, notebook[name].accuracy if name in notebook else None
        rows.append(
            [
                f"[`{name}`](mistakes/{name}.png)" if name in linked else f"`{name}`",
                *(FIGURES[figure](run) for figure in figures),
                percent(theirs),
                NONE if None in (ours, theirs) else f"{100 * (ours - theirs):+.2f}",
            ]
        )
    header = ["run", *figures, "notebook", "difference (points)"]
    text = table(header, rows, len(header) - 1)
    missing = [path for run in runs.values() for path in run.missing]
    return f"{text}\n\n**Missing files:** {listed(missing)}." if missing else text


def comparison(compared: Comparison, title: str) -> str:
    """Tabulate runs side by side, with what is missing and what else differs below."""
    rows = [
        [key, f"`{run.name}`", *(FIGURES[name](run) for name in COMPARED)]
        for key, run in compared.runs.items()
    ]
    text = [table([title, "run", *COMPARED], rows, len(COMPARED))] if rows else []
    if compared.missing:
        text.append(f"**No results for** {', '.join(compared.missing)}.")
    return "\n\n".join([*text, *_caution(compared.caution)])


def otherwise(runs: dict[str, Run], notebook: dict[str, Run]) -> str:
    """Say which settings are not the notebook's in some of the runs that it has too."""
    pairs = [
        (run.settings, notebook[name].settings) for name, run in runs.items() if name in notebook
    ]
    differing = [
        words.partition(",")[0]
        for key, words in SETTINGS.items()
        if any(key in ours and label(ours[key]) != label(theirs.get(key)) for ours, theirs in pairs)
    ]
    if not differing:
        return "The runs were trained like the notebook's."
    return (
        f"The runs were not trained like the notebook's ({', '.join(differing)}): what "
        "follows is about the configuration above."
    )


def claim(number: int, judged: claims.Claim) -> str:
    """Write a claim with its verdict, and a table of its statements."""
    text = [f"### {number}. {judged.claim}", f"**{judged.verdict.capitalize()}**"]
    rows = [[found.statement, found.evidence, found.verdict] for found in judged.findings]
    text.append(table(["statement", "measured", "verdict"], rows))
    if judged.recorded:
        text.append(f"The notebook's own figures, by the same test: {judged.recorded}.")
    return "\n\n".join([*text, *_caution(judged.caution)])


def _caution(settings: str) -> list[str]:
    return [f"**Not like for like**, other settings differ too: {settings}."] if settings else []


def _settings(settings: dict[str, Any]) -> list[str]:
    return [label(settings[key]) if key in settings else NONE for key in SETTINGS]
