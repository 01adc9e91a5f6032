"""What an answer cites and what was found for it, looked up in the articles.

A citation needs the words it cites (`quote`) and the article (`article_id`, `url` or `title`: the first that fits an
article counts); where `start` and `end` are missing, the words are looked up in the article. A hit is read in the same
way, with its words in `text`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.cases import Articles, EvidenceSpan, places_of
from index.article import Article

__all__ = ["GivenCitation", "read_citation", "read_hit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCitation:
    """Hold what an answer cites: every place where its words stand, none when they stand nowhere."""

    number: int
    label: str
    quote: str
    spans: tuple[EvidenceSpan, ...]
    stored: str

    @property
    def faithful(self) -> bool:
        """Tell whether the article has the words, character for character, at the place named."""
        return bool(self.quote) and self.quote == self.stored


def read_citation(given: Mapping[str, Any] | str, number: int, articles: Articles) -> GivenCitation:
    """Return a citation, which may be the id, the address or the title of an article alone."""
    data: Mapping[str, Any] = {"article_id": given, "url": given, "title": given} if isinstance(given, str) else given
    quote = data.get("quote") or ""
    named = _named(data, articles)
    spans, stored = _places(data, quote, named)
    title = None if isinstance(given, str) and named else data.get("title")
    label = title or (named[0].label if named else data.get("article_id") or data.get("url"))
    return GivenCitation(
        number=number if data.get("number") is None else int(data["number"]), label=str(label or "?"), quote=quote,
        spans=spans, stored=stored,
    )  # fmt: skip


def read_hit(data: Mapping[str, Any], articles: Articles) -> tuple[EvidenceSpan, ...]:
    """Return the places of a hit: the one that it names, else every one that has its words."""
    placed = data.get("start") is not None and data.get("end") is not None
    return _places(data, "" if placed else data["text"], _named(data, articles))[0]


def _places(data: Mapping[str, Any], quote: str, named: Sequence[Article]) -> tuple[tuple[EvidenceSpan, ...], str]:
    """Return where a quote stands, at the place that is named or else anywhere, and the words that stand there.

    An altered quote is no evidence, wherever it points: it has no place, and the words are those of the place named.
    """
    start, end = data.get("start"), data.get("end")
    if start is None or end is None:
        spans = tuple(span for article in named for span in places_of(quote, article))
        return spans, quote if spans else ""
    held = [article for article in named if _has(article, start, end)]
    quoted = [article for article in held if quote in ("", article.text[start:end])]
    stored = next((article.text[start:end] for article in quoted or held), "")
    return tuple(EvidenceSpan(article.id, article.revision, start, end) for article in quoted), stored


def _has(article: Article, start: int, end: int) -> bool:
    """Tell whether an article has a place: what is no place of it marks nothing, and takes no memory."""
    return 0 <= start < end <= len(article.text)


def _named(data: Mapping[str, Any], articles: Articles) -> list[Article]:
    """Return the revisions that are named: by their id, else their url, else their title, the first that fits any."""
    for field, value in (("id", data.get("article_id")), ("url", data.get("url")), ("title", data.get("title"))):
        if found := [article for article in articles.values() if value and getattr(article, field) == str(value)]:
            return [article for article in found if data.get("revision") in (None, article.revision)]
    return []
