"""Questions with what has to be found for them, from the public sets and the own development cases, in one shape.

A question has needs. A need is met by a passage that stands in one of some documents (SQuAD, CLAPNQ, MTRAG,
LiHua-World), holds a sentence (MultiHop-RAG, whose rule asks for the words alone) or holds at least half of a stretch
of its document (chunking evaluation, own cases). Halves are those of the sets' own modules, by article or group of
questions.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.benchmarks import chunking, clapnq, lihua, mtrag, multihop_rag, squad
from eval.benchmarks.corpus import Document
from eval.benchmarks.data_files import MissingDataError
from eval.benchmarks.multihop_rag import found_in
from eval.benchmarks.options import chosen_groups
from eval.cases import load_cases
from index.article import Article, clean_text
from index.embed import BUNDLED_MODEL, Embedder
from index.errors import QuestionError
from index.fast_embed import embedder_for
from index.news_index import NewsIndex
from index.passage import Passage
from index.scope import Filters
from rag.history import Turn
from rag.question import read_question

__all__ = [
    "LOADERS", "Need", "Places", "RetrievalQuestion", "RetrievalSet", "Stretch", "chosen_sets", "gain", "load_sets",
    "own_cases",
]  # fmt: skip

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Mark characters `start` to `end` of a document."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Say which passages meet a need: those of `documents`, those that hold `fact`, those that hold a stretch."""

    documents: frozenset[str] = frozenset()
    fact: str = ""
    stretches: tuple[Stretch, ...] = ()

    def met_by(self, passage: Passage) -> bool:
        """Tell whether a passage meets the need."""
        if passage.article_id in self.documents:
            return True
        if self.fact:
            return found_in([passage.text], self.fact)[0]
        return any(
            s.document == passage.article_id
            and 2 * (min(s.end, passage.end) - max(s.start, passage.start)) >= s.end - s.start
            for s in self.stretches
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalQuestion:
    """Hold a question as it is searched for, whether its half fits or tests, and its needs."""

    text: str
    fits: bool
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalSet:
    """Hold a set: its name, its articles and its questions. `by_document` ranks articles by their best passage."""

    name: str
    articles: tuple[Article, ...]
    questions: tuple[RetrievalQuestion, ...]
    by_document: bool


@dataclass(frozen=True, slots=True)
class Places:
    """Say what is ranked: the unit that each passage belongs to, and for each question which units meet which needs.

    A unit is a document where a set ranks documents, else a passage.
    """

    units: npt.NDArray[np.int64]
    met: tuple[Mapping[int, frozenset[int]], ...]
    needs: tuple[int, ...]

    @classmethod
    def of(cls, data: RetrievalSet, questions: Sequence[RetrievalQuestion], passages: Sequence[Passage]) -> "Places":
        """Find where the needs of some questions of a set are met."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(p.article_id for p in passages))}
        units = [numbers[p.article_id] if data.by_document else row for row, p in enumerate(passages)]
        of_article: dict[str, list[int]] = defaultdict(list)
        for row, passage in enumerate(passages):
            of_article[passage.article_id].append(row)
        bare = ["".join(p.text.split(" ")).replace("\n", "") for p in passages]
        met = []
        for question in questions:
            found: dict[int, set[int]] = defaultdict(set)
            for number, need in enumerate(question.needs):
                for row in _rows(need, passages, of_article, bare):
                    found[units[row]].add(number)
            met.append({unit: frozenset(needs) for unit, needs in found.items()})
        return cls(np.array(units, dtype=np.int64), tuple(met), tuple(len(q.needs) for q in questions))

    def ranked(self, scores: npt.NDArray[np.float32], k: int) -> list[int]:
        """Return the best `k` units by their best passage, equal ones by row."""
        order = np.argsort(-scores, kind="stable")[: 6 * k]
        return list(dict.fromkeys(self.units[order].tolist()))[:k]


def _rows(
    need: Need, passages: Sequence[Passage], of_article: Mapping[str, Sequence[int]], bare: Sequence[str]
) -> Iterator[int]:
    if need.fact:
        wanted = need.fact.replace(" ", "").replace("\n", "")
        yield from (row for row, text in enumerate(bare) if wanted in text)
        return
    for document in {*need.documents, *(stretch.document for stretch in need.stretches)}:
        yield from (row for row in of_article.get(document, ()) if need.met_by(passages[row]))


def gain(ranked: Sequence[int], met: Mapping[int, frozenset[int]], needs: int) -> float:
    """Return nDCG of a ranking where a unit gains 1 when it meets a need that none before it met (Järvelin 2002).

    >>> round(gain([5, 7, 9], {7: frozenset({0}), 9: frozenset({0})}, 1), 3)
    0.631
    """
    held: set[int] = set()
    gained = 0.0
    for rank, unit in enumerate(ranked, start=1):
        if new := met.get(unit, frozenset()) - held:
            held |= new
            gained += 1 / np.log2(1 + rank)
    best = sum(1 / np.log2(1 + rank) for rank in range(1, min(needs, len(ranked) or 1) + 1))
    return min(1.0, float(gained / best))


def _articles(documents: Sequence[Document]) -> tuple[tuple[Article, ...], dict[str, str]]:
    """Return documents as articles, those with the same words once, and the id under which each is held."""
    held: dict[str, Article] = {}
    ids: dict[str, str] = {}
    for d in documents:
        text = clean_text(d.text).strip()
        if text:
            article = Article(id=d.id, title=d.title, source=d.source, text=text, published=d.published)
            ids[d.id] = held.setdefault(text, article).id
    return tuple(held.values()), ids


def _of_documents(
    name: str, documents: Sequence[Document], questions: Iterator[tuple[str, bool, Sequence[str]]]
) -> RetrievalSet:
    """Return a set whose needs are documents, from questions with their half and the ids of what answers them."""
    articles, ids = _articles(documents)
    asked = []
    for text, fits, wanted in questions:
        needs = tuple(Need(documents=frozenset({held})) for held in dict.fromkeys(ids[w] for w in wanted if w in ids))
        if needs:
            asked.append(RetrievalQuestion(text=text, fits=fits, needs=needs))
    return RetrievalSet(name=name, articles=articles, questions=tuple(asked), by_document=True)


def _squad(folder: Path) -> RetrievalSet:
    paragraphs = squad.load(folder)
    fit = chosen_groups((q.group for p in paragraphs for q in p.questions), "fit")
    asked = ((q.text, q.group in fit, [q.paragraph]) for p in paragraphs for q in p.questions if q.answers)
    return _of_documents("SQuAD", [Document(id=p.id, title=p.title, text=p.text) for p in paragraphs], asked)


def _clapnq(folder: Path) -> RetrievalSet:
    questions = clapnq.load(folder)
    fit = chosen_groups((q.title for q in questions), "fit")
    asked = ((q.text, q.title in fit, [q.id]) for q in questions if q.answerable)
    return _of_documents("CLAPNQ", [Document(id=q.id, title=q.title, text=q.passage) for q in questions], asked)


def _mtrag(folder: Path) -> RetrievalSet:
    tasks = mtrag.load(folder)
    fit = chosen_groups((task.group for task in tasks), "fit")
    documents = {p.id: p for task in tasks for p in task.passages}
    asked = (
        (text, task.group in fit, [p.id for p in task.passages])
        for task in tasks if (text := _standing_alone(task.question, task.history))
    )  # fmt: skip
    return _of_documents("MTRAG", list(documents.values()), asked)


def _standing_alone(question: str, history: Sequence[Turn]) -> str:
    """Return a question as the bot searches for it; "" when it cannot be used."""
    try:
        return read_question(question, history=history, filters=Filters()).text
    except QuestionError:
        return ""


def _lihua(folder: Path) -> RetrievalSet:
    questions = lihua.load_questions(folder)
    fit = chosen_groups((q.group for q in questions), "fit")
    asked = ((q.text, q.group in fit, q.times) for q in questions)
    return _of_documents("LiHua-World", lihua.load_documents(folder), asked)


def _multihop(folder: Path) -> RetrievalSet:
    documents, _ = multihop_rag.load_documents(folder)
    queries = multihop_rag.load_queries(folder)
    fit = chosen_groups((q.group for q in queries), "fit")
    asked = tuple(
        RetrievalQuestion(text=q.text, fits=q.group in fit, needs=tuple(Need(fact=fact) for fact in q.facts))
        for q in queries if q.facts
    )  # fmt: skip
    return RetrievalSet(name="MultiHop-RAG", articles=_articles(documents)[0], questions=asked, by_document=False)


def _chunking(folder: Path) -> RetrievalSet:
    texts, questions = chunking.load(folder)
    fit = chosen_groups(texts, "fit")
    asked = tuple(
        RetrievalQuestion(
            text=q.text, fits=q.corpus in fit,
            needs=tuple(Need(stretches=(Stretch(document=q.corpus, start=e.start, end=e.end),)) for e in q.excerpts),
        )
        for q in questions
    )  # fmt: skip
    articles = tuple(Article(id=name, text=text) for name, text in texts.items())
    return RetrievalSet(name="Chunking", articles=articles, questions=asked, by_document=False)


def own_cases(embedder: Embedder) -> RetrievalSet:
    """Return the development cases over the sample articles' latest revisions; all of them fit."""
    with tempfile.TemporaryDirectory() as folder, NewsIndex.open(folder, create=True, embedder=embedder) as index:
        index.ingest(_CHECKOUT / "seeds" / "articles.jsonl")
        held = [index.article(a.id, r) for a in index.articles() for r in range(1, a.revision + 1)]
    cases = load_cases(_CHECKOUT / "eval" / "cases" / "dev.jsonl", {(a.id, a.revision): a for a in held})
    latest = {a.id: a for a in held}
    asked = []
    for case in cases:
        needs = tuple(
            Need(stretches=tuple(Stretch(document=s.article_id, start=s.start, end=s.end) for s in spans))
            for need in case.evidence
            if (spans := [s for s in need if s.revision == latest[s.article_id].revision])
        )
        if needs and not case.filters:
            text = _standing_alone(case.question, case.history)
            asked.append(RetrievalQuestion(text=text, fits=True, needs=needs))
    return RetrievalSet(name="own cases", articles=tuple(latest.values()), questions=tuple(asked), by_document=False)


LOADERS: Mapping[str, Callable[[Path], RetrievalSet]] = {
    "squad": _squad, "multihop_rag": _multihop, "clapnq": _clapnq, "mtrag": _mtrag, "lihua": _lihua,
    "chunking": _chunking,
}  # fmt: skip
"""From the name of a public set to what reads its retrieval questions from a folder."""


def load_sets(folder: Path, embedder: Embedder, names: Sequence[str]) -> Iterator[RetrievalSet | str]:
    """Yield the own cases and the named public sets; for one whose files are missing, what is missing."""
    yield own_cases(embedder)
    for name in names:
        try:
            yield LOADERS[name](folder)
        except MissingDataError as error:
            yield str(error)


def chosen_sets(purpose: str | None, names: Sequence[str]) -> tuple[list[RetrievalSet], Embedder]:
    """Return the own cases and the named sets of the folder that ``--data`` names; print what is missing of them."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--data", required=True, type=Path, help="folder with the public sets' folders")
    folder = parser.parse_args().data
    embedder = embedder_for(BUNDLED_MODEL, precision="int8")
    sets = []
    for data in load_sets(folder, embedder, names):
        if isinstance(data, RetrievalSet):
            sets.append(data)
        else:
            print(data)
    return sets, embedder
