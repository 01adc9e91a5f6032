"""Any RealTime-QA-format folder: weekly questions with a date and choices, and articles with a date of publication.

Kasai et al.: RealTime QA (2022, arXiv 2207.13332). Questions are in files such as ``20220617_qa.jsonl``, articles in
the search results beside them (``20220617_gcs.jsonl``, ``_gold``, ``_dpr`` or ``_articles``). Each question is asked
as of its own date, so that nothing published later is seen. Rule: multiple choice (the set's accuracy), taking
the choice whose words the cited sentences hold best, the first one on a tie, none when refused; a cited sentence holds
the right choice; and an article found for the question is among the first 5. Weeks are sorted: even positions fit, odd
ones test.

>>> picked("He flew to Paris on Monday.", ["Rome", "Paris"]), picked("", ["Rome", "Paris"])
(1, None)
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from eval.benchmarks.corpus import Corpus, Document, indexed
from eval.benchmarks.data_files import WHICH_FILE, DataFiles, Identity, MissingDataError, Words, read_json_lines
from eval.benchmarks.options import Options, at_least_one, chosen_groups, sampled
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, mean_rows
from eval.metrics import answer_found, hit_at_k
from index.errors import InputError
from rag.bot import NewsBot
from rag.terms import read_terms

__all__ = ["Question", "load", "picked", "run"]

NAME = "realtime_qa"
_SOURCE = "https://github.com/realtimeqa/realtimeqa_public (past/YEAR)"
_QUESTIONS = re.compile(r"(\d{8})_qa\.jsonl(\.gz)?")
_ARTICLES = re.compile(r"\d{8}_(?:gcs|gold|dpr|articles)\.jsonl(\.gz)?")
_ACCURACY = "multiple choice accuracy"
_RESULTS = "realtimeqa.github.io, the set's own results, mean of the 5 weeks of July 2022 (R)"
_PUBLISHED = (
    Published("GPT-3 + Google custom search", 0.667, _RESULTS),
    Published("RAG + Google custom search", 0.473, _RESULTS),
    Published("GPT-3, no search", 0.420, _RESULTS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    url: str | None = None
    title: str | None = None
    text: str | None = None
    publish_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ResultsRow:
    question_id: str
    search_result: tuple[_Result, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _QuestionRow:
    question_id: str
    question_date: str
    question_sentence: Words
    choices: tuple[str, ...]
    answer: tuple[Identity, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold a question, its week and day, its choices, the number of the right one and the articles found for it."""

    id: str
    week: str
    day: str
    text: str
    choices: tuple[str, ...]
    right: int
    found: frozenset[str]


def load(folder: Path) -> tuple[list[Question], list[Document]]:
    """Read the questions of every week below the folder, and their articles, each once by its address."""
    files = DataFiles.of(folder, "realtime-qa", _SOURCE)
    paths = sorted(path for path in files.folder.rglob("*.jsonl*") if path.is_file())
    weeks = [(week[1], path) for path in paths if (week := _QUESTIONS.fullmatch(path.name))]
    results = [path for path in paths if _ARTICLES.fullmatch(path.name)]
    if not weeks or not results:
        missing = "articles (DATE_gcs.jsonl)" if weeks else "questions (DATE_qa.jsonl)"
        raise MissingDataError(f"{files.folder}: holds no {missing}; get the set from {_SOURCE}")
    documents: dict[str, Document] = {}
    found: dict[str, set[str]] = {}
    for path in results:
        for _, row in read_json_lines(path, _ResultsRow):
            for article in _articles(row):
                documents.setdefault(article.id, article)
                found.setdefault(row.question_id, set()).add(article.id)
    return list(_questions(weeks, found)), list(documents.values())


def _articles(row: _ResultsRow) -> Iterator[Document]:
    for result in row.search_result or ():
        text = result.text or ""
        if text.strip():
            name = hashlib.sha256((result.url or text).encode()).hexdigest()[:16]
            yield Document(id=name, text=text, title=result.title or None, published=_day(result.publish_date))


def _day(published: str | None) -> str | None:
    found = re.fullmatch(r"(\d{4})[/-](\d\d)[/-](\d\d).*", published or "")
    return "-".join(found.groups()) if found else None


def _questions(weeks: Sequence[tuple[str, Path]], found: Mapping[str, set[str]]) -> Iterator[Question]:
    """Yield the questions of the weeks that have an answer."""
    for week, path in weeks:
        for where, row in read_json_lines(path, _QuestionRow):
            if row.answer:
                yield Question(
                    id=row.question_id, week=week, day=_day_asked(row, where), text=row.question_sentence,
                    choices=row.choices, right=_right(row.answer[0], row.choices, where),
                    found=frozenset(found.get(row.question_id, ())),
                )  # fmt: skip


def _day_asked(row: _QuestionRow, where: str) -> str:
    try:
        return date.fromisoformat(row.question_date.replace("/", "-")).isoformat()
    except ValueError as error:
        raise InputError(f"{where}: `question_date` is {row.question_date!r}, not a day; {WHICH_FILE}") from error


def _right(answer: str, choices: Sequence[str], where: str) -> int:
    """Return the number of the right choice."""
    numbers = [str(number) for number in range(len(choices))]
    if answer not in numbers:
        raise InputError(f"{where}: `answer` is {answer!r}, not the number of a choice; {WHICH_FILE}")
    return int(answer)


def picked(quoted: str, choices: Sequence[str]) -> int | None:
    """Return the number of the choice of whose words the quoted text holds the greatest share; None when of none."""
    held = read_terms(quoted).keys
    words = [read_terms(choice).keys for choice in choices]
    shares = [len(choice & held) / len(choice) if choice else 0.0 for choice in words]
    best = max(shares, default=0.0)
    return shares.index(best) if best > 0 else None


def run(options: Options) -> BenchmarkReport:
    """Index the articles of all weeks and ask the questions of the part (at most `options.limit`) as of their day."""
    everything, documents = load(options.folder)
    part = chosen_groups((question.week for question in everything), options.part)
    questions = sampled(at_least_one([question for question in everything if question.week in part], options), options)
    undated = sum(document.published is None for document in documents)
    with indexed(documents, options) as corpus:
        rows = _rows(corpus, questions)
        settings = {"part": options.part, "weeks": len(part), **corpus.settings(), "limit": options.limit}
    return BenchmarkReport(
        name=NAME,
        n=len(questions),
        rows=tuple(rows),
        settings=settings,
        notes=(
            f"{undated} articles without a date are never seen, because every question is asked as of its day.",
            "The published runs read the articles found for their question alone; ours are found among those of all.",
        ),
    )


def _rows(corpus: Corpus, questions: Sequence[Question]) -> list[MetricRow]:
    bot = NewsBot(corpus.index)
    figures: dict[str, list[float]] = {_ACCURACY: [], "a cited sentence holds the right choice": []}
    for question in questions:
        answer = bot.ask(question.text, as_of=question.day)
        quotes = [citation.quote for citation in answer.citations]
        figures[_ACCURACY].append(float(picked(" ".join(quotes), question.choices) == question.right))
        right = [question.choices[question.right]]
        held = max((answer_found(quote, right) for quote in quotes), default=0.0)
        figures["a cited sentence holds the right choice"].append(held)
        if question.found:
            ranked = [name for hit in answer.hits for name in corpus.ids[hit.article.id]]
            values = figures.setdefault("an article found for it in the first 5", [])
            values.append(hit_at_k(list(dict.fromkeys(ranked)), question.found, 5))
        figures.setdefault("refused", []).append(float(answer.status == "refused"))
    return mean_rows(figures, {_ACCURACY: _PUBLISHED})
