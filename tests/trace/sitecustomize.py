"""Every Python that finds this on its path imports it: it notes the files that a command reads."""

import atexit
import json
import os
import sys
from pathlib import Path

if "TRACE_READS" in os.environ:
    ROOT = str(Path.cwd()) + os.sep
    READ: set[str] = set()

    def note(event: str, arguments: tuple) -> None:
        if event != "open" or not isinstance(arguments[0], str):
            return
        path = os.path.realpath(arguments[0])
        if path.startswith(ROOT) and arguments[2] & os.O_ACCMODE == os.O_RDONLY:
            READ.add(path.removeprefix(ROOT))

    def report() -> None:
        command = " ".join(["python", *sys.orig_argv[1:]])
        read = sorted(path for path in READ if Path(path).is_file())
        noted = Path(os.environ["TRACE_READS"]) / f"{os.getpid()}.json"
        noted.write_text(json.dumps({"command": command, "read": read}))

    sys.addaudithook(note)
    atexit.register(report)
