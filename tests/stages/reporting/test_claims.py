from dataclasses import replace

import pytest

from stages.reporting import comparisons, notebook
from stages.reporting.claims import (
    BORNE_OUT,
    NO_DIFFERENCE,
    NOT_BORNE_OUT,
    NOT_MEASURED,
    PARTLY,
    Claim,
    Finding,
    find,
    judge,
)
from stages.reporting.comparisons import Comparison
from stages.results.runs import Epoch, Run, Window

RECORDED = comparisons.every(notebook.read())


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
        {"loss": final, "parameters": parameters},
        {"accuracy": accuracy, "errors": errors},
        {"model": name.split("-")[0], "activation": "relu", "lr": 0.001, **settings},
        [Epoch(1, first, None, None)],
        [Window(10 * i, i / 10, loss) for i, loss in enumerate(steps, start=1)],
    )


def judged(*runs: Run) -> list[Claim]:
    return judge(comparisons.every({run.name: run for run in runs}), RECORDED)


def verdicts(claim: Claim) -> list[str]:
    return [finding.verdict for finding in claim.findings]


@pytest.mark.parametrize(
    ("check", "one", "other", "expected"),
    [
        ("accuracy", 60, 120, BORNE_OUT),
        ("accuracy", 120, 60, NOT_BORNE_OUT),
        ("accuracy", 96, 120, NO_DIFFERENCE),
        ("accuracy", 0, 0, NO_DIFFERENCE),
        ("accuracy", 200, 241, BORNE_OUT),
        ("accuracy", 200, 239, NO_DIFFERENCE),
        ("accuracy", None, 100, NOT_MEASURED),
        ("speed", 0.2, 0.3, BORNE_OUT),
        ("speed", 0.3, 0.2, NOT_BORNE_OUT),
        ("speed", 0.29, 0.3, NO_DIFFERENCE),
        ("speed", 0.3, None, BORNE_OUT),  # a loss that is not finite falls slowest
        ("speed", None, 0.3, NOT_BORNE_OUT),
        ("speed", None, None, NO_DIFFERENCE),
    ],
)
def test_two_runs_differ_where_their_figures_can_tell(check, one, other, expected):
    figure = {"accuracy": "errors", "speed": "first"}[check]
    compared = Comparison(
        {"a": run("a", **{figure: one}), "b": run("b", **{figure: other})}, [], ""
    )
    assert find(check, compared, "a > b")[0] == expected


def alone(*runs: Run) -> tuple[str, str]:
    return find("accuracy", Comparison(dict(zip("ab", runs, strict=True)), [], ""), "a > b")


def test_runs_with_seeds_are_compared_over_them_else_over_images() -> None:
    one, other = run("a", 100), run("b", 130)
    shared = frozenset(range(90))
    images = [
        replace(one, mistakes=shared | {9000}),
        replace(other, mistakes=shared | frozenset(range(100, 120))),
    ]
    verdict, evidence = alone(*images)
    assert verdict == BORNE_OUT
    assert evidence.endswith("; p < 0.0001 paired over images, one seed")
    verdict, evidence = alone(one, images[1])
    assert (verdict, evidence[-18:]) == (BORNE_OUT, "unpaired, one seed")
    seeds = [(0.99, 0.98, 0.97), (0.985, 0.975, 0.965)]
    verdict, evidence = alone(
        *[replace(it, accuracies=own) for it, own in zip(images, seeds, strict=True)]
    )
    assert verdict == NO_DIFFERENCE
    assert evidence == ("test accuracy 98.00 % (a), 97.50 % (b); p = 0.57 over 3 and 3 seeds")


def test_at_first_is_a_tenth_of_the_shorter_runs_steps():
    quick = run("a", steps=(1.0, 1.0, *[0.9] * 18))
    long = run("b", steps=(2.0, 2.0, *[0.1] * 98))
    compared = Comparison({"a": quick, "b": long}, [], "")
    evidence = "loss of the first 20 steps 1.0000 (a), 2.0000 (b)"
    assert find("speed at first", compared, "a > b") == (BORNE_OUT, evidence)


@pytest.mark.parametrize(
    ("check", "opposite", "figures", "expected"),
    [
        ("stable", "unstable", {"steps": (2.3, 1.0, 0.1, 0.3, 0.1)}, True),
        ("stable", "unstable", {"steps": (2.3, 2.3, 2.31)}, True),
        ("stable", "unstable", {"steps": (80.0, 2.3, 2.3)}, False),
        ("stable", "unstable", {"steps": (2.3, 0.3, 2.3)}, False),
        ("stable", "unstable", {"steps": (2.3, None)}, False),
        ("converges", "does not converge", {"final": 0.229}, True),
        ("converges", "does not converge", {"final": 0.231}, False),
        ("converges", "does not converge", {"final": None}, False),
    ],
)
def test_one_run_is_stable_or_converges_or_not(check, opposite, figures, expected):
    compared = Comparison({"a": run("a", **figures)}, [], "")
    found = [find(name, compared, "a")[0] for name in (check, opposite)]
    assert found == [BORNE_OUT, NOT_BORNE_OUT][:: 1 if expected else -1]


@pytest.mark.parametrize(
    ("found", "one"),
    [
        ([BORNE_OUT, BORNE_OUT], BORNE_OUT),
        ([BORNE_OUT, NOT_BORNE_OUT], PARTLY),
        ([BORNE_OUT, NOT_MEASURED], PARTLY),
        ([NO_DIFFERENCE, NOT_BORNE_OUT], NOT_BORNE_OUT),
        ([NO_DIFFERENCE, NOT_MEASURED], NO_DIFFERENCE),
        ([NOT_MEASURED, NOT_MEASURED], NOT_MEASURED),
    ],
)
def test_the_findings_verdicts_in_one(found, one):
    assert Claim("", [Finding("", verdict, "") for verdict in found], "", "").verdict == one


@pytest.mark.parametrize(
    ("resnet18", "alexnet", "expected"), [(11e6, 57e6, BORNE_OUT), (60e6, 50e6, NOT_BORNE_OUT)]
)
def test_parameters_are_compared_with_each_other_and_the_claim(resnet18, alexnet, expected):
    runs = run("resnet18", parameters=resnet18), run("alexnet", parameters=alexnet)
    assert verdicts(judged(*runs)[1]) == [expected] * 3


@pytest.mark.parametrize(
    ("relu", "tanh", "sigmoid", "expected"),
    [
        ((100, 0.1), (200, 0.2), (300, 0.3), [BORNE_OUT] * 4),
        ((300, 0.3), (200, 0.2), (100, 0.1), [NOT_BORNE_OUT] * 4),
        ((200, 0.2), (210, 0.2), (400, 0.4), [*[NO_DIFFERENCE] * 2, BORNE_OUT, NO_DIFFERENCE]),
    ],
)
def test_the_order_of_three_activations(relu, tanh, sigmoid, expected):
    runs = [
        run("model_a", *relu),
        run("model_a-tanh", *tanh, activation="tanh"),
        run("model_a-sigmoid", *sigmoid, activation="sigmoid"),
    ]
    claim = judged(*runs)[3]
    assert verdicts(claim) == expected + [NOT_MEASURED] * 4
    assert claim.findings[0].statement.startswith("Model A: the loss of relu falls faster")


def test_a_second_run_of_the_same_setting_is_not_a_comparison():
    runs = [
        run("model_b", lr=0.01),
        run("model_b-lr0.01", lr=0.01),
        run("model_b-lr0.1", lr=0.1, final=2.3, steps=(90.0, 2.3)),
    ]
    rates = comparisons.every({run.name: run for run in runs})["rates"]
    assert list(rates.runs.values()) == [runs[2], runs[0]]
    assert rates.missing == ["lr 0.001"]
    assert [claim.verdict for claim in judged(*runs)[4:]] == [BORNE_OUT, NOT_MEASURED, NOT_MEASURED]


def test_a_plain_model_of_another_activation_leaves_the_comparison_unmeasured():
    runs = run("model_a", activation="tanh"), run("model_a-tanh", activation="tanh")
    found = comparisons.every({run.name: run for run in runs})["Model A"]
    assert found.missing == ["relu", "sigmoid"]
    assert judged(*runs)[3].verdict == NOT_MEASURED


def test_settings_not_names_say_what_is_varied():
    runs = [
        run("model_b"),
        run("model_b-sigmoid", activation="sigmoid"),
        run("model_b-lr0.1", lr=0.1),
        run("of_an_experiment", model="model_b", lr=0.05),
        run("unrecorded", model="another"),
    ]
    found = comparisons.every({run.name: run for run in runs})
    assert list(found["rates"].runs) == ["lr 0.1", "lr 0.001", "lr 0.05"]
    assert list(found["Model B"].runs) == ["relu", "sigmoid"]


@pytest.mark.parametrize(
    ("fast", "expected"),
    [
        ((300, 0.2), [BORNE_OUT] * 4),
        ((100, 0.2), [BORNE_OUT, BORNE_OUT, NO_DIFFERENCE, NOT_BORNE_OUT]),
        ((50, 0.9), [BORNE_OUT, BORNE_OUT, NOT_BORNE_OUT, BORNE_OUT]),
    ],
)
def test_the_best_balance_has_no_rate_that_is_faster_at_no_price(fast, expected):
    runs = run("model_b", 100, 0.5), run("model_b-lr0.01", *fast, lr=0.01)
    assert verdicts(judged(*runs)[6]) == expected


def test_settings_that_differ_unmeant_are_named():
    runs = run("model_b", epochs=3), run("model_b-lr0.1", lr=0.1, epochs=2)
    claims = judged(*runs)
    assert claims[4].caution == ""  # it is about one run
    assert claims[5].caution == claims[6].caution == "epochs (model_b-lr0.1 2, model_b 3)"


def test_the_notebooks_own_figures_are_judged_alike():
    claims = judged()
    assert {claim.verdict for claim in claims} == {NOT_MEASURED}
    own = (
        "test accuracy 97.43 % (Model B), 97.26 % (Model A); p = 0.45 unpaired, one seed: no clear "
        "difference"
    )
    assert claims[2].recorded == own
    assert [bool(claim.recorded) for claim in claims] == [True, False, True, *[False] * 4]
