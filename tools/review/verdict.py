"""The one sentence that a review begins with."""

from stages.results.markdown import code, count
from tools.review.changes import DECIDED, Change, Verdict
from tools.review.locks import Causes

MOST_NAMED = 2
WORDS = {  # the headline, and what the sentence says of such runs
    Verdict.BETTER: ("Better", ""),
    Verdict.WORSE: ("Worse", ""),
    Verdict.UNKNOWN: ("Unclear", "changed, but the seed noise is unknown"),
    Verdict.WITHIN: ("No clear difference", "changed without a clear difference"),
    Verdict.ADDED: ("Other runs", "added"),
    Verdict.REMOVED: ("Other runs", "removed"),
    Verdict.UNCHANGED: ("Same results", ""),
}


def sentence(
    changes: list[Change], counted: list[Change], params: list[list[str]], ran: dict[str, Causes]
) -> str:
    """Say whether the change is better; `params` are name, before and after of those that differ.

    `counted` are the runs that are better or worse among so many, see `changes.clear`.
    """
    by: dict[Verdict, list[Change]] = {verdict: [] for verdict in WORDS}
    for one in changes:
        uncounted = one.verdict in DECIDED and one not in counted
        by[Verdict.WITHIN if uncounted else one.verdict].append(one)
    headline, _ = WORDS[next((verdict for verdict in by if by[verdict]), Verdict.UNCHANGED)]
    if by[Verdict.BETTER] and by[Verdict.WORSE]:
        headline = "Mixed"
    causes = [f"{name} {before} → {after}" for name, before, after in params]
    if len(causes) > MOST_NAMED:
        causes = [f"{len(causes)} changed parameters"]
    kinds = {kind for why in ran.values() for kind in why}
    causes += [f"changed {kind}" for kind in ("code", "data") if kind in kinds]
    lead = f"with {' and '.join(causes)}, " if causes else ""
    return f"**{headline}:** {lead}{'; '.join(_counts(by))}."


def _counts(by: dict[Verdict, list[Change]]) -> list[str]:
    better, worse = by[Verdict.BETTER], by[Verdict.WORSE]
    parts = []
    if better or worse:
        changed = [*better, *worse, *by[Verdict.WITHIN], *by[Verdict.UNKNOWN]]
        parts.append(
            f"{len(better) or 'none'} of {_runs(changed, 'changed ')} improved beyond seed noise"
            f"{_example(better)}, {len(worse) or 'none'} got worse{_example(worse[::-1])}"
        )
    rest = [(by[verdict], what) for verdict, (_, what) in WORDS.items() if what and by[verdict]]
    parts += [f"{_runs(runs)} {what}" for runs, what in rest]
    return parts or ["no run's metrics changed"]


def _example(changes: list[Change]) -> str:
    """Name the first of the changes whose errors are known on both sides."""
    known = [one for one in changes if one.difference("errors") is not None]
    if not known:
        return ""
    most = "most: " if len(changes) > 1 else ""
    errors = " → ".join(map(count, known[0].figures("errors")))
    return f" ({most}{code(known[0].after.name)}: {errors} test errors)"


def _runs(runs: list[Change], kind: str = "") -> str:
    return f"{len(runs)} {kind}{'run' if len(runs) == 1 else 'runs'}"
