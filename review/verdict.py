"""The one sentence that a review begins with."""

from collections.abc import Iterable

from review.causes import Cause
from review.markdown import code
from review.runs import Change, Comparison, Verdict, difference

MOST_NAMED = 2


def sentence(
    compared: Comparison,
    values: list[tuple[str, str, str]],
    causes: Iterable[Cause],
    stale: bool,
) -> str:
    """Say in one sentence whether the change is better.

    Args:
        compared: all runs.
        values: params that differ, as Markdown: name, before, after.
        causes: of all the stages that ran again.
        stale: the results are not those of the params, code and data beside them.
    """
    by: dict[Verdict, list[Change]] = {verdict: [] for verdict in Verdict}
    for change in compared.changed:
        by[change.verdict].append(change)
    parts = _parts(compared, by)
    lead = _lead(values, causes)
    text = (f"{lead}, " if lead else "") + "; ".join(parts)
    if stale:
        return f"**Out of date**, run `dvc repro` first; as it stands: {text}."
    return f"**{_word(compared, by)}:** {text}."


def _word(compared: Comparison, by: dict[Verdict, list[Change]]) -> str:
    if by[Verdict.BETTER] and by[Verdict.WORSE]:
        return "Mixed"
    if by[Verdict.BETTER]:
        return "Better"
    if by[Verdict.WORSE]:
        return "Worse"
    if by[Verdict.UNKNOWN] or by[Verdict.NOTHING]:
        return "Unclear"
    if by[Verdict.WITHIN]:
        return "No clear difference"
    return "Other runs" if compared.added or compared.removed else "Nothing to judge"


def _parts(compared: Comparison, by: dict[Verdict, list[Change]]) -> list[str]:
    parts = []
    better, worse = by[Verdict.BETTER], by[Verdict.WORSE]
    if better or worse:
        parts.append(
            f"beyond the noise of the seed, of {_runs(compared.changed)} that changed "
            f"{_count(better)} better{_example(better, 0)} and {_count(worse)} worse"
            f"{_example(worse, -1)}"
        )
    more = "more " if better or worse else ""
    if by[Verdict.WITHIN]:
        parts.append(
            f"{_runs(by[Verdict.WITHIN])} {more}changed within it"
            if more
            else f"{_runs(by[Verdict.WITHIN])} changed within the noise of the seed"
        )
    if by[Verdict.UNKNOWN]:
        unknown = by[Verdict.UNKNOWN]
        gains = [difference(one, "accuracy") or -(difference(one, "loss") or 0) for one in unknown]
        parts.append(
            f"{_runs(unknown)} {more}changed, {sum(gain > 0 for gain in gains)} for the better and "
            f"{sum(gain < 0 for gain in gains)} for the worse, but how much the seed alone changes "
            "is not known"
        )
    if by[Verdict.NOTHING]:
        parts.append(f"{_runs(by[Verdict.NOTHING])} changed but lack the figures to compare")
    if compared.added:
        parts.append(f"{_runs(list(compared.added))} added")
    if compared.removed:
        parts.append(f"{_runs(list(compared.removed))} removed")
    return parts or ["no run's metrics changed"]


def _lead(values: list[tuple[str, str, str]], causes: Iterable[Cause]) -> str:
    kinds = {cause.kind for cause in causes}
    parts = [f"{name} {before} → {after}" for name, before, after in values]
    if len(parts) > MOST_NAMED:
        parts = [f"{len(parts)} changed parameters"]
    parts += [f"changed {kind}" for kind in ("code", "data") if kind in kinds]
    return f"with {' and '.join(parts)}" if parts else ""


def _example(changes: list[Change], place: int) -> str:
    """Name the first or last of the changes whose errors are known on both sides."""
    known = [one for one in changes if difference(one, "errors") is not None]
    if not known:
        return ""
    one = known[place]
    return f" (most: {code(one.run)}, {one.before.errors:g} → {one.after.errors:g} test errors)"


def _count(changes: list[Change]) -> str:
    return f"{len(changes)} {'is' if len(changes) == 1 else 'are'}" if changes else "none is"


def _runs(runs: list) -> str:
    return "1 run" if len(runs) == 1 else f"{len(runs)} runs"
