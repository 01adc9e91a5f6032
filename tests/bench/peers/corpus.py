"""What all systems index and are asked: SQuAD where it is there, else the sample articles."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.benchmarks import squad
from eval.benchmarks.data_files import DataFiles, MissingDataError
from eval.benchmarks.options import chosen_groups
from eval.cases import load_cases
from eval.suites import articles_of, opened
from index.article import Article, clean_text
from index.embed import Embedder
from index.passage import Chunking, Ruler, header_of, split
from tests.bench.peers.job import Document
from tests.bench.peers.judge import Question

__all__ = ["Chunks", "Corpus", "chunked", "sample_articles", "sampled", "squad_paragraphs"]

CHECKOUT = Path(__file__).resolve().parent.parent.parent.parent


@dataclass(frozen=True, slots=True)
class Corpus:
    """Hold the articles, the questions, and what the table says about them."""

    articles: tuple[Document, ...]
    questions: tuple[Question, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Chunks:
    """Hold chunks as documents: what is embedded, what each one's own words are, and the article of each."""

    documents: tuple[Document, ...]
    words: Mapping[str, str]
    article_of: Mapping[str, str]


def squad_paragraphs(folder: Path, *, distractors: bool) -> Corpus:
    """Return the paragraphs of SQuAD 2.0's development set as articles, with the questions of its test half.

    With `distractors`, the paragraphs of SQuAD 1.1's training set stand beside them, if they are there. Raises
    `MissingDataError` where the folder or the development set is missing.
    """
    paragraphs = squad.load(folder)
    test = chosen_groups((q.group for p in paragraphs for q in p.questions), "test")
    articles = {p.text: Document(id=p.id, title=p.title, text=p.text) for p in paragraphs}
    questions = tuple(
        Question(q.text, frozenset({articles[p.text].id}), q.answers)
        for p in paragraphs
        for q in p.questions if q.answers and q.group in test
    )  # fmt: skip
    wanted = len(articles)
    for document in _training_paragraphs(folder) if distractors else []:
        articles.setdefault(document.text, document)
    about = f"SQuAD: {wanted} paragraphs of dev-v2.0 as articles, {len(articles) - wanted} of train-v1.1 beside them"
    return Corpus(tuple(articles.values()), questions, f"{about}; answerable questions of the test half")


def _training_paragraphs(folder: Path) -> Iterable[Document]:
    files = DataFiles.of(folder, squad.NAME, "https://rajpurkar.github.io/SQuAD-explorer/")
    try:
        path = files.one("train-v1.1*.json", "train-v1.1*.jsonl*")
    except MissingDataError:
        return []
    rows = squad.read_paragraphs(path)
    return [
        Document(id=f"train-{number}", title=row.title.replace("_", " "), text=row.context)
        for number, row in enumerate(rows)
    ]


def sample_articles(embedder: Embedder) -> Corpus:
    """Return the sample articles with the development cases that an article answers without filter or history."""
    with opened([CHECKOUT / "seeds"], embedder=embedder) as index:
        cases = load_cases(CHECKOUT / "eval" / "cases" / "dev.jsonl", articles_of(index))
        latest = [index.article(article.id) for article in index.articles()]
    questions = tuple(
        Question(c.question, frozenset(span.article_id for need in c.evidence for span in need), c.answers)
        for c in cases
        if not c.history and not any(c.filters.values()) and c.answers
    )
    articles = tuple(Document(id=a.id, title=a.title or "", text=a.text) for a in latest)
    return Corpus(articles, questions, f"the {len(articles)} articles of seeds/, too few to tell systems apart")


def sampled(questions: Sequence[Question], most: int, *, seed: int) -> tuple[Question, ...]:
    """Return at most so many questions, in their order."""
    if len(questions) <= most:
        return tuple(questions)
    return tuple(questions[place] for place in sorted(random.Random(seed).sample(range(len(questions)), most)))


def chunked(articles: Iterable[Document], ruler: Ruler, chunking: Chunking) -> Chunks:
    """Cut articles as Groundwire does, and give each chunk the text that Groundwire embeds: title line and passage."""
    documents, words, article_of = [], {}, {}
    for document in articles:
        article = Article(id=document.id, title=document.title or None, text=clean_text(document.text))
        header = header_of(article, ruler)
        for passage in split(article, ruler, chunking):
            text = f"{header}\n{passage.text}" if header else passage.text
            documents.append(Document(id=passage.id, title="", text=text))
            words[passage.id], article_of[passage.id] = passage.text, document.id
    return Chunks(tuple(documents), words, article_of)
