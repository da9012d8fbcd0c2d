"""The notebook's claims in our words, each judged by the results of runs.

Every verdict is computed, by criteria that template.md tells the report's reader. Nothing here
knows how the default parameters turn out.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain, pairwise, product
from operator import attrgetter, methodcaller
from statistics import fmean
from typing import Any, NamedTuple

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


class AccuracyTest(NamedTuple):
    """A test of two runs, and what follows if their accuracies clearly differ, and if not."""

    runs: frozenset[str]
    p: float
    how: str
    verdict: str
    unclear: str = NO_DIFFERENCE


class Statement(NamedTuple):
    """A checkable part of a claim, the figures behind it, and a verdict or test for each pair."""

    text: str
    evidence: str
    parts: Sequence[str | AccuracyTest]
    verdict: str = NOT_MEASURED  # on all of it; `judge` knows

    @property
    def tests(self) -> list[AccuracyTest]:
        return [part for part in self.parts if isinstance(part, AccuracyTest)]


class Claim(NamedTuple):
    """A claim and its statements.

    `caution` names settings that make the comparison less than like for like; "" for none.
    """

    text: str
    caution: str
    statements: Sequence[Statement]

    @property
    def verdict(self) -> str:
        distinct = {statement.verdict for statement in self.statements}
        if len(distinct) == 1:
            return distinct.pop()
        if BORNE_OUT in distinct:
            return PARTLY
        return NOT_BORNE_OUT if NOT_BORNE_OUT in distinct else NO_DIFFERENCE


def judge(compared: dict[str, Comparison]) -> list[Claim]:
    """Judge the claims; their tests of accuracies are corrected for how many they are (Holm)."""
    claims = claims_about(compared)
    tests = [test for claim in claims for statement in claim.statements for test in statement.tests]
    p_values = {test.runs: test.p for test in tests}
    clear = dict(zip(p_values, holm(list(p_values.values())), strict=True))

    def settled(part: str | AccuracyTest) -> str:
        if isinstance(part, str):
            return part
        return part.verdict if clear[part.runs] else part.unclear

    def judged(statement: Statement) -> Statement:
        return statement._replace(verdict=min(map(settled, statement.parts), key=DECISIVE.index))

    return [claim._replace(statements=list(map(judged, claim.statements))) for claim in claims]


def claims_about(compared: dict[str, Comparison]) -> list[Claim]:
    transfer, small, rates = compared["transfer"], compared["small"], compared["rates"]
    resnet18, alexnet = transfer["ResNet18"], transfer["AlexNet"]
    model_a, model_b = small["Model A"], small["Model B"]
    high, middle, low = rates["lr 0.1"], rates["lr 0.01"], rates["lr 0.001"]
    others = [rates[label] for label in rates.runs if label != low.label] or [high, middle]
    networks = {name: compared[name] for name in ("Model A", "Model B")}
    return [
        Claim(
            "ResNet18 does better on MNIST than AlexNet.",
            transfer.caution,
            [more_accurate([resnet18], [alexnet])],
        ),
        Claim(
            "ResNet18 has fewer parameters than AlexNet.",
            "",
            [
                has_fewer_parameters(resnet18, alexnet),
                has_parameters(resnet18, 11.7e6),
                has_parameters(alexnet, 60e6),
            ],
        ),
        Claim(
            "Model B, with its second convolution, does better than Model A: more accurate, and "
            "its loss falls faster.",
            small.caution,
            [more_accurate([model_b], [model_a]), falls_faster([model_b], [model_a])],
        ),
        Claim(
            "ReLU trains fastest and ends most accurate, sigmoid is slowest, tanh lies between.",
            "; ".join(dict.fromkeys(one.caution for one in networks.values() if one.caution)),
            [
                statement._replace(text=f"{name}: {statement.text}")
                for name, activations in networks.items()
                for statement in order_of_activations(activations)
            ],
        ),
        Claim(
            "On Model B a learning rate of 0.1 is unstable and does not converge.",
            "",
            [is_stable(high, expected=False), converges(high, expected=False)],
        ),
        Claim(
            "On Model B a learning rate of 0.01 is faster at first than 0.001, but may end less "
            "accurate.",
            rates.caution,
            [falls_faster([middle], [low], at_first=True), more_accurate([low], [middle])],
        ),
        Claim(
            "On Model B a learning rate of 0.001 is the best balance of speed and accuracy.",
            rates.caution,
            [
                is_stable(low),
                converges(low),
                more_accurate([low], others, text="lr 0.001 is more accurate than any other rate"),
                has_best_balance(low, others),
            ],
        ),
    ]


def order_of_activations(compared: Comparison) -> list[Statement]:
    relu, tanh, sigmoid = compared["relu"], compared["tanh"], compared["sigmoid"]
    slowest = "the loss of sigmoid falls slower than that of relu and tanh"
    between = "tanh ends more accurate than sigmoid, less than relu"
    return [
        falls_faster([relu], [tanh, sigmoid]),
        more_accurate([relu], [tanh, sigmoid]),
        falls_faster([relu, tanh], [sigmoid], text=slowest),
        more_accurate([relu], [tanh], [sigmoid], text=between),
    ]


def more_accurate(*ranks: Sequence[Run], text: str = "") -> Statement:
    """State that each run of a rank is more accurate than every run of the next."""
    text = text or f"{_and(ranks[0])} is more accurate than {_and(ranks[1])}"
    tests = [_test(one, other) for one, other in _pairs(ranks)]
    figures = _figures("test accuracy", chain(*ranks), accuracy, percent)
    how = dict.fromkeys(test.how for test in tests if test != NOT_MEASURED)
    return Statement(text, "; ".join([figures, *how]), tests)


def falls_faster(*ranks: Sequence[Run], text: str = "", at_first: bool = False) -> Statement:
    """State that the loss of each run of a rank falls faster than that of every run of the next."""
    text = text or f"the loss of {_and(ranks[0])} falls faster than that of {_and(ranks[1])}"
    name, speed = "loss of the first epoch", attrgetter("first_epoch_loss")
    if at_first:
        steps = min((run.steps[-1].step for run in chain(*ranks) if run.steps), default=0) // 10
        name, speed = f"loss of the first {steps} steps", methodcaller("early_loss", steps)
        text += " at first"
    verdicts = [_lower(speed(one), speed(other)) for one, other in _pairs(ranks)]
    return Statement(text, _figures(name, chain(*ranks), speed, loss), verdicts)


def has_best_balance(one: Run, others: Sequence[Run]) -> Statement:
    text = f"no other rate is faster than {one.label} without being less accurate"
    speed = falls_faster([one], others)
    parts = []
    for other, verdict in zip(others, speed.parts, strict=True):
        test = _test(one, other)
        if NOT_MEASURED in (verdict, test):
            parts.append(NOT_MEASURED)
        elif verdict == NOT_BORNE_OUT:  # the other is faster, so it has to be less accurate
            parts.append(test._replace(unclear=NOT_BORNE_OUT))
        else:
            parts.append(BORNE_OUT)
    return Statement(text, speed.evidence, parts)


def has_fewer_parameters(one: Run, other: Run) -> Statement:
    text = f"{one.label} has fewer parameters than {other.label}"
    ours, theirs = one.train.get("parameters"), other.train.get("parameters")
    figures = f"parameters {count(ours)} ({one.label}), {count(theirs)} ({other.label})"
    verdict = NOT_MEASURED if None in (ours, theirs) else _verdict(ours < theirs)
    return Statement(text, figures, [verdict])


def has_parameters(run: Run, claimed: float) -> Statement:
    text = f"{run.label} has about {claimed / 1e6:g} million"
    number = run.train.get("parameters")
    if number is None:
        return Statement(text, f"parameters {NONE} ({run.label})", [NOT_MEASURED])
    excess = number / claimed - 1
    figures = f"parameters {number:,} with ten classes, {excess:+.1%} ({run.label})"
    return Statement(text, figures, [_verdict(abs(excess) <= PARAMETER_MARGIN)])


def is_stable(run: Run, expected: bool = True) -> Statement:
    text = f"{run.label} is {'stable' if expected else 'unstable'}"
    losses = [window.loss for window in run.steps]
    if not losses:
        return Statement(text, f"training loss {NONE} ({run.label})", [NOT_MEASURED])
    if None in losses:
        shown, stable = "stopped being finite", False
    else:
        shown = f"between {loss(min(losses))} and {loss(max(losses))}"
        lowest = accumulate(losses, min, initial=GUESSING)  # before each of the losses
        stable = all(now <= low + UNSTABLE_RISE for now, low in zip(losses, lowest, strict=False))
    return Statement(text, f"training loss {shown} ({run.label})", [_verdict(stable == expected)])


def converges(run: Run, expected: bool = True) -> Statement:
    text = f"{run.label} {'converges' if expected else 'does not converge'}"
    last = run.final_loss
    verdict = NOT_MEASURED if last is None else _verdict((last < CONVERGED) == expected)
    return Statement(text, f"loss of the last epoch {loss(last)} ({run.label})", [verdict])


def accuracy(run: Run) -> float | None:
    """Return a run's mean test accuracy over its seeds, else its own."""
    return fmean(run.accuracies) if run.accuracies else run.accuracy


def _test(one: Run, other: Run) -> AccuracyTest | str:
    """Test whether one run is more accurate than another, as well as is known of them."""
    if None in (one.errors, other.errors):
        return NOT_MEASURED
    if one.accuracies and other.accuracies:
        p = welch(one.accuracies, other.accuracies)
        how = f"over {len(one.accuracies)} and {len(other.accuracies)} seeds"
    elif None not in (one.mistakes, other.mistakes):
        p = mcnemar(len(one.mistakes - other.mistakes), len(other.mistakes - one.mistakes))
        how = "paired over images, one seed"
    else:
        p, how = two_proportions(one.errors, other.errors), "unpaired, one seed"
    how = f"p = {p:.2g} {how}" if p >= 0.0001 else f"p < 0.0001 {how}"
    verdict = _verdict(accuracy(one) > accuracy(other))
    return AccuracyTest(frozenset([one.name, other.name]), p, how, verdict)


def _lower(one: float | None, other: float | None) -> str:
    """Judge that `one` loss is lower by more than the margin; infinite is worst."""
    if one is None or other is None:
        return NOT_MEASURED
    if one < other * (1 - LOSS_MARGIN):
        return BORNE_OUT
    return NOT_BORNE_OUT if other < one * (1 - LOSS_MARGIN) else NO_DIFFERENCE


def _figures(
    name: str, runs: Iterable[Run], value: Callable[[Run], Any], show: Callable[[Any], str]
) -> str:
    return f"{name} {', '.join(f'{show(value(run))} ({run.label})' for run in runs)}"


def _pairs(ranks: Sequence[Sequence[Run]]) -> list[tuple[Run, Run]]:
    return [pair for better, worse in pairwise(ranks) for pair in product(better, worse)]


def _and(runs: Sequence[Run]) -> str:
    return " and ".join(run.label for run in runs)


def _verdict(holds: bool) -> str:
    return BORNE_OUT if holds else NOT_BORNE_OUT
