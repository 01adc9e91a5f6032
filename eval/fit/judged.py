"""Questions with their candidate sentences scored: what the fits of the `Quoter` read.

They are the development cases over seeds/ and more of their sort (`sample_cases.jsonl`), the questions of the stories
that are held out from the reader, and questions of SQuAD's fitting half. Those of the stories share few words with
their answers, those of SQuAD share many: without them the weights learn to shun the words of the question.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.benchmarks.options import chosen_groups
from eval.benchmarks.squad import Question as SquadQuestion
from eval.benchmarks.squad import load as load_squad
from eval.cases import Case, EvidenceSpan, load_cases, places_of
from eval.fit.stories import Story
from eval.suites import articles_of
from index.article import Article
from index.news_index import NewsIndex
from index.passage import Chunking
from index.scope import Filters
from rag.candidates import Candidate, whereabouts
from rag.choice import Scored
from rag.features import FEATURES, Features
from rag.question import Question, read_question
from rag.quoter import UNREAD, missing_anchors, score, to_read
from rag.quoter_model import LinearModel
from rag.reader import Extract, Reader, Readings
from rag.retrieve import Evidence, retrieve

__all__ = [
    "SEVERAL",
    "Asked",
    "Judged",
    "asked",
    "asked_of",
    "development_cases",
    "gold_of",
    "judged",
    "plain_cases",
    "read_for",
    "squad_cases",
    "story_cases",
]

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SAMPLE_CASES = Path(__file__).with_name("sample_cases.jsonl")
PLAIN_QUESTIONS = Path(__file__).with_name("plain_questions.jsonl")
_K = 8
_SQUAD_QUESTIONS = 600
SEVERAL = frozenset({"list", "table", "compare", "conflict"})  # kinds of a story's questions that have several answers
_UNFITTED = LinearModel((0.0,) * len(FEATURES), 0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold a case as it was understood, with the candidates for each part and their features; none is scored yet."""

    case: Case
    question: Question
    parts: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold one part of a question: features of shape ``(candidates, features)``, and which candidates are evidence.

    `where`, of shape ``(candidates, 2)``, is what `whereabouts` says of them. `refused` tells that
    the part names somebody, a number or a date that no article that was read holds.
    """

    case: Case
    rows: Features
    gold: npt.NDArray[np.bool_]
    where: npt.NDArray[np.int64]
    refused: bool = False


class RememberingReader:
    """Read each question beside each passage once; every try of a fit reads the same."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._memory: dict[tuple[str, Extract], Readings] = {}

    def read(self, question: str, extracts: Sequence[Extract]) -> list[Readings]:
        """Return what the reader says, from memory where it was asked before."""
        unread = [extract for extract in extracts if (question, extract) not in self._memory]
        if unread:
            read = self._reader.read(question, unread)
            self._memory.update(zip([(question, extract) for extract in unread], read, strict=True))
        return [self._memory[question, extract] for extract in extracts]


@contextmanager
def development_cases(chunking: Chunking | None = None) -> Iterator[tuple[NewsIndex, list[Case]]]:
    """Open an index of seeds/, and the development cases and those of `sample_cases.jsonl` over it."""
    with TemporaryDirectory() as folder, NewsIndex.open(folder, create=True, chunking=chunking) as index:
        index.ingest(CHECKOUT / "seeds" / "articles.jsonl")
        files = (CHECKOUT / "eval" / "cases" / "dev.jsonl", SAMPLE_CASES)
        yield index, [case for file in files for case in load_cases(file, articles_of(index))]


def plain_cases(index: NewsIndex) -> list[Case]:
    """Return questions over seeds/ as people ask them, in the articles' own words: `plain_questions.jsonl`.

    Each names words that an answer has, with "|" between alternatives; every place where they stand is taken as
    evidence. So they tell what is refused wrongly, and tell little of which sentence is the right one.
    """
    articles = [index.article(article.id) for article in index.articles()]
    lines = PLAIN_QUESTIONS.read_text(encoding="utf-8").splitlines()
    return [_plain_case(number, json.loads(line), articles) for number, line in enumerate(lines)]


def _plain_case(number: int, data: Mapping[str, Any], articles: Sequence[Article]) -> Case:
    needs = tuple(
        tuple(span for article in articles for words in need.split("|") for span in places_of(words, article))
        for need in data["expect"]
    )
    return Case(
        id=f"plain-{number}", split="dev", question=data["question"], kind=data["kind"], history=(), filters={},
        answers=(), evidence=needs, refuse=data["refuse"],
    )  # fmt: skip


@contextmanager
def story_cases(stories: Sequence[Story]) -> Iterator[tuple[NewsIndex, list[Case]]]:
    """Open an index of the articles of stories and their questions as cases over it."""
    lines = [
        {"id": a.id, "title": a.title, "source": a.source, "published": a.published, "text": a.text}
        for story in stories
        for a in story.articles
    ]
    with _indexed(lines) as index:
        yield index, [case for story in stories for case in _cases(story)]


def asked_of(story: Story, reader: Reader, reach: float, *, unread: float = UNREAD) -> list[Asked]:
    """Ask every question of a story over its articles alone: "How large was the loan?" may be asked of others too."""
    with story_cases([story]) as (index, cases):
        return asked(index, cases, reader, reach, unread=unread)


@contextmanager
def squad_cases(folder: Path, half: str = "fit") -> Iterator[tuple[NewsIndex, list[Case]]]:
    """Open an index of the paragraphs of a half of SQuAD and a sample of the questions asked about them."""
    paragraphs = load_squad(folder)
    everything = [(paragraph, question) for paragraph in paragraphs for question in paragraph.questions]
    part = chosen_groups((question.group for _, question in everything), half)
    questions = [(paragraph, question) for paragraph, question in everything if question.group in part]
    held = list({paragraph.id: paragraph for paragraph, _ in questions}.values())
    sample = random.Random(0).sample(questions, min(_SQUAD_QUESTIONS, len(questions)))
    lines = [{"id": paragraph.id, "title": paragraph.title, "text": paragraph.text} for paragraph in held]
    with _indexed(lines) as index:
        yield index, [_squad_case(question, index.article(paragraph.id).text) for paragraph, question in sample]


def _squad_case(question: SquadQuestion, text: str) -> Case:
    places = [(text.find(answer), len(answer)) for answer in question.answers]
    spans = tuple(EvidenceSpan(question.paragraph, 1, at, at + length) for at, length in places if at >= 0)
    if question.answers and not spans:
        raise ValueError(f"{question.id}: its paragraph {question.paragraph} holds none of its answers")
    return Case(
        id=f"squad-{question.group}-{question.id}", split="squad", question=question.text,
        kind="fact" if question.answers else "near-miss", history=(), filters={}, answers=question.answers,
        evidence=(spans,) if spans else (), refuse=not question.answers,
    )  # fmt: skip


@contextmanager
def _indexed(lines: Sequence[Mapping[str, str]]) -> Iterator[NewsIndex]:
    """Open a temporary index of articles."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "articles.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        with NewsIndex.open(Path(folder) / "index", create=True) as index:
            index.ingest(path)
            yield index


def _cases(story: Story) -> Iterator[Case]:
    name = story.articles[0].id.rpartition("-")[0]
    for place, question in enumerate(story.questions):
        spans = [
            EvidenceSpan(story.articles[a].id, 1, story.articles[a].spans[s].start, story.articles[a].spans[s].end)
            for a, s in sorted(question.gold)
        ]
        yield Case(
            id=f"{name}-{place}", split="stories", question=question.text,
            kind="near-miss" if question.kind in ("near", "absent") else question.kind, history=(), filters={},
            answers=(question.answer,) if question.answer else (), evidence=_needs(question.kind, spans),
            refuse=not spans,
        )  # fmt: skip


def _needs(kind: str, spans: Sequence[EvidenceSpan]) -> tuple[tuple[EvidenceSpan, ...], ...]:
    """Return what an answer has to cite: one of the spans, or each of them where several things are asked for."""
    if kind in SEVERAL:
        return tuple((span,) for span in spans)
    return (tuple(spans),) if spans else ()


def asked(
    index: NewsIndex, cases: Sequence[Case], reader: Reader, reach: float, *, unread: float = UNREAD
) -> list[Asked]:
    """Ask every case; `reach` and `unread` say which of the passages found are read."""
    return [_asked(index, case, reader, reach, unread) for case in cases]


def read_for(index: NewsIndex, case: Case, reach: float, *, unread: float = UNREAD) -> tuple[Question, Evidence]:
    """Return the question of a case as it is understood, and the evidence that is read for it."""
    filters = Filters.of(**case.filters)
    question = read_question(case.question, history=case.history, filters=filters, known_sources=index.sources())
    return question, to_read(question, retrieve(index, question, k=_K), reach, unread=unread)


def _asked(index: NewsIndex, case: Case, reader: Reader, reach: float, unread: float) -> Asked:
    question, evidence = read_for(index, case, reach, unread=unread)
    return Asked(case, question, tuple(score(part, evidence, _UNFITTED, reader) for part in question.parts))


def judged(cases: Sequence[Asked]) -> list[Judged]:
    """Return every part of every case, with which of its candidates are evidence."""
    return [
        Judged(
            asked.case,
            part.rows,
            gold_of(asked.case, part.candidates),
            whereabouts(part.candidates),
            bool(missing_anchors(part)),
        )
        for asked in cases
        for part in asked.parts
    ]


def gold_of(case: Case, candidates: Sequence[Candidate]) -> npt.NDArray[np.bool_]:
    """Return which of the candidates overlap what is evidence, of whichever need."""
    right = [span for need in case.evidence for span in need]
    spans = [EvidenceSpan(c.article.id, c.article.revision, c.span.start, c.span.end) for c in candidates]
    return np.array([any(span.overlaps(other) for other in right) for span in spans], dtype=bool)
