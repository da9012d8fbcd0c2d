"""The networks, one file per architecture, found by name, and their model files.

An architecture's file defines `build(image_size, **options)`, MINIMUM_IMAGE_SIZE (pixels) and
OPTIONS (the values each option may take); with ImageNet weights also IMAGENET (torchvision's) and
HEAD (the name of its last layer), and STEM if its first layer can be replaced. Files are imported
on demand, so changing one affects no other network's stages.
"""

import importlib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from stages.compute.startup import without_compiler
from stages.system import errors, messages, outputs
from stages.system.params import Rules, check, integer, one_of

ENTRIES = {"model": str, "options": dict, "params": dict, "state_dict": dict}


def names() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def architecture(name: str) -> ModuleType:
    """Import the file of one architecture, or raise a UserError if there is none."""
    if name not in names():
        place = "it as stages/models/<name>.py"
        raise messages.error("unknown model", name=name, known=", ".join(names()), place=place)
    with without_compiler():
        return importlib.import_module(f"stages.models.{name}")


def option_rules(module: ModuleType) -> Rules:
    size = integer(module.MINIMUM_IMAGE_SIZE, 1024)
    own = {option: one_of(*values) for option, values in module.OPTIONS.items()}
    return {"image_size": size} | own


def build(name: str, /, **options: Any) -> nn.Module:
    """Build a network with fresh weights, drawn from torch's global random state.

    It maps float images (N, 3 or 1, H, W), scaled to [-1, 1], to logits (N, 10). One channel stands
    for three copies of it. `options` are `image_size` in pixels (default 224) and what the
    architecture's OPTIONS names, with the notebook's values as defaults; others raise a UserError.
    """
    module = architecture(name)
    options = {"image_size": 224} | options
    check(f"{name}: ", options, option_rules(module), complete=False)
    network = module.build(**options)
    network.image_size = options["image_size"]
    return network


def save(
    path: Path, network: nn.Module, model: str, options: dict[str, Any], params: dict[str, Any]
) -> None:
    """Write a model file: all that is needed to rebuild the network, and how it was made.

    The same network gives the same bytes, whatever device or memory format it was trained in.
    """
    state = {key: tensor.cpu().contiguous() for key, tensor in network.state_dict().items()}
    content = {"model": model, "options": options, "params": params, "state_dict": state}
    outputs.write(path, lambda file: torch.save(content, file))


def load_tensors(path: Path, device: torch.device | str = "cpu") -> Any:
    """Read what torch.save wrote, tensors to `device`, or raise a CorruptError; run no code."""
    try:
        with zipfile.ZipFile(path) as archive:
            # a compressed member could hold any amount; torch.save compresses none
            compressed = any(member.compress_type for member in archive.infolist())
            if compressed or archive.testzip():  # torch.load verifies no checksums
                raise zipfile.BadZipFile
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # a corrupt file can fail anywhere in zip, pickle or torch
        if isinstance(error, OSError) or errors.out_of_memory(error):
            raise
        raise errors.CorruptError(type(error).__name__) from error


def read(path: Path) -> dict[str, Any]:
    """Read a model file, tensors on the CPU, or raise a UserError if it is missing or corrupt."""
    if not path.is_file():
        there = ", ".join(sorted(file.stem for file in path.parent.glob("*.pt"))) or "none"
        raise messages.error("no model file", path=path, there=there)
    try:
        content = load_tensors(path)
        if {key: type(value) for key, value in content.items()} != ENTRIES:
            raise errors.CorruptError("other entries")
        if not all(isinstance(option, str) for option in content["options"]):
            raise errors.CorruptError("options without a name")
    except (errors.CorruptError, AttributeError) as error:
        raise messages.error("model file corrupt", path=path, reason=error) from error
    return content


def load(path: Path | str) -> nn.Module:
    """Build the network of a model file, with its weights, in eval mode, on the CPU; see `read`."""
    content = read(Path(path))
    network = build(content["model"], **content["options"])
    restore(network, content["state_dict"], path)
    return network.eval()


def restore(network: nn.Module, state: dict[str, torch.Tensor], path: Path | str) -> None:
    """Load `state`, read from `path`, or raise a UserError if it is another architecture's."""
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise messages.error("other weights", path=path) from error
