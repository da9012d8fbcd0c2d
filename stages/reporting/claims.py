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
VERDICTS = {True: BORNE_OUT, False: NOT_BORNE_OUT, None: NOT_MEASURED}
DECISIVE = (NOT_BORNE_OUT, NOT_MEASURED, NO_DIFFERENCE, BORNE_OUT)  # the first of several counts

LOSS_MARGIN = 0.05
PARAMETER_MARGIN = 0.1
GUESSING = math.log(10)  # the loss of ten equal probabilities
CONVERGED = GUESSING / 10
UNSTABLE_RISE = GUESSING / 2


class Statement(NamedTuple):
    """A checkable part of a claim, and the figures behind it."""

    text: str
    evidence: str
    verdict: str
    tested: bool = False  # whether accuracies were


class Figure(NamedTuple):
    """What runs are compared by: accuracies by their tests, anything else by a margin."""

    name: str
    of: Callable[[Run], float | None]
    show: Callable[[float | None], str]
    better: str  # what is said of a run that has a better one
    margin: float = LOSS_MARGIN  # a lower one is better if it is lower by more than this
    tests: dict[tuple[str, str], tuple[str, str]] | None = None  # of `judge`, by two runs' names

    def judge(self, one: Run, other: Run) -> tuple[str, str]:
        """Return whether one run is better than another, and in words how that was tested."""
        ours, theirs = self.of(one), self.of(other)
        if None in (ours, theirs):
            return NOT_MEASURED, ""
        if self.tests is not None:
            return self.tests.get((one.name, other.name), (NOT_MEASURED, ""))
        if ours < theirs * (1 - self.margin):
            return BORNE_OUT, ""
        return NOT_BORNE_OUT if theirs < ours * (1 - self.margin) else NO_DIFFERENCE, ""

    def ranks(self, *ranks: Sequence[Run], text: str = "") -> Statement:
        """State that each run of a rank is better than every run of the next."""
        pairs = [pair for better, worse in pairwise(ranks) for pair in product(better, worse)]
        verdicts, tests = zip(*(self.judge(*pair) for pair in pairs), strict=True)
        labels = [" and ".join(run.label for run in rank) for rank in ranks]
        figures = ", ".join(f"{self.show(self.of(run))} ({run.label})" for run in chain(*ranks))
        evidence = "; ".join([f"{self.name} {figures}", *dict.fromkeys(filter(None, tests))])
        verdict = min(verdicts, key=DECISIVE.index)
        return Statement((text or self.better).format(*labels), evidence, verdict, any(tests))


FASTER = "the loss of {} falls faster than that of {}"
FIRST_EPOCH = Figure("loss of the first epoch", attrgetter("first_epoch_loss"), loss, FASTER)
FEWER = "{} has fewer parameters than {}"
PARAMETERS = Figure("parameters", lambda run: run.train.get("parameters"), count, FEWER, margin=0)


class Claim(NamedTuple):
    """A claim in our words, and what can be checked of it."""

    text: str
    statements: Sequence[Statement]
    caution: str = ""  # settings that make the comparison less than like for like

    @property
    def verdict(self) -> str:
        distinct = {statement.verdict for statement in self.statements}
        if BORNE_OUT in distinct and len(distinct) > 1:
            return PARTLY
        return min(distinct, key=[NOT_BORNE_OUT, NO_DIFFERENCE, NOT_MEASURED, BORNE_OUT].index)


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
    accuracy = tested_accuracy(pairs)
    activations = []
    for name, one in networks.items():
        relu, tanh, sigmoid = one["relu"], one["tanh"], one["sigmoid"]
        slowest = "the loss of sigmoid falls slower than that of relu and tanh"
        between = "tanh ends more accurate than sigmoid, less than relu"
        statements = [
            FIRST_EPOCH.ranks([relu], [tanh, sigmoid]),
            accuracy.ranks([relu], [tanh, sigmoid]),
            FIRST_EPOCH.ranks([relu, tanh], [sigmoid], text=slowest),
            accuracy.ranks([relu], [tanh], [sigmoid], text=between),
        ]
        activations += [it._replace(text=f"{name}: {it.text}") for it in statements]
    steps = min((run.steps["step"][-1] for run in (middle, low) if run.steps), default=0) // 10
    early_loss = methodcaller("early_loss", steps)
    early = Figure(f"loss of the first {steps:.0f} steps", early_loss, loss, f"{FASTER} at first")
    best = "lr 0.001 is more accurate than any other rate"
    return [
        Claim(
            "ResNet18 does better on MNIST than AlexNet.",
            [accuracy.ranks([resnet18], [alexnet])],
            transfer.caution,
        ),
        Claim(
            "ResNet18 has fewer parameters than AlexNet.",
            [
                PARAMETERS.ranks([resnet18], [alexnet]),
                has_parameters(resnet18, 11.7e6),
                has_parameters(alexnet, 60e6),
            ],
        ),
        Claim(
            "Model B, with its second convolution, does better than Model A: more accurate, and "
            "its loss falls faster.",
            [accuracy.ranks([model_b], [model_a]), FIRST_EPOCH.ranks([model_b], [model_a])],
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
            [early.ranks([middle], [low]), accuracy.ranks([low], [middle])],
            rates.caution,
        ),
        Claim(
            "On Model B a learning rate of 0.001 is the best balance of speed and accuracy.",
            [
                is_stable(low),
                converges(low),
                accuracy.ranks([low], others, text=best),
                has_best_balance(accuracy, low, others),
            ],
            rates.caution,
        ),
    ]


def tested_accuracy(pairs: Sequence[tuple[Run, Run]]) -> Figure:
    """Return the accuracy, tested for each pair, with Holm's correction for all of them."""
    tested = [(one, other) for one, other in pairs if None not in (one.errors, other.errors)]
    tests = [_test(one, other) for one, other in tested]
    clear = holm([p for p, _ in tests])
    found = {}
    for (one, other), (_, how), differ in zip(tested, tests, clear, strict=True):
        verdict = VERDICTS[one.mean_accuracy > other.mean_accuracy] if differ else NO_DIFFERENCE
        found[one.name, other.name] = verdict, how
    better = "{} is more accurate than {}"
    return Figure("test accuracy", attrgetter("mean_accuracy"), percent, better, tests=found)


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


def has_best_balance(accuracy: Figure, one: Run, others: Sequence[Run]) -> Statement:
    verdicts = []
    for other in others:
        (faster, _), (better, _) = FIRST_EPOCH.judge(one, other), accuracy.judge(one, other)
        measured = NOT_MEASURED not in (faster, better)
        holds = faster != NOT_BORNE_OUT or better == BORNE_OUT
        verdicts.append(VERDICTS[holds if measured else None])
    text = "no other rate is faster than {} without being less accurate"
    statement = FIRST_EPOCH.ranks([one], others, text=text)
    return statement._replace(verdict=min(verdicts, key=DECISIVE.index))


def has_parameters(run: Run, claimed: float) -> Statement:
    shown, near = NONE, None
    parameters = PARAMETERS.of(run)
    if parameters is not None:
        excess = parameters / claimed - 1
        shown = f"{parameters:,} with ten classes, {excess:+.1%}"
        near = abs(excess) <= PARAMETER_MARGIN
    return _fact(run, f"has about {claimed / 1e6:g} million", f"parameters {shown}", near)


def is_stable(run: Run, expected: bool = True) -> Statement:
    shown, stable = NONE, None
    losses = run.steps.get("loss", [])
    if math.inf in losses:
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
    verdict = VERDICTS[None if holds is None else holds == expected]
    return Statement(f"{run.label} {text}", f"{figure} ({run.label})", verdict)
