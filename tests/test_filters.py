"""Filters of a search let through what they name, by day, source and what was known then, and nothing else."""

from typing import Any

import pytest

from index import NewsIndex
from index.scope import Filters
from tests.fakes import KYIV, KYIV_LATER, ROME, add, ids


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["kyiv", "paris"]),
        ({"since": "2025-08-28"}, ["kyiv", "paris"]),
        ({"since": "2025-08-29"}, ["paris"]),
        ({"since": "2025-09-04"}, ["paris"]),
        ({"since": "2025-09-05"}, []),
        ({"until": "2025-09-04"}, ["kyiv", "paris"]),
        ({"until": "2025-09-03"}, ["kyiv"]),
        ({"until": "2025-08-27"}, []),
        ({"since": "2025-09-04T16:30:00+00:00"}, ["paris"]),  # 18:30 in Paris
        ({"since": "2025-09-04T16:31:00+00:00"}, []),
        ({"since": "2025-09-04", "until": "2025-09-04"}, ["paris"]),
        ({"sources": ["kyiv desk"]}, ["kyiv"]),
        ({"sources": [" KYIV DESK ", "Paris Desk"]}, ["kyiv", "paris"]),
        ({"sources": "Paris Desk"}, ["paris"]),
        ({"sources": ["Kyiv"]}, []),
        ({"sources": ["", " "]}, ["kyiv", "paris"]),
        ({"as_of": "2025-08-28"}, ["kyiv"]),
        ({"as_of": "2025-08-27"}, []),
        ({"as_of": "2025-09-04"}, ["kyiv", "paris"]),
        ({"as_of": "2025-09-04T16:29:00+00:00"}, ["kyiv"]),
        ({"as_of": "2025-09-04", "sources": ["Paris Desk"], "until": "2025-09-03"}, []),
    ],
)
def test_filters_let_through_what_they_name(index: NewsIndex, filters: dict[str, Any], found: list[str]) -> None:
    assert sorted(ids(index.search("Kyiv", **filters))) == found


def test_a_day_is_a_day_in_utc(index: NewsIndex) -> None:
    add(index, ROME | {"published": "2025-09-04T01:00:00+02:00"})
    assert ids(index.search("Rome", since="2025-09-03", until="2025-09-03")) == ["rome"]


def test_undated_articles_are_left_out_of_a_window_and_counted(index: NewsIndex) -> None:
    add(index, ROME)
    scope = index.scope(Filters.of(since="2025-01-01"))
    assert (scope.articles, scope.undated, int(scope.rows.sum())) == (2, 1, 2)


@pytest.mark.parametrize("filters", [{"since": "2025-01-01"}, {"until": "2026-01-01"}, {"as_of": "2026-01-01"}])
def test_undated_articles_are_found_outside_of_windows_alone(index: NewsIndex, filters: dict[str, str]) -> None:
    add(index, ROME)
    assert "rome" in ids(index.search("Rome"))
    assert "rome" not in ids(index.find("Rome", k=8, filters=Filters.of(**filters)))


def test_undated_articles_of_other_sources_are_not_counted(index: NewsIndex) -> None:
    add(index, ROME)
    assert index.scope(Filters.of(since="2025-01-01", sources=["Paris Desk"])).undated == 0


@pytest.mark.parametrize(("as_of", "revision"), [("2025-08-28", 1), ("2025-08-29", 1), ("2025-08-30", 2)])
def test_as_of_shows_the_revision_of_that_day(index: NewsIndex, as_of: str, revision: int) -> None:
    add(index, KYIV_LATER)
    assert [hit.passage.revision for hit in index.search("Kyiv", as_of=as_of)] == [revision]


@pytest.mark.parametrize(
    ("sources", "found"), [(["Kyiv Desk"], [("kyiv", 1)]), (["Daily"], []), (["Kyiv Desk", "Daily"], [("kyiv", 1)])]
)
def test_as_of_judges_the_source_of_that_day(
    index: NewsIndex, sources: list[str], found: list[tuple[str, int]]
) -> None:
    add(index, KYIV_LATER | {"source": "Daily"})
    hits = index.search("Kyiv", as_of="2025-08-29", sources=sources)
    assert [(hit.article.id, hit.passage.revision) for hit in hits] == found


def test_as_of_shows_what_had_a_date_then_also_where_it_was_lost_later(index: NewsIndex) -> None:
    add(index, KYIV | {"published": None})
    scope = index.scope(Filters.of(as_of="2025-08-29"))
    assert (scope.articles, scope.undated) == (1, 0)


@pytest.mark.parametrize(("sources", "undated"), [(["Rome Desk"], 0), (["Wire"], 1)])
def test_an_undated_article_that_as_of_hides_is_counted_by_its_latest_source(
    index: NewsIndex, sources: list[str], undated: int
) -> None:
    add(index, ROME | {"source": "Rome Desk"})
    add(index, ROME | {"source": "Wire"})
    assert index.scope(Filters.of(as_of="2026-01-01", sources=sources)).undated == undated


@pytest.mark.parametrize(("as_of", "found"), [("2025-08-31", []), ("2025-09-02", ["rome"])])
def test_a_revision_whose_date_nobody_knew_is_hidden_by_as_of(index: NewsIndex, as_of: str, found: list[str]) -> None:
    add(index, ROME)
    add(index, ROME | {"published": "2025-09-01"})
    assert [article for article in ids(index.search("Rome", as_of=as_of)) if article == "rome"] == found


def test_the_only_article_that_passes_is_found_among_many(index: NewsIndex) -> None:
    add(index, *({"id": f"a{n}", "text": f"Missiles hit Kyiv, report {n}.", "source": "Wire"} for n in range(300)))
    assert ids(index.search("report: missiles hit Kyiv", sources=["Paris Desk"])) == ["paris"]
