"""The one sentence that a review begins with."""

from collections.abc import Sequence

from stages.results.markdown import code, count
from tools.review.causes import Causes
from tools.review.changes import Change, Verdict

MOST_NAMED = 2


def sentence(
    changes: list[Change],
    uncounted: list[Change],
    params: Sequence[Sequence[str]],
    ran: dict[str, Causes],
    stale: bool,
) -> str:
    """Say in one sentence whether the change is better.

    Args:
        changes: all runs, the best first.
        uncounted: those beyond seed noise that are not among so many; see `changes.clear`.
        params: those that differ, as Markdown: name, before, after.
        ran: the stages that ran again, and why.
        stale: the results are not those of the params, code and data next to them.
    """
    by: dict[Verdict, list[Change]] = {verdict: [] for verdict in Verdict}
    for one in changes:
        by[Verdict.WITHIN if one in uncounted else one.verdict].append(one)
    text = ", ".join([*_lead(params, ran), "; ".join(_counts(by))])
    if stale:
        return f"**Out of date**, run `dvc repro` first; as it stands: {text}."
    words = {
        "Mixed": by[Verdict.BETTER] and by[Verdict.WORSE],
        "Better": by[Verdict.BETTER],
        "Worse": by[Verdict.WORSE],
        "Unclear": by[Verdict.UNKNOWN] or by[Verdict.NOTHING],
        "No clear difference": by[Verdict.WITHIN],
        "Other runs": by[Verdict.ADDED] or by[Verdict.REMOVED],
        "Same results": True,
    }
    return f"**{next(word for word, holds in words.items() if holds)}:** {text}."


def _lead(params: Sequence[Sequence[str]], ran: dict[str, Causes]) -> list[str]:
    parts = [f"{name} {before} → {after}" for name, before, after in params]
    if len(parts) > MOST_NAMED:
        parts = [f"{len(parts)} changed parameters"]
    parts += [f"changed {kind}" for kind in ("code", "data") if any(kind in ran[s] for s in ran)]
    return [f"with {' and '.join(parts)}"] if parts else []


def _counts(by: dict[Verdict, list[Change]]) -> list[str]:
    better, worse, unknown = by[Verdict.BETTER], by[Verdict.WORSE], by[Verdict.UNKNOWN]
    rest = {
        "changed without a clear difference": by[Verdict.WITHIN],
        f"changed, {sum(one.gain > (0, 0) for one in unknown)} for the better and "
        f"{sum(one.gain < (0, 0) for one in unknown)} for the worse, but their seed noise is "
        "unknown": unknown,
        "changed without figures to compare": by[Verdict.NOTHING],
        "added": by[Verdict.ADDED],
        "removed": by[Verdict.REMOVED],
    }
    parts = [f"{_runs(runs)} {what}" for what, runs in rest.items() if runs]
    if better or worse:
        changed = better + worse + unknown + by[Verdict.WITHIN] + by[Verdict.NOTHING]
        parts.insert(
            0,
            f"of {_runs(changed, 'changed ')} {_are(better)} better beyond seed noise"
            f"{_most(better)} and {_are(worse)} worse{_most(worse[::-1])}",
        )
    return parts or ["no run's metrics changed"]


def _most(changes: list[Change]) -> str:
    """Name the first of the changes whose errors are known on both sides."""
    for one in changes:
        if one.difference("errors") is not None:
            errors = " → ".join(map(count, one.figures("errors")))
            return f" (most: {code(one.after.name)}, {errors} test errors)"
    return ""


def _are(changes: list[Change]) -> str:
    return f"{len(changes)} {'is' if len(changes) == 1 else 'are'}" if changes else "none is"


def _runs(runs: list[Change], kind: str = "") -> str:
    return f"{len(runs)} {kind}{'run' if len(runs) == 1 else 'runs'}"
