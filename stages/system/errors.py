"""Failures that a user can cause end in one sentence and exit code 1, never in a traceback."""

import errno
import importlib
import re
import sys
from collections.abc import Callable

from stages.system import interrupts

REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free disk space"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "check its permissions"),
}
CLOSE = "close other programs"
# Words of C++, glibc, PyTorch's allocators, CUDA, cuBLAS, cuDNN and oneDNN. If oneDNN could not
# create a primitive *descriptor*, it does not support a shape or type.
OUT_OF_MEMORY = re.compile(
    "can't allocate memory|not enough memory|bad_alloc|out of memory|ALLOC_FAILED"
    "|could not create a primitive(?! descriptor)"
)


class UserError(Exception):
    """One sentence: what was wrong, what was expected, what to do."""


class CorruptError(Exception):
    """A file is missing or does not hold what it should; str() says why."""


def run(main: Callable[[], None], memory: str = CLOSE) -> None:
    """Call `main` and exit, with one sentence if it fails. `memory`: the remedy for a lack of it.

    The exit code is then 1, or 128 plus the signal's number, such as 130 after Ctrl-C.
    """
    interrupts.leave_at_once()
    sys.stdout.reconfigure(errors="replace")  # not every terminal has every character
    code = 1
    try:
        main()
        sys.exit(0)
    except UserError as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"{error}: {REMEDIES.get(error.errno, 'fix this')} and run again"
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        sentence = f"out of memory: {memory} and run again"
    except interrupts.Interrupted as interrupted:
        sentence, code = str(interrupted), 128 + interrupted.number
    except Exception as error:
        # DVC's, and those of its -S, by name: not every program imports DVC
        if not {"DvcException", "HydraException"} & {kind.__name__ for kind in type(error).__mro__}:
            raise
        sentence = f"{' '.join(str(error).split())}: correct this and run again"
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(code)


def run_module(name: str) -> None:
    """Import a module and `run` its main: Ctrl-C may come during the imports."""
    run(lambda: importlib.import_module(name).main())


def out_of_memory(error: BaseException) -> bool:
    """Tell a lack of memory, on the CPU or an accelerator, from other failures."""
    # PyTorch's OutOfMemoryError by name: not every program imports PyTorch
    by_type = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return by_type or bool(OUT_OF_MEMORY.search(str(error)))
