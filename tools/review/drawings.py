"""The loss curves of a run before and after, in the look of the report's pictures."""

from collections.abc import Iterable
from pathlib import Path

from stages.reporting import curves
from stages.results.runs import Run
from stages.system import outputs
from tools.review.changes import Change, Verdict

FOLDER = Path("review-plots")
GREY, BLUE = 8, 0  # places in the palette


def draw(before: str, after: str, changes: Iterable[Change]) -> dict[Path, bytes]:
    """Draw each run that changed or was added, if it has curves; return PNGs by path.

    `before` and `after` are what the legend calls the sides.
    """
    drawn = {}
    for change in changes:
        if change.verdict in (Verdict.UNCHANGED, Verdict.REMOVED):
            continue
        sides = {
            before: _curve(change.before, before, GREY),
            after: _curve(change.after, after, BLUE),
        }
        found = [curve for curve in sides.values() if curve]
        missing = [f"no curve in {side}" for side, curve in sides.items() if not curve]
        if found:
            name, panel = change.after.name, curves.Panel("", found, missing)
            drawn[FOLDER / f"{name}.png"] = curves.draw(f"{name}: loss before and after", [panel])
    return drawn


def replace(drawn: dict[Path, bytes]) -> None:
    """Write the pictures in place of those of an earlier review."""
    for left in FOLDER.glob("*.png"):
        left.unlink()
    for path, content in drawn.items():
        outputs.write_bytes(path, content)


def _curve(run: Run, label: str, colour: int) -> curves.Curve | None:
    if not (run.steps or run.epochs):
        return None
    return curves.Curve(
        label=label,
        train=[(window.epoch, window.loss) for window in run.steps]
        or [(row.epoch, row.train_loss) for row in run.epochs],
        validation=[(row.epoch, row.validation_loss) for row in run.epochs],
        colour=colour,
    )
