"""The index keeps what it acknowledged, finds it, forgets what is deleted, and refuses what does not fit."""

from dataclasses import replace
from pathlib import Path

import pytest

from index import (
    ArticleNotFoundError,
    Chunking,
    DateError,
    Hit,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    InputError,
    NewsIndex,
    QuestionError,
)
from index.dates import normalise_date
from index.generation import current_generation, writer_lock
from index.scope import Filters
from tests.fakes import KYIV, PARIS, FakeEmbedder, write_articles

NOW = normalise_date("2025-09-05T00:00:00+00:00", where="test")


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def index(tmp_path: Path, embedder: FakeEmbedder) -> NewsIndex:
    opened = NewsIndex.open(tmp_path / "index", create=True, embedder=embedder)
    opened.ingest(write_articles(tmp_path / "a.jsonl", KYIV, PARIS))
    return opened


def ids(hits: list[Hit]) -> list[str]:
    return [hit.article.id for hit in hits]


def test_what_was_ingested_is_there_after_reopening(tmp_path: Path, index: NewsIndex) -> None:
    index.close()
    reopened = NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder())
    assert [article.id for article in reopened.articles()] == ["paris", "kyiv"]


def test_a_passage_is_its_article_s_text_at_its_place(index: NewsIndex) -> None:
    hits = index.search("killed in Kyiv")
    assert all(hit.article.text[hit.passage.start : hit.passage.end] == hit.passage.text for hit in hits)


def test_the_best_hit_comes_first_with_the_scores_of_each_stage(index: NewsIndex) -> None:
    first = index.search("people killed in Kyiv", k=1)[0]
    assert (first.article.id, first.rank, sorted(first.scores)) == ("kyiv", 1, ["dense", "fused", "lexical"])


def test_unchanged_articles_are_skipped_without_embedding(
    tmp_path: Path, index: NewsIndex, embedder: FakeEmbedder
) -> None:
    embedder.embedded.clear()
    report = index.ingest(tmp_path / "a.jsonl")
    assert (report.totals["skipped"], embedder.embedded) == (2, [])


def test_adding_an_article_embeds_no_other(tmp_path: Path, index: NewsIndex, embedder: FakeEmbedder) -> None:
    embedder.embedded.clear()
    index.ingest(write_articles(tmp_path / "b.jsonl", {"id": "rome", "text": "Meloni hosted it in Rome."}))
    assert embedder.embedded == ["Meloni hosted it in Rome."]


def test_a_changed_article_becomes_the_next_revision_and_the_earlier_stays_readable(
    tmp_path: Path, index: NewsIndex
) -> None:
    index.ingest(write_articles(tmp_path / "b.jsonl", KYIV | {"text": "At least 23 people died in Kyiv."}))
    assert index.article("kyiv").revision == 2
    assert index.article("kyiv", revision=1).text == KYIV["text"]


def test_a_search_finds_the_latest_revision_alone(tmp_path: Path, index: NewsIndex) -> None:
    index.ingest(write_articles(tmp_path / "b.jsonl", KYIV | {"text": "At least 23 people died in Kyiv."}))
    assert {hit.passage.revision for hit in index.search("Kyiv") if hit.article.id == "kyiv"} == {2}


def test_as_of_shows_the_revision_of_that_day(tmp_path: Path, index: NewsIndex) -> None:
    later = KYIV | {"text": "At least 23 people died in Kyiv.", "updated": "2025-08-30"}
    index.ingest(write_articles(tmp_path / "b.jsonl", later))
    assert [hit.passage.revision for hit in index.search("Kyiv", as_of="2025-08-29")] == [1]


def test_the_same_text_from_the_same_source_is_a_duplicate(tmp_path: Path, index: NewsIndex) -> None:
    report = index.ingest(write_articles(tmp_path / "b.jsonl", KYIV | {"id": "again"}))
    assert [(file.outcome, file.of) for file in report.files] == [("duplicate", "kyiv")]


def test_the_same_text_from_another_source_is_kept(tmp_path: Path, index: NewsIndex) -> None:
    report = index.ingest(write_articles(tmp_path / "b.jsonl", KYIV | {"id": "again", "source": "London Desk"}))
    assert report.totals["ingested"] == 1


def test_what_is_deleted_is_in_no_file_of_the_index(tmp_path: Path, index: NewsIndex) -> None:
    index.ingest(write_articles(tmp_path / "b.jsonl", {"id": "secret", "text": "The xylographer spoke of zymurgy."}))
    index.delete("secret")
    files = [path for path in (tmp_path / "index").rglob("*") if path.is_file()]
    assert not [path.name for path in files if b"zymurg" in path.read_bytes() or b"xylograph" in path.read_bytes()]


def test_what_is_deleted_is_found_no_more(index: NewsIndex) -> None:
    index.delete("kyiv")
    assert ids(index.search("killed in Kyiv")) == ["paris"]


def test_deleting_an_unknown_article_says_where_to_look(index: NewsIndex) -> None:
    with pytest.raises(ArticleNotFoundError, match=r"no article 'gone'; `groundwire list`"):
        index.delete("gone")


def test_an_open_index_sees_what_another_one_wrote(tmp_path: Path, index: NewsIndex) -> None:
    with NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder()) as other:
        other.delete("kyiv")
    assert [article.id for article in index.articles()] == ["paris"]


@pytest.mark.parametrize("damage", ["vectors.faiss", "manifest.json"])
def test_a_damaged_derived_file_changes_no_result(tmp_path: Path, index: NewsIndex, damage: str) -> None:
    expected = [(hit.passage.id, hit.score) for hit in index.search("troops for Ukraine")]
    number = current_generation(tmp_path / "index")
    (tmp_path / "index" / f"gen-{number:06d}" / damage).write_bytes(b"rotten")
    with NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder()) as reopened:
        assert [(hit.passage.id, hit.score) for hit in reopened.search("troops for Ukraine")] == expected


def test_a_damaged_truth_is_refused(tmp_path: Path, index: NewsIndex) -> None:
    index.close()
    (tmp_path / "index" / "articles.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(IndexDamagedError, match="restore it from a backup"):
        NewsIndex.open(tmp_path / "index")


def test_another_model_is_refused_naming_both(tmp_path: Path, index: NewsIndex) -> None:
    with pytest.raises(IndexMismatchError, match=r"model_id 'fake', not with 'other'.*NEW_FOLDER"):
        NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder(model_id="other"))


def test_other_weights_are_refused(tmp_path: Path, index: NewsIndex) -> None:
    with pytest.raises(IndexMismatchError, match="fingerprint"):
        NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder(fingerprint="0" * 64))


def test_another_dimension_is_refused_before_searching(tmp_path: Path, index: NewsIndex) -> None:
    other = NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder(dimension=32))
    with pytest.raises(IndexMismatchError, match="dimension 64, not with 32"):
        other.search("Kyiv")


def test_another_chunker_is_refused(tmp_path: Path, index: NewsIndex) -> None:
    with pytest.raises(IndexMismatchError, match="chunking 'sentences-1/128', not with 'sentences-1/64'"):
        NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder(), chunking=Chunking(max_tokens=64))


def test_a_missing_index_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="groundwire ingest"):
        NewsIndex.open(tmp_path / "nowhere")


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(IndexMissingError, match="holds other files"):
        NewsIndex.open(tmp_path, create=True)


def test_a_second_writer_is_told_who_holds_the_lock(tmp_path: Path, index: NewsIndex) -> None:
    from datetime import UTC, datetime

    with writer_lock(tmp_path / "index", at=datetime(2025, 9, 5, tzinfo=UTC)), pytest.raises(IndexLockedError):
        index.delete("kyiv")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"since": "2025-09-04"}, ["paris"]),
        ({"until": "2025-08-28"}, ["kyiv"]),
        ({"since": "2025-09-05"}, []),
        ({"sources": ["kyiv desk"]}, ["kyiv"]),
        ({"as_of": "2025-09-01"}, ["kyiv"]),
    ],
)
def test_filters_are_inclusive_days_and_sources(index: NewsIndex, filters: dict[str, str], found: list[str]) -> None:
    assert ids(index.find("Ukraine", k=8, filters=Filters.of(**filters))) == found


def test_undated_articles_are_left_out_of_a_window_and_counted(tmp_path: Path, index: NewsIndex) -> None:
    index.ingest(write_articles(tmp_path / "b.jsonl", {"id": "rome", "text": "Meloni hosted it in Rome."}))
    scope = index.scope(Filters.of(since="2025-01-01"))
    assert (scope.articles, scope.undated) == (2, 1)


@pytest.mark.parametrize("query", ["", " \n", "x" * 2001, "x" * 20_000])
def test_an_empty_or_too_long_query_is_refused(index: NewsIndex, query: str) -> None:
    with pytest.raises(QuestionError):
        index.search(query)


def test_a_date_that_is_none_names_its_place(index: NewsIndex) -> None:
    with pytest.raises(DateError, match="`since` '1st May' is not a date; write 2024-05-01"):
        index.search("Kyiv", since="1st May")


def test_a_window_that_ends_before_it_begins_is_refused(index: NewsIndex) -> None:
    with pytest.raises(InputError, match="is after"):
        index.search("Kyiv", since="2025-09-02", until="2025-09-01")


def test_the_order_of_ingest_changes_no_hit(tmp_path: Path, index: NewsIndex) -> None:
    other = NewsIndex.open(tmp_path / "other", create=True, embedder=FakeEmbedder())
    other.ingest(write_articles(tmp_path / "b.jsonl", PARIS, KYIV))
    assert [replace_rank(hit) for hit in other.search("Ukraine")] == [
        replace_rank(hit) for hit in index.search("Ukraine")
    ]


def replace_rank(hit: Hit) -> tuple[str, float]:
    return hit.passage.id, hit.score


def test_bad_files_are_reported_and_the_good_ones_beside_them_ingested(tmp_path: Path, index: NewsIndex) -> None:
    folder = tmp_path / "messy"
    folder.mkdir()
    (folder / "empty.txt").touch()
    (folder / "broken.json").write_text("{", encoding="utf-8")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "good.txt").write_text("Rutte praised the three.", encoding="utf-8")
    write_articles(folder / "mixed.jsonl", {"title": "no text"}, {"id": "ok", "text": "It held."}, {"text": 5})
    (folder / "loop").symlink_to(folder)
    report = index.ingest([folder, tmp_path / "gone"])
    assert report.totals == {"ingested": 2, "duplicate": 0, "skipped": 2, "failed": 5}
    assert all(file.reason for file in report.files if file.outcome != "ingested")


def test_a_chunking_is_read_back_from_its_name() -> None:
    assert Chunking.parse(str(replace(Chunking(), max_tokens=99))) == Chunking(max_tokens=99)
