"""Which runs are set side by side, by the settings that they were trained with."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stages.reporting.results import NAMES, Run

# The network itself differs without making a comparison unfair; what only one of two networks
# has (such as a stem) is left out because not every run has it.
NOT_COMPARED = {"model"}


@dataclass(frozen=True)
class Comparison:
    """Runs that are meant to differ in one thing.

    Attributes:
        expected: what the default pipeline compares, in order, whether or not it was run.
        runs: by what tells them apart: "Model A", "relu" or "lr 0.1".
        unusable: why some runs are not among them, a clause each.
        caution: the other settings that differ, or "".
    """

    expected: tuple[str, ...]
    runs: dict[str, Run]
    unusable: tuple[str, ...]
    caution: str


def networks(runs: dict[str, Run], names: Iterable[str]) -> Comparison:
    """Compare runs by name, such as resnet18 with alexnet."""
    expected = tuple(NAMES[name] for name in names)
    found = {NAMES[name]: runs[name] for name in names if name in runs}
    missing = tuple(f"{name} has not been run" for name in names if name not in runs)
    return Comparison(expected, found, missing, _caution(found, set()))


def activations(runs: dict[str, Run], model: str) -> Comparison:
    """Compare `model` with its runs of other activations; all but the `-lr...` runs are these."""
    names = [
        name
        for name in runs
        if name == model or (name.startswith(f"{model}-") and not re.search(r"-lr[\d.]", name))
    ]
    return _by_setting(runs, names, "activation", "", ("relu", "tanh", "sigmoid"))


def learning_rates(runs: dict[str, Run], model: str) -> Comparison:
    """Compare `model` with its runs of other learning rates, `<model>-lr<rate>`."""
    pattern = re.compile(rf"{re.escape(model)}(-lr[\d.].*)?")
    names = [name for name in runs if pattern.fullmatch(name)]
    return _by_setting(runs, names, "lr", "lr ", ("lr 0.1", "lr 0.01", "lr 0.001"))


def label(value: Any) -> str:
    """Return a setting's value as text that compares: 0.10 and 1e-1 are both '0.1'."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_setting(
    runs: dict[str, Run], names: list[str], key: str, prefix: str, expected: tuple[str, ...]
) -> Comparison:
    found: dict[str, Run] = {}
    unusable = []
    for name in names:
        settings = runs[name].settings
        if settings is None or key not in settings:
            unusable.append(f"{name} has no record of its {key}")
            continue
        value = prefix + label(settings[key])
        if value in found:
            unusable.append(f"{name} has the same {key} as {found[value].name}, {value}")
        else:
            found[value] = runs[name]
    unusable += [f"{value} has not been run" for value in expected if value not in found]
    known = [value for value in expected if value in found]
    ordered = {value: found[value] for value in [*known, *sorted(set(found) - set(known))]}
    return Comparison(expected, ordered, tuple(unusable), _caution(ordered, {key}))


def _caution(runs: dict[str, Run], meant: set[str]) -> str:
    """Say which settings differ that were not meant to, where every run has them."""
    known = [run for run in runs.values() if run.settings]
    if len(known) < 2:
        return ""
    shared = set.intersection(*(set(run.settings) for run in known))
    differing = [
        f"{key} ({', '.join(f'{run.name} {label(run.settings[key])}' for run in known)})"
        for key in sorted(shared - meant - NOT_COMPARED)
        if len({label(run.settings[key]) for run in known}) > 1
    ]
    return ", ".join(differing)
