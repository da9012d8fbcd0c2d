import copy
from pathlib import Path

import pytest

from stages.system.errors import UserError
from stages.training import params, runs

VALUES = params.read(Path(__file__).parents[2] / "params.yaml")


def test_a_run_takes_what_its_architecture_is_given() -> None:
    run = runs.find("model_b", VALUES)
    entry = VALUES["models"]["model_b"]
    assert run.options == {"image_size": entry["image_size"], "activation": entry["activation"]}
    assert run.params["lr"] == VALUES["lr"]
    assert run.params["epochs"] == entry["epochs"]
    assert not run.pretrained
    assert runs.find("resnet18", VALUES).pretrained


def test_a_name_overrides_and_does_not_read_what_it_fixes() -> None:
    values = copy.deepcopy(VALUES)
    values["models"]["model_a"]["activation"] = "nonsense"
    assert runs.find("model_a-tanh", values).options["activation"] == "tanh"
    other = copy.deepcopy(VALUES) | {"lr": 5}
    assert runs.find("model_b-lr0.1", VALUES) == runs.find("model_b-lr0.1", other)
    assert runs.find("model_b-lr0.1", VALUES).params["lr"] == 0.1


@pytest.mark.parametrize(
    "name",
    ["", "nonsense", "model_a-gelu", "model_b-lr", "model_b-lrfast", "resnet18-tanh", "model_a-",
     "../params", "model_b-lr0.1-tanh", "layers", "__init__"],
)  # fmt: skip
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="unknown run"):
        runs.find(name, VALUES)


@pytest.mark.parametrize("name", ["model_b-lr0", "model_b-lr11"])
def test_learning_rates_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="expected a number above 0"):
        runs.find(name, VALUES)
