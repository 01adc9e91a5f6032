"""What the reader is trained on last: questions of stories, each beside all that is read for it.

The passages are those that the search finds among some stories, cut and headed as the `Quoter` reads them. So the
reader learns which sentence of a search is to stand above the others, in whichever passage each of them stands.
"""

import random
from collections.abc import Sequence

import numpy as np

from eval.cases import Case
from eval.fit.judged import SEVERAL, gold_of, read_for, story_cases
from eval.fit.reader_sets import Example, ExampleSet
from eval.fit.stories import Story
from index.news_index import NewsIndex
from index.sentences import Span
from rag.candidates import candidates
from rag.extracts import extracts
from rag.features import with_known_names
from rag.reader import Extract

__all__ = ["searches"]

_SHELF = 24  # stories that are searched at once; of many more, the gold of hard questions is too seldom found
_MOST_READ = 6  # extracts of a search: those with gold, and the first of the others


def searches(stories: Sequence[Story], count: int, *, reach: float, seed: int) -> list[ExampleSet]:
    """Return at most `count` questions of the stories, drawn by the seed, as they are read with a `reach`.

    A question is asked of an index of `_SHELF` stories. Left out are those of several parts, because the stories do not
    tell which sentence answers which part, and those whose gold the search does not find.
    """
    draw = random.Random(seed)
    order = draw.sample(stories, len(stories))
    found: list[ExampleSet] = []
    for at in range(0, len(order), _SHELF):
        if len(found) >= count:
            break
        shelf = order[at : at + _SHELF]
        with story_cases(shelf) as (index, cases):
            asked = [_search(index, case, reach) for case in cases]
        found += [search for search in asked if search]
    return draw.sample(found, min(count, len(found)))


def _search(index: NewsIndex, case: Case, reach: float) -> ExampleSet | None:
    question, evidence = read_for(index, case, reach)
    if len(question.parts) > 1:
        return None
    found = candidates([*evidence.hits, *evidence.copies])
    gold = frozenset(np.flatnonzero(gold_of(case, found)).tolist())
    if case.evidence and not gold:
        return None
    part = question.parts[0]
    stretches = extracts(with_known_names(part, found).names, found)
    answer = next(iter(case.answers), "")
    read = [_example(part.text, extract, rows, gold, answer) for rows, extract in stretches]
    read.sort(key=lambda example: not example.gold)
    return ExampleSet(tuple(read[:_MOST_READ]), several=case.kind in SEVERAL)


def _example(question: str, extract: Extract, rows: Sequence[int], gold: frozenset[int], answer: str) -> Example:
    shift = len(extract.head)
    sentences = tuple(Span(span.start + shift, span.end + shift) for span in extract.spans)
    own = frozenset(place for place, row in enumerate(rows) if row in gold)
    passage = extract.head + extract.text
    place = None
    if len(own) == 1 and answer:
        sentence = sentences[min(own)]
        start = passage.lower().find(answer.lower(), sentence.start, sentence.end)
        place = Span(start, start + len(answer)) if start >= 0 else None
    return Example(question=question, passage=passage, sentences=sentences, gold=own, answer=place)
