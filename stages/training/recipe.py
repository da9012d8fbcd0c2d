"""What params.yaml says about a run."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from stages import models
from stages.system import messages
from stages.system.params import SHARED, TRAINING, check


@dataclass(frozen=True)
class Recipe:
    """What to train, and how."""

    name: str  # such as `resnet18`, `model_a-sigmoid`, `model_b-lr0.1`
    model: str  # the architecture
    options: dict[str, Any]  # of `models.build`: `image_size` and the architecture's own
    params: dict[str, Any]  # of the training

    @property
    def settings(self) -> dict[str, Any]:
        """All of it except the name, as recorded in data/settings/ and the model file."""
        return {"model": self.model, "options": self.options, "params": self.params}


def find(
    values: dict[str, Any], model: str, activation: str | None = None, lr: str | None = None
) -> Recipe:
    """Make the recipe of a model from the values in params.yaml.

    `activation` and `lr`, as written on the command line, replace those in params.yaml and become
    part of the run's name. A UserError tells of an unknown model or a value that is not allowed.
    """
    if model not in values["models"]:
        known, place = ", ".join(values["models"]), "it under `models` in params.yaml"
        raise messages.error("unknown model", name=model, known=known, place=place)
    architecture = models.architecture(model)
    training = TRAINING if hasattr(architecture, "HEAD") else {"epochs": TRAINING["epochs"]}
    allowed = models.option_rules(architecture) | training
    entry = dict(values["models"][model])
    name, params = model, {key: values[key] for key in SHARED}
    if activation is not None:
        name, entry["activation"] = f"{name}-{activation}", activation
        check(f"{name}: ", {"activation": activation}, allowed, complete=False)
    if lr is not None:
        name, params["lr"] = f"{name}-lr{lr}", lr
        with suppress(ValueError):  # the rule rejects a word
            params["lr"] = float(lr)
        check(f"{name}: ", {"lr": params["lr"]}, SHARED, complete=False)
    check(f"params.yaml: models.{model}.", entry, allowed)
    params |= {key: entry.pop(key) for key in training}
    return Recipe(name, model, entry, params)
