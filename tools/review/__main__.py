"""Print a review of what changed, as Markdown, and draw loss curves into review-plots/.

Usage: python -m tools.review BASE [HEAD]

BASE and HEAD are branches, tags, commits or DVC experiments; without HEAD, BASE is compared with
the working tree, uncommitted work included.
"""

import argparse

from stages.system import errors
from tools.review import changes, drawings, page, sides


def main() -> None:
    """Read the revisions from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.review", description="Print a review of what changed, as Markdown."
    )
    parser.add_argument("base", metavar="BASE", help="the revision before")
    parser.add_argument("head", metavar="HEAD", nargs="?", help="after; default: the working tree")
    options = parser.parse_args()
    review(options.base, options.head)


def review(before: str, after: str | None) -> None:
    """Read both sides, the working tree for None, compare them, draw and print.

    Raises:
        UserError: no such revision, or a file of either side is corrupt.
    """
    base = sides.revision(before)
    head = sides.revision(after) if after else sides.working_tree()
    compared = changes.compare(base, head)
    drawn = drawings.draw(base.name, head.name, compared)
    text = page.write(base, head, compared, list(drawn))
    drawings.replace(drawn)
    print(text, end="")


if __name__ == "__main__":
    errors.run(main)
