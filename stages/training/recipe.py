"""What params.yaml says about a run."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from stages import models
from stages.system import messages, rules
from stages.system.params import SHARED, TRAINING


@dataclass(frozen=True)
class Recipe:
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
    def settings(self) -> dict[str, Any]:
        """All of it but the name, as the model file records it."""
        return {"model": self.model, "options": self.options, "params": self.params}


def find(
    values: dict[str, Any], model: str, activation: str | None = None, lr: str | None = None
) -> Recipe:
    """Say how to train a model.

    Args:
        values: what `params.read` returned.
        model: a key of `models` in params.yaml.
        activation: instead of the one there.
        lr: instead of the one there, in the words that are to stand in the run's name.

    Raises:
        UserError: an unknown model, or a value that is not allowed.
    """
    if model not in values["models"]:
        place = "it under `models` in params.yaml"
        known = ", ".join(values["models"])
        raise messages.error("unknown model", name=model, known=known, place=place)
    architecture = models.architecture(model)
    keys = ["epochs", "mode"] if hasattr(architecture, "HEAD") else ["epochs"]
    own = {key: TRAINING[key] for key in keys}
    known = models.option_rules(architecture) | own
    entry = dict(values["models"][model])
    name, params = model, {key: values[key] for key in SHARED}
    if activation is not None:
        name, entry["activation"] = f"{name}-{activation}", activation
        rules.check(f"{name}: ", {"activation": activation}, known, complete=False)
    if lr is not None:
        name, params["lr"] = f"{name}-lr{lr}", lr
        with suppress(ValueError):  # the rule refuses a word
            params["lr"] = float(lr)
        rules.check(f"{name}: ", {"lr": params["lr"]}, SHARED, complete=False)
    rules.check(f"params.yaml: models.{model}.", entry, known)
    options = {key: value for key, value in entry.items() if key not in own}
    return Recipe(name, model, options, params | {key: entry[key] for key in own})
