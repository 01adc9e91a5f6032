"""How the reader is trained: from whole searches, in stages, in batches."""

import math
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordLevelTrainer
from torch import nn
from torch.nn import functional

from eval.fit.reader import DRAWN, STAGES, Figures, Stage, Trainer, changed, loss, mean_of, planned, save, search_losses
from eval.fit.reader_batches import IGNORED, Batch, Loader, batches, encoded
from eval.fit.reader_examples import story_examples
from eval.fit.reader_searches import searches
from eval.fit.reader_sets import ExampleSet
from eval.fit.stories import Story
from index.errors import InputError
from tests.fakes import FakeEmbedder
from tests.fit.told import FERRY, TUNNEL


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


def _search_loss(scores: Sequence[float], right: list[int], *, several: bool = False) -> float:
    held = torch.tensor([[True, True, False, True]])
    gold = torch.tensor([[place in right for place in range(4)]])
    return float(search_losses(torch.tensor([scores]), held, gold, torch.tensor([several])))


def test_the_loss_of_a_search_falls_when_a_right_sentence_rises_above_those_of_other_passages() -> None:
    assert _search_loss([0, 4, 99, 3], [1]) < _search_loss([0, 1, 99, 3], [1])
    assert _search_loss([-9, -8, 99, -6], []) < _search_loss([0, 1, 99, 3], [])


def test_the_loss_of_a_search_is_the_negative_logarithm_of_the_share_of_its_right_sentences() -> None:
    share = (math.exp(1) + math.exp(2)) / (math.exp(0.5) + math.exp(1) + math.exp(2) + 1)
    assert _search_loss([1, 0.5, 99, 2], [0, 3]) == pytest.approx(-math.log(share), rel=1e-5)
    none = 1 / (math.exp(0.5) + math.exp(1) + math.exp(2) + 1)
    assert _search_loss([1, 0.5, 99, 2], []) == pytest.approx(-math.log(none), rel=1e-5)


def test_where_several_sentences_are_needed_the_loss_counts_each_of_them() -> None:
    one, both = [5, -5, 99, 0], [5, 4, 99, 0]
    assert _search_loss(one, [0, 1]) < 0.1
    assert _search_loss(one, [0, 1], several=True) > 2
    assert _search_loss(both, [0, 1], several=True) < 0.1


def _words() -> Tokenizer:
    """Return a tokenizer of whole words, which knows those of the stories."""
    tokenizer = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.train_from_iterator([*FERRY, *TUNNEL], WordLevelTrainer(special_tokens=["?"], show_progress=False))
    tokenizer.post_processor = TemplateProcessing(single="? $A", pair="? $A ? $B:1", special_tokens=[("?", 0)])
    return tokenizer


WORDS = _words()


class Bag(nn.Module):
    """Stand for the network: what it says of a token depends on nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS.get_vocab_size(), 3)
        nn.init.zeros_(self.words.weight)

    def forward(self, ids: torch.Tensor, _mask: torch.Tensor, _types: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.words(ids)
        return logits


def _sets(stories: Sequence[Story]) -> list[ExampleSet]:
    return [ExampleSet((example,)) for example in story_examples(stories, seed=0)]


def _batch(sets: Sequence[ExampleSet]) -> Batch:
    return Batch.of([encoded(each.examples, WORDS) for each in sets], [each.several for each in sets])


def test_the_tokens_of_a_sentence_are_known_as_its_own(stories: list[Story]) -> None:
    (search,) = _joined(_sets(stories), 3)[:1]
    batch = _batch([search])
    for row, example in enumerate(search.examples):
        words = [len(WORDS.encode(span.of(example.passage)).ids) - 1 for span in example.sentences]
        assert [int((batch.sentence_of[row] == number).sum()) for number in range(len(words))] == words
        assert set(batch.gold[row].nonzero()[:, 0].tolist()) == example.gold
    assert batch.sets.tolist() == [[0, 1, 2]]
    assert batch.inputs.shape[2] % 8 == 0


def test_the_loss_of_a_batch_is_the_same_whatever_it_is_padded_with(stories: list[Story]) -> None:
    sets = _joined(_sets(stories), 3)
    torch.manual_seed(0)
    short, long = sorted(sets, key=lambda each: max(len(example.passage) for example in each.examples))[
        :: len(sets) - 1
    ]
    apart = _batch([short])
    logits = torch.randn(len(apart.starts), _batch([short, long]).inputs.shape[2], 3)
    beside = replace_padding(apart, logits.shape[1])
    assert float(loss(logits, beside, 0.5)) == pytest.approx(
        float(loss(logits[:, : apart.inputs.shape[2]], apart, 0.5))
    )


def replace_padding(batch: Batch, length: int) -> Batch:
    """Return a batch padded to a length, and to more sentences."""
    more = length - batch.inputs.shape[2]
    return replace(
        batch,
        inputs=functional.pad(batch.inputs, (0, more)),
        sentence_of=functional.pad(batch.sentence_of, (0, more), value=-1),
        gold=functional.pad(batch.gold, (0, 2)),
        sets=functional.pad(batch.sets, (0, 2), value=-1),
    )


def test_a_batch_whose_answers_have_no_place_has_a_loss(stories: list[Story]) -> None:
    batch = _batch(_joined(_sets(stories), 3)[:1])
    nowhere = replace(batch, starts=torch.full_like(batch.starts, IGNORED), ends=torch.full_like(batch.ends, IGNORED))
    assert torch.isfinite(loss(torch.zeros(*batch.sentence_of.shape, 3), nowhere, 0.5))


def test_a_search_whose_answer_was_cut_off_teaches_nothing_of_the_search(stories: list[Story]) -> None:
    golden = [each for each in _sets(stories) if each.examples[0].gold][:2]
    batch = _batch([ExampleSet(tuple(example for each in golden for example in each.examples))])
    cut_off = replace(
        batch, sentence_of=torch.where(batch.gold[torch.arange(2)[:, None], batch.sentence_of], -1, batch.sentence_of)
    )
    logits = torch.zeros(*batch.sentence_of.shape, 3)
    assert float(loss(logits, cut_off, 1.0)) == pytest.approx(float(loss(logits, cut_off, 0.0)))
    assert float(loss(logits, batch, 1.0)) > float(loss(logits, batch, 0.0)) + 0.1


def _joined(sets: Sequence[ExampleSet], size: int) -> list[ExampleSet]:
    examples = [example for each in sets for example in each.examples]
    return [ExampleSet(tuple(examples[at : at + size])) for at in range(0, len(examples) - size + 1, size)]


def test_batches_hold_every_set_once_and_no_more_items_than_fit(stories: list[Story]) -> None:
    sets = _joined(_sets(stories), 5)
    found = batches(sets, 12, random.Random(0))
    assert sorted(id(each) for batch in found for each in batch) == sorted(map(id, sets))
    assert max(sum(len(each.examples) for each in batch) for batch in found) <= 12
    assert len(found) > 1


def test_other_processes_make_the_same_batches_in_the_same_order(stories: list[Story]) -> None:
    chosen = batches(_sets(stories), 8, random.Random(0))
    here, beside = (list(Loader(WORDS, "cpu", workers).load(chosen)) for workers in (0, 2))
    assert [batch.inputs.tolist() for batch in here] == [batch.inputs.tolist() for batch in beside]
    assert [batch.gold.tolist() for batch in here] == [batch.gold.tolist() for batch in beside]


def test_an_epoch_draws_what_the_one_before_left_until_all_was_drawn(stories: list[Story]) -> None:
    sets = {name: list[ExampleSet]() for name in DRAWN} | {"stories": _sets(stories)}
    count = len(sets["stories"]) // 2
    stage = Stage(rate=1.0, epochs=2, batch=4, stories=count, public=9)
    first, second, third = (set(map(id, stage.epoch(sets, number, seed=5))) for number in range(3))
    assert len(first) == len(second) == count
    assert not first & second
    assert len(third & first) >= count - 1
    assert sum(len(batch) for batch in planned(stage, sets, seed=5)) == 2 * count


def test_a_stage_ends_after_its_steps_within_an_epoch_and_begins_with_the_same_batches(stories: list[Story]) -> None:
    sets = {name: list[ExampleSet]() for name in DRAWN} | {"stories": _sets(stories)}
    stage = Stage(rate=1.0, epochs=2, batch=4, stories=len(sets["stories"]))
    whole = planned(stage, sets, seed=5)
    assert planned(replace(stage, steps=len(whole) - 1), sets, seed=5) == whole[:-1]


def test_a_stage_of_which_little_is_tried_out_learns_no_more_of_each_name_than_it_may() -> None:
    stage = STAGES["all"].at_most(2)
    assert (stage.epochs, stage.public, stage.stories, stage.searches) == (1, 2, 2, 2)


def test_a_stage_can_be_changed_by_name() -> None:
    found = changed(STAGES, ["all.rate=1e-3", "all.epochs=9"])
    assert found == STAGES | {"all": replace(STAGES["all"], rate=1e-3, epochs=9)}


@pytest.mark.parametrize("change", ["none.rate=1", "all.speed=1", "all.epochs=1.5", "all"])
def test_a_change_of_what_is_not_there_is_refused(change: str) -> None:
    with pytest.raises(InputError, match=f"{change}.*STAGE.FIELD=VALUE"):
        changed(STAGES, [change])


def test_what_was_trained_finds_what_answers(stories: list[Story]) -> None:
    sets = [each for each in _sets(stories) if "minors died?" in each.examples[0].question]
    trainer = Trainer(Bag(), Loader(WORDS, "cpu", 0))
    before = trainer.judge(sets)
    assert trainer.train([sets] * 60, Stage(rate=0.1, epochs=1, batch=99, warm_up=1)) == 60
    assert trainer.judge(sets).right == 1.0 > before.right


def test_training_stops_when_its_time_is_over_and_changes_nothing_then(stories: list[Story]) -> None:
    network = Bag()
    before = network.words.weight.detach().clone()
    trainer = Trainer(network, Loader(WORDS, "cpu", 0), until=time.monotonic() - 1)
    assert trainer.train([_sets(stories)], STAGES["public"]) == 0
    assert torch.equal(network.words.weight, before)


def test_what_is_saved_is_what_training_may_change_in_half_precision(tmp_path: Path) -> None:
    network = nn.ModuleDict({"bert": nn.ModuleDict({"embeddings": nn.Linear(2, 2)}), "head": nn.Linear(2, 3)})
    save(network, tmp_path / "weights")
    saved = load_file(tmp_path / "weights")
    assert {name: value.dtype for name, value in saved.items()} == {"head.weight": torch.half, "head.bias": torch.half}


def test_figures_say_how_often_the_best_sentence_is_right_and_how_well_answerable_is_told() -> None:
    best, right = np.array([3.0, 2.0, 1.0, 2.5], dtype=np.float32), np.array([True, False, False, False])
    assert Figures.of(best, right, np.array([True, True, False, False])) == Figures(0.5, 2, 0.75)


def test_the_mean_of_weights_counts_a_file_as_often_as_it_is_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for path, value in ((one, 1.0), (two, 4.0)):
        save_file({"layer": torch.full((2, 3), value, dtype=torch.half)}, path)
    assert mean_of([one, two])["layer"].tolist() == [[2.5] * 3] * 2
    assert mean_of([one, one, two])["layer"].tolist() == [[2.0] * 3] * 2
    assert mean_of([one])["layer"].dtype is torch.half
