"""Stories written to train and fit on: `stories.jsonl`, invented news in two articles or seven, with hard questions.

A line is a story: ``{"topic": ..., "articles": [{"title", "source", "published", "sentences"}, ...], "questions":
[{"q", "kind", "gold": ["0.3"], "answer"}, ...]}``. `gold` has the place of each sentence that answers, as
"article.sentence", both from 0; it is empty for a question that the story does not answer. Some have `twins` too:
questions of like wording, one that takes for granted what the story says, and one that takes for granted what it does
not say. Four fifths of the stories train the reader; the rest, every fifth, fit what the `Quoter` makes of its
readings.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from index.sentences import Span

__all__ = ["Story", "StoryArticle", "StoryQuestion", "load_stories", "split_stories", "told_by_twins"]

FILE = Path(__file__).with_name("stories.jsonl")
_HELD_OUT = 5
_PARAGRAPH = 3  # in sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryArticle:
    """Hold an article, and where each of its sentences stands in `text`."""

    id: str
    title: str
    source: str
    published: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryQuestion:
    """Hold a question; `gold` has the numbers of article and sentence of each sentence that answers it."""

    text: str
    kind: str
    gold: frozenset[tuple[int, int]]
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Hold the articles about one affair, questions about it, and twins of questions: every second one is false."""

    articles: tuple[StoryArticle, ...]
    questions: tuple[StoryQuestion, ...]
    twins: tuple[StoryQuestion, ...]


def load_stories(path: Path = FILE) -> list[Story]:
    """Read the stories; raise `ValueError` for a question whose gold is no sentence."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_story(number, json.loads(line)) for number, line in enumerate(lines)]


def split_stories(stories: Sequence[Story]) -> tuple[list[Story], list[Story]]:
    """Return the stories that train the reader, and those that are held out for the fit of the `Quoter`."""
    held_out = [story for place, story in enumerate(stories) if place % _HELD_OUT == 0]
    return [story for place, story in enumerate(stories) if place % _HELD_OUT], held_out


def told_by_twins(stories: Iterable[Story]) -> list[Story]:
    """Return the stories that have twins, with these as their questions."""
    return [replace(story, questions=story.twins) for story in stories if story.twins]


def _story(number: int, data: dict[str, list[dict[str, object]]]) -> Story:
    articles = tuple(_article(f"story-{number}-{place}", article) for place, article in enumerate(data["articles"]))
    questions, twins = (
        tuple(_question(question, articles) for question in data.get(name, [])) for name in ("questions", "twins")
    )
    return Story(articles=articles, questions=questions, twins=twins)


def _article(identity: str, data: dict[str, object]) -> StoryArticle:
    sentences = [str(sentence) for sentence in _listed(data["sentences"])]
    gaps = ["\n\n" if place % _PARAGRAPH == 0 else " " for place in range(1, len(sentences))] + [""]
    ends = list(accumulate(len(sentence) + len(gap) for sentence, gap in zip(sentences, gaps, strict=True)))
    starts = [0, *ends[:-1]]
    return StoryArticle(
        id=identity,
        title=str(data["title"]),
        source=str(data["source"]),
        published=str(data["published"]),
        text="".join(sentence + gap for sentence, gap in zip(sentences, gaps, strict=True)),
        spans=tuple(Span(at, at + len(sentence)) for at, sentence in zip(starts, sentences, strict=True)),
    )


def _question(data: dict[str, object], articles: Sequence[StoryArticle]) -> StoryQuestion:
    gold = frozenset(_place(str(place)) for place in _listed(data["gold"]))
    for article, sentence in gold:
        if not (0 <= article < len(articles) and 0 <= sentence < len(articles[article].spans)):
            raise ValueError(f"{data['q']!r}: there is no sentence {article}.{sentence}")
    return StoryQuestion(text=str(data["q"]), kind=str(data["kind"]), gold=gold, answer=str(data.get("answer") or ""))


def _place(text: str) -> tuple[int, int]:
    article, sentence = text.split(".")
    return int(article), int(sentence)


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else []
