"""Failures that a user can cause end in one sentence and exit code 1, never in a traceback."""

import sys
from collections.abc import Callable

from stages.system import interrupts


class UserError(Exception):
    """One sentence: what was wrong, what was expected, what to do."""


def run(main: Callable[[], None]) -> None:
    """Call a stage's `main`; exit in one sentence where it cannot go on.

    The exit code is 1 after a UserError, a disk's or a lack of memory, 128 and the signal's number
    after Ctrl-C (130) or SIGTERM (143).
    """
    interrupts.listen()
    try:
        main()
    except UserError as error:
        end(str(error), 1)
    except OSError as error:
        end(f"{error}: see to the disk or its rights and run again", 1)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        end("out of memory: lower batch_size or the model's image_size in params.yaml", 1)
    except interrupts.Interrupted as interrupted:
        end(interrupted.words, 128 + interrupted.number)


def end(sentence: str, code: int) -> None:
    """Say why on standard error and leave."""
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(code)


def out_of_memory(error: BaseException) -> bool:
    """Tell a lack of memory, the CPU's or an accelerator's, from other failures.

    PyTorch raises OutOfMemoryError on an accelerator, an error in CUDA's, cuBLAS's or cuDNN's words
    where these lack some, and on a CPU a RuntimeError with the allocator's or C++'s words. Told by
    name: not every stage imports PyTorch.
    """
    words = ("can't allocate memory", "not enough memory", "bad_alloc", "out of memory",
             "ALLOC_FAILED")  # fmt: skip
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(word in str(error) for word in words)
    )
