"""Run a command and append to a file when it began, its seconds and its peak memory in bytes.

python benchmarks/usage.py <file> <command> <arguments>...

A small process of its own, because Linux counts the parent's memory towards a child's peak.
"""

import json
import os
import sys
import time

if __name__ == "__main__":
    log, *command = sys.argv[1:]
    began, start = time.time(), time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    with open(log, "a") as file:  # noqa: PTH123 - importing pathlib would make this process larger
        print(json.dumps([command, began, seconds, peak]), file=file)
    sys.exit(os.waitstatus_to_exitcode(status))
