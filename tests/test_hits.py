"""A search gives the best passages first, at their exact places, and refuses a question that it cannot search."""

from pathlib import Path

import pytest

from index import DateError, Hit, InputError, NewsIndex, Passage, QuestionError
from tests.fakes import KYIV, PARIS, ROME, FakeEmbedder, add, places


def test_a_hit_holds_passage_article_rank_and_scores(index: NewsIndex) -> None:
    [hit] = index.search("people killed in Kyiv", k=1)
    text = str(KYIV["text"])
    assert hit == Hit(
        passage=Passage(article_id="kyiv", revision=1, start=0, end=len(text), text=text),
        article=index.article("kyiv"),
        rank=1,
        score=hit.scores["fused"],
        scores=hit.scores,
    )


def test_a_hit_has_the_scores_of_each_stage(index: NewsIndex) -> None:
    [hit] = index.search("people killed in Kyiv", k=1)
    assert hit.scores == {"dense": pytest.approx(0.5, abs=0.5), "lexical": hit.scores["lexical"], "fused": 1.0}
    assert hit.scores["lexical"] > 0


def test_a_hit_that_has_none_of_the_words_scores_nothing_by_words(index: NewsIndex) -> None:
    assert [hit.scores["lexical"] for hit in index.search("killed") if hit.article.id == "paris"] == [0.0]


def test_hits_are_ranked_from_one_with_the_best_first(index: NewsIndex) -> None:
    add(index, ROME)
    hits = index.search("people killed in Kyiv")
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_passage_is_its_article_s_text_at_its_place(index: NewsIndex) -> None:
    add(index, {"id": "long", "text": "Leaders 😀 met in Kyiv, again. " * 200})
    hits = index.search("leaders in Kyiv", k=50)
    assert [hit.article.text[hit.passage.start : hit.passage.end] for hit in hits] == [h.passage.text for h in hits]


def test_every_passage_has_the_vector_of_its_own_words(index: NewsIndex) -> None:
    sentences = [f"Report {n} is about {word}. " * 12 for n, word in enumerate(("zebras", "otters", "badgers"))]
    add(index, {"id": "long", "text": "".join(sentences)})
    hits = index.search("a report about zebras", k=50)
    assert "zebras" in max(hits, key=lambda hit: hit.scores["dense"]).passage.text


def test_a_hit_has_its_documented_json_form(index: NewsIndex) -> None:
    [hit] = index.search("people killed in Kyiv", k=1)
    assert hit.to_json() == {
        "rank": 1,
        "article_id": "kyiv",
        "revision": 1,
        "passage_id": "kyiv@1:0-86",
        "title": "Toll in Kyiv",
        "source": "Kyiv Desk",
        "published": "2025-08-28",
        "text": KYIV["text"],
        "start": 0,
        "end": 86,
        "score": pytest.approx(hit.score, abs=1e-6),
        "scores": {name: pytest.approx(score, abs=1e-6) for name, score in hit.scores.items()},
    }


@pytest.mark.parametrize(("k", "found"), [(1, 1), (2, 2), (1000, 2)])
def test_no_more_than_k_passages_are_found(index: NewsIndex, k: int, found: int) -> None:
    assert len(index.search("Kyiv", k=k)) == found


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_a_k_out_of_range_is_refused(index: NewsIndex, k: int) -> None:
    with pytest.raises(InputError, match=rf"`k` is {k}; choose a number from 1 to 1000"):
        index.search("Kyiv", k=k)


@pytest.mark.parametrize("query", ["", " \n\t", "\u00a0"])
def test_an_empty_query_is_refused(index: NewsIndex, query: str) -> None:
    with pytest.raises(QuestionError, match=r"^the question is empty; write what you want to know$"):
        index.search(query)


@pytest.mark.parametrize(("length", "shown"), [(2001, "2,001"), (20_000, "20,000")])
def test_a_query_over_the_limit_is_refused(index: NewsIndex, length: int, shown: str) -> None:
    with pytest.raises(QuestionError, match=rf"^the question has {shown} characters, the limit is 2,000; shorten it$"):
        index.search("x" * length)


def test_a_query_at_the_limit_is_searched(index: NewsIndex) -> None:
    assert len(index.search(f" {'Kyiv ' * 399}Kyiv. ")) == 2


@pytest.mark.parametrize("query", ["Kyiv'); DROP TABLE revisions; --", 'text:* AND "', "?!", "\0", "😀", "キーウ"])
def test_a_query_is_never_read_as_code(index: NewsIndex, query: str) -> None:
    assert len(index.search(query)) == 2


@pytest.mark.parametrize("name", ["since", "until", "as_of"])
def test_a_date_that_is_none_names_its_place_and_the_cure(index: NewsIndex, name: str) -> None:
    message = rf"^`{name}` '1st May' is not a date; write 2024-05-01 or 2024-05-01T09:30:00\+02:00$"
    with pytest.raises(DateError, match=message):
        index.search("Kyiv", **{name: "1st May"})  # type: ignore[arg-type] # only the name of a date varies


def test_a_window_that_ends_before_it_begins_is_refused(index: NewsIndex) -> None:
    with pytest.raises(InputError, match="`since` '2025-09-02' is after `until` '2025-09-01'; exchange them"):
        index.search("Kyiv", since="2025-09-02", until="2025-09-01")


def test_an_empty_index_finds_nothing(empty: NewsIndex) -> None:
    assert empty.search("Kyiv") == []


def test_an_empty_index_refuses_a_bad_query_too(empty: NewsIndex) -> None:
    with pytest.raises(QuestionError):
        empty.search("")


def test_the_order_of_ingest_changes_no_hit(tmp_path: Path, index: NewsIndex) -> None:
    add(index, ROME)
    with NewsIndex.open(tmp_path / "other", create=True, embedder=FakeEmbedder()) as turned:
        add(turned, ROME, PARIS)
        add(turned, KYIV)
        assert places(turned.search("Ukraine")) == places(index.search("Ukraine"))
