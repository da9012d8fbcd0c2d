"""Which runs are compared, by the settings that they were trained with."""

from dataclasses import dataclass, replace
from statistics import mode
from typing import Any

from stages.reporting.notebook import NAMES
from stages.results.runs import Run

# What is varied on one network, with the values that the notebook tried.
VARIED = {"activation": ["relu", "tanh", "sigmoid"], "lr": ["lr 0.1", "lr 0.01", "lr 0.001"]}


@dataclass(frozen=True)
class Comparison:
    """Runs that are meant to differ in one setting."""

    runs: dict[str, Run]  # by label: "Model A", "relu" or "lr 0.1"
    expected: list[str]  # the labels that the default pipeline has, in order
    meant: str  # the setting

    def __getitem__(self, label: str) -> Run:
        """Return the run with this label, an empty one if there is none."""
        return self.runs.get(label, Run("", label=label))

    @property
    def missing(self) -> list[str]:
        return [label for label in self.expected if label not in self.runs]

    @property
    def caution(self) -> str:
        """Say which other settings differ, of those that every run has; "" for none."""
        known = [run for run in self.runs.values() if run.settings]
        shared = set.intersection(*(set(run.settings) for run in known)) if known else set()
        return ", ".join(
            f"{key} ({', '.join(f'{run.name} {text(run.settings[key])}' for run in known)})"
            for key in sorted(shared - {self.meant})
            if len({text(run.settings[key]) for run in known}) > 1
        )


def compare(runs: dict[str, Run]) -> dict[str, Comparison]:
    """Return what the report compares, by the names that template.md uses."""
    return {
        "transfer": networks(runs, ["resnet18", "alexnet"]),
        "small": networks(runs, ["model_a", "model_b"]),
        "Model A": varied(runs, "model_a", "activation"),
        "Model B": varied(runs, "model_b", "activation"),
        "rates": varied(runs, "model_b", "lr"),
    }


def networks(runs: dict[str, Run], names: list[str]) -> Comparison:
    found = {NAMES[name]: replace(runs[name], label=NAMES[name]) for name in names if name in runs}
    return Comparison(found, [NAMES[name] for name in names], "model")


def varied(runs: dict[str, Run], model: str, setting: str) -> Comparison:
    """Compare the runs of `model` with one `setting` varied, "activation" or "lr".

    It leaves out runs in which the other of the two is varied, and a second run of the same value.
    """
    (other,) = VARIED.keys() - {setting}
    ours = [run for run in runs.values() if run.settings.get("model") == model]
    # Where the one is varied, the other is what most runs have.
    usual = mode([run.settings.get(other) for run in ours] or [None])
    found: dict[str, Run] = {}
    for run in ours:
        if run.settings.get(other) == usual and setting in run.settings:
            value = text(run.settings[setting])
            label = f"lr {value}" if setting == "lr" else value
            found.setdefault(label, replace(run, label=label))
    order = [*VARIED[setting], *sorted(found)]
    ordered = {label: found[label] for label in order if label in found}
    return Comparison(ordered, VARIED[setting], setting)


def text(value: Any) -> str:
    """Return a setting's value as text that compares: 0.10 and 1e-1 are both '0.1'."""
    return f"{value:g}" if isinstance(value, float) else str(value)
