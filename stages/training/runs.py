"""A run is one trained model; its name says what sets it apart from its architecture's own run."""

import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from stages import models
from stages.system.errors import UserError
from stages.training import params


@dataclass(frozen=True)
class Run:
    """What to train.

    Attributes:
        name: such as `resnet18`, `model_a-sigmoid`, `model_b-lr0.1`.
        model: the architecture.
        options: what `models.build` is given: `image_size` and the architecture's own.
        params: how to train it, flat, as it is recorded in the model file.
    """

    name: str
    model: str
    options: dict[str, Any]
    params: dict[str, Any]

    @property
    def pretrained(self) -> bool:
        """Whether it starts from data/weights/ rather than from an initialisation of its own."""
        return "mode" in self.params

    @property
    def files(self) -> dict[str, Path]:
        """Where its results go."""
        plots = Path("plots/runs") / self.name
        return {
            "model": Path(f"data/models/{self.name}.pt"),
            "metrics": Path(f"metrics/train/{self.name}.json"),
            "loss": plots / "loss.csv",
            "steps": plots / "steps.csv",
            "settings": plots / "settings.json",
        }


def find(name: str, values: dict[str, Any]) -> Run:
    """Look a run up: `<model>`, `<model>-<activation>` or `<model>-lr<learning rate>`.

    Args:
        name: the run's name.
        values: what `params.read` returned. A name that fixes a value does not read it here.

    Raises:
        UserError: an unknown name, or a value under `models` that this architecture does not admit.
    """
    model, dash, variant = name.partition("-")
    unknown = UserError(
        f"unknown run {name!r}: expected <model>, <model>-<activation> or <model>-lr<number>, with "
        f"<model> one of {', '.join(values['models'])}"
    )
    if model not in values["models"]:
        raise unknown
    architecture = models.architecture(model)
    entry = dict(values["models"][model])
    shared = {key: values[key] for key in params.SHARED}
    if re.fullmatch(r"lr\d+(\.\d+)?", variant):
        shared["lr"] = float(variant.removeprefix("lr"))
        params.check(f"{name}: ", {"lr": shared["lr"]}, {"lr": params.LR})
    elif variant and variant in architecture.OPTIONS.get("activation", ()):
        entry["activation"] = variant
    elif dash:
        raise unknown
    params.check(f"models.{model}.", entry, rules(architecture))
    epochs = entry.pop("epochs")
    mode = {"mode": entry.pop("mode")} if hasattr(architecture, "HEAD") else {}
    return Run(name, model, entry, shared | {"epochs": epochs} | mode)


def rules(architecture: ModuleType) -> dict[str, params.Rule]:
    """Say what `models.<model>` must hold for an architecture."""
    size = params.whole(architecture.MINIMUM_IMAGE_SIZE, models.LARGEST_IMAGE_SIZE)
    mode = {"mode": params.MODE} if hasattr(architecture, "HEAD") else {}
    options = {key: params.one_of(*values) for key, values in architecture.OPTIONS.items()}
    return {"image_size": size, "epochs": params.EPOCHS} | mode | options
