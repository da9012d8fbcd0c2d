"""The notebook's claims in our words, each judged by the results of runs.

Every verdict is computed, by criteria that template.md tells the report's reader. Nothing here
knows how the default parameters turn out.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, chain, combinations, pairwise, product
from operator import attrgetter, methodcaller
from typing import NamedTuple

from stages.reporting.comparisons import Comparison
from stages.results.markdown import NONE, count, loss, percent
from stages.results.runs import Run
from stages.results.statistics import holm, mcnemar, two_proportions, welch

BORNE_OUT = "borne out"
NOT_BORNE_OUT = "not borne out"
PARTLY = "partly borne out"
NO_DIFFERENCE = "no clear difference"
NOT_MEASURED = "not measured"
DECISIVE = (NOT_BORNE_OUT, NOT_MEASURED, NO_DIFFERENCE, BORNE_OUT)  # the first of several counts

LOSS_MARGIN = 0.05
PARAMETER_MARGIN = 0.1
GUESSING = math.log(10)  # the loss of ten equal probabilities
CONVERGED = GUESSING / 10
UNSTABLE_RISE = GUESSING / 2

Ranks = Sequence[Sequence[Run]]  # each run of a rank is better than every run of the next
Tests = dict[tuple[str, str], tuple[str, str]]  # verdict and p-value in words, by two runs' names


class Figure(NamedTuple):
    """What runs are compared by: its name, a run's value, that as text, and what is better."""

    name: str
    of: Callable[[Run], float | None]
    show: Callable[[float | None], str]
    better: str


FASTER = "the loss of {} falls faster than that of {}"
ACCURACY = Figure(
    "test accuracy", attrgetter("mean_accuracy"), percent, "{} is more accurate than {}"
)
FIRST_EPOCH = Figure("loss of the first epoch", attrgetter("first_epoch_loss"), loss, FASTER)
PARAMETERS = Figure(
    "parameters", attrgetter("parameters"), count, "{} has fewer parameters than {}"
)


class Statement(NamedTuple):
    """A checkable part of a claim, and the figures behind it."""

    text: str
    evidence: str
    verdict: str
    tested: bool = False  # whether accuracies were


class Claim(NamedTuple):
    """A claim in our words, and what can be checked of it."""

    text: str
    statements: Sequence[Statement]
    caution: str = ""  # settings that make the comparison less than like for like

    @property
    def verdict(self) -> str:
        distinct = {statement.verdict for statement in self.statements}
        if len(distinct) == 1:
            return distinct.pop()
        if BORNE_OUT in distinct:
            return PARTLY
        return NOT_BORNE_OUT if NOT_BORNE_OUT in distinct else NO_DIFFERENCE


def judge(compared: dict[str, Comparison]) -> list[Claim]:
    transfer, small, rates = compared["transfer"], compared["small"], compared["rates"]
    resnet18, alexnet = transfer["ResNet18"], transfer["AlexNet"]
    model_a, model_b = small["Model A"], small["Model B"]
    high, middle, low = rates["lr 0.1"], rates["lr 0.01"], rates["lr 0.001"]
    others = [run for run in rates.runs.values() if run.label != low.label] or [high, middle]
    networks = {name: compared[name] for name in ("Model A", "Model B")}
    pairs = [(resnet18, alexnet), (model_b, model_a), *((low, other) for other in others)]
    for one in networks.values():
        pairs += combinations([one["relu"], one["tanh"], one["sigmoid"]], 2)
    tests = test_accuracies(pairs)
    activations = []
    for name, one in networks.items():
        relu, tanh, sigmoid = one["relu"], one["tanh"], one["sigmoid"]
        slowest = "the loss of sigmoid falls slower than that of relu and tanh"
        between = "tanh ends more accurate than sigmoid, less than relu"
        statements = [
            lower(FIRST_EPOCH, [relu], [tanh, sigmoid]),
            more_accurate(tests, [relu], [tanh, sigmoid]),
            lower(FIRST_EPOCH, [relu, tanh], [sigmoid], text=slowest),
            more_accurate(tests, [relu], [tanh], [sigmoid], text=between),
        ]
        activations += [it._replace(text=f"{name}: {it.text}") for it in statements]
    steps = min((run.steps[-1].step for run in (middle, low) if run.steps), default=0) // 10
    early_loss = methodcaller("early_loss", steps)
    early = Figure(f"loss of the first {steps} steps", early_loss, loss, f"{FASTER} at first")
    best = "lr 0.001 is more accurate than any other rate"
    return [
        Claim(
            "ResNet18 does better on MNIST than AlexNet.",
            [more_accurate(tests, [resnet18], [alexnet])],
            transfer.caution,
        ),
        Claim(
            "ResNet18 has fewer parameters than AlexNet.",
            [
                lower(PARAMETERS, [resnet18], [alexnet], margin=0),
                has_parameters(resnet18, 11.7e6),
                has_parameters(alexnet, 60e6),
            ],
        ),
        Claim(
            "Model B, with its second convolution, does better than Model A: more accurate, and "
            "its loss falls faster.",
            [more_accurate(tests, [model_b], [model_a]), lower(FIRST_EPOCH, [model_b], [model_a])],
            small.caution,
        ),
        Claim(
            "ReLU trains fastest and ends most accurate, sigmoid is slowest, tanh lies between.",
            activations,
            "; ".join(dict.fromkeys(one.caution for one in networks.values() if one.caution)),
        ),
        Claim(
            "On Model B a learning rate of 0.1 is unstable and does not converge.",
            [is_stable(high, expected=False), converges(high, expected=False)],
        ),
        Claim(
            "On Model B a learning rate of 0.01 is faster at first than 0.001, but may end less "
            "accurate.",
            [lower(early, [middle], [low]), more_accurate(tests, [low], [middle])],
            rates.caution,
        ),
        Claim(
            "On Model B a learning rate of 0.001 is the best balance of speed and accuracy.",
            [
                is_stable(low),
                converges(low),
                more_accurate(tests, [low], others, text=best),
                has_best_balance(tests, low, others),
            ],
            rates.caution,
        ),
    ]


def test_accuracies(pairs: Sequence[tuple[Run, Run]]) -> Tests:
    """Test the pairs that have test results, with Holm's correction for all of them."""
    tested = [(one, other) for one, other in pairs if None not in (one.errors, other.errors)]
    tests = [_test(one, other) for one, other in tested]
    clear = holm([p for p, _ in tests])
    found = {}
    for (one, other), (_, how), differ in zip(tested, tests, clear, strict=True):
        verdict = _verdict(one.mean_accuracy > other.mean_accuracy) if differ else NO_DIFFERENCE
        found[one.name, other.name] = verdict, how
    return found


def _test(one: Run, other: Run) -> tuple[float, str]:
    """Return the p-value of a difference in accuracy, and in words how it was tested."""
    if one.accuracies and other.accuracies:
        p = welch(one.accuracies, other.accuracies)
        how = f"over {len(one.accuracies)} and {len(other.accuracies)} seeds"
    elif None not in (one.mistakes, other.mistakes):
        p = mcnemar(len(one.mistakes - other.mistakes), len(other.mistakes - one.mistakes))
        how = "paired over images, one seed"
    else:
        p, how = two_proportions(one.errors, other.errors), "unpaired, one seed"
    return p, f"p = {p:.2g} {how}" if p >= 0.0001 else f"p < 0.0001 {how}"


def more_accurate(tests: Tests, *ranks: Sequence[Run], text: str = "") -> Statement:
    found = [tests.get((one.name, other.name), (NOT_MEASURED, "")) for one, other in _pairs(ranks)]
    statement = _state(ACCURACY, ranks, [verdict for verdict, _ in found], text)
    how = dict.fromkeys(how for _, how in found if how)
    return statement._replace(evidence="; ".join([statement.evidence, *how]), tested=bool(how))


def lower(
    figure: Figure, *ranks: Sequence[Run], text: str = "", margin: float = LOSS_MARGIN
) -> Statement:
    """State that a figure is lower by more than the margin; infinite is worst."""
    verdicts = []
    for one, other in _pairs(ranks):
        ours, theirs = figure.of(one), figure.of(other)
        if None in (ours, theirs):
            verdicts.append(NOT_MEASURED)
        elif ours < theirs * (1 - margin):
            verdicts.append(BORNE_OUT)
        else:
            worse = theirs < ours * (1 - margin)
            verdicts.append(NOT_BORNE_OUT if worse else NO_DIFFERENCE)
    return _state(figure, ranks, verdicts, text)


def has_best_balance(tests: Tests, one: Run, others: Sequence[Run]) -> Statement:
    verdicts = []
    for other in others:
        faster = lower(FIRST_EPOCH, [one], [other]).verdict
        better = more_accurate(tests, [one], [other]).verdict
        if NOT_MEASURED in (faster, better):
            verdicts.append(NOT_MEASURED)
        else:
            verdicts.append(_verdict(faster != NOT_BORNE_OUT or better == BORNE_OUT))
    text = "no other rate is faster than {} without being less accurate"
    return _state(FIRST_EPOCH, [[one], others], verdicts, text)


def _pairs(ranks: Ranks) -> list[tuple[Run, Run]]:
    return [pair for better, worse in pairwise(ranks) for pair in product(better, worse)]


def _state(figure: Figure, ranks: Ranks, verdicts: Sequence[str], text: str) -> Statement:
    labels = [" and ".join(run.label for run in rank) for rank in ranks]
    shown = ", ".join(f"{figure.show(figure.of(run))} ({run.label})" for run in chain(*ranks))
    text = (text or figure.better).format(*labels)
    return Statement(text, f"{figure.name} {shown}", min(verdicts, key=DECISIVE.index))


def has_parameters(run: Run, claimed: float) -> Statement:
    shown, near = NONE, None
    if run.parameters is not None:
        excess = run.parameters / claimed - 1
        shown = f"{run.parameters:,} with ten classes, {excess:+.1%}"
        near = abs(excess) <= PARAMETER_MARGIN
    return _fact(run, f"has about {claimed / 1e6:g} million", f"parameters {shown}", near)


def is_stable(run: Run, expected: bool = True) -> Statement:
    shown, stable = NONE, None
    losses = [window.loss for window in run.steps]
    if None in losses:
        shown, stable = "stopped being finite", False
    elif losses:
        shown = f"between {loss(min(losses))} and {loss(max(losses))}"
        lowest = accumulate(losses, min, initial=GUESSING)  # before each of the losses
        stable = all(now <= low + UNSTABLE_RISE for now, low in zip(losses, lowest, strict=False))
    text = "is stable" if expected else "is unstable"
    return _fact(run, text, f"training loss {shown}", stable, expected)


def converges(run: Run, expected: bool = True) -> Statement:
    last = run.final_loss
    converged = None if last is None else last < CONVERGED
    text = "converges" if expected else "does not converge"
    return _fact(run, text, f"loss of the last epoch {loss(last)}", converged, expected)


def _fact(run: Run, text: str, figure: str, holds: bool | None, expected: bool = True) -> Statement:
    """State what a single run does; `holds` is None if that was not measured."""
    verdict = NOT_MEASURED if holds is None else _verdict(holds == expected)
    return Statement(f"{run.label} {text}", f"{figure} ({run.label})", verdict)


def _verdict(holds: bool) -> str:
    return BORNE_OUT if holds else NOT_BORNE_OUT
