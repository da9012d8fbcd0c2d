"""The messages of the modules that decide a training result, in one place.

These modules are dependencies of every training stage; kept here, the wording of a message is not.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.system.errors import UserError

REMAKE = "delete it, then run `make mend` and `dvc repro` to make it again"


def no_params(path: Path, reason: Exception) -> UserError:
    words = " ".join(str(getattr(reason, "problem", None) or reason).split())
    return UserError(
        f"{path} cannot be read ({words}): correct it, or run this from the folder that contains it"
    )


def unknown_model(name: Any, known: Iterable[str], place: str) -> UserError:
    return UserError(f"unknown model {name!r}: expected one of {', '.join(known)}, or add {place}")


def mnist_corrupt(path: Path, fault: str) -> UserError:
    # DVC 3.67 restores a deleted file from its cache, but does not replace a corrupt one.
    return UserError(
        f"{path} {fault}: delete it and run `dvc repro fetch`, after `make mend` if DVC's cache is "
        f"corrupt too"
    )


def no_model_file(path: Path) -> UserError:
    there = ", ".join(sorted(file.stem for file in path.parent.glob("*.pt"))) or "none"
    return UserError(f"{path} does not exist (there: {there}): correct the name or run `dvc repro`")


def model_file_corrupt(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is corrupt or not a model file ({reason}): {REMAKE}")


def other_weights(path: Path | str) -> UserError:
    return UserError(f"{path} does not hold the weights of this architecture: {REMAKE}")


def checkpoint_corrupt(path: Path, aside: Path, reason: str) -> str:
    return f"warning: {path} was corrupt ({reason}) and is now {aside}: training starts over"


def checkpoint_not_written(path: Path, error: OSError) -> str:
    return f"warning: {path} could not be written ({error})"


def interrupted(epoch: int, epochs: int) -> str:
    return f"interrupted at epoch {epoch} of {epochs}; run the same command again to resume"


NO_PORTABLE_KERNELS = (
    "warning: portable kernels need an x86-64 CPU with AVX2: elsewhere the last "
    "digits of a result are the machine's own"
)


def bf16_is_not_portable() -> UserError:
    return UserError(
        "precision is bf16, which portable kernels do not compute on a CPU: in params.yaml, set "
        "kernels to native or precision to fp32"
    )


def no_process_count(wanted: str) -> UserError:
    return UserError(f"PROCESSES is {wanted!r}, expected a number such as 2: correct or unset it")


def too_few_gpus(wanted: str, gpus: int) -> UserError:
    return UserError(f"PROCESSES is {wanted}, expected at most one per GPU ({gpus}): lower it")


def too_few_images(images: int, processes: int) -> UserError:
    return UserError(
        f"a batch of {images} images cannot be split over {processes} processes: start fewer, or "
        f"raise batch_size"
    )
