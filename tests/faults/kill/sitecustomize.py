"""Imported by every Python that finds it on its path: kills it at one step of its writing."""

import os
import signal
import sys

if "KILL_AT" in os.environ:
    LEFT = [int(os.environ["KILL_AT"])]

    def count(event: str, arguments: tuple) -> None:
        """Count openings and renamings of files that are not whole yet; die at the last."""
        if event in ("open", "os.rename") and str(arguments[0]).endswith(".part"):
            LEFT[0] -= 1
            if not LEFT[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
