import math

import pytest

from stages.reporting import claims, comparisons
from stages.reporting.claims import (
    BORNE_OUT,
    NO_DIFFERENCE,
    NOT_BORNE_OUT,
    NOT_MEASURED,
    PARTLY,
)
from stages.reporting.comparisons import Comparison
from stages.reporting.results import NAMES, Evaluation, Notebook, Recorded, Run, Training

NOTEBOOK = Notebook(
    {}, {name: Recorded(0.99, (0.1,), 60_000_000 if name == "alexnet" else None) for name in NAMES}
)


def run(
    name: str,
    errors: int | None = 100,
    first: float | None = 0.5,
    final: float | None = 0.05,
    steps: tuple[float | None, ...] = (2.0, 0.5, 0.05),
    parameters: int = 1000,
    **settings,
) -> Run:
    accuracy = None if errors is None else 1 - errors / 10_000
    return Run(
        name,
        Training(final, None, None, 1, parameters),
        Evaluation(accuracy, errors),
        {"model": name.split("-")[0], **settings},
        ((1, first, None),),
        tuple((10 * i, loss) for i, loss in enumerate(steps, 1)),
    )


def compare(*pairs: tuple[str, Run]) -> Comparison:
    return Comparison((), dict(pairs), (), "")


def judged(runs: dict[str, Run]) -> list[claims.Claim]:
    return claims.judge(
        NOTEBOOK,
        comparisons.networks(runs, ("resnet18", "alexnet")),
        comparisons.networks(runs, ("model_a", "model_b")),
        {"Model A": comparisons.activations(runs, "model_a")},
        comparisons.learning_rates(runs, "model_b"),
    )


@pytest.mark.parametrize(
    ("errors", "other", "verdict"),
    [
        (60, 120, BORNE_OUT),
        (120, 60, NOT_BORNE_OUT),
        (96, 120, NO_DIFFERENCE),
        (0, 0, NO_DIFFERENCE),
        (200, 241, BORNE_OUT),
        (200, 239, NO_DIFFERENCE),
        (None, 100, NOT_MEASURED),
    ],
)
def test_accuracy_differs_where_10000_images_can_tell(errors, other, verdict):
    compared = compare(("a", run("a", errors)), ("b", run("b", other)))
    assert claims.more_accurate(compared, "a", "b").verdict == verdict


def test_z_is_that_of_a_two_proportion_test():
    # p = 0.02 and 0.024, pooled 0.022: 0.004 / sqrt(2 * 0.022 * 0.978 / 10000)
    assert claims.z_score(200, 240) == pytest.approx(0.004 / 0.00207443, rel=1e-4)


def test_the_interval_is_wilsons():
    low, high = claims.interval(100)
    assert (low, high) == pytest.approx((0.008229, 0.012147), abs=2e-6)
    assert claims.interval(0)[0] == 0
    assert claims.interval(10_000)[1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("first", "other", "verdict"),
    [
        (0.2, 0.3, BORNE_OUT),
        (0.3, 0.2, NOT_BORNE_OUT),
        (0.29, 0.3, NO_DIFFERENCE),
        (0.3, None, BORNE_OUT),
        (None, 0.3, NOT_BORNE_OUT),
        (None, None, NO_DIFFERENCE),
    ],
)
def test_a_loss_that_is_not_finite_falls_slowest(first, other, verdict):
    compared = compare(("a", run("a", first=first)), ("b", run("b", first=other)))
    assert claims.falls_faster(compared, "a", "b").verdict == verdict


def test_at_first_is_a_tenth_of_the_shorter_runs_steps():
    quick = run("a", steps=(1.0, 1.0, *[0.9] * 18))
    long = run("b", steps=(2.0, 2.0, *[0.1] * 98))
    compared = compare(("a", quick), ("b", long))
    part = claims.falls_faster(compared, "a", "b", at_first=True)
    assert part.verdict == BORNE_OUT
    assert part.evidence == "loss of the first 20 steps 1.0000 (a), 2.0000 (b)"


@pytest.mark.parametrize(
    ("losses", "stable"),
    [
        ((2.3, 1.0, 0.1, 0.3, 0.1), True),
        ((2.3, 2.3, 2.31), True),
        ((80.0, 2.3, 2.3), False),
        ((2.3, 0.3, 2.3), False),
        ((2.3, None), False),
    ],
)
def test_stable_means_finite_and_never_far_above_the_lowest(losses, stable):
    assert claims.is_stable(losses) == stable
    compared = compare(("a", run("a", steps=losses)))
    assert (claims.stable(compared, "a").verdict == BORNE_OUT) == stable
    assert (claims.stable(compared, "a", wanted=False).verdict == BORNE_OUT) != stable


@pytest.mark.parametrize(("final", "converged"), [(0.229, True), (0.231, False), (None, False)])
def test_converged_is_a_tenth_of_the_loss_of_guessing(final, converged):
    compared = compare(("a", run("a", final=final)))
    assert (claims.converges(compared, "a").verdict == BORNE_OUT) == converged
    assert (claims.converges(compared, "a", wanted=False).verdict == BORNE_OUT) != converged


@pytest.mark.parametrize(
    ("verdicts", "one"),
    [
        ([BORNE_OUT, BORNE_OUT], BORNE_OUT),
        ([BORNE_OUT, NOT_BORNE_OUT], PARTLY),
        ([BORNE_OUT, NOT_MEASURED], PARTLY),
        ([NO_DIFFERENCE, NOT_BORNE_OUT], NOT_BORNE_OUT),
        ([NO_DIFFERENCE, NOT_MEASURED], NO_DIFFERENCE),
        ([NOT_MEASURED, NOT_MEASURED], NOT_MEASURED),
    ],
)
def test_the_parts_verdicts_in_one(verdicts, one):
    assert claims.summarise(verdicts) == one


def test_parameters_are_compared_and_set_beside_the_claimed_number():
    def verdicts(resnet18: int, alexnet: int) -> list[str]:
        runs = {
            "resnet18": run("resnet18", parameters=resnet18),
            "alexnet": run("alexnet", parameters=alexnet),
        }
        return [part.verdict for part in judged(runs)[1].parts]

    assert verdicts(11_000_000, 57_000_000) == [BORNE_OUT, BORNE_OUT]
    assert verdicts(60_000_000, 50_000_000) == [NOT_BORNE_OUT, NOT_BORNE_OUT]


def test_the_order_of_three_activations():
    def verdicts(relu: tuple, tanh: tuple, sigmoid: tuple) -> list[str]:
        runs = {
            name: run(name, errors, first, activation=activation)
            for name, activation, (errors, first) in [
                ("model_a", "relu", relu),
                ("model_a-tanh", "tanh", tanh),
                ("model_a-sigmoid", "sigmoid", sigmoid),
            ]
        }
        return [part.verdict for part in judged(runs)[3].parts]

    assert verdicts((100, 0.1), (200, 0.2), (300, 0.3)) == [BORNE_OUT] * 4
    assert verdicts((300, 0.3), (200, 0.2), (100, 0.1)) == [NOT_BORNE_OUT] * 4
    assert verdicts((200, 0.2), (210, 0.2), (400, 0.4)) == [
        NO_DIFFERENCE,
        NO_DIFFERENCE,
        BORNE_OUT,
        NO_DIFFERENCE,
    ]


def test_a_second_run_of_the_same_setting_is_not_a_comparison():
    runs = {
        "model_b": run("model_b", lr=0.01),
        "model_b-lr0.01": run("model_b-lr0.01", lr=0.01),
        "model_b-lr0.1": run("model_b-lr0.1", lr=0.1, final=2.3, steps=(90.0, 2.3)),
    }
    compared = comparisons.learning_rates(runs, "model_b")
    assert list(compared.runs) == ["lr 0.1", "lr 0.01"]
    assert compared.unusable == (
        "model_b-lr0.01 has the same lr as model_b, lr 0.01",
        "lr 0.001 has not been run",
    )
    assert [claim.verdict for claim in judged(runs)[4:]] == [BORNE_OUT, NOT_MEASURED, NOT_MEASURED]


@pytest.mark.parametrize(
    ("fast", "verdicts"),
    [
        ((300, 0.2), [BORNE_OUT] * 4),
        ((100, 0.2), [BORNE_OUT, BORNE_OUT, NO_DIFFERENCE, NOT_BORNE_OUT]),
        ((50, 0.9), [BORNE_OUT, BORNE_OUT, NOT_BORNE_OUT, BORNE_OUT]),
    ],
)
def test_the_best_balance_has_no_rate_that_is_faster_at_no_price(fast, verdicts):
    runs = {
        "model_b": run("model_b", 100, 0.5, lr=0.001),
        "model_b-lr0.01": run("model_b-lr0.01", *fast, lr=0.01),
    }
    assert [part.verdict for part in judged(runs)[6].parts] == verdicts


def test_settings_that_differ_unmeant_are_named():
    runs = {
        "model_b": run("model_b", lr=0.001, epochs=3),
        "model_b-lr0.1": run("model_b-lr0.1", lr=0.1, epochs=2),
        "model_b-sigmoid": run("model_b-sigmoid", lr=0.001, activation="sigmoid"),
    }
    compared = comparisons.learning_rates(runs, "model_b")
    assert compared.caution == "epochs (model_b-lr0.1 2, model_b 3)"
    assert [claim.caution for claim in judged(runs)[4:]][1] == compared.caution


def test_nothing_is_judged_without_results():
    assert {claim.verdict for claim in judged({})} == {NOT_MEASURED}
    assert math.isclose(claims.GUESSING, 2.302585, rel_tol=1e-6)
