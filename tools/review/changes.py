"""The runs of both sides, and whether they got better or worse."""

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from stages.results import runs, seeds
from stages.results.runs import Run
from stages.results.seeds import Seeds
from stages.results.statistics import LEVEL, holm
from tools.review.sides import Snapshot


class Verdict(Enum):
    """What a difference says, by weight; only the first two are beyond seed noise."""

    BETTER = "better"
    WORSE = "worse"
    UNKNOWN = "seed noise unknown"
    WITHIN = "within seed noise"
    NOTHING = "nothing to compare"
    ADDED = "added"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


DECIDED = (Verdict.BETTER, Verdict.WORSE)
ON_ONE_SIDE = (Verdict.ADDED, Verdict.REMOVED)


@dataclass(frozen=True)
class Change:
    """A run on both sides; on a side that does not have it, it is empty.

    Its figures are accuracy, errors and loss, which are the test's, and validation_accuracy.
    """

    before: Run
    after: Run
    seeds: Seeds

    @property
    def measured(self) -> bool:
        """Whether the result before is one of those that the seed noise was measured with."""
        return self.seeds.has(self.before.test)

    @property
    def chances(self) -> dict[str, float]:
        """The p-value of each figure that the noise is known of; see `Seeds.judge`."""
        found = {}
        for name in ("accuracy", "loss"):
            if self.difference(name) is not None:
                found[name] = self.seeds.judge(name, *self.figures(name), self.measured)
        return {name: p for name, p in found.items() if p is not None}

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each figure that may have noise; errors follow accuracy."""
        accuracy, loss = (self._judge(name) for name in ("accuracy", "loss"))
        return {"accuracy": accuracy, "errors": accuracy, "loss": loss}

    def _judge(self, name: str) -> Verdict:
        difference = self.difference(name)
        if difference is None:
            return Verdict.NOTHING
        p = self.chances.get(name)
        if difference == 0 or (p is not None and p > LEVEL):
            return Verdict.WITHIN
        if p is None:
            return Verdict.UNKNOWN
        return Verdict.BETTER if (difference > 0) == (name == "accuracy") else Verdict.WORSE

    @property
    def verdict(self) -> Verdict:
        """The verdict on the run: by divergence, else by accuracy, else by loss."""
        before, after = ((run.train, run.test) for run in (self.before, self.after))
        if before == after:
            return Verdict.UNCHANGED
        if not any(before) or not any(after):
            return Verdict.REMOVED if any(before) else Verdict.ADDED
        if self.diverged is not None:
            return Verdict.WORSE if self.diverged else Verdict.BETTER
        weight = list(Verdict)
        return min(self.verdicts.values(), key=lambda v: v not in DECIDED and weight.index(v))

    @property
    def diverged(self) -> bool | None:
        """True if the run diverges and did not before, False for the reverse, None for neither."""
        before, after = (bool(run.train.get("diverged")) for run in (self.before, self.after))
        return None if before == after else after

    @property
    def gain(self) -> tuple[float, float]:
        """What orders changes, the best having the most: accuracy gained, loss saved."""
        return self.difference("accuracy") or 0, -(self.difference("loss") or 0)

    def figures(self, name: str) -> list[float | None]:
        """Return a figure before and after, None where it is missing or not finite."""
        part = "train" if name == "validation_accuracy" else "test"
        return [getattr(run, part).get(name) for run in (self.before, self.after)]

    def difference(self, name: str) -> float | None:
        """Return how much larger a figure is afterwards, None if a side lacks it."""
        before, after = self.figures(name)
        return None if before is None or after is None else after - before


def compare(base: Snapshot, head: Snapshot) -> list[Change]:
    """Pair the results of each run that either side has, the best change first."""
    folders = ("metrics/train", "metrics/test")
    metrics = [path for side in (base, head) for folder in folders for path in side.below(folder)]
    names = sorted({PurePosixPath(path).stem for path in metrics if path.endswith(".json")})
    before, after = _read(base, names), _read(head, names)
    # a change of the code may bring seeds of its own, but what they are to tell is the base's noise
    noise = seeds.read(lambda path: base.read(path) or head.read(path), base.name)
    changes = [Change(before[name], after[name], noise.get(name, Seeds({}))) for name in names]
    best_first = sorted(changes, key=lambda one: one.gain, reverse=True)
    return sorted(best_first, key=lambda one: one.verdict in ON_ONE_SIDE)


def clear(changes: list[Change]) -> list[Change]:
    """Return the runs that are better or worse even so many compared: Holm over all figures."""
    tests = [
        (p, one)
        for one in changes
        if one.verdict is not Verdict.UNCHANGED
        for p in one.chances.values()
    ]
    held = holm([p for p, _ in tests])
    beyond = {one.after.name for (_, one), holds in zip(tests, held, strict=True) if holds}
    return [
        one
        for one in changes
        if one.verdict in DECIDED and (one.diverged is not None or one.after.name in beyond)
    ]


def _read(side: Snapshot, names: list[str]) -> dict[str, Run]:
    def content(path: str) -> bytes | None:
        text = side.read(path)
        # Older revisions have a steps.csv without epochs, of which no curve can be drawn.
        return None if text and text.startswith(b"step,loss\n") else text

    return runs.read(names, content, side.name)
