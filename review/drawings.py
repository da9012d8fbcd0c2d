"""The loss curves of a run before and after, in the look of the report's pictures."""

import csv
import json
from pathlib import Path

from review.snapshots import Snapshot
from stages.plotting import curves
from stages.system import files
from stages.training import batches

FOLDER = Path("review-plots")
BEFORE, AFTER = 8, 0  # places in the palette: grey and blue


def draw(base: Snapshot, head: Snapshot, runs: list[str]) -> dict[Path, bytes]:
    """Draw each of `runs` that has curves.

    Returns:
        PNGs by the path that `keep` writes them to, in the order of `runs`.

    Raises:
        UserError: a file with a run's losses is damaged.
    """
    drawn = {}
    for run in runs:
        pairs = [(base.name, _curve(base, run, BEFORE)), (head.name, _curve(head, run, AFTER))]
        found = [curve for _, curve in pairs if curve]
        missing = [f"no curve in {name}" for name, curve in pairs if not curve]
        if found:
            panel = curves.Panel("", found, missing)
            drawn[FOLDER / f"{run}.png"] = curves.draw(f"{run}: loss before and after", [panel])
    return drawn


def keep(drawn: dict[Path, bytes]) -> None:
    """Write the pictures in place of those of an earlier review."""
    for left in FOLDER.glob("*.png"):
        left.unlink()
    for path, content in drawn.items():
        files.write_bytes(path, content)


def _curve(side: Snapshot, run: str, colour: int) -> curves.Curve | None:
    epochs = _rows(side, run, "loss.csv", ["epoch", "train_loss", "validation_loss"])
    steps = _rows(side, run, "steps.csv", ["step", "loss"])
    an_epoch = _steps_per_epoch(side, run)
    if not epochs and not (steps and an_epoch):
        return None
    train = [(step / an_epoch, loss) for step, loss in steps] if an_epoch else []
    return curves.Curve(
        label=side.name,
        train=train or [(epoch, loss) for epoch, loss, _ in epochs],
        validation=[(epoch, loss) for epoch, _, loss in epochs],
        colour=colour,
    )


def _steps_per_epoch(side: Snapshot, run: str) -> int | None:
    def steps(text: bytes) -> int:
        params = json.loads(text)["params"]
        return batches.in_an_epoch(params["train_images"], params["batch_size"])

    return side.parsed(f"plots/runs/{run}/settings.json", steps)


def _rows(side: Snapshot, run: str, name: str, columns: list[str]) -> list[list[float]]:
    """Return columns of a table, an empty cell as nan; [] if there is no such file."""

    def numbers(text: bytes) -> list[list[float]]:
        table = csv.DictReader(text.decode().splitlines(), strict=True)
        if not set(columns) <= set(table.fieldnames or ()):
            raise ValueError
        return [[float(row[column] or "nan") for column in columns] for row in table]

    return side.parsed(f"plots/runs/{run}/{name}", numbers) or []
