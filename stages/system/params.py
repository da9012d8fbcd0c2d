"""Reading params.yaml, and what it may hold."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.system import messages
from stages.system.errors import UserError
from stages.system.rules import check, integer, number, one_of

PATH = Path("params.yaml")
IMAGES = 60_000

MAPPING = ("a mapping with an entry for each model", lambda value: isinstance(value, dict))
SHARED = {
    "seed": integer(0, 2**32 - 1),
    "lr": (
        "a number above 0 and at most 10",
        lambda value: type(value) in (int, float) and 0 < value <= 10,
    ),
    "schedule": one_of("one-cycle", "constant"),
    "beta2": number(0, 0.999999),
    "clip_norm": number(0, 1e6),
    "batch_size": integer(2, 10_000),
    "precision": one_of("fp32", "bf16"),
    "kernels": one_of("portable", "native"),
    "threads": integer(1, 1024),
    "train_images": integer(2, IMAGES),
    "validation_images": integer(0, IMAGES - 2),
}
WEIGHTS = one_of("random", "imagenet")
TRAINING = {"epochs": integer(1, 1000), "mode": one_of("finetune", "extract")}


def read() -> dict[str, Any]:
    """Read params.yaml as DVC does (YAML 1.2), or raise a UserError if anything in it is wrong."""
    try:
        values = YAML(typ="safe").load(PATH)
    except (OSError, ValueError, YAMLError) as error:
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise messages.error("params unreadable", path=PATH, reason=reason) from error
    check_params(values)
    return values


def check_params(values: Any) -> None:
    """Check params.yaml, except for options that an architecture defines."""
    if not isinstance(values, dict):
        raise UserError(f"params.yaml is empty, expected {', '.join(SHARED)}, weights and models")
    check("params.yaml: ", values, SHARED | {"weights": MAPPING, "models": MAPPING})
    for section, rule in [("weights", WEIGHTS), ("models", MAPPING)]:
        check(f"params.yaml: {section}.", values[section], dict.fromkeys(values[section], rule))
    total = values["train_images"] + values["validation_images"]
    if total > IMAGES:
        raise UserError(
            f"params.yaml: train_images + validation_images is {total}, but MNIST has {IMAGES} "
            f"training images: lower one of them"
        )
