"""Make up as many news articles as a benchmark wants, out of sentences of the sample articles and of invented stories.

Shuffled sentences alone would repeat each word thousands of times, and a search would find everything everywhere. So
every article has names, figures and dates of its own, and a part of its other words comes from an invented vocabulary
in which a few words are frequent and most are rare (Zipf's law), as in news.
"""

import json
import random
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, islice
from pathlib import Path

from index.readers import read_articles
from index.readers.record import Unread
from index.sentences import split_sentences

__all__ = ["Story", "stories"]

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_SYLLABLES = "ba bel cor da del dra en fa gor han il ka kel lo mar mi nor o pel ra sel ta tor ul va ven wi zan".split()
_SOURCES = tuple(f"{place} Desk" for place in "Paris Kyiv London Brussels Rome Oslo Madrid Vienna".split())
_VOCABULARY = 30_000
_EXCHANGED = 0.3  # the share of content words that comes from the invented vocabulary
_STORIES = 400
_FIRST_DAY = date(2024, 1, 1)
_DAYS = 600
_QUESTIONS = (
    "What did {person} announce in {place}?", "How much was pledged in {place}?", "Who was killed in {place}?",
    "When did {person} visit {place}?", "What did {person} say about the {word} and the {other}?",
    "How many missiles hit {place}?", "Why did {person} leave {place}?",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Hold a made-up article as a row of JSON Lines, and a question about it."""

    row: dict[str, str]
    question: str


def stories(*, seed: int) -> Iterator[Story]:
    """Yield made-up articles without end: the same ones for the same seed."""
    draw = random.Random(seed)
    sentences, vocabulary = _sentences(), _vocabulary()
    heaviest = list(accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))

    def drawn_word(_: re.Match[str]) -> str:
        return vocabulary[bisect(heaviest, draw.random() * heaviest[-1])] if draw.random() < _EXCHANGED else _[0]

    number = 0
    while True:
        number += 1
        person, place = (draw.choice(vocabulary[200:]).title() for _ in range(2))
        others = [draw.choice(vocabulary[200:]).title() for _ in range(4)]

        def named(_: re.Match[str], names: tuple[str, ...] = (person, place, *others)) -> str:
            return draw.choice(names)

        def told(sentence: str) -> str:
            sentence = re.sub(r"(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*", named, sentence)
            sentence = re.sub(r"\b\d+\b", lambda _: str(draw.randint(2, 3000)), sentence)
            return re.sub(r"\b[a-z]{5,}\b", drawn_word, sentence)

        chosen = [told(sentence) for sentence in draw.sample(sentences, draw.randint(8, 30))]
        paragraphs = [" ".join(chosen[at : at + 4]) for at in range(0, len(chosen), 4)]
        words = re.findall(r"\b[a-z]{5,}\b", chosen[0]) or ["talks"]
        yield Story(
            row={
                "id": f"{person.lower()}-{seed}-{number}", "title": f"{person} in {place}: {' '.join(words[:4])}",
                "source": draw.choice(_SOURCES), "text": "\n\n".join(paragraphs),
                "published": (_FIRST_DAY + timedelta(days=draw.randrange(_DAYS))).isoformat(),
            },
            question=draw.choice(_QUESTIONS).format(person=person, place=place, word=words[0], other=words[-1]),
        )  # fmt: skip


@cache
def _sentences() -> tuple[str, ...]:
    """Return the sentences of the sample articles and of the first stories of `eval/fit/stories.jsonl`."""
    texts = [a.text for a in read_articles(CHECKOUT / "seeds" / "articles.jsonl", meta={}) if not isinstance(a, Unread)]
    found = [span.of(text) for text in texts for span in split_sentences(text)]
    with (CHECKOUT / "eval" / "fit" / "stories.jsonl").open(encoding="utf-8") as lines:
        for line in islice(lines, _STORIES):
            found += [sentence for article in json.loads(line)["articles"] for sentence in article["sentences"]]
    return tuple(sentence for sentence in found if 40 <= len(sentence) <= 400)


@cache
def _vocabulary() -> tuple[str, ...]:
    draw = random.Random(0)
    words: dict[str, None] = {}
    while len(words) < _VOCABULARY:
        words["".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4)))] = None
    return tuple(words)
