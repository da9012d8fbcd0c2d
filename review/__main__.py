"""Print a review of what changed, as Markdown, and draw loss curves into review-plots/.

Usage: python -m review BASE [HEAD]

BASE and HEAD are branches, tags, commits or DVC experiments; without HEAD, BASE is compared with
the working tree, uncommitted work included.
"""

import argparse

from results import snapshots
from review import changes, drawings, page
from stages.system import errors


def main() -> None:
    """Read the revisions from the command line."""
    parser = argparse.ArgumentParser(prog="python -m review", description=__doc__.split("\n")[0])
    parser.add_argument("base", metavar="BASE", help="the revision before")
    parser.add_argument("head", metavar="HEAD", nargs="?", help="after; default: the working tree")
    options = parser.parse_args()
    review(options.base, options.head)


def review(before: str, after: str | None) -> None:
    """Read both sides, the working tree for None, compare them, draw and print.

    Raises:
        UserError: no such revision, or a file of either side is corrupt.
    """
    base = snapshots.revision(before)
    head = snapshots.revision(after) if after else snapshots.working_tree()
    compared = changes.compare(base, head)
    drawn = drawings.draw(base.name, head.name, compared)
    text = page.write(base, head, compared, list(drawn))
    drawings.replace(drawn)
    print(text, end="")


if __name__ == "__main__":
    errors.run(main)
