"""Failures that a user can cause end in one sentence and exit code 1, never in a traceback."""

import errno
import importlib
import re
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
CLOSE = "close other programs"
# The words of C++, glibc, PyTorch's allocators, CUDA, cuBLAS, cuDNN and oneDNN. oneDNN says "could
# not create a primitive descriptor" of an operation that it does not have.
OUT_OF_MEMORY = re.compile(
    "can't allocate memory|not enough memory|bad_alloc|out of memory|ALLOC_FAILED"
    "|could not create a primitive(?! descriptor)"
)


class UserError(Exception):
    """One sentence: what was wrong, what was expected, what to do."""


def run(main: Callable[[], None], memory: str = CLOSE) -> None:
    """Call a program's `main`; end in one sentence where it cannot go on.

    The exit code is 1 after a UserError, an OSError or a lack of memory, and 128 plus the signal's
    number after Ctrl-C (130) or SIGTERM (143).

    Args:
        main: the program.
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


def run_module(name: str, memory: str = CLOSE) -> None:
    """Import a module and call its `main`, as `run` does, then leave.

    For the top of a module that is run as a program: Ctrl-C ends its imports, which can take
    seconds, in a sentence too.
    """
    run(lambda: importlib.import_module(name).main(), memory)
    sys.exit()


def end(sentence: str, code: int) -> None:
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(code)


def out_of_memory(error: BaseException) -> bool:
    """Tell a lack of memory, the CPU's or an accelerator's, from other failures."""
    # PyTorch's OutOfMemoryError by name: not every program imports PyTorch
    by_type = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return by_type or bool(OUT_OF_MEMORY.search(str(error)))
