"""The networks: one file an architecture, found by its name, and the model files they live in.

An architecture's file says all about it: `build(image_size, **options)`, MINIMUM_IMAGE_SIZE
(pixels) and OPTIONS (the values each option may take); one that comes with ImageNet weights also
IMAGENET (torchvision's) and HEAD (the name of its last layer), and STEM if its first layer can be
made anew. Files are imported only when asked for, so a change to one concerns no other's stages.
"""

import importlib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from stages.system import errors, files, interrupts
from stages.system.errors import UserError

LARGEST_FILE = 2**30  # bytes; VGG-16's has half as many
LARGEST_IMAGE_SIZE = 1024  # pixels a side
REMEDY = "remove it, then run `make mend` and `dvc repro` to make it again"
ENTRIES = {"model": str, "options": dict, "params": dict, "state_dict": dict}


def names() -> list[str]:
    """List the architectures that can be built."""
    found = {path.stem for path in Path(__file__).parent.glob("*.py")}
    return sorted(found - {"__init__", "__main__", "layers"})


def architecture(name: str) -> ModuleType:
    """Import the file of one architecture.

    Raises:
        UserError: there is none of that name.
    """
    if name not in names():
        raise UserError(
            f"unknown model {name!r}: expected one of {', '.join(names())}, "
            f"or add it as stages/models/<name>.py"
        )
    return importlib.import_module(f"stages.models.{name}")


def build(name: str, **options: Any) -> nn.Module:
    """Build a network with fresh weights, drawn from torch's global random state.

    Args:
        name: one of `names()`.
        options: `image_size` in pixels (224 unless given) and what the architecture's OPTIONS
            names; the rest keep the notebook's values.

    Returns:
        A module from float images (N, 3 or 1, H, W), scaled to [-1, 1], to logits (N, 10). One
        channel stands for three copies of it. Its `image_size` is the size that it was built for.

    Raises:
        UserError: an unknown name or option, or a value that the architecture does not admit.
    """
    module = architecture(name)
    options = {"image_size": 224} | options
    size, smallest = options["image_size"], module.MINIMUM_IMAGE_SIZE
    if type(size) is not int or not smallest <= size <= LARGEST_IMAGE_SIZE:
        raise UserError(
            f"image_size of {name} is {size!r}, "
            f"expected from {smallest} to {LARGEST_IMAGE_SIZE} pixels"
        )
    for option, value in options.items():
        if option != "image_size" and value not in module.OPTIONS.get(option, ()):
            allowed = {"image_size": "pixels"} | module.OPTIONS
            raise UserError(f"{name} has no {option} {value!r}, expected options are {allowed}")
    network = module.build(**options)
    network.image_size = size
    return network


def save(
    path: Path, network: nn.Module, model: str, options: dict[str, Any], params: dict[str, Any]
) -> None:
    """Write a model file: all that is needed to build the network again, and how it was made.

    The same network gives the same bytes, whatever device or memory format it was trained in.
    """
    state = {key: tensor.cpu().contiguous() for key, tensor in network.state_dict().items()}
    content = {"model": model, "options": options, "params": params, "state_dict": state}
    with interrupts.held():  # torch.save would turn an interruption into an error of its own
        files.write(path, lambda file: torch.save(content, file))


def read(path: Path) -> dict[str, Any]:
    """Read a model file's four entries, tensors on the CPU; nothing in it can run code.

    Raises:
        UserError: no such file, or not a whole model file.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist: run `dvc repro` to make it")
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(f"{path} has more than {LARGEST_FILE:,} bytes, no model has: {REMEDY}")
    try:
        with zipfile.ZipFile(path) as archive:
            # A member that is compressed could hold any amount; torch.save compresses none.
            if any(member.compress_type for member in archive.infolist()):
                raise zipfile.BadZipFile
            if archive.testzip():  # torch.load checks no sums
                raise zipfile.BadZipFile
        content = torch.load(path, map_location="cpu", weights_only=True)
        if {key: type(content[key]) for key in ENTRIES} != ENTRIES or len(content) != len(ENTRIES):
            raise TypeError
        if not all(isinstance(key, str) for key in content["options"]):
            raise TypeError
        if not all(isinstance(value, str | int | float) for value in content["options"].values()):
            raise TypeError
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): see to its rights") from error
    except Exception as error:  # a damaged file can fail anywhere in zip, pickle or torch
        if errors.out_of_memory(error):
            raise
        reason = type(error).__name__
        raise UserError(f"{path} is damaged or no model file ({reason}): {REMEDY}") from error
    return content


def load(path: Path | str, model: str | None = None) -> nn.Module:
    """Build the network that a model file describes, with its weights, in eval mode, on the CPU.

    Args:
        path: of the model file.
        model: the architecture that it has to be of; any unless given.

    Raises:
        UserError: no such file, a damaged one, or one of another architecture.
    """
    content = read(Path(path))
    if model not in (None, content["model"]):
        raise UserError(
            f"{path} holds a network of architecture {content['model']}, expected {model}: {REMEDY}"
        )
    network = build(content["model"], **content["options"])
    restore(network, content["state_dict"], path)
    return network.eval()


def of_run(run: str) -> nn.Module:
    """Load a run's network, as `load` does.

    Raises:
        UserError: no such run, a damaged model file, or one of an architecture that is not the
            run's.
    """
    path = Path(f"data/models/{run}.pt")
    if not path.is_file():
        trained = sorted(file.stem for file in path.parent.glob("*.pt"))
        raise UserError(
            f"no run {run!r} has been trained ({path} does not exist): expected one of "
            f"{', '.join(trained) or 'those that dvc.yaml trains'}, or run `dvc repro` first"
        )
    return load(path, run.partition("-")[0])


def restore(network: nn.Module, state: dict[str, torch.Tensor], path: Path | str) -> None:
    """Put `state`, which came from `path`, into a network of the same architecture.

    Raises:
        UserError: the tensors are not this architecture's.
    """
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} does not hold the weights of its architecture: {REMEDY}"
        ) from error
