"""The reader: where its readings come from, what it reads, and that int8 reads as float32 does."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from tokenizers import Tokenizer

from index import Chunking, Hit, NewsIndex
from index.embed import BUNDLED_MODEL, SentenceTransformerEmbedder, bundled_model_folder
from index.reference_encoder import ReferenceEncoder
from index.scope import Filters
from index.sentences import Span, split_sentences
from rag import NewsBot
from rag.candidates import candidates
from rag.extracts import head_of, readings
from rag.question import read_question
from rag.reader import LEAST_EVIDENCE, READINGS, Extract, Readings, TrainedReader, reader_beside
from tests.fakes import KYIV, FakeEmbedder, write_articles
from tests.tiny_network import recipe

QUESTION = "How many minors perished?"
EXTRACT = Extract("Toll\n", "Rain fell. Four children died. It was night.", (Span(0, 10), Span(11, 30), Span(31, 44)))


class Canned:
    """Stand for an encoder: a token for each word, with the logits that the test wants for it."""

    def __init__(self, logits: dict[str, tuple[float, float, float]], none: tuple[float, float, float]) -> None:
        self._logits = logits
        self._none = none

    def tokenize(self, texts: list[tuple[str, str]]) -> list[SimpleNamespace]:
        self.read = texts
        return [self._encoding(passage) for _, passage in texts]

    @staticmethod
    def _encoding(passage: str) -> SimpleNamespace:
        starts = [place for place, letter in enumerate(passage) if place == 0 or passage[place - 1].isspace()]
        words = [(start, start + len(passage[start:].split()[0])) for start in starts]
        offsets = [(0, 0), *words, (0, 0)]
        return SimpleNamespace(
            ids=[0] * len(offsets), offsets=offsets, type_ids=[0, *(1 for _ in words), 1],
            words=[passage[a:b] for a, b in words],
        )  # fmt: skip

    def run(self, encodings: list[SimpleNamespace]) -> tuple[Readings]:
        rows = [[self._none, *(self._logits.get(w, (-5.0, -5.0, -5.0)) for w in e.words), (0, 0, 0)] for e in encodings]
        return (np.array(rows, dtype=np.float32),)


def reader(**logits: tuple[float, float, float]) -> TrainedReader:
    made = TrainedReader(Path("nowhere"))
    made.__dict__["_encoder"] = Canned(logits, none=(1.0, 2.0, 3.0))
    return made


def test_the_evidence_of_a_sentence_is_the_mean_of_its_tokens() -> None:
    (rows,) = reader(Four=(0, 0, 4.0), children=(0, 0, 2.0)).read(QUESTION, [EXTRACT])
    assert rows[1, READINGS.index("evidence")] == pytest.approx((4 + 2 - 5) / 3)
    assert rows[0, READINGS.index("evidence")] == pytest.approx(-5)


def test_a_short_answer_counts_above_that_of_none_and_begins_before_it_ends() -> None:
    (rows,) = reader(Four=(6.0, 0, 0), children=(0, 7.0, 0)).read(QUESTION, [EXTRACT])
    assert rows[1, READINGS.index("span")] == pytest.approx(6 + 7 - (1 + 2))
    (rows,) = reader(Four=(0, 7.0, 0), children=(6.0, 0, 0)).read(QUESTION, [EXTRACT])
    assert rows[1, READINGS.index("span")] < 6 + 7 - (1 + 2)


def test_whether_the_passage_answers_is_the_same_for_all_its_sentences() -> None:
    (rows,) = reader().read(QUESTION, [EXTRACT])
    assert rows[:, READINGS.index("answerable")].tolist() == [3.0, 3.0, 3.0]


def test_words_of_the_head_belong_to_no_sentence() -> None:
    (rows,) = reader(Toll=(9.0, 9.0, 9.0)).read(QUESTION, [EXTRACT])
    assert rows[:, :2].max() < 0


def test_a_sentence_that_was_cut_off_reads_as_low_as_it_goes() -> None:
    beyond = Extract(EXTRACT.head, EXTRACT.text, (Span(0, 10), Span(100, 120)))
    (rows,) = reader().read(QUESTION, [beyond])
    assert rows[1].tolist() == [LEAST_EVIDENCE, -24.0, -8.0]


def test_nothing_is_read_of_nothing() -> None:
    assert TrainedReader(Path("nowhere")).read(QUESTION, []) == []


@pytest.fixture
def index(tmp_path: Path) -> NewsIndex:
    sentences = [
        f"Sentence {number} of the paragraph tells of boat number {number} in the harbour." for number in range(60)
    ]
    text = "\n\n".join(" ".join(sentences[at : at + 10]) for at in range(0, 60, 10))
    opened = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
    opened.ingest(write_articles(tmp_path / "a.jsonl", KYIV, {"id": "long", "title": "Long", "text": text}))
    return opened


class Recording:
    """Keep what it was given to read."""

    def read(self, question: str, extracts: Sequence[Extract]) -> list[Readings]:
        self.extracts = extracts
        numbers = iter(range(1000))
        return [np.array([[next(numbers)] * 3 for _ in e.spans], dtype=np.float32) for e in extracts]


def test_each_candidate_gets_the_reading_of_its_own_sentence(index: NewsIndex) -> None:
    question = read_question("Which paragraph has a sentence?", filters=Filters())
    found = candidates(index.find(question.text, k=8, filters=question.filters))
    recording = Recording()
    rows = readings(question.text, (), found, recording)
    read = [span.of(extract.text) for extract in recording.extracts for span in extract.spans]
    assert sorted(read) == sorted(candidate.text for candidate in found)
    assert [read[int(row[0])] for row in rows] == [candidate.text for candidate in found]


def test_a_passage_is_read_behind_the_sentences_before_it(index: NewsIndex) -> None:
    hits = [hit for hit in index.find("paragraph sentence", k=8, filters=Filters()) if hit.passage.start > 0]
    recording = Recording()
    readings("Which?", (), candidates(hits[:1]), recording)
    (extract,) = recording.extracts
    assert hits[0].passage.text in extract.text
    assert not extract.text.startswith(hits[0].passage.text[:20])
    assert extract.spans[0].start > 0


@pytest.mark.parametrize(("opening", "is_far"), [("That meeting", True), ("It", True), ("One more meeting", False)])
def test_what_would_begin_with_a_pronoun_is_read_behind_the_sentence_that_it_is_about(
    tmp_path: Path, opening: str, *, is_far: bool
) -> None:
    first = "The envoys of Norway and of Chad met in Bergen on the first Friday of the spring of that year."
    second = f"{opening}, in the old town hall above the harbour, was the fourth of its kind since the war began."
    text = f"{first} {second} The boat for the envoys left at noon, three hours before the talks in the hall ended."
    path = write_articles(tmp_path / "b.jsonl", {"id": "talks", "title": "Talks", "text": text})
    chunking = Chunking(max_tokens=32)
    with NewsIndex.open(tmp_path / "talks", create=True, embedder=FakeEmbedder(), chunking=chunking) as opened:
        opened.ingest(path)
        (last,) = (hit for hit in opened.find("boat", k=9, filters=Filters()) if "boat" in hit.passage.text)
        (extract,) = read_of([last])
    assert last.passage.text.startswith("The boat")
    assert second in extract.text
    assert (first in extract.text) == is_far


BOATS = "Boat number {0} lies in the harbour of a town by the sea."


def short_passages(tmp_path: Path, sentence: str = BOATS, *, count: int = 32, max_tokens: int = 32) -> list[Hit]:
    """Return the passages of an article that says a sentence with each number, in the order of its text."""
    text = " ".join(sentence.format(number) for number in range(count))
    path = write_articles(tmp_path / "b.jsonl", {"id": "short", "title": "Boats", "text": text})
    chunking = Chunking(max_tokens=max_tokens)
    with NewsIndex.open(tmp_path / "short", create=True, embedder=FakeEmbedder(), chunking=chunking) as opened:
        opened.ingest(path)
        return sorted(opened.find("boat", k=99, filters=Filters()), key=lambda hit: hit.passage.start)


def read_of(hits: Sequence[Hit]) -> Sequence[Extract]:
    readings("Which?", (), candidates(hits), recording := Recording())
    return recording.extracts


def test_passages_that_follow_upon_each_other_are_read_as_one(tmp_path: Path) -> None:
    first, second, third, fourth, *_ = short_passages(tmp_path)
    (extract,) = read_of([third, second, first])
    assert [span.of(extract.text) for span in extract.spans] == [c.text for c in candidates([first, second, third])]
    assert [len(extract.spans) for extract in read_of([first, fourth, second])] == [4, 2]


def test_the_best_passage_is_read_first(tmp_path: Path) -> None:
    first, second, _, fourth, *_ = short_passages(tmp_path)
    extracts = read_of([fourth, first, second])
    assert [fourth.passage.text in extract.text for extract in extracts] == [True, False]


@pytest.mark.parametrize(
    "sentence",
    [
        BOATS,
        "Oslo{0} 3-1 Lviv, 2-3, 6-3, 6-4, 7-5.",
        "Germany{0}: 13.5, 13.3, 7.8, 9.1, 22.0, 3.3, +4.1, -0.3.",
        "Німеччина пообіцяла Україні {0} мільйонів євро на озброєння.",
        "독일은 우크라이나에 {0} 억 유로를 약속했다.",
    ],
)
def test_no_more_is_read_as_one_than_the_reader_reads(tmp_path: Path, sentence: str) -> None:
    hits = short_passages(tmp_path, sentence)
    extracts = read_of(hits)
    assert sum(len(extract.spans) for extract in extracts) == len(candidates(hits))
    tokenizer = Tokenizer.from_file(str(bundled_model_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    alone = max(len(tokenizer.encode(extract.text).ids) for hit in hits for extract in read_of([hit]))
    assert max(len(tokenizer.encode(extract.text).ids) for extract in extracts) <= max(245, alone)


def test_many_short_passages_are_read_in_few_pieces(tmp_path: Path) -> None:
    hits = short_passages(tmp_path)
    assert 1 < len(read_of(hits)) < len(hits) / 3


def test_passages_of_two_articles_are_read_apart(tmp_path: Path) -> None:
    articles = [{"id": name, "title": name, "text": f"{name} sent a boat."} for name in ("Oslo", "Rome")]
    with NewsIndex.open(tmp_path / "two", create=True, embedder=FakeEmbedder()) as opened:
        opened.ingest(write_articles(tmp_path / "two.jsonl", *articles))
        extracts = read_of(opened.find("boat", k=8, filters=Filters()))
    assert sorted((e.head, e.text) for e in extracts) == [
        ("Oslo\n", "Oslo sent a boat."),
        ("Rome\n", "Rome sent a boat."),
    ]


def test_a_quotation_that_covers_a_passage_joins_those_around_it(tmp_path: Path) -> None:
    said = "He said: “The first boat lies in the harbour of the town. The second lies there too. The third is at sea.”"
    hits = short_passages(tmp_path, said + " Then {0} people left the place.", count=1, max_tokens=16)
    (extract,) = read_of(hits)
    assert [span.of(extract.text) for span in extract.spans] == [said, "Then 0 people left the place."]


def test_a_passage_is_read_under_its_title_and_day(index: NewsIndex) -> None:
    assert head_of(index.article("kyiv")) == "Toll in Kyiv (28 August 2025)\n"
    assert head_of(index.article("long")) == "Long\n"


def test_the_reader_of_a_float32_index_is_the_reference(index: NewsIndex) -> None:
    assert not cast(Any, reader_beside(index))._reference
    index.embedder = SentenceTransformerEmbedder(BUNDLED_MODEL)
    assert cast(Any, reader_beside(index))._reference


def test_the_reference_fills_up_shorter_texts_with_zeros(tmp_path: Path) -> None:
    encoder = ReferenceEncoder(recipe(tmp_path))
    tokens, sums = encoder.run(encoder.tokenize(["it has ended", ("it", "ended")]))
    assert tokens.tolist() == [[1, 4, 5, 6, 2], [1, 4, 2, 16, 12]]
    assert sums.tolist() == [[18], [15]]
    tokens, _ = encoder.run(encoder.tokenize(["it has ended", "it"]))
    assert tokens.tolist()[1] == [1, 4, 2, 0, 0]


@pytest.mark.model
def test_int8_reads_as_float32_does(checkout: Path) -> None:
    lines = (checkout / "seeds" / "articles.jsonl").read_text(encoding="utf-8").splitlines()[:6]
    articles = [json.loads(line) for line in lines]
    extracts = [Extract(a["title"] + "\n", a["text"][:600], tuple(split_sentences(a["text"][:600]))) for a in articles]
    from index.fast_embed import default_cache

    fast = TrainedReader(default_cache()).read("How many people were killed?", extracts)
    exact = TrainedReader(default_cache(), reference=True).read("How many people were killed?", extracts)
    agreement = np.corrcoef(np.vstack(fast).ravel(), np.vstack(exact).ravel())[0, 1]
    assert agreement > 0.97


@pytest.mark.model
@pytest.mark.parametrize(
    ("country", "sum_paid"),
    [("the Netherlands", "EUR 500 million"), ("Canada", "USD 500 million"), ("Germany", "USD 500 million")],
)
def test_what_a_country_paid_is_read(country: str, sum_paid: str, tmp_path: Path, checkout: Path) -> None:
    with NewsIndex.open(tmp_path / "index", create=True) as index:
        index.ingest(checkout / "seeds" / "articles.jsonl")
        answer = NewsBot(index).ask(f"How much did {country} pay into PURL?")
    assert any(sum_paid in citation.quote for citation in answer.citations)


@pytest.mark.model
def test_the_newest_of_the_tolls_is_quoted(tmp_path: Path, checkout: Path) -> None:
    with NewsIndex.open(tmp_path / "index", create=True) as index:
        index.ingest(checkout / "seeds" / "articles.jsonl")
        answer = NewsBot(index).ask("How many people were killed in Kyiv?")
    assert answer.citations[0].quote.startswith("Twenty-three people are now counted as dead")


@pytest.mark.model
@pytest.mark.parametrize("question", ["Who pledged what to Kyiv, and why did they? " * 45, "谁承诺了什么" * 300])
def test_the_longest_question_is_read(question: str, checkout: Path) -> None:
    from index.fast_embed import default_cache

    text = "Oslo paid 5 million."
    (readings,) = TrainedReader(default_cache()).read(question[:2000], [Extract("Fund\n", text, (Span(0, len(text)),))])
    assert readings.shape == (1, 3)
    assert np.isfinite(readings).all()
