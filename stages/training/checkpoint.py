"""A training's state on disk, so that after an interruption it resumes bit for bit."""

import hashlib
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stages import models
from stages.system import messages, outputs

FOLDER = Path("data/checkpoints")  # git ignores it, and it is no output of a stage
CODE = Path(__file__).resolve().parents[1]
INTERVAL = 30.0  # seconds between two writes, at least
MAX_OVERHEAD = 0.01  # of the time, for writing


class RngState:
    """The random states that a network draws from, such as for dropout."""

    def __init__(self, device: torch.device):
        """Use the CPU's state, and that of `device` if it has its own."""
        self.modules = [torch.random]
        if device.type != "cpu":
            self.modules.append(torch.get_device_module(device))

    def state_dict(self) -> dict[str, Any]:
        """Return the states, each a uint8 tensor on the CPU."""
        return {"states": [module.get_rng_state() for module in self.modules]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the random states."""
        for module, saved in zip(self.modules, state["states"], strict=True):
            module.set_rng_state(saved.cpu())


class Checkpoint:
    """One run's checkpoint: written periodically, resumed by the same run only.

    It is written by time, not at every epoch's end: an epoch may take a second and a write longer.
    A run shorter than INTERVAL seconds writes none unless it is told to stop.
    """

    def __init__(self, run: str, fingerprint: str):
        """Use data/checkpoints/<run>.pt; `fingerprint` says what it must come from."""
        self.path = FOLDER / f"{run}.pt"
        self.fingerprint = fingerprint
        self._next = time.monotonic() + INTERVAL

    def resume(self, parts: dict[str, Any], device: torch.device) -> bool:
        """Put what was kept into `parts` and say whether there was anything of this same run.

        A part has a state_dict() and a load_state_dict(), as PyTorch's modules and optimizers do.

        A corrupt file is set aside with a warning.
        """
        if not self.path.exists():
            return False
        try:
            content = models.load_tensors(self.path, device)
        except models.CorruptError as error:
            aside = self.path.replace(self.path.with_name(f"{self.path.name}.corrupt"))
            values = {"path": self.path, "aside": aside, "reason": error}
            print(messages.text("checkpoint corrupt", **values), file=sys.stderr)
            return False
        if not isinstance(content, dict) or content.get("fingerprint") != self.fingerprint:
            return False
        for name, part in parts.items():
            part.load_state_dict(content["parts"].pop(name))  # pop: to free the memory
        return True

    def save_if_due(self, parts: dict[str, Any]) -> None:
        """Write the state of `parts` if INTERVAL and MAX_OVERHEAD say that it is time."""
        start = time.monotonic()  # the wall clock may be set meanwhile
        if start < self._next:
            return
        self.save(parts)
        end = time.monotonic()
        self._next = end + max(INTERVAL, (end - start) / MAX_OVERHEAD)

    def save(self, parts: dict[str, Any]) -> bool:
        """Write the state of `parts`, which are in step with one another.

        Returns:
            Whether it could be written. If not, it warns, and training continues without; a later
            attempt may succeed.
        """
        states = {name: part.state_dict() for name, part in parts.items()}
        content = {"fingerprint": self.fingerprint, "parts": states}
        try:
            outputs.write(self.path, lambda file: torch.save(content, file))
        except OSError as error:
            values = {"path": self.path, "reason": error}
            print(messages.text("checkpoint not written", **values), file=sys.stderr)
            return False
        return True

    def remove(self) -> None:
        """Delete it and any unfinished write; a corrupt one that was set aside stays."""
        for path in (self.path, *FOLDER.glob(f".{self.path.name}.*")):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # not there, or another run's checkpoint is
            FOLDER.rmdir()


def fingerprint(settings: dict[str, Any], network: nn.Module, device: torch.device) -> str:
    """Hash everything that determines the bits of a training run.

    Args:
        settings: model, options and params.
        network: with its starting weights, on the CPU.
        device: where it will be trained.

    Returns:
        SHA-256, hex, of these, the project's imported code (the data's pins with it) and what of
        the machine can change a result: PyTorch's version, the device and its vector instructions.
    """
    machine = [torch.__version__, device.type, torch.backends.cpu.get_cpu_capability()]
    if device.type == "cuda":
        machine.append(torch.cuda.get_device_name(device))
    digest = hashlib.sha256()
    digest.update(json.dumps([settings, machine]).encode())
    for path in code():
        digest.update(path.relative_to(CODE).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    state = network.state_dict()
    digest.update(json.dumps([(key, list(value.shape)) for key, value in state.items()]).encode())
    for tensor in state.values():
        digest.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def code() -> list[Path]:
    """List the files of this project's code that are imported, in order."""
    imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    paths = {Path(name).resolve() for name in imported if name}
    return sorted(path for path in paths if path.is_relative_to(CODE))
