"""LiHua-World: a year of dated chats; which of them a question is about, and is it refused when none is.

Fan et al.: MiniRAG (2025, arXiv 2501.06713). The set's own figure is an answer judged by a language model; what needs
none is judged here. Evidence is given as times, such as ``20260121_10:00<and>20260701_10:00``, some without the colon:
a document counts when its time is among them. Figures: any evidence in the first 5 documents, all of it in the first
10, reciprocal rank; a cited sentence holds the gold answer (yes and no left out); null questions, by their type,
refused. A question of another type that names no time is left out of the figures that need one, and a note names it.
Questions that share a chat of their evidence, or are linked by others that do, are one group (one without evidence is
its own); the groups are sorted by their first chat: even positions fit, odd ones test.

>>> evidence_times("20260121_10:00<and>20260701_1000")
('20260121_10:00', '20260701_10:00')
>>> evidence_times("N/A")
()
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.benchmarks.corpus import RANKINGS, Corpus, Document, indexed, ranked_documents
from eval.benchmarks.data_files import WHICH_FILE, DataFiles, Words, read_archive, read_json
from eval.benchmarks.options import Options, at_least_one, chosen_groups, linked_groups, sampled
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, mean_rows
from eval.metrics import answer_found, hit_at_k, recall_at_k, reciprocal_rank
from index.errors import InputError
from rag.bot import NewsBot

__all__ = ["Question", "evidence_times", "load_documents", "load_questions", "run"]

NAME = "lihua"
_SOURCE = "https://github.com/HKUDS/MiniRAG (dataset/LiHua-World, MIT)"
_README = "MiniRAG README, accuracy judged by a model (R)"
_HELD = "a cited sentence holds the answer"
_PUBLISHED = {
    _HELD: (
        Published("plain retrieval, gpt-4o-mini", 0.4655, _README), Published("LightRAG, gpt-4o-mini", 0.5690, _README),
        Published("MiniRAG, gpt-4o-mini", 0.5408, _README), Published("MiniRAG, Phi-3.5-mini", 0.5329, _README),
    )
}  # fmt: skip
_NULL = "Null"
_TIME = re.compile(r"Time: ((\d{4})(\d\d)(\d\d)_(\d\d):(\d\d))\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    question: Words
    answer: str
    evidence: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold a question, its answer, its kind and the times of its evidence, where the file tells them.

    `group` keeps questions on the same chats in one half.
    """

    id: str
    text: str
    answer: str
    kind: str
    times: tuple[str, ...]
    group: str

    @property
    def is_null(self) -> bool:
        """Tell whether no chat answers the question, so that it has to be refused."""
        return self.kind == _NULL


def evidence_times(text: str) -> tuple[str, ...]:
    """Return the times in a question's evidence, as documents have them, with a colon."""
    return tuple(f"{hour}:{minute}" for hour, minute in re.findall(r"(\d{8}_\d\d):?(\d\d)", text))


def load_questions(folder: Path) -> list[Question]:
    """Read ``query_set.json``."""
    path = DataFiles.of(folder, "lihua-world", _SOURCE).one("query_set.json", "qa/query_set.json")
    rows = read_json(path, dict[str, _Row])
    times = {name: evidence_times(row.evidence) for name, row in rows.items()}
    groups = linked_groups(named or (f"no time {name}",) for name, named in times.items())
    return [
        Question(id=name, text=row.question, answer=row.answer, kind=row.type, times=times[name], group=group)
        for (name, row), group in zip(rows.items(), groups, strict=True)
    ]


def load_documents(folder: Path) -> list[Document]:
    """Read the chats of the archive; the first line gives its time, which becomes its date and stays in its text.

    Without that line, the same words of different days would be one article.
    """
    path = DataFiles.of(folder, "lihua-world", _SOURCE).one("LiHuaWorld.zip", "data/LiHuaWorld.zip")
    documents = []
    for name, text in read_archive(path, ".txt"):
        time = _TIME.match(text)
        if time is None:
            raise InputError(f"{path}: {name} does not begin with its time; {WHICH_FILE}")
        _, year, month, day, hour, minute = time.groups()
        published = f"{year}-{month}-{day}T{hour}:{minute}+00:00"
        documents.append(Document(id=time[1], text=text, published=published))
    return documents


def run(options: Options) -> BenchmarkReport:
    """Index the chats, rank them for every question of the part with evidence, and answer a sample of each kind."""
    everything = load_questions(options.folder)
    part = chosen_groups((question.group for question in everything), options.part)
    questions = at_least_one([question for question in everything if question.group in part], options)
    with indexed(load_documents(options.folder), options) as corpus:
        rows = [*_retrieval(corpus, [q for q in questions if q.times]), *_answers(corpus, questions, options)]
        settings = {"part": options.part, **corpus.settings(), "limit": options.limit}
    return BenchmarkReport(
        name=NAME, n=len(questions), rows=tuple(rows), settings=settings,
        notes=(
            "The published accuracy is a model's judgement of written answers over all questions: not the same rule.",
            "Questions answered by yes or no are left out of what a cited sentence holds.",
            _untimed(questions),
        ),
    )  # fmt: skip


def _untimed(questions: Sequence[Question]) -> str:
    names = [question.id for question in questions if not question.times and not question.is_null]
    return (
        f"Not null, and without a time of evidence, so left out of the ranking figures: {', '.join(names) or 'none'}."
    )


def _retrieval(corpus: Corpus, questions: Sequence[Question]) -> list[MetricRow]:
    corpus.read_ahead([question.text for question in questions])
    figures: dict[str, list[float]] = {}
    for name, weight in RANKINGS.items():
        for question in questions:
            ranked = ranked_documents(corpus, question.text, 10, dense_weight=weight)
            values = {
                "any evidence in the first 5": hit_at_k(ranked, set(question.times), 5),
                "all evidence in the first 10": float(recall_at_k(ranked, set(question.times), 10) == 1),
                "MRR@10": reciprocal_rank(ranked, set(question.times)),
            }
            for metric, value in values.items():
                figures.setdefault(f"{metric}, {name}", []).append(value)
    return mean_rows(figures)


def _answers(corpus: Corpus, questions: Sequence[Question], options: Options) -> list[MetricRow]:
    bot = NewsBot(corpus.index)
    held: list[float] = []
    wrongly: list[float] = []
    rightly: list[float] = []
    for kind in sorted({question.kind for question in questions}):
        for question in sampled([q for q in questions if q.kind == kind], options):
            answer = bot.ask(question.text)
            (rightly if question.is_null else wrongly).append(float(answer.status == "refused"))
            if not question.is_null and question.answer.lower() not in ("yes", "no"):
                held.append(max((answer_found(c.quote, [question.answer]) for c in answer.citations), default=0.0))
    figures = {_HELD: held, "questions with evidence: refused (wrongly)": wrongly, "null questions: refused": rightly}
    return mean_rows(figures, _PUBLISHED)
