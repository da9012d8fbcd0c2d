"""Failures that a user can cause end in one sentence and exit code 1, never in a traceback."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """One sentence: what was wrong, what was expected, what to do."""


def run(main: Callable[[], None]) -> None:
    """Call a stage's `main`; leave with 1 after a UserError or a disk's, 130 after Ctrl-C."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"error: {error}: see to the disk or its rights and run again", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again", file=sys.stderr)
        sys.exit(130)
