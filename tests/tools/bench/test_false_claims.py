"""How far the first sentence of a review can be trusted, with the committed seeds."""

from statistics import fmean

from stages.results import seeds
from tools.bench import review
from tools.review.changes import clear

TRIALS = 1000


def claims(reviews) -> float:
    return fmean(bool(clear(one)) for one in reviews)


def test_a_change_without_effect_seldom_claims_one() -> None:
    measured = seeds.read()
    assert len(measured) == 10
    assert claims(review.normal(measured, {}, TRIALS)) <= 0.05 + 0.014  # two standard errors
    assert claims(review.bootstrap(measured, TRIALS)) <= 0.05
    assert claims(review.pairs(measured)) <= 0.05


def test_an_effect_that_matters_is_found() -> None:
    measured = seeds.read()
    for title, effects in review.effects_of(measured).items():
        alone = {run: measured[run] for run in effects}
        assert claims(review.normal(alone, effects, 200)) > 0.9, title
