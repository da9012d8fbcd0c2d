"""How often a review claims a difference where there is none, and finds one that is there.

python -m tools.bench.review [--trials 2000]

Reviews are drawn with each run's mean, spread and number of seeds in seeds.csv, from a normal model
or by drawing the measured results again; and each pair of measured seeds is one. "Each figure at
5 %" is the first sentence without Holm's correction and without the other seeds.
"""

import argparse
import random
from collections.abc import Callable, Iterator
from itertools import permutations
from statistics import correlation, fmean, stdev

from stages.results import seeds, statistics
from stages.results.runs import Run
from stages.results.seeds import Seeds
from stages.system import errors
from tools.bench import table
from tools.review.changes import Change, clear

Result = dict[str, float]
Effects = dict[str, float]  # what is added to a run's accuracy
Review = list[Change]


def main() -> None:
    """Draw reviews of each kind and tabulate how many claim something."""
    parser = argparse.ArgumentParser(description="Measure how far a review can be trusted.")
    parser.add_argument("--trials", type=int, default=2000)
    trials, measured = parser.parse_args().trials, seeds.read()
    numbers = sorted({len(one.results) for one in measured.values()})
    rows = [
        row("no effect, normal model", normal(measured, {}, trials)),
        row("no effect, measured results drawn again", bootstrap(measured, trials)),
        row("no effect, each pair of measured seeds", pairs(measured)),
    ]
    for title, effects in effects_of(measured).items():
        rows.append(row(f"{title}, among all runs", normal(measured, effects, trials)))
        alone = {run: measured[run] for run in effects}
        rows.append(row(f"{title}, that run alone", normal(alone, effects, trials)))
    note = (
        f"Seeds per run: {' or '.join(map(str, numbers))}; {trials:,} reviews drawn of each kind."
    )
    table.write("review", (note, rows))


def effects_of(measured: dict[str, Seeds]) -> dict[str, Effects]:
    """Return effects of a size that matters: half a point at 98 %, twice the errors at 99.5 %."""
    errors = 1 - fmean(measured["resnet18"].values("accuracy"))
    return {
        "model_b half a point better": {"model_b": 0.005},
        "model_b half a point worse": {"model_b": -0.005},
        "resnet18 with twice the errors": {"resnet18": -errors},
    }


def row(title: str, reviews: Iterator[Review]) -> dict[str, str | int]:
    """Make a row of the table."""
    found = [(bool(clear(review)), old(review)) for review in reviews]
    ours, before = (fmean(column) for column in zip(*found, strict=True))
    return {
        "reviews of": title,
        "drawn": len(found),
        "claim a difference": f"{ours:.1%}",
        "each figure at 5 %": f"{before:.1%}",
    }


def old(review: Review) -> bool:
    """Say whether any figure of any run differs by more than two seeds do one time in twenty."""
    return any(
        statistics.two_seeds(one.seeds.values(name), one.difference(name)) <= statistics.LEVEL
        for one in review
        for name in ("accuracy", "loss")
    )


def normal(measured: dict[str, Seeds], effects: Effects, trials: int) -> Iterator[Review]:
    """Draw reviews whose seeds and results are normal, accuracy and loss correlated as measured."""
    chance = random.Random(0)
    models = {run: model(one, chance) for run, one in measured.items()}
    for _ in range(trials):
        yield [
            change(
                run,
                [draw(0.0) for _ in measured[run].results],
                draw(effects.get(run, 0.0)),
            )
            for run, draw in models.items()
        ]


def model(measured: Seeds, chance: random.Random) -> Callable[[float], Result]:
    """Return what draws a result, given what is added to its accuracy."""
    accuracies, losses = (measured.values(name) for name in ("accuracy", "loss"))
    rho = correlation(accuracies, losses)

    def draw(effect: float) -> Result:
        one, other = chance.gauss(0, 1), chance.gauss(0, 1)
        return {
            "accuracy": fmean(accuracies) + effect + stdev(accuracies) * one,
            "loss": fmean(losses) + stdev(losses) * (rho * one + (1 - rho**2) ** 0.5 * other),
        }

    return draw


def bootstrap(measured: dict[str, Seeds], trials: int) -> Iterator[Review]:
    """Draw reviews of results that seeds gave: the one before and the one after of each run."""
    chance = random.Random(0)
    for _ in range(trials):
        yield [
            change(run, chance.sample(results, len(results)), chance.choice(results))
            for run, results in lists(measured).items()
        ]


def pairs(measured: dict[str, Seeds]) -> Iterator[Review]:
    """Return the review of each pair of seeds that every run has."""
    shared = set.intersection(*(set(one.results) for one in measured.values()))
    for before, after in permutations(sorted(shared, key=int), 2):
        yield [
            Change(
                Run(run, {}, one.results[before], {}, [], []),
                Run(run, {}, one.results[after], {}, [], []),
                one,
            )
            for run, one in measured.items()
        ]


def lists(measured: dict[str, Seeds]) -> dict[str, list[Result]]:
    """Return each run's results without their seeds."""
    return {run: list(one.results.values()) for run, one in measured.items()}


def change(run: str, before: list[Result], after: Result) -> Change:
    """Return a change from the first of the results before, all of which are its seeds."""
    known = [{"errors": round(1e4 * (1 - one["accuracy"]))} | one for one in before]
    own = Seeds({str(seed): one for seed, one in enumerate(known)})
    return Change(Run(run, {}, known[0], {}, [], []), Run(run, {}, after, {}, [], []), own)


if __name__ == "__main__":
    errors.run(main)
