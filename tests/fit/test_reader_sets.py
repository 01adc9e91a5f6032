"""The file of what the reader learns from."""

import lzma
from pathlib import Path

import pytest

from eval.fit.reader_examples import public_examples, story_examples
from eval.fit.reader_sets import Example, ExampleSet, read_sets, write_sets
from eval.fit.stories import Story
from index.errors import InputError
from index.sentences import Span


def _alone(*examples: Example) -> list[ExampleSet]:
    return [ExampleSet((example,)) for example in examples]


def test_what_is_written_is_read_again(stories: list[Story], public: Path, tmp_path: Path) -> None:
    told = story_examples(stories, seed=0)
    sets = {
        "stories": _alone(*told),
        "public": _alone(*public_examples(public, seed=0)),
        "searches": [ExampleSet(tuple(told[:3]), several=True), ExampleSet(tuple(told[3:5]))],
        "none": [],
    }
    write_sets(sets, tmp_path / "sets.xz")
    read = read_sets(tmp_path / "sets.xz")
    assert list(read) == list(sets)
    assert {name: sorted(map(repr, held)) for name, held in read.items()} == {
        name: sorted(map(repr, held)) for name, held in sets.items()
    }


def test_a_passage_keeps_its_head_and_what_stands_between_its_sentences(tmp_path: Path) -> None:
    example = Example(
        question="Who?", passage="Title\nOne.\n\nTwo. \t", sentences=(Span(6, 10), Span(12, 16)),
        gold=frozenset({1}), answer=Span(12, 15),
    )  # fmt: skip
    bare = Example(question="Who?", passage="No sentence", sentences=(), gold=frozenset(), answer=None)
    write_sets({"one": _alone(example), "bare": _alone(bare)}, tmp_path / "sets.xz")
    assert read_sets(tmp_path / "sets.xz") == {"one": _alone(example), "bare": _alone(bare)}


def test_a_sentence_of_many_windows_stands_in_the_file_once(stories: list[Story], tmp_path: Path) -> None:
    write_sets({"stories": _alone(*story_examples(stories, seed=0))}, tmp_path / "sets.xz")
    text = lzma.decompress((tmp_path / "sets.xz").read_bytes()).decode("utf-8")
    assert text.count("Four children drowned.") == 1


_FORMAT_ALONE = b'{"format": "groundwire-reader-sets/1"}'
_NO_ROWS = b'{"format": "groundwire-reader-sets/1", "texts": [], "gaps": [], "sets": {"stories": {"sizes": [1]}}}'


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", *map(lzma.compress, (b"{}", b"\xff", b"[1", _FORMAT_ALONE, _NO_ROWS))],
    ids=["empty", "not packed", "of no format", "no text", "no JSON", "nothing but the format", "a set without rows"],
)
def test_a_file_of_anything_else_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sets.xz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"sets\.xz: not a file of examples.*make one"):
        read_sets(path)
