"""A training's state on disk, so that after an interruption it resumes bit for bit."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stages import models
from stages.system import errors, messages, outputs

FOLDER = Path("data/checkpoints")  # ignored by git, and not an output of a stage
CODE = Path(__file__).resolve().parents[1]
INTERVAL = 30.0  # seconds between two writes, at least
MAX_OVERHEAD = 0.01  # of the time may be spent on writing
OUTPUTS = ("data/models/{}.pt", "data/settings/{}.json", "metrics/train/{}.json",
           "plots/runs/{}/loss.csv", "plots/runs/{}/steps.csv")  # fmt: skip


class Checkpoint:
    """The state of one run, in data/checkpoints/<run>.pt; only the same run resumes from it.

    It is written by time, not after each epoch, which may be shorter than the writing. The parts of
    the state have state_dict() and load_state_dict(), as PyTorch's modules and optimizers do.
    """

    def __init__(self, run: str, fingerprint: str):
        self.run, self.path, self.fingerprint = run, FOLDER / f"{run}.pt", fingerprint
        names = [name.format(run) for name in OUTPUTS]
        self.kept = {Path(name): FOLDER / run / fingerprint / name for name in names}
        accelerator = [torch.get_device_module()] if torch.accelerator.is_available() else []
        self._rngs = [torch.random, *accelerator]  # that a network draws from, such as for dropout
        self._next = time.monotonic() + INTERVAL

    def resume(self, parts: dict[str, Any], device: torch.device) -> bool:
        """Restore `parts` if there is a checkpoint of this run; set a corrupt one aside."""
        if not self.path.exists():
            return False
        try:
            content = models.load_tensors(self.path, device)
        except errors.CorruptError as error:
            aside = self.path.replace(self.path.with_name(f"{self.path.name}.corrupt"))
            messages.warn("checkpoint corrupt", path=self.path, aside=aside, reason=error)
            return False
        if not isinstance(content, dict) or content.get("fingerprint") != self.fingerprint:
            return False
        for name, part in parts.items():
            part.load_state_dict(content["parts"].pop(name))  # pop frees the memory
        for rng, state in zip(self._rngs, content["rng"], strict=True):
            rng.set_rng_state(state.cpu())
        return True

    def save_if_due(self, parts: dict[str, Any]) -> None:
        start = time.monotonic()  # the wall clock may be set meanwhile
        if start >= self._next:
            self.save(parts)
            end = time.monotonic()
            self._next = end + max(INTERVAL, (end - start) / MAX_OVERHEAD)

    def save(self, parts: dict[str, Any]) -> bool:
        """Write the state of `parts`; if that fails, warn and return False: training can go on."""
        states = {name: part.state_dict() for name, part in parts.items()}
        random = [rng.get_rng_state() for rng in self._rngs]
        content = {"fingerprint": self.fingerprint, "parts": states, "rng": random}
        try:
            outputs.write(self.path, lambda file: torch.save(content, file))
        except OSError as error:
            messages.warn("checkpoint not written", path=self.path, reason=error)
            return False
        return True

    def restore(self) -> bool:
        """Write again what a finished training wrote, unless it is to be repeated."""
        if not all(link.exists() for link in self.kept.values()):
            return False
        command = [sys.executable, "-m", "dvc", "cache", "dir"]
        cache = Path(subprocess.check_output(command, text=True).strip(), "files/md5")
        digests = [hashlib.md5(link.read_bytes()).hexdigest() for link in self.kept.values()]
        if all((cache / digest[:2] / digest[2:]).exists() for digest in digests):
            return False  # DVC has them all and starts a training only with --force
        for path, link in self.kept.items():
            outputs.write_bytes(path, link.read_bytes())
        messages.warn("already trained", run=self.run)
        return True

    def keep(self) -> None:
        """Link to the outputs, for `restore`: DVC may fail to cache them."""
        shutil.rmtree(FOLDER / self.run, ignore_errors=True)
        try:
            for path, link in self.kept.items():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.hardlink_to(path)
        except OSError as error:
            messages.warn("checkpoint not written", path=FOLDER / self.run, reason=error)

    def remove(self) -> None:
        """Delete it and any unfinished write; a corrupt one that was set aside stays."""
        for path in (self.path, *FOLDER.glob(f".{self.path.name}.*")):
            path.unlink(missing_ok=True)


def fingerprint(settings: dict[str, Any], network: nn.Module, device: torch.device) -> str:
    """Hash all that decides the bits: code, settings, starting weights (on the CPU), machine."""
    machine = [torch.__version__, device.type, torch.backends.cpu.get_cpu_capability()]
    if device.type == "cuda":
        machine.append(torch.cuda.get_device_name(device))
    state = network.state_dict()
    shapes = [(key, list(value.shape)) for key, value in state.items()]
    digest = hashlib.sha256(json.dumps([settings, machine, shapes]).encode())
    for path in code():
        digest.update(path.relative_to(CODE).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for tensor in state.values():
        digest.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def code() -> list[Path]:
    """List the files of this project's code that are imported, in order."""
    imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    paths = {Path(name).resolve() for name in imported if name}
    return sorted(path for path in paths if path.is_relative_to(CODE))
