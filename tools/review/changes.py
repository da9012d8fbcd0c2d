"""The runs of both sides, and whether they got better or worse."""

import fnmatch
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import PurePosixPath

from stages.results import runs, seeds
from stages.results.seeds import Seeds
from stages.results.statistics import LEVEL, holm
from tools.review import noise
from tools.review.sides import Side


class Verdict(Enum):
    """What a difference says; only the first two are beyond seed noise."""

    BETTER = "better"
    WORSE = "worse"
    UNKNOWN = "seed noise unknown"
    WITHIN = "within seed noise"
    ADDED = "added"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


DECIDED = (Verdict.BETTER, Verdict.WORSE)


@dataclass(frozen=True, eq=False)
class Change:
    """A run on both sides; on a side that does not have it, it is empty."""

    before: runs.Run
    after: runs.Run
    seeds: Seeds

    @cached_property
    def measured(self) -> bool:
        """Whether the result before is one of those that the seed noise was measured with."""
        return self.seeds.has(self.before.test)

    @cached_property
    def chances(self) -> dict[str, float | None]:
        """The p-value of each figure that both sides have, None if its noise is unknown."""
        return {
            name: noise.judge(self.seeds.values(name), *self.figures(name), self.measured)
            for name in ("accuracy", "loss")
            if self.difference(name) is not None
        }

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on accuracy and on loss, as far as both sides have them."""
        return {name: self._judge(name, p) for name, p in self.chances.items()}

    def _judge(self, name: str, p: float | None) -> Verdict:
        gain = self.difference(name) * (1 if name == "accuracy" else -1)
        if p is None and gain != 0:
            return Verdict.UNKNOWN
        if gain == 0 or p > LEVEL:
            return Verdict.WITHIN
        return Verdict.BETTER if gain > 0 else Verdict.WORSE

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on the run: by divergence, else by accuracy, else by loss."""
        before, after = ((run.train, run.test) for run in (self.before, self.after))
        if before == after:
            return Verdict.UNCHANGED
        if not any(before):
            return Verdict.ADDED
        if not any(after):
            return Verdict.REMOVED
        if self.diverged is not None:
            return Verdict.WORSE if self.diverged else Verdict.BETTER
        for verdict in self.verdicts.values():
            if verdict in DECIDED:
                return verdict
        all_within = set(self.verdicts.values()) == {Verdict.WITHIN}
        return Verdict.WITHIN if all_within else Verdict.UNKNOWN

    @property
    def diverged(self) -> bool | None:
        """True if the run diverges and did not before, False for the reverse, None for neither."""
        before, after = (bool(run.train.get("diverged")) for run in (self.before, self.after))
        return None if before == after else after

    def figures(self, name: str) -> list[float | None]:
        """Return validation_accuracy or a test figure on both sides, None if it is missing."""
        part = "train" if name == "validation_accuracy" else "test"
        return [getattr(run, part).get(name) for run in (self.before, self.after)]

    def difference(self, name: str) -> float | None:
        """Return how much larger a figure is afterwards, None if a side lacks it."""
        before, after = self.figures(name)
        return None if before is None or after is None else after - before


def compare(base: Side, head: Side) -> list[Change]:
    """Pair the results of each run that either side has, the best change first."""
    metrics = fnmatch.filter(base.paths | head.paths, "metrics/*.json")
    names = sorted({PurePosixPath(path).stem for path in metrics})
    before, after = (runs.read(names, side) for side in (base, head))
    # A change of the code may bring new seeds, but the noise to judge by is the base's.
    measured = seeds.read(base if str(seeds.PATH) in base.paths else head)
    changes = [Change(before[name], after[name], measured.get(name, Seeds({}))) for name in names]
    changes.sort(key=lambda one: one.difference("loss") or 0)
    changes.sort(key=lambda one: one.difference("accuracy") or 0, reverse=True)
    return sorted(changes, key=lambda one: one.verdict in (Verdict.ADDED, Verdict.REMOVED))


def clear(changes: list[Change]) -> list[Change]:
    """Return the runs that are better or worse even after Holm's correction for all figures."""
    changed = [one for one in changes if one.verdict is not Verdict.UNCHANGED]
    tests = [(p, one) for one in changed for p in one.chances.values() if p is not None]
    held = holm([p for p, _ in tests])
    beyond = [one for (_, one), holds in zip(tests, held, strict=True) if holds]
    decided = [one for one in changed if one.verdict in DECIDED]
    return [one for one in decided if one in beyond or one.diverged is not None]
