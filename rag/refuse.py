"""Refusals: a value that says why there is no answer, what was searched, and what came nearest."""

from index.scope import Filters, Scope
from rag.answer import Refusal, Searched
from rag.cite import Draft
from rag.question import Question
from rag.retrieve import Evidence

__all__ = ["refusal"]

_NEAREST = 3  # hits; by hand


def refusal(question: Question, draft: Draft, evidence: Evidence, scope: Scope, *, empty: bool) -> Refusal:
    """Return the refusal of a question whose draft has no sentence; `empty` tells that the index holds no article."""
    filters = question.filters
    searched = Searched(articles=scope.articles, since=filters.since, until=filters.until, sources=filters.sources)
    if empty:
        reason, text = "empty_index", "There are no articles yet. Add some with `groundwire ingest PATH`."
    elif not scope.articles:
        reason, text = "nothing_in_window", f"No article passes the filters ({_window(filters)}). Widen or clear them."
    else:
        reason, text = "not_in_articles", _not_found(draft, scope.articles, _window(filters))
    return Refusal(reason=reason, text=text, searched=searched, nearest=evidence.hits[:_NEAREST])


def _not_found(draft: Draft, count: int, window: str) -> str:
    articles = "The article does" if count == 1 else f"The {count} articles do"
    text = f"{articles} not answer this" + (f" ({window})." if window else ".")
    if draft.missing:
        text += f" {_listed(draft.missing)} {'is' if len(draft.missing) == 1 else 'are'} not in what was found."
    return text


def _window(filters: Filters) -> str:
    days = (("from", filters.since), ("until", filters.until), ("as of", filters.as_of))
    parts = [f"{word} {day}" for word, day in days if day]
    return " ".join([*parts, f"by {_listed(filters.sources)}"] if filters.sources else parts)


def _listed(items: tuple[str, ...]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
