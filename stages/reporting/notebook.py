"""What the notebook recorded, as runs that can be compared like those measured here."""

from ruamel.yaml import YAML

from stages.results.runs import TEST_IMAGES, Epoch, Run, parsed

PATH = "data/notebook.yaml"
# The notebook's networks, as text shows them.
NAMES = {"resnet18": "ResNet18", "alexnet": "AlexNet", "model_a": "Model A", "model_b": "Model B"}


def read() -> dict[str, Run]:
    """Read data/notebook.yaml: four runs of one configuration, without single steps.

    Raises:
        UserError: it is missing or corrupt.
    """
    wrong = (
        "is missing or corrupt, but the report needs the notebook's figures: restore it with "
        f"`git checkout {PATH}`"
    )
    return parsed(PATH, _runs, wrong=wrong)


def _runs(text: str) -> dict[str, Run]:
    content = YAML(typ="safe").load(text)
    return {name: _run(name, content["runs"][name], content["configuration"]) for name in NAMES}


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
