"""How the reader is trained: from whole searches, in stages, in batches."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from eval.fit.reader import STAGES, ItemSet, alone, batches, mean_of, search_loss, to_learn
from eval.fit.reader_examples import public_examples, story_examples
from eval.fit.reader_searches import searches
from eval.fit.stories import Story
from tests.fakes import FakeEmbedder


def test_a_search_is_a_question_beside_all_passages_that_are_read_for_it(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    found = {search.examples[0].question: search for search in searches(stories[:1], 9, reach=1.0, seed=0)}
    assert set(found) == {"How many minors died?", "How many minors died on Tuesday?", "Which two things cost what?"}
    none, one, two = (found[question] for question in sorted(found))
    golden = [
        [example.sentences[place].of(example.passage) for example in search.examples for place in sorted(example.gold)]
        for search in (one, none, two)
    ]
    assert golden[:2] == [["Four children drowned."], []]
    assert sorted(golden[2]) == ["Four children drowned.", "It cost 40 million euros."]
    assert [search.several for search in (one, none, two)] == [False, False, True]
    answers = [example.answer.of(example.passage) for example in one.examples if example.answer]
    assert answers == ["Four"]
    assert len({example.passage for example in one.examples}) == len(one.examples) > 1


def test_the_loss_of_a_search_falls_when_a_right_sentence_rises_above_those_of_other_passages() -> None:
    held = torch.tensor([[True, True], [True, False]])
    right = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    below, above = torch.tensor([[0.0, 1.0], [3.0, 9.0]]), torch.tensor([[0.0, 4.0], [3.0, 9.0]])
    assert search_loss(above, held, right, several=False) < search_loss(below, held, right, several=False)
    none = torch.zeros(2, 2)
    assert search_loss(below - 9, held, none, several=False) < search_loss(below, held, none, several=False)


def test_where_several_sentences_are_needed_the_loss_counts_each_of_them() -> None:
    held, right = torch.ones(1, 3, dtype=torch.bool), torch.tensor([[1.0, 1.0, 0.0]])
    one, both = torch.tensor([[5.0, -5.0, 0.0]]), torch.tensor([[5.0, 4.0, 0.0]])
    assert search_loss(one, held, right, several=False) < 0.1
    assert search_loss(one, held, right, several=True) > 2
    assert search_loss(both, held, right, several=True) < 0.1


class Words:
    """Stand for the tokenizer: a token for every word of a pair."""

    def encode_batch(self, pairs: Sequence[tuple[str, str]]) -> list[Encoding]:
        return [self._one.encode(question, passage) for question, passage in pairs]

    _one = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    _one.pre_tokenizer = Whitespace()


def test_a_stage_learns_no_more_of_each_sort_than_it_may(
    stories: list[Story], public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    examples = public_examples(public, seed=0)
    stage = replace(STAGES["searches"], passes=1).at_most(2)
    sets = to_learn(stage, stories, examples, cast(Tokenizer, Words()), seed=0)
    assert [len(each.items) for each in sets[:6]] == [1] * 6
    assert [len(each.items) > 1 for each in sets[6:]] == [True, True]


def test_batches_hold_every_set_once_and_no_more_items_than_fit(stories: list[Story]) -> None:
    items = alone(story_examples(stories, seed=0), cast(Tokenizer, Words()))
    sets = [
        ItemSet(tuple(item for each in items[at : at + 5] for item in each.items)) for at in range(0, len(items), 5)
    ]
    found = list(batches(sets, random.Random(0)))
    assert sorted(id(each) for batch in found for each in batch) == sorted(map(id, sets))
    assert max(sum(len(each.items) for each in batch) for batch in found) <= 32
    assert len(found) > 1


def test_the_mean_of_weights_counts_a_file_as_often_as_it_is_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for path, value in ((one, 1.0), (two, 4.0)):
        save_file({"layer": torch.full((2, 3), value, dtype=torch.half)}, path)
    assert mean_of([one, two])["layer"].tolist() == [[2.5] * 3] * 2
    assert mean_of([one, one, two])["layer"].tolist() == [[2.0] * 3] * 2
    assert mean_of([one])["layer"].dtype is torch.half
