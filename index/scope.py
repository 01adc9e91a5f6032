"""Which articles a question may use: a window of days, sources, and a moment in the past to stand at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.article import Article
from index.dates import first_moment, last_moment, normalise_date
from index.errors import InputError
from index.store import PassageKey
from index.vectors import Mask

__all__ = ["Catalog", "Filters", "Scope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Hold checked filters: `since` and `until` are inclusive in UTC on `published`; `as_of` hides what came later."""

    since: str | None = None
    until: str | None = None
    sources: tuple[str, ...] = ()
    as_of: str | None = None

    @classmethod
    def of(
        cls,
        *,
        since: object = None,
        until: object = None,
        sources: Sequence[str] = (),
        as_of: object = None,
    ) -> "Filters":
        """Check the filters of a caller; raise `DateError`, or `InputError` for a window that ends before it begins."""
        dates = {
            name: None if value in (None, "") else normalise_date(value, where=f"`{name}`")
            for name, value in (("since", since), ("until", until), ("as_of", as_of))
        }
        since, until = dates["since"], dates["until"]
        if since and until and first_moment(since) > last_moment(until):
            raise InputError(f"`since` {since!r} is after `until` {until!r}; exchange them")
        if isinstance(sources, str):
            sources = (sources,)
        return cls(
            since=since, until=until, sources=tuple(s.strip() for s in sources if s.strip()), as_of=dates["as_of"]
        )

    @property
    def dated(self) -> bool:
        """Tell whether an article needs a date to pass."""
        return bool(self.since or self.until or self.as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Say which rows of the index pass the filters, and what that leaves.

    `undated` counts the articles that were left out of a window because nobody knows when they appeared.
    """

    rows: Mask
    articles: int
    undated: int


class Catalog:
    """Hold the outlines of every revision and the keys of every row, and decide which rows pass filters."""

    def __init__(self, outlines: Sequence[Article], keys: Sequence[PassageKey]) -> None:
        self.keys = keys
        self.outlines = {(article.id, article.revision): article for article in outlines}
        self._revisions: dict[str, list[Article]] = {}
        for article in outlines:
            self._revisions.setdefault(article.id, []).append(article)
        places = {key: place for place, key in enumerate(self.outlines)}
        self._revision_of_row = np.array([places[key.article_id, key.revision] for key in keys], dtype=np.int64)

    def latest(self) -> list[Article]:
        """Return the outline of the latest revision of every article, newest first, ties by id."""
        return sorted((r[-1] for r in self._revisions.values()), key=lambda a: (-a.sort_key()[0], a.id))

    def sources(self) -> Counter[str]:
        """Return how many articles each source has."""
        return Counter(article.source for article in self.latest() if article.source)

    def scope(self, filters: Filters) -> Scope:
        """Return the rows whose revision is the one to use under the filters."""
        wanted = {source.casefold() for source in filters.sources}
        chosen: set[tuple[str, int]] = set()
        undated = 0
        for revisions in self._revisions.values():
            if wanted and (revisions[-1].source or "").casefold() not in wanted:
                continue
            if filters.dated and not revisions[-1].published:
                undated += 1
                continue
            article = _revision_as_of(revisions, filters.as_of)
            if article and _in_window(article, filters):
                chosen.add((article.id, article.revision))
        passes = np.array([key in chosen for key in self.outlines], dtype=np.bool_)
        rows = passes[self._revision_of_row] if len(self.keys) else np.zeros(0, dtype=np.bool_)
        return Scope(rows=rows, articles=len(chosen), undated=undated)


def _revision_as_of(revisions: Sequence[Article], as_of: str | None) -> Article | None:
    if as_of is None:
        return revisions[-1]
    limit = last_moment(as_of)
    known = [a for a in revisions if a.published and first_moment(_appeared(a, a.published)) <= limit]
    return known[-1] if known else None


def _appeared(article: Article, published: str) -> str:
    return article.updated if article.revision > 1 and article.updated else published


def _in_window(article: Article, filters: Filters) -> bool:
    published = article.published or ""
    if filters.since and last_moment(published) < first_moment(filters.since):
        return False
    return not (filters.until and first_moment(published) > last_moment(filters.until))
