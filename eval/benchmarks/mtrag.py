"""MTRAG: the last turn of a conversation, answered or refused with the turns before it in mind.

Katsis et al.: MTRAG (2025, arXiv 2501.03468); Rosenthal et al.: MTRAG-UN (2026, arXiv 2602.23184). The sets judge
written answers with language models; what needs none is judged here: of tasks with reference passages, their share
among the first 5 articles and nDCG@5 (the sets' retrieval figures), once with the conversation and once with the last
turn alone; and which tasks are refused, by their label. Tasks of one conversation or with passages of one article, and
those that others link so, are one group; the groups are sorted: even positions fit, odd ones test. The article is what
a passage's id names before its places in it.

>>> article_of("ibmcld_12600-0-1462"), article_of("843365390_16831-17377-0-546")  # the second: of a stretch of its page
('ibmcld_12600', '843365390')
>>> turns_of([Message(speaker="user", text="Who won?"), Message(speaker="agent", text="Ann.")])
(Turn(question='Who won?', answer='Ann.'),)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.benchmarks.corpus import RANKINGS, Corpus, Document, indexed, ranked_documents
from eval.benchmarks.data_files import AtLeastOne, DataFiles, Identity, read_json_lines
from eval.benchmarks.options import Options, at_least_one, chosen_groups, linked_groups, sampled
from eval.benchmarks.report import BenchmarkReport, Published, mean_rows
from eval.metrics import ndcg_at_k, recall_at_k
from index.errors import QuestionError
from rag.bot import NewsBot
from rag.history import Turn

__all__ = ["Message", "Task", "article_of", "load", "run", "turns_of"]

NAME = "mtrag"
_SOURCE = "https://github.com/IBM/mt-rag-benchmark (reference.jsonl, Apache-2.0)"
_DEPTH = 5
_PLACES = re.compile(r"(_\d+-\d+)?-\d+-\d+$")
_PAPER = "retrieval table of the repository, whole corpora (R)"
_PUBLISHED = {
    "recall@5, ours": (
        Published("BM25, last turn", 0.20, _PAPER), Published("bge-base-en-v1.5, last turn", 0.30, _PAPER),
        Published("Elser, last turn", 0.49, _PAPER), Published("Elser, turn rewritten by a model", 0.52, _PAPER),
    ),
    "nDCG@5, ours": (Published("SemEval-2026 task 8, first place", 0.5776, "arXiv 2603.10524, whole corpora (R)"),),
    "unanswerable: refused": (
        Published("haiku.rag, lowest given", 0.31, "its benchmark page (V)"),
        Published("haiku.rag, highest given", 0.44, "its benchmark page (V)"),
    ),
}  # fmt: skip
_LABELS = {
    "ANSWERABLE": "answerable: refused (wrongly)", "PARTIAL": "partly answerable: refused",
    "UNDERSPECIFIED": "underspecified: refused", "UNANSWERABLE": "unanswerable: refused",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Hold what the user or the agent said, as the file has it."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    document_id: Identity
    text: str
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    task_id: str
    conversation_id: str
    input: AtLeastOne[Message]
    contexts: tuple[_Context, ...]
    answerability: AtLeastOne[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Hold the last question of a conversation, the turns before it, its label and its reference passages.

    `group` keeps tasks of one conversation, or on the same articles, in one half.
    """

    id: str
    group: str
    question: str
    history: tuple[Turn, ...]
    label: str
    passages: tuple[Document, ...]


def load(folder: Path) -> list[Task]:
    """Read the tasks with their reference passages."""
    path = DataFiles.of(folder, NAME, _SOURCE).one("reference.jsonl*", "*reference*.jsonl*")
    rows = [row for _, row in read_json_lines(path, _Row)]
    groups = linked_groups([row.conversation_id, *(article_of(c.document_id) for c in row.contexts)] for row in rows)
    tasks = []
    for row, group in zip(rows, groups, strict=True):
        passages = [
            Document(id=c.document_id, text=c.text, title=c.title or None) for c in row.contexts if c.text.strip()
        ]  # fmt: skip
        tasks.append(
            Task(
                id=row.task_id, group=group, question=row.input[-1].text.strip(), history=turns_of(row.input[:-1]),
                label=row.answerability[0], passages=tuple(passages),
            )
        )  # fmt: skip
    return tasks


def article_of(passage: str) -> str:
    """Return the article that a passage is of, from the passage's id."""
    return _PLACES.sub("", passage)


def turns_of(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """Return messages as turns: each question with what the agent said before the next one."""
    turns: list[Turn] = []
    for message in messages:
        if message.speaker == "user":
            turns.append(Turn(message.text, ""))
        elif turns:
            turns[-1] = Turn(turns[-1].question, f"{turns[-1].answer} {message.text}".strip())
    return tuple(turns)


def run(options: Options) -> BenchmarkReport:
    """Index the reference passages of all tasks; rank them for the part's, and ask a sample of each label."""
    everything = load(options.folder)
    part = chosen_groups((task.group for task in everything), options.part)
    tasks = at_least_one([task for task in everything if task.group in part], options)
    documents = {p.id: p for task in everything for p in task.passages}
    with indexed(list(documents.values()), options) as corpus:
        known = {name for ids in corpus.ids.values() for name in ids}
        judged = [task for task in tasks if any(p.id in known for p in task.passages)]
        refused, unusable = _refusals(corpus, tasks, options)
        rows = mean_rows({**_retrieval(corpus, judged), **refused}, _PUBLISHED)
        settings = {"part": options.part, **corpus.settings(), "limit": options.limit}
    return BenchmarkReport(
        name=NAME, n=len(tasks), rows=tuple(rows), settings=settings,
        notes=(
            f"Retrieval over the {len(documents):,} reference passages of all tasks, not over the sets' whole corpora: "
            "easier than in the published runs.",
            "Tasks that the file marks MT-RAG 2.0 are MTRAG-UN's, by which SemEval-2026's task 8 was judged; the "
            "retrieval table of the repository is of MTRAG's own tasks.",
            f"{unusable} questions too long or empty were taken as refused.",
        ),
    )  # fmt: skip


def _retrieval(corpus: Corpus, tasks: Sequence[Task]) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {}
    for task in tasks:
        relevant = {passage.id for passage in task.passages}
        for name, ranked in _rankings(corpus, task).items():
            figures.setdefault(f"recall@5, {name}", []).append(recall_at_k(ranked, relevant, _DEPTH))
            ndcg = ndcg_at_k(ranked, dict.fromkeys(relevant, 1), _DEPTH)
            figures.setdefault(f"nDCG@5, {name}", []).append(ndcg)
    return figures


def _rankings(corpus: Corpus, task: Task) -> dict[str, list[str]]:
    rankings = {"ours": _ranked(corpus, task, None, task.history)}
    for name, weight in RANKINGS.items():
        rankings[f"last turn alone, {name}"] = _ranked(corpus, task, weight, ())
    return rankings


def _ranked(corpus: Corpus, task: Task, weight: float | None, history: tuple[Turn, ...]) -> list[str]:
    try:
        return ranked_documents(corpus, task.question, _DEPTH, dense_weight=weight, history=history)
    except QuestionError:
        return []


def _refusals(corpus: Corpus, tasks: Sequence[Task], options: Options) -> tuple[dict[str, list[float]], int]:
    bot = NewsBot(corpus.index)
    figures: dict[str, list[float]] = {}
    unusable = 0
    for label, name in _LABELS.items():
        for task in sampled([task for task in tasks if task.label == label], options):
            try:
                refused = bot.ask(task.question, history=task.history).status == "refused"
            except QuestionError:
                refused, unusable = True, unusable + 1
            figures.setdefault(name, []).append(float(refused))
    return figures, unusable
