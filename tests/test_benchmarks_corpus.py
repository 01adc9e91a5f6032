import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from eval.benchmarks.corpus import RANKINGS, Document, Remembering, _remembering, indexed, ranked_documents, ranked_hits
from eval.benchmarks.data_files import WHICH_FILE
from eval.benchmarks.options import Options
from index.embed import Vectors
from index.errors import InputError
from index.fast_embed import FastEmbedder
from index.news_index import NewsIndex
from index.passage import Chunking
from index.scope import Filters
from index.tokens import count_tokens, token_starts
from tests.fakes import FakeEmbedder, write_articles

DOCUMENTS = [
    Document(id="larks", text="Larks sing over Dover in spring."),
    Document(id="owls", text="Owls hunt mice at night.", title="Birds", source="The Barn", published="2025-03-02"),
    Document(id="owls again", text="Owls hunt mice at night.", source="The Barn"),
    Document(id="empty", text="  "),
]


def options(embedder: FakeEmbedder) -> Options:
    return Options(folder=Path(), embedder=embedder)


def test_documents_of_the_same_words_and_source_are_one_article_and_empty_ones_are_counted() -> None:
    with indexed(DOCUMENTS, options(FakeEmbedder())) as corpus:
        assert corpus.ids == {"larks": ("larks",), "owls": ("owls", "owls again")}
        assert corpus.left_out == 1
        article = corpus.index.article("owls")
        assert (article.title, article.source, article.published) == ("Birds", "The Barn", "2025-03-02")


def test_the_settings_say_how_many_documents_and_passages_there_are_and_how_they_are_cut() -> None:
    with indexed(DOCUMENTS, options(FakeEmbedder())) as corpus:
        assert corpus.settings() == {
            "documents": 3, "articles": 2, "passages": 2, "chunking": "sentences-2/128", "overlap": 0, "model": "fake",
            "documents left out": 1,
        }  # fmt: skip


def test_a_document_whose_id_stands_between_spaces_is_found_under_that_id() -> None:
    with indexed([Document(id=" owls ", text="Owls hunt mice at night.")], options(FakeEmbedder())) as corpus:
        assert ranked_documents(corpus, "What do owls hunt?", 1, dense_weight=None) == [" owls "]


@pytest.mark.parametrize("name", list(RANKINGS))
def test_every_ranking_finds_the_document_under_all_its_ids(name: str) -> None:
    with indexed(DOCUMENTS, options(FakeEmbedder())) as corpus:
        ranked = ranked_documents(corpus, "What do owls hunt?", 2, dense_weight=RANKINGS[name])
    assert ranked[:2] == ["owls", "owls again"]


def test_words_alone_find_nothing_without_a_word_in_common_and_meaning_alone_does() -> None:
    with indexed(DOCUMENTS, options(FakeEmbedder())) as corpus:
        assert ranked_hits(corpus, "Zeppelins", 5, dense_weight=0.0) == []
        assert [hit.rank for hit in ranked_hits(corpus, "Zeppelins", 5, dense_weight=1.0)] == [1, 2]


def test_a_text_is_embedded_once() -> None:
    fake = FakeEmbedder()
    remembering = Remembering(fake.embed_passages)
    first = remembering(["a lark", "an owl", "a lark"])
    again = remembering(["an owl"])
    assert fake.embedded == ["a lark", "an owl"]
    assert np.array_equal(first[1], again[0])
    assert remembering([]).shape == (0, 64)


def test_a_query_is_embedded_once_for_all_rankings() -> None:
    class Counting(FakeEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            self.embedded.extend(texts)
            return super().embed_queries(texts)

    with indexed(DOCUMENTS, options(Counting())) as corpus:
        for weight in RANKINGS.values():
            ranked_hits(corpus, "What do owls hunt?", 2, dense_weight=weight)
        assert cast(Counting, corpus.index.embedder).embedded.count("What do owls hunt?") == 1


def test_a_prepared_model_is_looked_for_in_the_cache_of_the_embedder(tmp_path: Path) -> None:
    embedder = _remembering(FastEmbedder(tmp_path))
    with NewsIndex.open(tmp_path / "index", create=True, embedder=embedder) as index:
        assert index.cache == tmp_path


def test_documents_without_a_word_are_an_error_not_an_index_of_nothing() -> None:
    with pytest.raises(InputError, match=re.escape(f"no document holds words to search; {WHICH_FILE}")):
        indexed([Document(id="empty", text="  ")], options(FakeEmbedder())).__enter__()


def test_the_weight_decides_which_search_ranks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_articles(
        path, {"id": "short", "text": "Owls."}, {"id": "long", "text": "Owls and owls hunt mice while larks sleep."}
    )
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest(path)
        by_words = index.find("owls mice", k=2, filters=Filters(), dense_weight=0)
        by_meaning = index.find("owls mice", k=2, filters=Filters(), dense_weight=1)
    assert [hit.scores["lexical"] for hit in by_words] == sorted((h.scores["lexical"] for h in by_words), reverse=True)
    assert [hit.scores["dense"] for hit in by_meaning] == sorted((h.scores["dense"] for h in by_meaning), reverse=True)
    assert by_words[0].score == by_meaning[0].score == 1.0


def test_the_starts_of_tokens_cut_a_text_into_as_many_pieces_as_it_has_tokens() -> None:
    text = "Naïve readers met 24 owls in Zürich. <|endoftext|>"
    starts = token_starts(text)
    assert len(starts) == count_tokens([text])[0]
    assert (starts[0], starts) == (0, sorted(starts))
    assert all(start < len(text) for start in starts)


def test_documents_of_many_passages_leave_room_for_others() -> None:
    long = " ".join(f"Owls hunt mice in barn {number}." for number in range(40))
    documents = [Document(id="long", text=long), Document(id="short", text="An owl sleeps.")]
    few = Options(folder=Path(), embedder=FakeEmbedder(), chunking=Chunking(max_tokens=16))
    with indexed(documents, few) as corpus:
        assert corpus.settings()["passages"] == 41
        for weight in RANKINGS.values():
            ranked = ranked_documents(corpus, "Where do owls hunt mice?", 2, dense_weight=weight)
            assert ranked == ["long", "short"]


COPIED = [
    Document(id="owls", text="Owls hunt mice at night in the old barn of Dover."),
    Document(id="larks", text="Larks hunt flies over Dover."),
    Document(id="copy", text="At Easter owls hunt mice at night in the old barn of Dover, said Ada Lund."),
]


def test_a_near_copy_is_ranked_directly_behind_what_it_copies() -> None:
    with indexed(COPIED, options(FakeEmbedder())) as corpus:
        hits = ranked_hits(corpus, "What do owls hunt at night in the barn?", 3, dense_weight=None)
    assert [(hit.rank, hit.article.id) for hit in hits] == [(1, "owls"), (2, "copy"), (3, "larks")]
