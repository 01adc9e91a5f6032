"""How a public set is run: where its files are, which half, how many questions, and with what."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from eval.benchmarks.data_files import WHICH_FILE
from eval.checkers import Checker
from index.embed import Embedder
from index.errors import InputError
from index.passage import Chunking

__all__ = ["PARTS", "Options", "at_least_one", "chosen_groups", "linked_groups", "sampled"]

PARTS = ("test", "fit", "all")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Hold how to run a set.

    `folder` holds the set's files, or a folder of the set's own name that does. `part` is "test", "fit" or "all".
    `limit` is how many questions of each kind are answered at most, drawn by `seed`; None answers every one. Retrieval
    is judged on every one where no answer is needed for it. `checkers` are judged by the sets of verdicts; without any,
    those that exist. `chunks` is a file with the chunks of other chunkers, which the set `chunking` judges too.
    """

    folder: Path
    part: str = "test"
    limit: int | None = None
    seed: int = 0
    embedder: Embedder | None = None
    chunking: Chunking | None = None
    chunks: Path | None = None
    checkers: Mapping[str, Checker] = field(default_factory=dict)


def chosen_groups(groups: Iterable[str], part: str) -> frozenset[str]:
    """Return the groups of a part: of the sorted groups, those at even positions fit, those at odd ones test.

    >>> sorted(chosen_groups(["Oil", "Amazon", "Norman", "Amazon"], "fit"))
    ['Amazon', 'Oil']
    >>> sorted(chosen_groups(["Oil", "Amazon", "Norman", "Amazon"], "test"))
    ['Norman']
    """
    ordered = sorted(set(groups))
    start, step = {"fit": (0, 2), "test": (1, 2), "all": (0, 1)}[part]
    return frozenset(ordered[start::step])


def linked_groups(evidence: Iterable[Sequence[str]]) -> list[str]:
    """Return the group of each question, from the names of its evidence, of which it has one at least.

    Questions that share a name, or are linked by others that do, are one group, called by the first of all their names
    in the alphabet. So no two groups, and no two halves, have evidence in common.

    >>> linked_groups([["b", "c"], ["d"], ["c", "a"]])
    ['a', 'd', 'a']
    """
    questions = [tuple(names) for names in evidence]
    linked: dict[str, set[str]] = {}
    for names in questions:
        joined = set(names).union(*(linked.get(name, ()) for name in names))
        linked.update(dict.fromkeys(joined, joined))
    first = {name: min(names) for name, names in linked.items()}
    return [first[names[0]] for names in questions]


def at_least_one(questions: Sequence[Item], options: Options) -> Sequence[Item]:
    """Return the questions that are to be asked; raise `InputError` where there is none, before anything is measured.

    So a set never shows figures of no question.
    """
    if not questions:
        why = f"no question of the part {options.part!r} is left to ask; choose another part"
        raise InputError(f"{options.folder}: {why}, or other files: {WHICH_FILE}")
    return questions


def sampled(items: Sequence[Item], options: Options) -> list[Item]:
    """Return at most `options.limit` items, drawn by the seed, in their order."""
    if options.limit is None or len(items) <= options.limit:
        return list(items)
    places = sorted(random.Random(options.seed).sample(range(len(items)), options.limit))
    return [items[place] for place in places]
