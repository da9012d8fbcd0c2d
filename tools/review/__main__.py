"""Print a review of what changed, as Markdown, and draw loss curves into review-plots/.

python -m tools.review BASE [HEAD | --check]

BASE and HEAD are branches, tags, commits or DVC experiments; without HEAD, BASE is compared with
the working tree, uncommitted work included.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
from pathlib import Path

from stages.reporting import curves
from stages.reporting.comparisons import Comparison
from stages.system import outputs
from tools.review import changes, locks, page, sides
from tools.review.changes import Change, Verdict

FOLDER = Path("review-plots")
MOST_NAMED = 5


def main() -> None:
    words = "Print as Markdown what a change does to the results."
    parser = argparse.ArgumentParser("python -m tools.review", description=words)
    parser.add_argument("base", metavar="BASE", help="the revision before")
    after = parser.add_mutually_exclusive_group()
    after.add_argument("head", metavar="HEAD", nargs="?", help="after; default: the working tree")
    check = "fail unless all results are committed and up to date"
    after.add_argument("--check", action="store_true", help=check)
    options = parser.parse_args()
    base, _ = locks.tidied(sides.revision(options.base))
    side = sides.revision(options.head) if options.head else sides.working_tree()
    head, orphans = locks.tidied(side)
    problems = locks.outdated(head, committed=options.check)
    problems += [f"{name} belongs to no stage" for name in orphans]
    if len(problems) > MOST_NAMED:
        problems[MOST_NAMED:] = [f"{len(problems) - MOST_NAMED} more"]
    compared = changes.compare(base, head)
    drawn = draw(base.name, head.name, compared)
    text = page.write(base, head, compared, problems, list(drawn))
    for left in FOLDER.glob("*.png"):
        left.unlink()
    for path, content in drawn.items():
        outputs.write_bytes(path, content)
    print(text, end="")
    if options.check and problems:
        raise errors.UserError(
            "dvc.lock and the results in git do not match the stages, params, code and data "
            f"({', '.join(problems)}): run `make tidy` and `dvc repro`, commit all results and "
            "push again"
        )


def draw(before: str, after: str, found: list[Change]) -> dict[Path, bytes]:
    """Draw the loss curves of each run that changed or was added; return PNGs by path."""
    drawn = {}
    for change in found:
        if change.verdict in (Verdict.UNCHANGED, Verdict.REMOVED):
            continue
        both = Comparison({before: change.before, after: change.after}, [], "")
        if any(run.steps for run in both.runs.values()):
            title = f"{change.after.name}: loss before and after"
            drawn[FOLDER / f"{change.after.name}.png"] = curves.draw(title, {"": both})
    return drawn
