"""SQuAD 2.0 as open retrieval: every paragraph is an article, and the question does not say which one it is about.

Rajpurkar, Jia, Liang: Know What You Don't Know (2018, arXiv 1806.03822). The rule is ours, because the set's own gives
the paragraph with the question: the paragraph that a question was asked about has to be among the first 1, 5 or 10
articles; a cited sentence has to hold a gold answer (letter case, punctuation and articles aside, as in the set's own
script); an unanswerable question has to be refused. Articles are sorted by title: even positions fit, odd ones test.

>>> gold = Question(id="q", text="Where is it?", group="Normans", paragraph="p1", answers=("France",))
>>> holds_answer(["It lies in the north of France."], gold), holds_answer(["It lies in Spain."], gold)
(1.0, 0.0)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.benchmarks.corpus import RANKINGS, Corpus, Document, indexed, ranked_documents
from eval.benchmarks.data_files import DataFiles, Identity, read_json, read_json_lines
from eval.benchmarks.options import Options, at_least_one, chosen_groups, sampled
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, mean_rows
from eval.metrics import answer_found, hit_at_k
from rag.bot import NewsBot

__all__ = [
    "AnswerRow", "Paragraph", "ParagraphRow", "Question", "QuestionRow", "development_file", "holds_answer", "load",
    "read_paragraphs", "run",
]  # fmt: skip

NAME = "squad"
_SOURCE = "https://rajpurkar.github.io/SQuAD-explorer/ (dev-v2.0.json, CC BY-SA 4.0)"
_DEPTHS = (1, 5, 10)
_CARD = "its model card (R), whole dev set, the right paragraph given"
_READERS = (
    Published("deepset/minilm-uncased-squad2 (33M)", 0.7391, _CARD),
    Published("deepset/roberta-base-squad2 (124M)", 0.8817, _CARD),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """Hold an answer as the file has it: words, and where they begin in the paragraph."""

    text: str
    answer_start: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """Hold a question as the file has it."""

    id: Identity
    question: str
    answers: tuple[AnswerRow, ...] = ()
    is_impossible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    context: str
    qas: tuple[QuestionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParagraphRow(_Body):
    """Hold a paragraph, the title of its article and what is asked about it, as the file has them."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Article:
    title: str
    paragraphs: tuple[_Body, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Official:
    data: tuple[_Article, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold a question, the article (`group`) and paragraph it was asked about, and its answers, if it has any."""

    id: str
    text: str
    group: str
    paragraph: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Hold a paragraph, the title of its article, and what is asked about it."""

    id: str
    title: str
    text: str
    questions: tuple[Question, ...]


def load(folder: Path) -> list[Paragraph]:
    """Read the development set."""
    return [_paragraph(row, number) for number, row in enumerate(read_paragraphs(development_file(folder)))]


def development_file(folder: Path) -> Path:
    """Return the file of the development set, the official one first."""
    return DataFiles.of(folder, NAME, _SOURCE).one("dev-v2.0*.json", "dev-v2.0*.jsonl*", "*v2.0*.json*")


def read_paragraphs(path: Path) -> list[ParagraphRow]:
    """Return the paragraphs of a file of SQuAD, or of a set in its form.

    The file is the official JSON, or JSON Lines of paragraphs; either may be packed with gzip.
    """
    if ".jsonl" in path.suffixes:
        return [row for _, row in read_json_lines(path, ParagraphRow)]
    return [
        ParagraphRow(title=article.title, context=paragraph.context, qas=paragraph.qas)
        for article in read_json(path, _Official).data
        for paragraph in article.paragraphs
    ]


def _paragraph(row: ParagraphRow, number: int) -> Paragraph:
    name = f"{row.title}-{number}"
    questions = tuple(
        Question(
            id=qa.id, text=qa.question.strip(), group=row.title, paragraph=name,
            answers=() if qa.is_impossible else tuple(dict.fromkeys(answer.text for answer in qa.answers)),
        )
        for qa in row.qas if qa.question.strip()
    )  # fmt: skip
    return Paragraph(id=name, title=row.title.replace("_", " "), text=row.context, questions=questions)


def holds_answer(quotes: Sequence[str], question: Question) -> float:
    """Return 1 when one of the cited sentences holds a gold answer."""
    return max((answer_found(quote, question.answers) for quote in quotes), default=0.0)


def run(options: Options) -> BenchmarkReport:
    """Index every paragraph, rank them for every answerable question of the part, and answer a sample of all."""
    paragraphs = load(options.folder)
    part = chosen_groups((q.group for p in paragraphs for q in p.questions), options.part)
    questions = at_least_one([q for p in paragraphs for q in p.questions if q.group in part], options)
    documents = [Document(id=p.id, title=p.title, text=p.text) for p in paragraphs]
    with indexed(documents, options) as corpus:
        answerable = [q for q in questions if q.answers]
        unanswerable = [q for q in questions if not q.answers]
        rows = [*_retrieval(corpus, answerable), *_answers(corpus, answerable, unanswerable, options)]
        settings = {"part": options.part, "articles in it": len(part), **corpus.settings(), "limit": options.limit}
    return BenchmarkReport(
        name=NAME, n=len(questions), rows=tuple(rows), settings=settings,
        notes=(
            "Every paragraph of the file is searched, of both halves; only questions of the part are asked.",
            "Published readers are given the right paragraph; no published run of this open setting is known to us: "
            "compare with the dense-only and words-only rows.",
        ),
    )  # fmt: skip


def _retrieval(corpus: Corpus, questions: Sequence[Question]) -> list[MetricRow]:
    corpus.read_ahead([question.text for question in questions])
    figures = {}
    for name, weight in RANKINGS.items():
        ranked = [ranked_documents(corpus, q.text, max(_DEPTHS), dense_weight=weight) for q in questions]
        for k in _DEPTHS:
            hits = [hit_at_k(ids, {q.paragraph}, k) for ids, q in zip(ranked, questions, strict=True)]
            figures[f"paragraph in the top {k}, {name}"] = hits
    return mean_rows(figures)


def _answers(
    corpus: Corpus, answerable: Sequence[Question], unanswerable: Sequence[Question], options: Options
) -> list[MetricRow]:
    bot = NewsBot(corpus.index)
    held, right_place, refused = [], [], []
    for question in sampled(answerable, options):
        answer = bot.ask(question.text)
        there = [c.quote for c in answer.citations if question.paragraph in corpus.ids[c.article_id]]
        held.append(holds_answer([c.quote for c in answer.citations], question))
        right_place.append(holds_answer(there, question))
        refused.append(float(answer.status == "refused"))
    right = [float(bot.ask(q.text).status == "refused") for q in sampled(unanswerable, options)]
    figures = {
        "answerable: a cited sentence holds a gold answer": held,
        "answerable: and stands in the right paragraph": right_place,
        "answerable: refused (wrongly)": refused,
        "unanswerable: refused": right,
    }
    return mean_rows(figures, {"unanswerable: refused": _READERS})
