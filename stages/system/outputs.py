"""Outputs that exist whole or not at all."""

import csv
import errno
import io
import json
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO


def write(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    """Let `fill` write to a file next to `path`, flush it to disk and rename it to `path`.

    The temporary name is fixed, so a run that was killed leaves at most one file, which the next
    run overwrites; git and DVC ignore `*.part`. An OSError names the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        flush(path.parent)
    except (OSError, RuntimeError) as error:
        # torch.save turns a full disk into a RuntimeError
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        if cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):  # these carry no file name
            cause.filename = str(path)
        raise cause from None
    finally:
        temporary.unlink(missing_ok=True)


def flush(folder: Path) -> None:
    """Let new names in a folder survive a power cut, where its file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # CIFS and gocryptfs cannot
            raise
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    write(path, lambda file: file.write(content))


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write strict JSON: a number at the top level that is not finite becomes null."""
    strict = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }
    write_bytes(path, (json.dumps(strict, indent=2, allow_nan=False) + "\n").encode())


def write_csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table with one header line; None becomes an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_bytes(path, text.getvalue().encode())
