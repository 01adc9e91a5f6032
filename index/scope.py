"""Which articles a question may use: a window of days, sources, and a moment in the past to stand at."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

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
    """Hold the outlines of every revision and the keys of every row, and decide which rows pass filters.

    `outlines` are ordered by id and revision, `keys` by article, revision and place.
    """

    def __init__(self, outlines: Sequence[Article], keys: Sequence[PassageKey]) -> None:
        self.keys = keys
        self.outlines = {(article.id, article.revision): article for article in outlines}
        places = {key: place for place, key in enumerate(self.outlines)}
        self._revision_of_row = np.array([places[key.article_id, key.revision] for key in keys], dtype=np.int64)
        self._table = _Table.of(outlines)

    @cached_property
    def latest(self) -> list[Article]:
        """Return the outline of the latest revision of every article, newest first, ties by id."""
        outlines = list(self.outlines.values())
        return sorted((outlines[at] for at in self._table.latest), key=lambda a: (-a.sort_key()[0], a.id))

    @cached_property
    def sources(self) -> Counter[str]:
        """Return how many articles each source has."""
        return Counter(article.source for article in self.latest if article.source)

    def scope(self, filters: Filters) -> Scope:
        """Return the rows whose revision is the one to use under the filters."""
        chosen, undated = self._table.chosen(filters)
        passes = np.zeros(len(self.outlines), dtype=np.bool_)
        passes[chosen] = True
        return Scope(rows=passes[self._revision_of_row], articles=len(chosen), undated=undated)


Places = npt.NDArray[np.int64]
Moments = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Hold what filters look at, a revision a place; moments are in seconds, and nan where nobody knows them.

    `begins` and `latest` have a place an article: those of its first and of its last revision; `source` is a number.
    """

    sources: dict[str, int]
    source: Places
    first_moment: Moments
    last_moment: Moments
    appeared: Moments
    begins: Places
    latest: Places

    @classmethod
    def of(cls, outlines: Sequence[Article]) -> "_Table":
        """Return the table of revisions that are ordered by id and revision."""
        names = [(article.source or "").casefold() for article in outlines]
        sources = {name: number for number, name in enumerate(dict.fromkeys(names))}
        ids = [article.id for article in outlines]
        begins = [at for at, name in enumerate(ids) if not at or ids[at - 1] != name]
        return cls(
            sources=sources,
            source=np.array([sources[name] for name in names], dtype=np.int64),
            first_moment=_moments([_seconds(first_moment, a.published) for a in outlines]),
            last_moment=_moments([_seconds(last_moment, a.published) for a in outlines]),
            appeared=_moments([_seconds(first_moment, _appeared(a)) for a in outlines]),
            begins=np.array(begins, dtype=np.int64),
            latest=np.array([*begins[1:], len(ids)] if ids else [], dtype=np.int64) - 1,
        )

    def chosen(self, filters: Filters) -> tuple[Places, int]:
        """Return the places of the revisions to use, one an article at most, and how many articles lack a date."""
        if not len(self.begins):
            return self.begins, 0
        used = self.latest
        if filters.as_of:
            known = np.nan_to_num(self.appeared, nan=np.inf) <= _seconds(last_moment, filters.as_of)
            used = np.maximum.reduceat(np.where(known, np.arange(len(known)), -1), self.begins)
        passes = used >= 0
        at = np.where(passes, used, self.latest)  # of an article that is hidden, its latest says whether it is undated
        wanted = np.ones(len(at), dtype=np.bool_)
        if filters.sources:
            numbers = [self.sources.get(source.casefold(), -1) for source in filters.sources]
            wanted = np.isin(self.source[at], numbers)
        undated = np.zeros(len(at), dtype=np.bool_)
        if filters.dated:
            undated = wanted & np.isnan(self.first_moment[at])
        if filters.since:
            passes &= self.last_moment[at] >= _seconds(first_moment, filters.since)
        if filters.until:
            passes &= self.first_moment[at] <= _seconds(last_moment, filters.until)
        return at[passes & wanted & ~undated], int(undated.sum())


def _seconds(moment: Callable[[str], datetime], given: str | None) -> float:
    return moment(given).timestamp() if given else math.nan


def _moments(seconds: Sequence[float]) -> Moments:
    return np.array(seconds, dtype=np.float64)


def _appeared(article: Article) -> str | None:
    """Return when a revision appeared; nobody knows it of one without a date of publication."""
    is_update = article.published and article.revision > 1 and article.updated
    return article.updated if is_update else article.published
