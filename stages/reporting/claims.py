"""The notebook's claims, each judged by what was measured here.

Every verdict is computed from the results, by criteria that `CRITERIA` states for the report's
reader. Nothing here knows how the default parameters turn out.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stages.reporting.comparisons import Comparison
from stages.reporting.results import NAMES, TEST_IMAGES, Notebook, Run

BORNE_OUT = "borne out"
NOT_BORNE_OUT = "not borne out"
PARTLY = "partly borne out"
NO_DIFFERENCE = "no clear difference"
NOT_MEASURED = "not measured"

Z = 1.96  # two-sided 95 %
LOSS_MARGIN = 0.05
PARAMETER_MARGIN = 0.1
GUESSING = math.log(10)  # the loss of ten equal probabilities
CONVERGED = GUESSING / 10
UNSTABLE_RISE = GUESSING / 2

CRITERIA = f"""\
- **More accurate**: a difference in test accuracy that 10,000 images can resolve, by a \
two-proportion z-test (|z| at least {Z}: about 0.4 points at 98 %, 0.2 points at 99.5 %). The \
test knows nothing of how another seed would have turned out: each figure is one run.
- **Falls faster**: a mean training loss over the first epoch that is lower by more than \
{LOSS_MARGIN:.0%}. **At first** is the same over the first tenth of the shorter run's \
steps, which under the one-cycle schedule belong to its warm-up.
- **Converges**: a final training loss below a tenth of ln 10, {CONVERGED:.2f}; ln 10, \
{GUESSING:.2f}, is the loss of guessing.
- **Unstable**: the training loss stops being finite, or rises by more than half of ln 10, \
{UNSTABLE_RISE:.2f}, above its lowest value before (ln 10 at the start).
- **About** a number of parameters: within {PARAMETER_MARGIN:.0%}.
- A claim of several parts is *{PARTLY}* when some parts are and others are not, or could not \
be measured."""


@dataclass(frozen=True)
class Part:
    """One checkable statement, its verdict and the figures behind it."""

    statement: str
    verdict: str
    evidence: str


@dataclass(frozen=True)
class Claim:
    """A claim in our words, and its parts.

    Attributes:
        caution: the settings that make the comparison less than like for like, or "".
        recorded: what the notebook's own figures say by the same criterion, or "".
    """

    statement: str
    parts: tuple[Part, ...]
    caution: str = ""
    recorded: str = ""

    @property
    def verdict(self) -> str:
        """The parts' verdicts in one."""
        return summarise([part.verdict for part in self.parts])


def judge(
    notebook: Notebook,
    transfer: Comparison,
    small: Comparison,
    activations: dict[str, Comparison],
    rates: Comparison,
) -> list[Claim]:
    """Judge the notebook's seven claims.

    Args:
        notebook: for the numbers of parameters that it gives.
        transfer: of "ResNet18" and "AlexNet".
        small: of "Model A" and "Model B".
        activations: by model's name, each of "relu", "tanh" and "sigmoid".
        rates: Model B at "lr 0.1", "lr 0.01" and "lr 0.001".
    """
    return [
        Claim(
            "ResNet18 does better on MNIST than AlexNet.",
            (more_accurate(transfer, "ResNet18", "AlexNet"),),
            transfer.caution,
            _recorded(notebook, "resnet18", "alexnet"),
        ),
        _parameters(notebook, transfer),
        Claim(
            "Model B, with its second convolution, does better than Model A: more accurate, and "
            "its loss falls faster.",
            (
                more_accurate(small, "Model B", "Model A"),
                falls_faster(small, "Model B", "Model A"),
            ),
            small.caution,
            _recorded(notebook, "model_b", "model_a"),
        ),
        Claim(
            "ReLU trains fastest and ends most accurate, sigmoid is slowest, tanh lies between.",
            tuple(part for name, one in activations.items() for part in _activations(name, one)),
            "; ".join(filter(None, (one.caution for one in activations.values()))),
        ),
        Claim(
            "On Model B a learning rate of 0.1 is unstable and does not converge.",
            (
                stable(rates, "lr 0.1", wanted=False),
                converges(rates, "lr 0.1", wanted=False),
            ),
        ),
        Claim(
            "On Model B a learning rate of 0.01 is faster at first than 0.001, but may end less "
            "accurate.",
            (
                falls_faster(rates, "lr 0.01", "lr 0.001", at_first=True),
                more_accurate(rates, "lr 0.001", "lr 0.01"),
            ),
            rates.caution,
        ),
        _balance(rates),
    ]


def summarise(verdicts: Iterable[str]) -> str:
    """Return one verdict for the parts of a claim."""
    distinct = set(verdicts)
    if len(distinct) == 1:
        return distinct.pop()
    if BORNE_OUT in distinct:
        return PARTLY
    return NOT_BORNE_OUT if NOT_BORNE_OUT in distinct else NO_DIFFERENCE


def all_of(verdicts: Iterable[str]) -> str:
    """Return the verdict on a statement that holds only if all of `verdicts` do."""
    distinct = set(verdicts)
    for verdict in (NOT_BORNE_OUT, NOT_MEASURED, NO_DIFFERENCE):
        if verdict in distinct:
            return verdict
    return BORNE_OUT


def z_score(errors: int, other_errors: int) -> float:
    """Return z of the difference in accuracy, positive where `errors` are fewer.

    Two-proportion z-test with pooled variance over the 10,000 test images.
    """
    pooled = (errors + other_errors) / (2 * TEST_IMAGES)
    spread = math.sqrt(2 * pooled * (1 - pooled) / TEST_IMAGES)
    return (other_errors - errors) / TEST_IMAGES / spread if spread else 0.0


def interval(errors: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of the test error, two fractions."""
    rate, n = errors / TEST_IMAGES, TEST_IMAGES
    middle = rate + Z**2 / (2 * n)
    half = Z * math.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def fewer_errors(errors: int, other_errors: int) -> str:
    """Judge that `errors` are clearly fewer than `other_errors`."""
    z = z_score(errors, other_errors)
    if abs(z) < Z:
        return NO_DIFFERENCE
    return BORNE_OUT if z > 0 else NOT_BORNE_OUT


def lower_loss(loss: float, other: float) -> str:
    """Judge that `loss` is lower than `other` by more than the margin; infinite is worst."""
    if loss < other * (1 - LOSS_MARGIN):
        return BORNE_OUT
    return NOT_BORNE_OUT if other < loss * (1 - LOSS_MARGIN) else NO_DIFFERENCE


def is_stable(losses: Iterable[float | None]) -> bool:
    """Tell whether a training loss stays finite and never rises far above its lowest."""
    lowest = GUESSING
    for loss in losses:
        if loss is None or loss > lowest + UNSTABLE_RISE:
            return False
        lowest = min(lowest, loss)
    return True


def more_accurate(compared: Comparison, better: str, *others: str) -> Part:
    """Judge that one run is clearly more accurate than each of `others`."""
    return _each(
        compared,
        (better, *others),
        f"{better} is more accurate than {_and(others)}",
        lambda run: run.errors,
        fewer_errors,
        lambda errors: f"{100 * (1 - errors / TEST_IMAGES):.2f} %",
        "test accuracy",
    )


def falls_faster(compared: Comparison, better: str, *others: str, at_first: bool = False) -> Part:
    """Judge that one training loss falls faster than each of `others`."""
    statement = f"the loss of {better} falls faster than that of {_and(others)}"
    if not at_first:
        return _each(
            compared,
            (better, *others),
            statement,
            lambda run: run.first_epoch_loss,
            lower_loss,
            _loss,
            "loss of the first epoch",
        )
    lengths = [compared.runs[key].steps for key in (better, *others) if key in compared.runs]
    tenth = min((steps[-1][0] for steps in lengths if steps), default=0) // 10
    return _each(
        compared,
        (better, *others),
        f"{statement} at first",
        lambda run: run.early_loss(tenth),
        lower_loss,
        _loss,
        f"loss of the first {tenth} steps",
    )


def converges(compared: Comparison, key: str, wanted: bool = True) -> Part:
    """Judge that a run's training loss ends low (`wanted`), or that it does not."""
    statement = f"{key} converges" if wanted else f"{key} does not converge"
    loss = compared.runs[key].final_loss if key in compared.runs else None
    if loss is None:
        return Part(statement, NOT_MEASURED, _absent([key]))
    verdict = BORNE_OUT if (loss < CONVERGED) == wanted else NOT_BORNE_OUT
    return Part(statement, verdict, f"final training loss {_loss(loss)}")


def stable(compared: Comparison, key: str, wanted: bool = True) -> Part:
    """Judge that a run's training loss is stable (`wanted`), or that it is not."""
    statement = f"{key} is stable" if wanted else f"{key} is unstable"
    steps = compared.runs[key].steps if key in compared.runs else ()
    if not steps:
        return Part(statement, NOT_MEASURED, _absent([key]))
    losses = [loss for _, loss in steps]
    verdict = BORNE_OUT if is_stable(losses) == wanted else NOT_BORNE_OUT
    finite = [loss for loss in losses if loss is not None]
    if len(finite) < len(losses):
        return Part(statement, verdict, "the training loss stopped being finite")
    return Part(
        statement, verdict, f"training loss between {_loss(min(finite))} and {_loss(max(finite))}"
    )


def _recorded(notebook: Notebook, better: str, other: str) -> str:
    """Judge by the notebook's own accuracies that one network is more accurate than another."""
    accuracy = {name: notebook.runs[name].accuracy for name in (better, other)}
    errors = [round((1 - fraction) * TEST_IMAGES) for fraction in accuracy.values()]
    figures = ", ".join(f"{100 * it:.2f} % ({NAMES[name]})" for name, it in accuracy.items())
    return f"{figures}: {fewer_errors(*errors)}"


def _parameters(notebook: Notebook, transfer: Comparison) -> Claim:
    def count(run: Run) -> int | None:
        return run.train.parameters if run.train else None

    fewer = _each(
        transfer,
        ("ResNet18", "AlexNet"),
        "ResNet18 has fewer parameters than AlexNet",
        count,
        lambda a, b: BORNE_OUT if a < b else NOT_BORNE_OUT,
        lambda value: f"{value:,}",
        "parameters",
    )
    parts = [fewer]
    for run, recorded in notebook.runs.items():
        if recorded.parameters is None:
            continue
        name = NAMES[run]
        claimed = f"{recorded.parameters / 1e6:g} million"
        statement = f"{name} has about {claimed}"
        measured = count(transfer.runs[name]) if name in transfer.runs else None
        if measured is None:
            parts.append(Part(statement, NOT_MEASURED, _absent([name])))
            continue
        off = measured / recorded.parameters - 1
        verdict = BORNE_OUT if abs(off) <= PARAMETER_MARGIN else NOT_BORNE_OUT
        parts.append(Part(statement, verdict, f"{measured:,} with ten classes ({off:+.1%})"))
    return Claim("ResNet18 has fewer parameters than AlexNet.", tuple(parts))


def _activations(model: str, compared: Comparison) -> list[Part]:
    slower = [falls_faster(compared, other, "sigmoid") for other in ("relu", "tanh")]
    ordered = [
        more_accurate(compared, "relu", "tanh"),
        more_accurate(compared, "tanh", "sigmoid"),
    ]
    speed = falls_faster(compared, "relu", "tanh", "sigmoid")
    accuracy = more_accurate(compared, "relu", "tanh", "sigmoid")
    parts = [
        speed,
        accuracy,
        Part(
            "the loss of sigmoid falls slower than that of relu and tanh",
            _all(slower),
            speed.evidence,
        ),
        Part(
            "tanh ends more accurate than sigmoid, less than relu", _all(ordered), accuracy.evidence
        ),
    ]
    return [Part(f"{model}: {part.statement}", part.verdict, part.evidence) for part in parts]


def _all(parts: Iterable[Part]) -> str:
    return all_of(part.verdict for part in parts)


def _balance(rates: Comparison) -> Claim:
    """Judge that 0.001 is steady, and that no other rate is better without a price."""
    best = "lr 0.001"
    others = [rate for rate in rates.runs if rate != best]
    accurate = more_accurate(rates, best, *(others or ["any other"]))
    steady = stable(rates, best), converges(rates, best)
    statement = f"no other rate is faster than {best} without being less accurate"
    if best not in rates.runs or not others:
        free = Part(statement, NOT_MEASURED, _absent([best, *(others or ["any other"])]))
    else:
        faster = {rate: falls_faster(rates, rate, best).verdict for rate in others}
        losing = {rate: more_accurate(rates, best, rate).verdict for rate in others}
        verdicts = [_no_free_lunch(faster[rate], losing[rate]) for rate in others]
        evidence = falls_faster(rates, best, *others).evidence
        free = Part(statement, all_of(verdicts), evidence)
    return Claim(
        "On Model B a learning rate of 0.001 is the best balance of speed and accuracy.",
        (*steady, accurate, free),
        rates.caution,
    )


def _no_free_lunch(faster: str, less_accurate: str) -> str:
    """Judge that a rate is not both faster and as accurate."""
    if NOT_MEASURED in (faster, less_accurate):
        return NOT_MEASURED
    return NOT_BORNE_OUT if faster == BORNE_OUT and less_accurate != BORNE_OUT else BORNE_OUT


def _each(
    compared: Comparison,
    keys: tuple[str, ...],
    statement: str,
    value: Callable[[Run], float | None],
    judged: Callable[[float, float], str],
    text: Callable[[float], str],
    kind: str,
) -> Part:
    """Judge the first of `keys` against each of the rest by one figure a run."""
    values = {key: value(compared.runs[key]) for key in keys if key in compared.runs}
    known = {key: figure for key, figure in values.items() if figure is not None}
    absent = [key for key in keys if key not in known]
    first, *others = keys
    verdicts = [
        judged(known[first], known[key]) if first in known and key in known else NOT_MEASURED
        for key in others
    ]
    figures = ", ".join(f"{text(figure)} ({key})" for key, figure in known.items())
    evidence = f"{kind} {figures}" if known else ""
    if absent:
        evidence = "; ".join(filter(None, [evidence, _absent(absent)]))
    return Part(statement, all_of(verdicts), evidence)


def _absent(keys: Iterable[str]) -> str:
    return f"no figure for {_and(keys)}"


def _and(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _loss(loss: float) -> str:
    return f"{loss:.4f}" if math.isfinite(loss) else "not finite"
