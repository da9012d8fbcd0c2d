"""The runs' metrics on both sides, and whether they got better or worse."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from review.noise import Noise
from review.snapshots import Snapshot, mapping

FIGURES = {"test": ("accuracy", "errors", "loss"), "train": ("validation_accuracy",)}
NOT_MEASURED = Noise(0, None, None)


class Verdict(Enum):
    """What a difference says; only the first two are beyond the noise of the seed."""

    BETTER = "better"
    WORSE = "worse"
    WITHIN = "within the noise"
    UNKNOWN = "noise unknown"
    NOTHING = "nothing to compare"


DECIDED = (Verdict.BETTER, Verdict.WORSE)


@dataclass(frozen=True)
class Result:
    """A run's figures on one side; None where a file or an entry is missing or null.

    `accuracy` and `validation_accuracy` are fractions, `loss` is the test loss in nats, `errors`
    counts test images. `content` is all that the files say.
    """

    accuracy: float | None
    errors: float | None
    loss: float | None
    validation_accuracy: float | None
    diverged: bool
    content: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A run whose metrics differ between two sides that both have it."""

    run: str
    before: Result
    after: Result
    noise: Noise

    @property
    def accuracy(self) -> Verdict:
        """Judge the test accuracy."""
        return judge(difference(self, "accuracy"), self.noise.accuracy)

    @property
    def loss(self) -> Verdict:
        """Judge the test loss, where less is better."""
        lower = difference(self, "loss")
        return judge(None if lower is None else -lower, self.noise.loss)

    @property
    def verdict(self) -> Verdict:
        """Judge the run: by divergence, else by accuracy, else by loss."""
        if self.before.diverged != self.after.diverged:
            return Verdict.WORSE if self.after.diverged else Verdict.BETTER
        both = (self.accuracy, self.loss)
        for verdict in both:
            if verdict in DECIDED:
                return verdict
        return next((one for one in (Verdict.UNKNOWN, Verdict.WITHIN) if one in both),
                    Verdict.NOTHING)  # fmt: skip

    @property
    def order(self) -> tuple[bool, float, float]:
        """Sort the best change first, the worst last, those that nothing compares after it."""
        gain, loss = difference(self, "accuracy"), difference(self, "loss")
        return (gain is None, -(gain or 0), loss or 0)


@dataclass(frozen=True)
class Comparison:
    """All runs of two sides: those that changed, best first, and names of the others."""

    changed: list[Change]
    unchanged: list[str]
    added: dict[str, Result]
    removed: dict[str, Result]


def difference(change: Change, figure: str) -> float | None:
    """Return how much larger `figure` is afterwards, None if a side lacks it."""
    before, after = getattr(change.before, figure), getattr(change.after, figure)
    return None if before is None or after is None else after - before


def judge(gain: float | None, bound: float | None) -> Verdict:
    """Judge a difference, positive for the better, by the noise's `bound`."""
    if gain is None:
        return Verdict.NOTHING
    if bound is None:
        return Verdict.UNKNOWN if gain else Verdict.WITHIN
    if abs(gain) <= bound:
        return Verdict.WITHIN
    return Verdict.BETTER if gain > 0 else Verdict.WORSE


def compare(base: Snapshot, head: Snapshot, noise: dict[str, Noise]) -> Comparison:
    """Compare the metrics of every run that either side has.

    Raises:
        UserError: a metrics file of either side is damaged.
    """
    before, after = read(base), read(head)
    both = [run for run in before if run in after]
    same = [run for run in both if before[run].content == after[run].content]
    changes = [
        Change(run, before[run], after[run], noise.get(run, NOT_MEASURED))
        for run in both
        if run not in same
    ]
    return Comparison(
        changed=sorted(changes, key=lambda change: change.order),
        unchanged=same,
        added={run: result for run, result in after.items() if run not in before},
        removed={run: result for run, result in before.items() if run not in after},
    )


def read(side: Snapshot) -> dict[str, Result]:
    """Read the metrics of every run of a side, by name.

    Raises:
        UserError: a file is damaged.
    """
    names = {
        PurePosixPath(path).stem
        for folder in ("metrics/train", "metrics/test")
        for path in side.below(folder)
        if path.endswith(".json")
    }
    return {name: _result(side, name) for name in sorted(names)}


def _result(side: Snapshot, run: str) -> Result:
    content = {
        kind: side.parsed(f"metrics/{kind}/{run}.json", partial(_metrics, names)) or {}
        for kind, names in FIGURES.items()
    }
    figures = {name: _figure(content[kind], name) for kind in FIGURES for name in FIGURES[kind]}
    return Result(**figures, diverged=content["train"].get("diverged") is True, content=content)


def _metrics(names: Sequence[str], text: bytes) -> dict[str, Any]:
    content = mapping(json.loads(text))
    for name in names:
        _figure(content, name)
    return content


def _figure(content: dict[str, Any], name: str) -> float | None:
    value = content.get(name)
    if value is None or (type(value) in (int, float) and not math.isfinite(value)):
        return None
    if type(value) not in (int, float):
        raise TypeError
    return value
