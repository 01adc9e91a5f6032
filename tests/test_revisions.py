"""A changed article becomes the next revision, an older one changes nothing, and the same text is held once."""

from pathlib import Path

import pytest

from index import ArticleNotFoundError, FileReport, NewsIndex
from tests.fakes import KYIV, KYIV_LATER, ROME, add


def test_a_changed_article_becomes_the_next_revision_and_the_earlier_stays_readable(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    assert index.article("kyiv").revision == 2
    assert index.article("kyiv", revision=1).text == KYIV["text"]


def test_two_revisions_in_one_file_are_both_kept(index: NewsIndex) -> None:
    report = add(index, ROME, ROME | {"text": "It was Naples."})
    assert (report.totals["ingested"], index.article("rome").revision) == (2, 2)


def test_an_earlier_revision_that_comes_again_changes_nothing(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    report = add(index, KYIV)
    assert [(file.outcome, file.reason) for file in report.files] == [("skipped", "held already as revision 1")]


def test_a_version_older_than_the_correction_is_skipped(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    report = add(index, KYIV | {"text": "Some people were killed in Kyiv."})
    reason = "older than revision 2, which was updated on 2025-08-30"
    assert [(file.outcome, file.reason) for file in report.files] == [("skipped", reason)]


def test_which_version_is_older_is_decided_by_the_moment_and_not_by_the_digits(index: NewsIndex) -> None:
    add(index, KYIV_LATER | {"updated": "2025-08-30T01:00:00+05:00"})  # 20:00 of the 29th in UTC
    report = add(index, KYIV | {"text": "At least 24 people died.", "updated": "2025-08-29T23:00:00+00:00"})
    assert report.totals["ingested"] == 1


def test_a_correction_that_gives_the_day_alone_may_be_later_that_day(index: NewsIndex) -> None:
    add(index, KYIV_LATER | {"updated": "2025-08-30T09:00:00+00:00"})
    report = add(index, KYIV | {"text": "At least 24 people died.", "updated": "2025-08-30"})
    assert report.totals["ingested"] == 1


def test_the_same_text_from_the_same_source_is_a_duplicate_of_the_one_held(index: NewsIndex) -> None:
    report = add(index, KYIV | {"id": "again"})
    assert report.files == (
        FileReport(
            path=report.files[0].path,
            outcome="duplicate",
            articles=("again",),
            of="kyiv",
            reason="the same text from the same source",
        ),
    )


def test_the_same_text_from_another_source_is_kept(index: NewsIndex) -> None:
    report = add(index, KYIV | {"id": "again", "source": "London Desk"})
    assert report.totals["ingested"] == 1


def test_the_same_text_twice_in_one_run_is_a_duplicate(index: NewsIndex) -> None:
    report = add(index, ROME, ROME | {"id": "again"})
    assert [(file.outcome, file.articles, file.of) for file in report.files] == [
        ("ingested", ("rome",), None),
        ("duplicate", ("again",), "rome"),
    ]


AGAIN = KYIV | {"id": "again"}


@pytest.mark.parametrize(
    ("articles", "ingested"),
    [
        ([KYIV_LATER, AGAIN], ["kyiv", "again"]),
        ([KYIV_LATER, AGAIN, KYIV_LATER | {"id": "third"}], ["kyiv", "again"]),
        ([ROME, ROME | {"text": "It was Naples."}, ROME | {"id": "again"}], ["rome", "rome", "again"]),
        ([KYIV_LATER | {"text": KYIV["text"], "source": "Daily"}, AGAIN], ["kyiv", "again"]),
    ],
)
def test_a_text_that_its_article_says_no_more_is_no_duplicate_of_it(
    index: NewsIndex, articles: list[dict[str, object]], ingested: list[str]
) -> None:
    report = add(index, *articles)
    assert [name for file in report.files if file.outcome == "ingested" for name in file.articles] == ingested


def test_a_text_that_was_corrected_in_an_article_held_is_found_in_another_that_prints_it(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    add(index, AGAIN)
    assert index.search("At least 19 people were killed in Kyiv", k=1)[0].article.id == "again"


def test_two_files_with_the_same_words_are_one_article_and_a_duplicate(tmp_path: Path, index: NewsIndex) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("It held.", encoding="utf-8")
    report = index.ingest([tmp_path / "one.txt", tmp_path / "two.txt"])
    [article_id] = report.files[0].articles
    assert [(file.outcome, file.of) for file in report.files] == [("ingested", None), ("duplicate", article_id)]


def test_a_search_finds_the_latest_revision_alone(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    assert {hit.passage.revision for hit in index.search("Kyiv") if hit.article.id == "kyiv"} == {2}


def test_an_unknown_revision_is_named(index: NewsIndex) -> None:
    with pytest.raises(ArticleNotFoundError, match="no article 'kyiv', revision 2"):
        index.article("kyiv", revision=2)
