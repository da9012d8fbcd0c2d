"""The messages of modules that decide results, apart from them: a new wording retrains nothing."""

import sys
from typing import Any

from stages.system.errors import UserError

REMAKE = "delete it, then run `make mend` and `dvc repro` to make it again"
MESSAGES = {
    "unknown model": "unknown model {name!r}: expected one of {known}, or add {place}",
    # DVC 3.67 restores a deleted file from its cache, but does not replace a corrupt one.
    "mnist corrupt": (
        "{fault}: delete it and run `dvc repro fetch`, after `make mend` if DVC's cache is corrupt "
        "too"
    ),
    "no model file": "{path} does not exist (there: {there}): correct the name or run `dvc repro`",
    "model file corrupt": f"{{path}} is corrupt or not a model file ({{reason}}): {REMAKE}",
    "other weights": f"{{path}} does not hold the weights of this architecture: {REMAKE}",
    "checkpoint corrupt": "{path} was corrupt ({reason}) and is now {aside}: training starts over",
    "checkpoint not written": "{path} could not be written ({reason})",
    "already trained": "{run} is trained, but DVC did not cache it: its outputs are written again",
    "interrupted": "interrupted at epoch {epoch} of {epochs}; run the same command again to resume",
    "no portable kernels": (
        "portable kernels need an x86-64 CPU with AVX2; without it, the last digits of a result "
        "depend on the machine"
    ),
    "bf16 is not portable": (
        "precision is bf16, which portable kernels cannot compute on a CPU: in params.yaml, set "
        "kernels to native or precision to fp32"
    ),
}


def text(key: str, **values: Any) -> str:
    return MESSAGES[key].format(**values)


def error(key: str, **values: Any) -> UserError:
    return UserError(text(key, **values))


def warn(key: str, **values: Any) -> None:
    print(f"warning: {text(key, **values)}", file=sys.stderr)
