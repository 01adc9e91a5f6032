"""The features of a candidate sentence: how rare the question's words are."""

from pathlib import Path

import pytest

from index import NewsIndex
from rag.features import rarities
from rag.terms import read_terms
from tests.fakes import FakeEmbedder, write_articles


@pytest.mark.parametrize(
    "word", ["promises", "increase", "released", "bombed", "long-promised", "cease\u2011fires", "Promisov"]
)
def test_a_word_is_as_rare_as_the_passages_that_hold_it_are_few(word: str, tmp_path: Path) -> None:
    texts = [f"They saw {word} on day {number}." for number in range(3)] + ["It rained.", "It froze."]
    articles = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest(write_articles(tmp_path / "a.jsonl", *articles))
        asked = f"Who saw {word}?"
        rarity = rarities(index, read_terms(asked))
    assert [*rarity.values()] == pytest.approx([0.2263, 0.2263], abs=1e-4)  # ln(6 / 4) / ln(6)
