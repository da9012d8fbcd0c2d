"""A training's state on disk, so that after an interruption it goes on to the very same result."""

import hashlib
import json
import sys
import time
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from stages.system import errors, files, interrupts
from stages.system.errors import UserError

FOLDER = Path("data/checkpoints")  # git ignores it, and it is no output of a stage
CODE = Path(__file__).resolve().parents[1]
INTERVAL = 30.0  # seconds from one writing to the next, at least
SHARE = 100  # and at least so many times what the last writing took: about 1 % of the time


class Part(Protocol):
    """Something with a state, as PyTorch's modules, optimizers and schedules have."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state: tensors, numbers, words and containers of these."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Take a state over."""


class Randomness:
    """The random states that a network draws from, such as for dropout."""

    def __init__(self, device: torch.device):
        """Mean the CPU's state, and that of `device` if it has its own."""
        self.modules = [torch.random]
        if device.type != "cpu":
            self.modules.append(torch.get_device_module(device))

    def state_dict(self) -> dict[str, Any]:
        """Return the states, each a uint8 tensor on the CPU."""
        return {"states": [module.get_rng_state() for module in self.modules]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Draw from now on as if from when `state` was returned."""
        for module, saved in zip(self.modules, state["states"], strict=True):
            module.set_rng_state(saved.cpu())


class Checkpoint:
    """One run's checkpoint: written now and then, taken up by the same run alone.

    It is written by time, not at every epoch's end: an epoch may take a second and a writing more.
    A run shorter than INTERVAL seconds writes none unless it is told to stop.
    """

    def __init__(self, run: str, fingerprint: str):
        """Mean data/checkpoints/<run>.pt; `fingerprint` says what it must come from."""
        self.path = FOLDER / f"{run}.pt"
        self.fingerprint = fingerprint
        self._next = time.monotonic() + INTERVAL

    def resume(self, parts: dict[str, Part], device: torch.device) -> bool:
        """Put what was kept into `parts` and say whether there was anything of this same run.

        Raises:
            UserError: it is of this run, but its contents are not: nothing could be kept of them.
        """
        content = self._read(device)
        if content is None or content["fingerprint"] != self.fingerprint:
            return False
        try:
            for name, part in parts.items():
                part.load_state_dict(content["parts"].pop(name))  # pop: to free the memory
        except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            if errors.out_of_memory(error):
                raise
            aside = self._set_aside()
            raise UserError(
                f"{self.path} held another network's state and is now {aside}: "
                f"run the same command again to start over"
            ) from error
        return True

    def save_if_due(self, parts: dict[str, Part]) -> None:
        """Write the state of `parts` if INTERVAL and SHARE say that it is time."""
        start = time.monotonic()  # the wall clock may be set meanwhile
        if start < self._next:
            return
        self.save(parts)
        end = time.monotonic()
        self._next = end + max(INTERVAL, SHARE * (end - start))

    def save(self, parts: dict[str, Part]) -> bool:
        """Write the state of `parts`, which are in step with one another.

        Returns:
            Whether it could be written. If not, a warning says so and the training can go on: it
            does without, and a later try may succeed.
        """
        states = {name: part.state_dict() for name, part in parts.items()}
        content = {"fingerprint": self.fingerprint, "parts": states}
        try:
            with interrupts.held():  # torch.save would turn one into an error of its own
                files.write(self.path, lambda file: torch.save(content, file))
        except OSError as error:
            print(f"warning: {self.path} could not be written ({error})", file=sys.stderr)
            return False
        return True

    def remove(self) -> None:
        """Leave nothing of it, nor of a writing that was killed; what was set aside stays."""
        for path in (self.path, *FOLDER.glob(f".{self.path.name}.*")):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # not there, or another run's checkpoint is
            FOLDER.rmdir()

    def _read(self, device: torch.device) -> dict[str, Any] | None:
        """Read the file, running none of it; set it aside with a warning if it is damaged."""
        if not self.path.exists():
            return None
        self.path.open("rb").close()  # what may not be opened may yet be whole: that is no damage
        try:
            with zipfile.ZipFile(self.path) as archive:  # torch.load checks no sums
                if archive.testzip():
                    raise zipfile.BadZipFile
            content = torch.load(self.path, map_location=device, weights_only=True)
            if set(content) != {"fingerprint", "parts"}:
                raise KeyError
        except Exception as error:  # a damaged file can fail anywhere in zip, pickle or torch
            if errors.out_of_memory(error):
                raise
            aside = self._set_aside()
            print(
                f"warning: {self.path} was damaged ({type(error).__name__}) and is now {aside}: "
                f"the training starts over",
                file=sys.stderr,
            )
            return None
        return content

    def _set_aside(self) -> Path:
        return self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))


def fingerprint(
    settings: dict[str, Any], data: Iterable[Tensor], network: nn.Module, device: torch.device
) -> str:
    """Hash all that the bits of a training depend on.

    Args:
        settings: options and params.
        data: the images and labels, on the CPU.
        network: with its starting weights, on the CPU.
        device: where it will be trained.

    Returns:
        A SHA-256, hex, over these, the code of this project that is imported, and the machine as
        far as it can change a result: PyTorch's version, device, vector instructions and threads.
    """
    machine = [torch.__version__, device.type, torch.backends.cpu.get_cpu_capability()]
    if device.type == "cuda":
        machine.append(torch.cuda.get_device_name(device))
    whole = hashlib.sha256()
    whole.update(json.dumps([settings, machine, torch.get_num_threads()]).encode())
    for path in code():
        whole.update(path.relative_to(CODE).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    state = network.state_dict()
    whole.update(json.dumps([(key, list(value.shape)) for key, value in state.items()]).encode())
    for tensor in (*data, *state.values()):
        whole.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy())
    return whole.hexdigest()


def code() -> list[Path]:
    """List the files of this project's code that are imported, in order."""
    imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    paths = {Path(name).resolve() for name in imported if name}
    return sorted(path for path in paths if path.is_relative_to(CODE))
