import math
from dataclasses import replace

from stages.reporting import claims, comparisons
from stages.reporting.claims import BORNE_OUT, NO_DIFFERENCE, NOT_BORNE_OUT, NOT_MEASURED, PARTLY
from stages.results.runs import Run


def run(
    name, errors=100, first=0.5, final=0.05, steps=(2.0, 0.5, 0.05), parameters=1000, **settings
):
    return Run(
        name,
        train={"loss": final, "parameters": parameters},
        test={"accuracy": None if errors is None else 1 - errors / 10_000, "errors": errors},
        settings={"model": name.split("-")[0], "activation": "relu", "lr": 0.001, **settings},
        epochs={"train_loss": [first]},
        steps={"step": range(10, 10 * len(steps) + 1, 10), "loss": steps},
    )


def compared(*runs):
    return comparisons.compare({run.name: run for run in runs})


def judged(*runs):
    return claims.judge(compared(*runs))


def verdicts(claim):
    return [statement.verdict for statement in claim.statements]


def test_two_runs_differ_where_their_figures_can_tell():
    for one, other, expected in (
        ((60, 0.2), (120, 0.3), [BORNE_OUT, BORNE_OUT]),
        ((120, 0.3), (60, 0.2), [NOT_BORNE_OUT, NOT_BORNE_OUT]),
        ((200, 0.29), (239, 0.3), [NO_DIFFERENCE, NO_DIFFERENCE]),
        ((200, 0.3), (241, math.inf), [BORNE_OUT, BORNE_OUT]),  # not finite falls slowest
        ((0, math.inf), (0, math.inf), [NO_DIFFERENCE, NO_DIFFERENCE]),
        ((None, math.inf), (100, 0.3), [NOT_MEASURED, NOT_BORNE_OUT]),
    ):
        assert verdicts(judged(run("model_b", *one), run("model_a", *other))[2]) == expected


def test_a_difference_in_accuracy_has_to_be_clear_among_all_that_are_compared():
    one, other = run("model_b", 200), run("model_b-lr0.01", 245, lr=0.01)  # p = 0.03
    assert verdicts(judged(one, other)[5])[1] == BORNE_OUT  # though two claims compare them
    more = run("resnet18"), run("alexnet")
    assert verdicts(judged(one, other, *more)[5])[1] == NO_DIFFERENCE
    fast = replace(other, epochs={"train_loss": [0.2]})
    assert verdicts(judged(one, fast, *more)[6])[2:] == [NO_DIFFERENCE, NOT_BORNE_OUT]


def test_runs_with_seeds_are_compared_over_them_else_over_images():
    one, other = run("model_b", 100), run("model_a", 130)
    shared = frozenset(range(90))
    images = [
        replace(one, mistakes=shared | {9000}),
        replace(other, mistakes=shared | frozenset(range(100, 120))),
    ]
    seeds = [
        replace(images[0], accuracies=(0.99, 0.98, 0.97)),
        replace(images[1], accuracies=(0.985, 0.975, 0.965)),
    ]
    for runs, verdict, how in (
        (images, BORNE_OUT, "p < 0.0001 paired over images, one seed"),
        ([one, images[1]], BORNE_OUT, "p = 0.047 unpaired, one seed"),
        (seeds, NO_DIFFERENCE, "p = 0.57 over 3 and 3 seeds"),
    ):
        found = judged(*runs)[2].statements[0]
        assert (found.verdict, found.evidence.partition("; ")[2]) == (verdict, how)
    assert found.evidence.startswith("test accuracy 98.00 % (Model B), 97.50 % (Model A); ")


def test_at_first_is_a_tenth_of_the_shorter_runs_steps():
    quick = run("model_b-lr0.01", steps=(1.0, 1.0, *[0.9] * 18), lr=0.01)
    found = judged(quick, run("model_b", steps=(2.0, 2.0, *[0.1] * 98)))[5].statements[0]
    assert found.verdict == BORNE_OUT
    assert found.evidence == "loss of the first 20 steps 1.0000 (lr 0.01), 2.0000 (lr 0.001)"


def test_a_loss_that_rises_far_above_its_lowest_is_unstable():
    stable = [(2.3, 1.0, 0.1, 0.3, 0.1), (2.3, 2.3, 2.31)]
    for steps in [*stable, (80.0, 2.3, 2.3), (2.3, 0.3, 2.3), (2.3, math.inf)]:
        found = run("a", steps=steps)
        assert claims.is_stable(found, expected=steps in stable).verdict == BORNE_OUT
        assert claims.is_stable(found, expected=steps not in stable).verdict == NOT_BORNE_OUT


def test_a_loss_below_a_tenth_of_guessing_has_converged():
    for final, expected in ((0.229, BORNE_OUT), (0.231, NOT_BORNE_OUT), (None, NOT_BORNE_OUT)):
        assert claims.converges(run("a", final=final)).verdict == expected
    assert claims.converges(run("a", final=None), expected=False).verdict == BORNE_OUT


def test_the_verdicts_of_a_claim_in_one():
    for found, one in (
        ([BORNE_OUT, BORNE_OUT], BORNE_OUT),
        ([BORNE_OUT, NOT_BORNE_OUT], PARTLY),
        ([BORNE_OUT, NOT_MEASURED], PARTLY),
        ([NO_DIFFERENCE, NOT_BORNE_OUT], NOT_BORNE_OUT),
        ([NO_DIFFERENCE, NOT_MEASURED], NO_DIFFERENCE),
    ):
        statements = [claims.Statement("", "", verdict) for verdict in found]
        assert claims.Claim("", statements).verdict == one


def test_the_order_of_three_activations():
    mixed = [NO_DIFFERENCE, NO_DIFFERENCE, BORNE_OUT, NO_DIFFERENCE]
    for relu, tanh, sigmoid, expected in (
        ((100, 0.1), (200, 0.2), (300, 0.3), [BORNE_OUT] * 4),
        ((300, 0.3), (200, 0.2), (100, 0.1), [NOT_BORNE_OUT] * 4),
        ((200, 0.2), (210, 0.2), (400, 0.4), mixed),
    ):
        found = judged(
            run("model_a", *relu),
            run("model_a-tanh", *tanh, activation="tanh"),
            run("model_a-sigmoid", *sigmoid, activation="sigmoid"),
        )
        assert verdicts(found[3]) == expected + [NOT_MEASURED] * 4


def test_the_best_balance_has_no_rate_that_is_faster_at_no_price():
    for errors, first, expected in (
        (300, 0.2, [BORNE_OUT, BORNE_OUT]),
        (100, 0.2, [NO_DIFFERENCE, NOT_BORNE_OUT]),
        (50, 0.9, [NOT_BORNE_OUT, BORNE_OUT]),
    ):
        found = judged(run("model_b", 100, 0.5), run("model_b-lr0.01", errors, first, lr=0.01))
        assert verdicts(found[6]) == [BORNE_OUT, BORNE_OUT, *expected]


def test_settings_not_names_say_what_is_varied():
    runs = [
        run("model_b", lr=0.01),
        run("model_b-sigmoid", activation="sigmoid"),
        run("model_b-lr0.01", lr=0.01),
        run("model_b-lr0.1", lr=0.1, final=2.3, steps=(90.0, 2.3)),
        run("of_an_experiment", model="model_b", lr=0.05),
        run("unrecorded", model="another"),
    ]
    rates = compared(*runs)["rates"]
    assert list(rates.runs) == ["lr 0.1", "lr 0.01", "lr 0.05"]
    assert rates["lr 0.01"].name == "model_b" and rates["lr 0.05"].name == "of_an_experiment"
    assert rates.missing == ["lr 0.001"]
    assert [it.verdict for it in judged(*runs)[4:]] == [BORNE_OUT, NOT_MEASURED, NOT_MEASURED]
    tanh = run("model_a", activation="tanh"), run("model_a-tanh", activation="tanh")
    assert compared(*tanh)["Model A"].missing == ["relu", "sigmoid"]
