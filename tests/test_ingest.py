"""An ingest takes articles in whole, embeds only what is new, and lets the user's fields win."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from index import Article, InputError, NewsIndex
from index.embed import Vectors
from index.store import Store
from tests.fakes import KYIV, KYIV_LATER, ROME, FakeEmbedder, add, write_articles


def test_an_article_comes_back_whole(index: NewsIndex) -> None:
    assert index.article("kyiv") == Article(
        id="kyiv",
        text="At least 19 people were killed in Kyiv on Thursday. Four of the victims were children.",
        title="Toll in Kyiv",
        source="Kyiv Desk",
        published="2025-08-28",
        raw_sha256=index.article("kyiv").raw_sha256,
        metadata={"file": "a.jsonl"},
    )


def test_what_is_embedded_is_the_passage_under_its_header(index: NewsIndex, embedder: FakeEmbedder) -> None:
    assert embedder.embedded[0] == f"Toll in Kyiv | Kyiv Desk | 2025-08-28\n{KYIV['text']}"


def test_unchanged_articles_are_skipped_without_embedding(
    tmp_path: Path, index: NewsIndex, embedder: FakeEmbedder
) -> None:
    embedder.embedded.clear()
    report = index.ingest(tmp_path / "a.jsonl")
    assert (report.totals["skipped"], embedder.embedded) == (2, [])


def test_a_moved_file_is_the_same_article(tmp_path: Path, index: NewsIndex) -> None:
    (tmp_path / "one.txt").write_text("It held.", encoding="utf-8")
    index.ingest(tmp_path / "one.txt")
    (tmp_path / "one.txt").rename(tmp_path / "two.txt")
    assert index.ingest(tmp_path / "two.txt").files[0].reason == "unchanged"


def test_adding_an_article_embeds_no_other(index: NewsIndex, embedder: FakeEmbedder) -> None:
    embedder.embedded.clear()
    add(index, ROME)
    assert embedder.embedded == ["Meloni hosted it in Rome."]


def test_a_changed_article_embeds_no_other(index: NewsIndex, embedder: FakeEmbedder) -> None:
    embedder.embedded.clear()
    add(index, KYIV_LATER)
    assert len(embedder.embedded) == 1


def test_fields_given_by_the_user_win(tmp_path: Path, index: NewsIndex) -> None:
    path = write_articles(tmp_path / "b.jsonl", ROME)
    index.ingest(path, meta={"source": "Rome Desk", "published": "2025-09-01"})
    assert (index.article("rome").source, index.article("rome").published) == ("Rome Desk", "2025-09-01")


def test_fields_given_by_the_user_that_fit_no_article_are_refused(tmp_path: Path, index: NewsIndex) -> None:
    path = write_articles(tmp_path / "b.jsonl", ROME)
    with pytest.raises(InputError, match="meta: `published` '1st May' is not a date"):
        index.ingest(path, meta={"published": "1st May"})


def test_progress_counts_articles_read_and_passages_committed(tmp_path: Path, index: NewsIndex) -> None:
    told: list[tuple[str, int]] = []
    index.ingest(
        write_articles(tmp_path / "b.jsonl", ROME, ROME | {"text": "It was Naples."}),
        progress=lambda what, more: told.append((what, more)),
    )
    assert told == [("articles", 1), ("articles", 1), ("passages", 2)]


def test_a_batch_is_embedded_while_the_next_one_is_read(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_on = Event()

    class Waits(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            assert read_on.wait(timeout=20)
            return super().embed_passages(texts)

    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 1)
    articles = [{"id": f"a{number}", "text": f"Missile {number} fell."} for number in range(3)]
    read = count(1)
    with NewsIndex.open(folder, create=True, embedder=Waits()) as index:
        report = index.ingest(
            write_articles(tmp_path / "a.jsonl", *articles),
            progress=lambda what, more: read_on.set() if what == "articles" and next(read) == 2 else None,
        )
        assert (report.passages, len(index.articles()), report.commit_seq) == (3, 3, 3)


def test_the_first_batch_is_small_so_that_embedding_begins_at_once(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    class Sized(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            sizes.append(len(texts))
            return super().embed_passages(texts)

    monkeypatch.setattr("index.ingest._FIRST_PASSAGES", 2)
    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 5)
    articles = [{"id": f"a{number}", "text": f"Missile {number} fell."} for number in range(9)]
    with NewsIndex.open(folder, create=True, embedder=Sized()) as index:
        index.ingest(write_articles(tmp_path / "a.jsonl", *articles))
    assert sizes == [2, 5, 2]


def test_articles_of_one_text_are_told_across_batches(
    tmp_path: Path, index: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 1)
    articles = [{"id": f"a{number}", "text": "It rained in Bern."} for number in range(4)]
    report = index.ingest(write_articles(tmp_path / "b.jsonl", *articles))
    assert [(file.outcome, file.of) for file in report.files] == [("ingested", None), ("duplicate", "a0")]
    assert report.totals["duplicate"] == 3


def test_the_first_ingest_looks_nothing_up_and_the_next_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []

    def outline(store: Store, article_id: str) -> Article | None:
        looked_up.append(article_id)
        return latest_outline(store, article_id)

    latest_outline = Store.latest_outline
    monkeypatch.setattr(Store, "latest_outline", outline)
    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 1)  # so that the store holds what comes again
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        totals = add(index, KYIV, ROME, KYIV, {**KYIV, "id": "again"}).totals
        assert (totals["ingested"], totals["duplicate"], looked_up) == (2, 2, [])
        assert add(index, KYIV).totals["skipped"] == 1
        assert looked_up == [KYIV["id"]]


def test_a_mark_that_ends_texts_for_models_is_text_like_any_other(index: NewsIndex) -> None:
    add(index, {"id": "odd", "text": "The file said <|endoftext|> and went on."})
    assert "<|endoftext|> and went on" in index.search("file went on", k=1)[0].passage.text


def test_an_id_given_for_every_article_names_one_alone(tmp_path: Path, index: NewsIndex) -> None:
    path = write_articles(tmp_path / "two.jsonl", {"text": "It rained in Oslo."}, {"text": "It snowed in Bergen."})
    report = index.ingest(path, meta={"id": "weather"})
    assert (report.totals["ingested"], report.totals["failed"]) == (1, 1)
    assert index.article("weather").text == "It rained in Oslo."
