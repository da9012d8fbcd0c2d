"""Outputs that exist whole or not at all, and inputs that are read up to a bound."""

import csv
import errno
import io
import json
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO


def read(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes.

    Raises:
        OSError: it cannot be read.
        ValueError: it has more.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"more than {most:,} bytes")
    return content


def write(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    """Let `fill` write to a file beside `path`, flush it to disk and put it in its place.

    The name beside is fixed, so a run that was killed leaves one file at most, which the next
    run overwrites; git and DVC ignore `*.part`.

    Raises:
        OSError: the disk is full or does not let itself be written; it names a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except (OSError, RuntimeError) as error:
        # torch.save raises a RuntimeError of its own over that of a full disk
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        if cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):  # they come without a name
            cause.filename = str(path)
        raise cause from None
    finally:
        beside.unlink(missing_ok=True)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Flush a folder's entries, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    write(path, lambda file: file.write(content))


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write strict JSON to `path`: a number at the top that is not finite becomes null."""
    strict = {
        key: None if isinstance(entry, float) and not math.isfinite(entry) else entry
        for key, entry in value.items()
    }
    write_bytes(path, (json.dumps(strict, indent=2, allow_nan=False) + "\n").encode())


def write_csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table with one header line to `path`; None becomes an empty cell."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    write_bytes(path, text.getvalue().encode())
