"""The report's Markdown: what fills template.md."""

from collections.abc import Collection
from itertools import chain
from pathlib import Path

from stages.reporting import claims, comparisons
from stages.reporting.claims import Claim
from stages.reporting.comparisons import Comparison, text
from stages.results.markdown import NONE, count, listed, loss, percent, table
from stages.results.runs import FILES, Run
from stages.results.statistics import LEVEL

TEMPLATE = Path(__file__).with_name("template.md")
OMITTED = {"model", "seed", "kernels", "threads"}  # settings that the notebook has none of
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


def report(runs: dict[str, Run], notebook: dict[str, Run], pictured: Collection[str]) -> str:
    """Return report.md; `pictured` are the runs that have a picture of mistakes."""
    compared = comparisons.compare(runs)
    judged = claims.judge(compared)
    recorded = claims.judge(comparisons.compare(notebook))
    titles = {"transfer": "network", "small": "network", "rates": "learning rate"}
    sections = {name: comparison(one, titles.get(name, name)) for name, one in compared.items()}
    return TEMPLATE.read_text(encoding="utf-8").format(
        **sections,
        verdicts="\n".join(f"{i}. {one.text} **{one.verdict}**" for i, one in enumerate(judged, 1)),
        configuration=configuration(runs, notebook),
        runs=results(runs, notebook, pictured),
        otherwise=otherwise(runs, notebook),
        judged="\n\n".join(map(claim, range(1, len(judged) + 1), judged, recorded)),
        level=LEVEL,
        claims=claims,
    )


def configuration(runs: dict[str, Run], notebook: dict[str, Run]) -> str:
    settings = {"*the notebook*": next(iter(notebook.values())).settings}
    settings |= {f"`{name}`": run.settings for name, run in runs.items()}
    names = [key for key in dict.fromkeys(chain(*settings.values())) if key not in OMITTED]
    rows = [[name, *(text(own.get(key, NONE)) for key in names)] for name, own in settings.items()]
    return table(["run", *names], rows)


def results(runs: dict[str, Run], notebook: dict[str, Run], pictured: Collection[str]) -> str:
    figures = {name: show for name, show in FIGURES.items() if name != "loss, first epoch"}
    rows, absent = [], []
    for name, run in runs.items():
        absent += [path.format(name) for part, (path, _) in FILES.items() if not getattr(run, part)]
        link = f"[`{name}`](mistakes/{name}.png)" if name in pictured else f"`{name}`"
        theirs = notebook.get(name, Run(name)).accuracy
        known = None not in (run.accuracy, theirs)
        difference = f"{100 * (run.accuracy - theirs):+.2f}" if known else NONE
        rows.append([link, *(show(run) for show in figures.values()), percent(theirs), difference])
    header = ["run", *figures, "notebook", "difference (points)"]
    note = f"\n\n**Missing files:** {listed(absent)}." if absent else ""
    return table(header, rows, len(header) - 1) + note


def comparison(compared: Comparison, title: str) -> str:
    figures = {name: show for name, show in FIGURES.items() if "loss" in name or "test" in name}
    rows = [
        [label, f"`{run.name}`", *(show(run) for show in figures.values())]
        for label, run in compared.runs.items()
    ]
    parts = [table([title, "run", *figures], rows, len(figures))] if rows else []
    if compared.missing:
        parts.append(f"**No results for** {', '.join(compared.missing)}.")
    return "\n\n".join(parts + _caution(compared.caution))


def otherwise(runs: dict[str, Run], notebook: dict[str, Run]) -> str:
    """Say which settings are not the notebook's in some of the runs that it has too."""
    settings = [run.settings for name, run in runs.items() if name in notebook]
    differing = [
        key
        for key, theirs in next(iter(notebook.values())).settings.items()
        if any(text(ours.get(key, theirs)) != text(theirs) for ours in settings)
    ]
    if not differing:
        return "The runs were trained like the notebook's."
    return (
        f"The runs were not trained like the notebook's ({', '.join(differing)}): what "
        "follows is about the configuration above."
    )


def claim(number: int, judged: Claim, recorded: Claim) -> str:
    rows = [[part.text, part.evidence, part.verdict] for part in judged.statements]
    theirs = [f"{part.evidence}: {part.verdict}" for part in recorded.statements if part.tested]
    parts = [
        f"### {number}. {judged.text}",
        f"**{judged.verdict.capitalize()}**",
        table(["statement", "measured", "verdict"], rows),
    ]
    if theirs:
        parts.append(f"The notebook's own figures, by the same test: {'; '.join(theirs)}.")
    return "\n\n".join(parts + _caution(judged.caution))


def _caution(settings: str) -> list[str]:
    return [f"**Not like for like**, other settings differ too: {settings}."] if settings else []
