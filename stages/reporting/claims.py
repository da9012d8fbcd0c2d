"""The notebook's claims of claims.yaml, each judged by what was measured here.

Every verdict is computed from the results, by criteria that template.md states for the report's
reader. Nothing here knows how the default parameters turn out.
"""

import math
from collections.abc import Callable
from itertools import pairwise, product
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from stages.reporting.comparisons import Comparison
from stages.results.markdown import NONE, count, loss, percent
from stages.results.runs import TEST_IMAGES, Run
from stages.results.statistics import LEVEL, other_images, same_images, two_means

BORNE_OUT = "borne out"
NOT_BORNE_OUT = "not borne out"
PARTLY = "partly borne out"
NO_DIFFERENCE = "no clear difference"
NOT_MEASURED = "not measured"

LOSS_MARGIN = 0.05
PARAMETER_MARGIN = 0.1
GUESSING = math.log(10)  # the loss of ten equal probabilities
CONVERGED = GUESSING / 10
UNSTABLE_RISE = GUESSING / 2

NO_RUN = Run("", {}, {}, {}, [], [])


class Finding(NamedTuple):
    """One checkable statement, its verdict and the figures behind it."""

    statement: str
    verdict: str
    evidence: str


class Claim(NamedTuple):
    """A claim in our words, and what was found on each statement that it makes.

    `caution` names the settings that make the comparison less than like for like, `recorded` is
    what the notebook's own figures say by the same criterion; each is "" if there is none.
    """

    claim: str
    findings: list[Finding]
    caution: str
    recorded: str

    @property
    def verdict(self) -> str:
        """The findings' verdicts in one."""
        distinct = {finding.verdict for finding in self.findings}
        if len(distinct) == 1:
            return distinct.pop()
        if BORNE_OUT in distinct:
            return PARTLY
        return NOT_BORNE_OUT if NOT_BORNE_OUT in distinct else NO_DIFFERENCE


class Check(NamedTuple):
    """What a statement is judged by.

    Attributes:
        figure: its name.
        of: returns a run's, None if it is not known.
        judge: returns a verdict, or whether the statement is borne out: on one run's figure, or
            on the first of two being better.
        text: shows one.
        how: says how two were compared, if there is more than one way.
    """

    figure: str
    of: Callable[[Run], Any]
    judge: Callable[..., str | bool]
    text: Callable[[Any], str]
    how: Callable[..., str] = lambda *_: ""


def judge(measured: dict[str, Comparison], recorded: dict[str, Comparison]) -> list[Claim]:
    """Judge the claims by the comparisons of what was measured here, and of the notebook's runs."""
    claims = []
    for row in YAML(typ="safe").load(Path(__file__).with_name("claims.yaml")):
        findings, cautions, own = [], [], []
        for name, (statement, check, order) in product(row["compare"], row["statements"]):
            prefix = f"{name}: " if len(row["compare"]) > 1 else ""
            findings.append(Finding(prefix + statement, *find(check, measured[name], order)))
            verdict, evidence = find(check, recorded[name], order)
            if check == "accuracy" and verdict != NOT_MEASURED:
                own.append(f"{evidence}: {verdict}")
            if check in COMPARING and measured[name].caution not in ("", *cautions):
                cautions.append(measured[name].caution)
        claims.append(Claim(row["claim"], findings, "; ".join(cautions), "; ".join(own)))
    return claims


def find(name: str, compared: Comparison, order: str) -> tuple[str, str]:
    """Return a verdict, and the figures behind it.

    Args:
        name: a key of CHECKS, or "speed at first".
        compared: the runs by their keys.
        order: the key of the run that is judged, or of several from best to worst, such as
            "relu > tanh, sigmoid"; "others" are all that it does not name.
    """
    places = [place.split(", ") for place in order.split(" > ")]
    if places[-1] == ["others"]:
        keys = compared.runs if len(compared.runs) > 1 else compared.expected
        places[-1] = [key for key in keys if key not in places[0]]
    runs = {key: compared.runs.get(key, NO_RUN) for place in places for key in place}
    check = _early(list(runs.values())) if name == "speed at first" else CHECKS[name]
    figures = {key: check.of(run) for key, run in runs.items()}
    pairs = [pair for before, after in pairwise(places) for pair in product(before, after)]
    verdicts, how = set(), {}
    for keys in pairs or [(order,)]:
        known = [figures[key] for key in keys if figures[key] is not None]
        verdict = check.judge(*known) if len(known) == len(keys) else NOT_MEASURED
        verdicts.add({True: BORNE_OUT, False: NOT_BORNE_OUT}.get(verdict, verdict))
        if len(known) == len(keys):
            how[check.how(*known)] = None
    decisive = (NOT_BORNE_OUT, NOT_MEASURED, NO_DIFFERENCE, BORNE_OUT)
    shown = [(NONE if it is None else check.text(it), key) for key, it in figures.items()]
    evidence = ", ".join(f"{text} ({key})" for text, key in shown)
    evidence = "; ".join(filter(None, [f"{check.figure} {evidence}", *how]))
    return next(it for it in decisive if it in verdicts), evidence


def fewer(one: Run, other: Run) -> str:
    """Judge that `one` run has clearly fewer test errors than the other."""
    p, _ = compare(one, other)
    if p > LEVEL:
        return NO_DIFFERENCE
    return BORNE_OUT if accuracy(one) > accuracy(other) else NOT_BORNE_OUT


def compare(one: Run, other: Run) -> tuple[float, str]:
    """Test whether two runs differ in accuracy, as well as is known of them; say how."""
    if one.accuracies and other.accuracies:
        p = two_means(one.accuracies, other.accuracies)
        return p, f"over {len(one.accuracies)} and {len(other.accuracies)} seeds"
    if one.mistakes is not None and other.mistakes is not None:
        alone = [len(one.mistakes - other.mistakes), len(other.mistakes - one.mistakes)]
        return same_images(*alone), "paired over images, one seed"
    return other_images(one.errors, other.errors), "unpaired, one seed"


def accuracy(run: Run) -> float:
    """Return a run's mean test accuracy over its seeds, else its own."""
    return fmean(run.accuracies) if run.accuracies else 1 - run.errors / TEST_IMAGES


def lower(one: float, other: float) -> str:
    """Judge that `one` loss is lower by more than the margin; infinite is worst."""
    if one < other * (1 - LOSS_MARGIN):
        return BORNE_OUT
    return NOT_BORNE_OUT if other < one * (1 - LOSS_MARGIN) else NO_DIFFERENCE


def balanced(one: tuple[float, Run], other: tuple[float, Run]) -> bool:
    """Tell from (loss, run) that the other is not faster without being less accurate."""
    return lower(other[0], one[0]) != BORNE_OUT or fewer(one[1], other[1]) == BORNE_OUT


def stable(losses: list[float | None]) -> bool:
    """Tell whether a training loss stays finite and never rises far above its lowest."""
    lowest = GUESSING
    for value in losses:
        if value is None or value > lowest + UNSTABLE_RISE:
            return False
        lowest = min(lowest, value)
    return True


def _early(runs: list[Run]) -> Check:
    tenth = min((run.steps[-1].step for run in runs if run.steps), default=0) // 10
    return Check(f"loss of the first {tenth} steps", lambda run: run.early_loss(tenth), lower, loss)


def _about(claimed: float) -> Check:
    return Check(
        "parameters",
        _parameters,
        lambda parameters: abs(parameters / claimed - 1) <= PARAMETER_MARGIN,
        lambda parameters: f"{parameters:,} with ten classes, {parameters / claimed - 1:+.1%}",
    )


def _parameters(run: Run) -> int | None:
    return run.train.get("parameters")


def _losses(run: Run) -> list[float | None] | None:
    return [window.loss for window in run.steps] or None


def _extremes(losses: list[float | None]) -> str:
    if None in losses:
        return "stopped being finite"
    return f"between {loss(min(losses))} and {loss(max(losses))}"


def _tested(run: Run) -> Run | None:
    return None if run.errors is None else run


def _loss_and_run(run: Run) -> tuple[float, Run] | None:
    return None if None in (run.first_epoch_loss, run.errors) else (run.first_epoch_loss, run)


def _p(one: Run, other: Run) -> str:
    p, how = compare(one, other)
    shown = f"p = {p:.2g}" if p >= 0.0001 else "p < 0.0001"
    return f"{shown} {how}"


FIRST, LAST = "loss of the first epoch", "loss of the last epoch"
CHECKS = {
    "accuracy": Check("test accuracy", _tested, fewer, lambda run: percent(accuracy(run)), _p),
    "speed": Check(FIRST, attrgetter("first_epoch_loss"), lower, loss),
    "balance": Check(FIRST, _loss_and_run, balanced, lambda both: loss(both[0])),
    "stable": Check("training loss", _losses, stable, _extremes),
    "unstable": Check("training loss", _losses, lambda losses: not stable(losses), _extremes),
    "converges": Check(LAST, attrgetter("final_loss"), lambda it: it < CONVERGED, loss),
    "does not converge": Check(LAST, attrgetter("final_loss"), lambda it: it >= CONVERGED, loss),
    "size": Check("parameters", _parameters, lambda one, other: one < other, count),
    "about 11.7 million": _about(11.7e6),
    "about 60 million": _about(60e6),
}
COMPARING = ("accuracy", "speed", "speed at first", "balance")
