"""What the notebook recorded, as runs that can be compared like those measured here."""

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from results.runs import TEST_IMAGES, Epoch, Run
from stages.system.errors import UserError

PATH = Path("data/notebook.yaml")
# The notebook's networks, as text shows them.
NAMES = {"resnet18": "ResNet18", "alexnet": "AlexNet", "model_a": "Model A", "model_b": "Model B"}


def read() -> dict[str, Run]:
    """Read data/notebook.yaml: four runs of one configuration, without single steps.

    Raises:
        UserError: it is missing or corrupt.
    """
    try:
        content = YAML(typ="safe").load(PATH)
        return {name: _run(name, content["runs"][name], content["configuration"]) for name in NAMES}
    except (OSError, YAMLError, LookupError, TypeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{PATH} is missing or corrupt, but the report needs the notebook's figures: "
            f"restore it with `git checkout {PATH}`"
        ) from error


def _run(name: str, recorded: dict, configuration: dict) -> Run:
    accuracy, losses = recorded["accuracy"], recorded["loss"]
    return Run(
        name,
        {"loss": losses[-1], "parameters": recorded.get("parameters")},
        {"accuracy": accuracy, "errors": round((1 - accuracy) * TEST_IMAGES)},
        dict(configuration),
        [Epoch(epoch, loss, None, None) for epoch, loss in enumerate(losses, start=1)],
        [],
    )
