"""What the reader learns from and is judged on, and the file that holds it.

It is made by ``python -m eval.fit.reader_sources``, which needs the index and the public sets, and read by
``python -m eval.fit.reader``, which needs neither: so it can be made on one machine and trained from on a faster one.

The file is JSON, compressed with xz. Windows of one article overlap, and a question is asked beside many of them; so
each sentence and each question stands there once, in `texts`, and examples name them by number.
"""

import json
import lzma
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar

from index.errors import InputError
from index.sentences import Span

__all__ = ["Example", "ExampleSet", "read_sets", "write_sets"]

_FORMAT = "groundwire-reader-sets/1"
_MAKE = "make one: python -m eval.fit.reader_sources --data FOLDER --out FILE"
_DICTIONARY = 1 << 28  # in bytes; xz finds repetitions no farther apart
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Hold a question and a passage; places are in the passage, which may begin with a head above the sentences.

    `gold` has the numbers of the sentences that answer; `answer` the place of the short answer, None where it is not
    known. An example without gold teaches that the passage does not answer.
    """

    question: str
    passage: str
    sentences: tuple[Span, ...]
    gold: frozenset[int]
    answer: Span | None


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """Hold examples that are learned from together: one passage, or all that are read for a question.

    `several` tells that an answer needs every sentence of gold; of another question, any of them will do.
    """

    examples: tuple[Example, ...]
    several: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """Hold an example in pieces: `gaps` stand after each sentence, and make the passage up with them and the head."""

    question: str
    head: str
    sentences: tuple[str, ...]
    gaps: tuple[str, ...]
    gold: tuple[int, ...]
    answer: tuple[int, ...]

    @classmethod
    def of(cls, example: Example) -> "_Row":
        passage, spans = example.passage, example.sentences
        starts = [span.start for span in spans] + [len(passage)]
        return cls(
            question=example.question,
            head=passage[: starts[0]],
            sentences=tuple(span.of(passage) for span in spans),
            gaps=tuple(passage[span.end : start] for span, start in zip(spans, starts[1:], strict=True)),
            gold=tuple(sorted(example.gold)),
            answer=(example.answer.start, example.answer.end) if example.answer else (),
        )

    def example(self) -> Example:
        pieces = [self.head, *(piece for pair in zip(self.sentences, self.gaps, strict=True) for piece in pair)]
        ends = list(accumulate(map(len, pieces)))
        spans = tuple(Span(end - len(text), end) for text, end in zip(self.sentences, ends[1::2], strict=True))
        return Example(
            question=self.question, passage="".join(pieces), sentences=spans, gold=frozenset(self.gold),
            answer=Span(*self.answer) if self.answer else None,
        )  # fmt: skip


def write_sets(sets: Mapping[str, Sequence[ExampleSet]], path: Path) -> None:
    """Write the sets of each name; those of one name are put in an order in which they compress well."""
    rows = {name: [tuple(map(_Row.of, each.examples)) for each in held] for name, held in sets.items()}
    texts = _Numbers(_in_order_of_articles(row for held in rows.values() for group in held for row in group))
    gaps: _Numbers[tuple[str, ...]] = _Numbers()
    columns = {}
    for name, held in rows.items():
        order = sorted(range(len(held)), key=lambda place: [texts[text] for text in held[place][0].sentences[:1]])
        columns[name] = {
            "sizes": [len(held[place]) for place in order],
            "several": [int(sets[name][place].several) for place in order],
            "rows": asdict(_Columns.of([row for place in order for row in held[place]], texts, gaps)),
        }
    document = {"format": _FORMAT, "texts": texts.things, "gaps": gaps.things, "sets": columns}
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": _DICTIONARY}]
    with lzma.open(path, "wt", encoding="utf-8", filters=filters) as file:
        json.dump(document, file, ensure_ascii=False, separators=(",", ":"))


def read_sets(path: Path) -> dict[str, list[ExampleSet]]:
    """Return the sets of each name."""
    try:
        with lzma.open(path, "rt", encoding="utf-8") as file:
            document = json.load(file)
    except (lzma.LZMAError, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: not a file of examples ({error}); {_MAKE}") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise InputError(f"{path}: not a file of examples of this version; {_MAKE}")
    try:
        return _sets_of(document)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a file of examples ({type(error).__name__}: {error}); {_MAKE}") from error


def _sets_of(document: Mapping[str, Any]) -> dict[str, list[ExampleSet]]:
    texts, gaps = document["texts"], [tuple(each) for each in document["gaps"]]
    found = {}
    for name, held in document["sets"].items():
        rows = _Columns(**held["rows"]).rows(texts, gaps)
        sizes = zip(held["sizes"], held["several"], strict=True)
        found[name] = [ExampleSet(tuple(row.example() for row in islice(rows, n)), bool(each)) for n, each in sizes]
    return found


class _Numbers(Generic[_T]):
    """Number things in the order in which they first come."""

    def __init__(self, things: Iterable[_T] = ()) -> None:
        self.things = list(dict.fromkeys(things))
        self._numbers = {thing: number for number, thing in enumerate(self.things)}

    def __getitem__(self, thing: _T) -> int:
        if thing not in self._numbers:
            self._numbers[thing] = len(self.things)
            self.things.append(thing)
        return self._numbers[thing]


def _in_order_of_articles(rows: Iterable[_Row]) -> Iterator[str]:
    """Yield the sentences, each followed by the one that follows it in a passage: so a window is a run of numbers."""
    follows: dict[str, str | None] = {}
    for row in rows:
        for sentence, following in pairwise((*row.sentences, None)):
            if sentence is not None and follows.get(sentence) is None:
                follows[sentence] = following
    later = {following for following in follows.values() if following is not None}
    yielded: set[str] = set()
    for first in [*(sentence for sentence in follows if sentence not in later), *follows]:
        at: str | None = first
        while at is not None and at not in yielded:
            yielded.add(at)
            yield at
            at = follows[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Hold rows in columns; numbers of texts are differences to the one before."""

    questions: list[int]
    heads: list[int]
    sentences: list[int]
    gaps: list[int]
    gold: list[list[int]]
    answers: list[list[int]]

    @classmethod
    def of(cls, rows: Sequence[_Row], texts: _Numbers[str], gaps: _Numbers[tuple[str, ...]]) -> "_Columns":
        return cls(
            questions=_differences([texts[row.question] for row in rows]),
            heads=_differences([texts[row.head] for row in rows]),
            sentences=_differences([texts[sentence] for row in rows for sentence in row.sentences]),
            gaps=[gaps[row.gaps] for row in rows],
            gold=[list(row.gold) for row in rows],
            answers=[list(row.answer) for row in rows],
        )

    def rows(self, texts: Sequence[str], gaps: Sequence[tuple[str, ...]]) -> Iterator[_Row]:
        questions, heads, sentences = (
            (texts[number] for number in accumulate(differences))
            for differences in (self.questions, self.heads, self.sentences)
        )
        numbers = zip(self.gaps, self.gold, self.answers, strict=True)
        for question, head, (gap, gold, answer) in zip(questions, heads, numbers, strict=True):
            held = tuple(islice(sentences, len(gaps[gap])))
            yield _Row(question, head, held, gaps[gap], tuple(gold), tuple(answer))


def _differences(numbers: Sequence[int]) -> list[int]:
    return [number - before for before, number in pairwise((0, *numbers))]
