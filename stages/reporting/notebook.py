"""What the notebook recorded, as runs that can be compared like those measured here."""

from ruamel.yaml import YAML

from stages.results.runs import TEST_IMAGES, Run, parsed

PATH = "data/notebook.yaml"
# The notebook's networks, as text shows them.
NAMES = {"resnet18": "ResNet18", "alexnet": "AlexNet", "model_a": "Model A", "model_b": "Model B"}
CORRUPT = (
    "is missing or corrupt, but the report needs the notebook's figures: restore it with "
    f"`git checkout {PATH}`"
)


def read() -> dict[str, Run]:
    """Read the notebook's four runs; raise a UserError if the file is missing or corrupt."""
    return parsed(PATH, _runs, wrong=CORRUPT)


def _runs(text: str) -> dict[str, Run]:
    content = YAML(typ="safe").load(text)
    found = {}
    for name in NAMES:
        accuracy, losses = content["runs"][name]["accuracy"], content["runs"][name]["loss"]
        found[name] = Run(
            name,
            train={"loss": losses[-1]},
            test={"accuracy": accuracy, "errors": round((1 - accuracy) * TEST_IMAGES)},
            settings=content["configuration"],
            epochs={"epoch": range(1, len(losses) + 1), "train_loss": losses},
        )
    return found
