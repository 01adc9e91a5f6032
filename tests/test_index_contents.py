"""An index tells what it holds: its articles, sources, frequencies and counts, and noughts where it is empty."""

from pathlib import Path

from index import NewsIndex
from index.scope import Filters
from tests.fakes import KYIV, KYIV_LATER, ROME, add


def test_articles_come_newest_first_without_their_texts(index: NewsIndex) -> None:
    add(index, ROME)
    assert [(article.id, article.text) for article in index.articles()] == [("paris", ""), ("kyiv", ""), ("rome", "")]


def test_sources_come_most_frequent_first(index: NewsIndex) -> None:
    add(index, KYIV | {"id": "k2", "text": "More."})
    assert index.sources() == ["Kyiv Desk", "Paris Desk"]


def test_frequencies_count_passages(index: NewsIndex) -> None:
    assert index.document_frequency(["pledge", "killed", "zebra"]) == ([1, 1, 0], 2)


def test_stats_count_what_is_held(folder: Path, index: NewsIndex) -> None:
    add(index, ROME, KYIV_LATER)
    assert index.stats() == {
        "folder": str(folder),
        "articles": 3,
        "revisions": 4,
        "passages": 4,
        "sources": {"Kyiv Desk": 1, "Paris Desk": 1},
        "published": {"first": "2025-08-28", "last": "2025-09-04T18:30:00+02:00", "unknown": 1},
        "model": "fake",
        "fingerprint": "f" * 64,
        "dimension": 64,
        "chunking": "sentences-2/128",
        "generation": 2,
        "commit_seq": 2,
    }


def test_stats_of_an_empty_index_are_noughts(folder: Path, empty: NewsIndex) -> None:
    assert empty.stats() == {
        "folder": str(folder),
        "articles": 0,
        "revisions": 0,
        "passages": 0,
        "sources": {},
        "published": {"first": None, "last": None, "unknown": 0},
        "model": "fake",
        "fingerprint": None,
        "dimension": None,
        "chunking": "sentences-2/128",
        "generation": 0,
        "commit_seq": 0,
    }


def test_an_empty_index_answers_every_other_question_too(empty: NewsIndex) -> None:
    scope = empty.scope(Filters())
    assert (empty.articles(), empty.sources(), empty.document_frequency(["a"])) == ([], [], ([0], 0))
    assert (scope.articles, scope.undated, len(scope.rows)) == (0, 0, 0)
