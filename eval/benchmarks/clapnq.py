"""CLAPNQ: which sentences of the gold passage answer a question, and is it refused when the passage does not.

Rosenthal et al.: CLAPNQ (2024, arXiv 2404.02103). Every question is asked about its own passage alone (the set's
"gold passage" setting). Rule: the passage's sentences that a citation overlaps, against the sentences that an
annotator selected, as F1; the annotator that fits best counts, and a refusal scores 0. Answers are the passage's own
sentences, so the set's Rouge figures, which are for newly written answers, are not computed. Passages are sorted by
title: even positions fit, odd ones test.

>>> selection_f1({0, 1}, [frozenset({1, 2}), frozenset({0, 1, 2, 3})])
0.6666666666666666
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from eval.benchmarks.corpus import Corpus, Document, indexed
from eval.benchmarks.data_files import WHICH_FILE, AtLeastOne, DataFiles, Identity, Words, read_json_lines
from eval.benchmarks.options import Options, at_least_one, chosen_groups, sampled
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, mean_rows
from eval.metrics import f1
from index.article import clean_text
from index.errors import InputError
from index.sentences import Span
from rag.bot import NewsBot

__all__ = ["Question", "cited_sentences", "load", "run", "selection_f1"]

NAME = "clapnq"
_SOURCE = "https://github.com/primeqa/clapnq (annotated_data/dev, Apache-2.0)"
_PAPER = "paper, Table 5, dev, in a copy of its text (S)"
_PUBLISHED = (
    Published("CLAPnq-T5-lg, fitted on the set", 0.892, _PAPER),
    Published("GPT-4", 0.18, _PAPER),
    Published("Llama-13B-chat", 0.25, _PAPER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passage:
    title: str
    text: Words
    sentences: AtLeastOne[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    selected_sentences: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: Identity
    input: Words
    passages: AtLeastOne[_Passage]
    output: tuple[_Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold a question, its passage in sentences, and the sentences that each annotator selected, if any did."""

    id: str
    text: str
    title: str
    passage: str
    sentences: tuple[Span, ...]
    answerable: bool
    selections: tuple[frozenset[int], ...]


def load(folder: Path) -> list[Question]:
    """Read every file of answerable and of unanswerable questions; one file alone is not enough."""
    files = DataFiles.of(folder, NAME, _SOURCE)
    answerable = files.all("*dev*_answerable*.jsonl*", "*dev*-answerable*.jsonl*")
    unanswerable = files.all("*dev*unanswerable*.jsonl*")
    return [
        _question(row, where, answerable=is_answerable)
        for is_answerable, paths in ((True, answerable), (False, unanswerable))
        for path in paths
        for where, row in read_json_lines(path, _Row)
    ]


def _question(row: _Row, where: str, *, answerable: bool) -> Question:
    passage = row.passages[0]
    text = clean_text(passage.text).strip()
    places = {sentence.strip(): number for number, sentence in enumerate(passage.sentences)}
    selections = []
    for output in row.output:
        selected = [words.strip() for words in output.selected_sentences or ()]
        if strange := [words for words in selected if words not in places]:
            raise _broken(where, f"a selected sentence is none of its passage: {strange[0]!r}")
        selections.append(frozenset(places[words] for words in selected))
    return Question(
        id=row.id, text=row.input, title=passage.title, passage=text, sentences=_sentences(passage, text, where),
        answerable=answerable, selections=tuple(selection for selection in selections if selection),
    )  # fmt: skip


def _sentences(passage: _Passage, text: str, where: str) -> tuple[Span, ...]:
    """Return where the sentences of a passage stand in its text, one behind the other."""
    spans, end = [], 0
    for number, sentence in enumerate(passage.sentences, start=1):
        words = clean_text(sentence).strip()
        start = text.find(words, end)
        if start < 0:
            raise _broken(where, f"sentence {number} does not stand in its passage: {words!r}")
        end = start + len(words)
        spans.append(Span(start, end))
    return tuple(spans)


def _broken(where: str, what: str) -> InputError:
    return InputError(f"{where}: {what}; {WHICH_FILE}")


def cited_sentences(question: Question, cited: Sequence[Span]) -> frozenset[int]:
    """Return the numbers of the sentences that share a character with a cited span."""
    return frozenset(
        number for number, sentence in enumerate(question.sentences)
        if any(span.start < sentence.end and sentence.start < span.end for span in cited)
    )  # fmt: skip


def selection_f1(chosen: Set[int], selections: Sequence[Set[int]]) -> float:
    """Return the best F1 of the chosen sentences against one annotator's; 0 for none chosen."""
    shared = [(len(chosen & selection), len(selection)) for selection in selections]
    return max((f1(both / len(chosen), both / size) for both, size in shared if chosen and both), default=0.0)


def run(options: Options) -> BenchmarkReport:
    """Ask every question of the part (at most `options.limit` of each kind) about its own passage."""
    everything = load(options.folder)
    part = chosen_groups((question.title for question in everything), options.part)
    questions = [question for question in everything if question.title in part]
    documents = [Document(id=q.id, title=q.title, text=q.passage, source=_source_of(q)) for q in everything]
    answerable = sampled([q for q in questions if q.selections], options)
    unanswerable = sampled([q for q in questions if not q.answerable], options)
    asked = at_least_one([*answerable, *unanswerable], options)
    unjudged = sum(q.answerable and not q.selections for q in questions)
    with indexed(documents, options) as corpus:
        rows = _rows(corpus, answerable, unanswerable)
        settings = {"part": options.part, **corpus.settings(), "limit": options.limit}
    return BenchmarkReport(
        name=NAME, n=len(asked), rows=tuple(rows), settings=settings,
        notes=(
            "A question sees its own passage alone; how rare a word is, is counted over all passages of the files.",
            "No published F1 of sentence selection is known to us; published Rouge figures are of newly written text.",
            f"{unjudged} answerable questions for which nobody selected a sentence are left out.",
        ),
    )  # fmt: skip


def _source_of(question: Question) -> str:
    """Return the source under which a passage is indexed: the filter by source keeps a question to its own."""
    return f"passage {question.id}"


def _rows(corpus: Corpus, answerable: Sequence[Question], unanswerable: Sequence[Question]) -> list[MetricRow]:
    bot = NewsBot(corpus.index)
    chosen, refused = [], []
    for question in answerable:
        answer = bot.ask(question.text, sources=[_source_of(question)])
        chosen.append(cited_sentences(question, [Span(c.start, c.end) for c in answer.citations]))
        refused.append(float(answer.status == "refused"))
    right = [float(bot.ask(q.text, sources=[_source_of(q)]).status == "refused") for q in unanswerable]
    whole = [frozenset(range(len(question.sentences))) for question in answerable]
    picks = {"ours": chosen, "the whole passage": whole, "its first sentence": [frozenset({0})] * len(answerable)}
    figures = {
        f"sentence selection F1, {name}": [
            selection_f1(pick, q.selections) for pick, q in zip(picked, answerable, strict=True)
        ]
        for name, picked in picks.items()
    }
    figures |= {"answerable: refused (wrongly)": refused, "unanswerable: refused": right}
    return mean_rows(figures, {"unanswerable: refused": _PUBLISHED})
