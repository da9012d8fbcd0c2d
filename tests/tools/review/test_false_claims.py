"""How far the first sentence of a review can be trusted, with the committed seeds.

`python -m pytest -n 0 -s tests/tools/review/test_false_claims.py` prints the rows of
docs/measured/review.md.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import permutations
from statistics import correlation, fmean, stdev

from stages.results import seeds
from stages.results.runs import Run
from stages.results.seeds import Seeds
from tools.review.changes import Change, clear

Result = dict[str, float]
MEASURED = seeds.read()


def rate(title: str, reviews: Iterable[list[Change]]) -> float:
    """Return how many of the reviews claim an effect; print that as a row, with the runs."""
    claims = [[one.after.name for one in clear(review)] for review in reviews]
    found = fmean(map(bool, claims))
    runs = Counter(run for claimed in claims for run in claimed).most_common(3)
    named = ", ".join(f"`{run}` {number:,}" for run, number in runs)
    print(f"| {title} | {len(claims):,} | {found:.1%} | {named} |")
    return found


def change(run: str, before: Result, after: Result, noise: Iterable[Result]) -> Change:
    return Change(Run(run, test=before), Run(run, test=after), Seeds(dict(enumerate(noise))))


def normal(trials: int, effect: dict[str, float], runs: Iterable[str]) -> Iterator[list[Change]]:
    """Draw reviews from a normal model of each run; `effect` is added to its accuracy after."""
    chance = random.Random(0)
    models = {run: model(MEASURED[run], chance) for run in runs}
    for _ in range(trials):
        review = []
        for run, draw in models.items():
            noise = [draw(0) for _ in MEASURED[run].results]
            review.append(change(run, noise[0], draw(effect.get(run, 0)), noise))
        yield review


def model(measured: Seeds, chance: random.Random) -> Callable[[float], Result]:
    """Return what draws a result, accuracy and loss correlated as measured."""
    accuracies, losses = measured.values("accuracy"), measured.values("loss")
    rho = correlation(accuracies, losses)
    mean_accuracy, accuracy_scale = fmean(accuracies), stdev(accuracies)
    mean_loss, loss_scale = fmean(losses), stdev(losses)

    def draw(effect: float) -> Result:
        one, other = chance.gauss(0, 1), chance.gauss(0, 1)
        accuracy = mean_accuracy + effect + accuracy_scale * one
        loss = mean_loss + loss_scale * (rho * one + (1 - rho**2) ** 0.5 * other)
        return {"accuracy": accuracy, "loss": loss, "errors": round(1e4 * (1 - accuracy))}

    return draw


def held_out(trials: int) -> Iterator[list[Change]]:
    """Draw reviews of measured results, each judged by the noise of its run's other seeds."""
    chance, pairs = random.Random(0), []
    for run, measured in MEASURED.items():
        results, changes = list(measured.results.values()), []
        for before, after in permutations(results, 2):
            others = [result for result in results if result is not after]
            changes.append(change(run, before, after, others))
        pairs.append(changes)
    for _ in range(trials):
        yield [chance.choice(changes) for changes in pairs]


def test_a_change_without_effect_seldom_claims_one() -> None:
    assert len(MEASURED) == 10
    # both bounds with two standard errors
    assert rate("no effect, normal model", normal(1000, {}, MEASURED)) <= 0.05 + 0.014
    # Two runs have one seed in ten that is nothing like the others: 19 %.
    assert rate("no effect, measured seeds, judged one held out", held_out(4000)) <= 0.19 + 0.0125


def test_an_effect_that_matters_is_found() -> None:
    doubled = fmean(MEASURED["resnet18"].values("accuracy")) - 1
    for title, run, effect in (
        ("model_b half a point better", "model_b", 0.005),
        ("model_b half a point worse", "model_b", -0.005),
        ("resnet18 with twice the errors", "resnet18", doubled),
    ):
        assert rate(f"{title}, that run alone", normal(300, {run: effect}, [run])) > 0.9
        assert rate(f"{title}, among all runs", normal(300, {run: effect}, MEASURED)) > 0.6
