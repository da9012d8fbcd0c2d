"""Failures that a user can cause end in one sentence and exit code 1, never in a traceback."""

import errno
import sys
from collections.abc import Callable

from stages.system import interrupts

REMEDIES = {
    errno.ENOSPC: "free disk space",
    errno.EDQUOT: "free disk space",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EROFS: "check its permissions",
}


class UserError(Exception):
    """One sentence: what was wrong, what was expected, what to do."""


def run(main: Callable[[], None], memory: str = "close other programs") -> None:
    """Call a stage's `main`; end in one sentence where it cannot go on.

    The exit code is 1 after a UserError, an OSError or a lack of memory, and 128 plus the signal's
    number after Ctrl-C (130) or SIGTERM (143).

    Args:
        main: the stage.
        memory: what a user can do when memory runs out.
    """
    interrupts.leave_at_once()
    sys.stdout.reconfigure(errors="replace")  # not every terminal has every character
    try:
        main()
    except UserError as error:
        end(str(error), 1)
    except OSError as error:
        end(f"{error}: {REMEDIES.get(error.errno, 'fix this')} and run again", 1)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        end(f"out of memory: {memory} and run again", 1)
    except interrupts.Interrupted as interrupted:
        end(str(interrupted), 128 + interrupted.number)


def end(sentence: str, code: int) -> None:
    """Say why on standard error and leave."""
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(code)


def out_of_memory(error: BaseException) -> bool:
    """Tell a lack of memory, the CPU's or an accelerator's, from other failures.

    PyTorch raises OutOfMemoryError on an accelerator, an error in CUDA's, cuBLAS's or cuDNN's words
    where these lack some, and on a CPU a RuntimeError with the words of the allocator, C++ or
    oneDNN. Told by name: not every stage imports PyTorch.
    """
    words = ("can't allocate memory", "not enough memory", "bad_alloc", "out of memory",
             "ALLOC_FAILED", "could not create a primitive")  # fmt: skip
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(word in str(error) for word in words)
    )
