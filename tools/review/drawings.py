"""The loss curves of a run before and after, in the look of the report's pictures."""

from collections.abc import Iterable
from pathlib import Path

from stages.reporting import curves
from stages.reporting.comparisons import Comparison
from stages.system import outputs
from tools.review.changes import Change, Verdict

FOLDER = Path("review-plots")


def draw(before: str, after: str, changes: Iterable[Change]) -> dict[Path, bytes]:
    """Draw each run that changed or was added, if it has curves; return PNGs by path.

    `before` and `after` are what the legend calls the sides.
    """
    drawn = {}
    for change in changes:
        if change.verdict in (Verdict.UNCHANGED, Verdict.REMOVED):
            continue
        sides = {before: change.before, after: change.after}
        if any(run.steps for run in sides.values()):
            name, panel = change.after.name, Comparison(sides, [], "")
            drawn[FOLDER / f"{name}.png"] = curves.draw(
                f"{name}: loss before and after", {"": panel}
            )
    return drawn


def replace(drawn: dict[Path, bytes]) -> None:
    """Write the pictures in place of those of an earlier review."""
    for left in FOLDER.glob("*.png"):
        left.unlink()
    for path, content in drawn.items():
        outputs.write_bytes(path, content)
