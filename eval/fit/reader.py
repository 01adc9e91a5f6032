"""Train the reader: ``python -m eval.fit.reader --data FOLDER [--from WEIGHTS] [--out FILE]``.

Three stages from the bundled model, whose word vectors stay as they are: public questions once (`public_examples`); the
stories (`story_examples`) several times, mixed with public ones and with questions that no story answers
(`far_examples`); and questions of stories beside all that the search finds for them (`searches`), with some of the
others. The loss is that of the start and end of the short answer, of each sentence's evidence, of whether the passage
answers, and in the last stage of the share that falls to the right sentences of a search. Two cores take some four
hours; ``--from`` and ``--stages`` leave some out, and ``--mean FILE ...`` makes one of several results. What it prints
is read on questions that trained nothing: SQuAD's test half and the stories held out.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Encoding, Tokenizer
from torch import nn
from torch.nn import functional
from tqdm import tqdm
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from eval.fit.command import run_fit
from eval.fit.reader_examples import (
    Example,
    far_examples,
    judging_examples,
    public_examples,
    story_examples,
)  # fmt: skip
from eval.fit.reader_searches import searches
from eval.fit.stories import Story, load_stories, split_stories
from index.embed import bundled_model_folder
from index.network_inputs import tokenizer_of
from rag.quoter_model import QuoterModel
from rag.reader import WEIGHTS, reader_network, reader_recipe

CHECKOUT = Path(__file__).resolve().parent.parent.parent
WEIGHTS_FILE = CHECKOUT / "rag" / WEIGHTS
_BATCH = 32
_IGNORED = -100  # the label of an answer whose place is not known
_ATTENTION = "sdpa_in_float32"


@dataclass(frozen=True, slots=True)
class Stage:
    """Say what to learn from, and at which rate.

    `passes` over the stories, and how many windows of them (None: all); how many public examples (None: all), questions
    that no story answers, and searches.
    """

    learning_rate: float
    passes: int = 0
    windows: int | None = None
    public: int | None = None
    far: int = 0
    searches: int = 0

    def at_most(self, limit: int) -> "Stage":
        """Return the stage with no more than `limit` of each sort."""
        public = limit if self.public is None else min(limit, self.public)
        far, searched = min(limit, self.far), min(limit, self.searches)
        return replace(self, public=public, windows=limit, far=far, searches=searched)


STAGES = {
    "public": Stage(learning_rate=1.2e-4),
    "stories": Stage(learning_rate=9e-5, passes=3, public=12_000, far=8_000),
    "searches": Stage(learning_rate=6e-5, public=3_000, far=2_000, searches=12_000),
}
SEARCH_WEIGHT = 0.5  # of the loss over all sentences of a search, beside that of each passage


@dataclass(frozen=True, slots=True)
class Item:
    """Hold an example as numbers: its tokens, the sentence that each stands in (-1: none), and the labels."""

    encoding: Encoding
    sentence_of: np.ndarray[Any, np.dtype[np.int64]]
    gold: frozenset[int]
    start: int
    end: int


def encoded(examples: Sequence[Example], tokenizer: Tokenizer) -> list[Item]:
    """Return the examples as numbers."""
    encodings = tokenizer.encode_batch([(example.question, example.passage) for example in examples])
    return [_item(example, encoding) for example, encoding in zip(examples, encodings, strict=True)]


def _item(example: Example, encoding: Encoding) -> Item:
    offsets, of_passage = np.array(encoding.offsets), np.array(encoding.type_ids) == 1
    of_passage &= offsets[:, 1] > offsets[:, 0]
    sentence_of = np.full(len(offsets), -1)
    for number, span in enumerate(example.sentences):
        sentence_of[of_passage & (offsets[:, 0] >= span.start) & (offsets[:, 1] <= span.end)] = number
    start = end = 0 if not example.gold else _IGNORED
    if example.answer:
        held = of_passage & (offsets[:, 0] < example.answer.end) & (offsets[:, 1] > example.answer.start)
        if held.any():
            start, end = int(np.flatnonzero(held)[0]), int(np.flatnonzero(held)[-1])
    return Item(encoding, sentence_of, example.gold, start, end)


@dataclass(frozen=True, slots=True)
class ItemSet:
    """Hold items that are learned from together: one passage, or all that are read for a question."""

    items: tuple[Item, ...]
    several: bool = False


def alone(examples: Sequence[Example], tokenizer: Tokenizer) -> list[ItemSet]:
    """Return the examples as sets of one."""
    return [ItemSet((item,)) for item in encoded(examples, tokenizer)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold items side by side, each tensor of shape ``(items, tokens)``, or ``(items,)`` for `starts` and `ends`."""

    inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    sentence_of: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    gold: tuple[frozenset[int], ...]
    searches: tuple[tuple[slice, bool], ...]

    @classmethod
    def of(cls, sets: Sequence[ItemSet]) -> "Batch":
        """Return the items padded to the longest."""
        items = [item for each in sets for item in each.items]
        ends = np.cumsum([len(each.items) for each in sets])
        searches = tuple(
            (slice(end - len(each.items), end), each.several)
            for each, end in zip(sets, ends, strict=True)
            if len(each.items) > 1
        )
        longest = max(len(item.encoding.ids) for item in items)
        tokens = torch.zeros(3, len(items), longest, dtype=torch.long)
        sentence_of = torch.full((len(items), longest), -1)
        for row, item in enumerate(items):
            e = item.encoding
            tokens[:, row, : len(e.ids)] = torch.tensor([e.ids, e.attention_mask, e.type_ids])
            sentence_of[row, : len(e.ids)] = torch.from_numpy(item.sentence_of)
        places = torch.tensor([(item.start, item.end) for item in items])
        gold = tuple(item.gold for item in items)
        return cls((tokens[0], tokens[1], tokens[2]), sentence_of, places[:, 0], places[:, 1], gold, searches)


def evidence_of_sentences(evidence: torch.Tensor, sentence_of: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean evidence of each sentence's tokens, and which sentences have any; both ``(items, sentences)``."""
    member = functional.one_hot(sentence_of + 1)[:, :, 1:].to(evidence.dtype)
    counts = member.sum(1)
    return torch.einsum("bt,bts->bs", evidence, member) / counts.clamp(min=1), counts > 0


def loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return the loss of a batch; logits have shape ``(items, tokens, 3)``."""
    outside = batch.sentence_of < 0
    outside[:, 0] = False  # "no answer" points at the first token
    span = torch.zeros(())
    for column, places in ((0, batch.starts), (1, batch.ends)):
        if (places != _IGNORED).any():
            span = span + functional.cross_entropy(
                logits[..., column].masked_fill(outside, -1e4), places, ignore_index=_IGNORED
            )
    sentences, held = evidence_of_sentences(logits[..., 2], batch.sentence_of)
    wanted = torch.zeros_like(sentences)
    for row, gold in enumerate(batch.gold):
        wanted[row, [number for number in gold if number < wanted.shape[1]]] = 1
    answers = torch.tensor([float(bool(gold)) for gold in batch.gold])
    each = functional.binary_cross_entropy_with_logits(sentences[held], wanted[held])
    whole = functional.binary_cross_entropy_with_logits(logits[:, 0, 2], answers)
    total = 0.5 * span + 2 * each + 0.5 * whole
    own = [
        search_loss(sentences[rows], held[rows], wanted[rows], several=several)
        for rows, several in batch.searches
        if not answers[rows].any() or (wanted[rows] * held[rows]).any()  # what answers may have been cut off
    ]
    return total + SEARCH_WEIGHT * torch.stack(own).mean() if own else total


def search_loss(sentences: torch.Tensor, held: torch.Tensor, wanted: torch.Tensor, *, several: bool) -> torch.Tensor:
    """Return the loss over all sentences of a search, each tensor of shape ``(items, sentences)``.

    It is the negative logarithm of the share that falls to the right sentences, or to "none" at 0 where there is none.
    Where several are needed it is the mean over them of each one's, beside the wrong ones and "none".
    """
    scores, right = sentences[held], wanted[held] > 0
    none = scores.new_zeros(1)
    if not right.any():
        return torch.cat([scores, none]).logsumexp(0)
    if several:
        wrong = torch.cat([scores[~right], none]).logsumexp(0)
        return functional.softplus(wrong - scores[right]).mean()
    return torch.cat([scores, none]).logsumexp(0) - scores[right].logsumexp(0)


def batches(sets: Sequence[ItemSet], draw: random.Random) -> Iterator[list[ItemSet]]:
    """Yield the sets in batches of about `_BATCH` items of like length, in an order that is drawn."""
    order = draw.sample(range(len(sets)), len(sets))
    chunks = [order[at : at + 50 * _BATCH] for at in range(0, len(order), 50 * _BATCH)]
    found: list[list[ItemSet]] = []
    for chunk in chunks:
        chunk.sort(key=lambda place: max(len(item.encoding.ids) for item in sets[place].items))
        filled = _BATCH
        for place in chunk:
            if filled + len(sets[place].items) > _BATCH:
                found.append([])
                filled = 0
            found[-1].append(sets[place])
            filled += len(sets[place].items)
    draw.shuffle(found)
    yield from found


def attend(
    module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None,
    **rest: Any,  # noqa: ANN401 - what transformers hands on
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Attend in float32: on a CPU, the way back through bfloat16 takes twice as long."""
    with torch.autocast("cpu", enabled=False):
        attended, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), mask, **rest)
    return attended.to(query.dtype), None


def train(network: nn.Module, sets: Sequence[ItemSet], learning_rate: float, draw: random.Random) -> None:
    """Train once over the sets, at a rate that falls to 0 in a line."""
    planned = list(batches(sets, draw))
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 100) * (1 - step / len(planned))
    )
    network.train()
    steps = tqdm(planned, unit="batch", mininterval=10)
    for chosen in steps:
        batch = Batch.of(chosen)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(*batch.inputs)
        value = loss(logits.float(), batch)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        steps.set_postfix(loss=f"{value.item():.3f}")


def judge(network: nn.Module, sets: Sequence[ItemSet]) -> str:
    """Return how often the sentence read best answers, and how well answerable is told from unanswerable (AUC)."""
    network.eval()
    right: list[bool] = []
    answerable: list[float] = []
    others: list[float] = []
    for at in range(0, len(sets), _BATCH):
        batch = Batch.of(sets[at : at + _BATCH])
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            evidence = network(*batch.inputs).float()[..., 2]
        sentences, held = evidence_of_sentences(evidence, batch.sentence_of)
        sentences = sentences.masked_fill(~held, -1e4)
        for gold, row in zip(batch.gold, sentences, strict=True):
            (answerable if gold else others).append(float(row.max()))
            if gold:
                right.append(int(row.argmax()) in gold)
    higher = np.array(answerable)[:, None] > np.array(others)[None]
    return f"best sentence answers {np.mean(right):.3f} of {len(right)}, answerable or not: AUC {higher.mean():.3f}"


def main() -> None:
    """Train, print the figures, and save the weights, by default where the package ships them."""
    parser = argparse.ArgumentParser(description="Train the reader.")
    parser.add_argument("--data", type=Path, help="folder of the public sets, which training needs")
    parser.add_argument("--from", dest="start", type=Path, help="weights to begin with, in place of the bundled model")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="stages to go through")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="file to save the weights to")
    parser.add_argument("--limit", type=int, help="examples of each sort and stage, to try it out")
    parser.add_argument("--mean", type=Path, nargs="+", help="train nothing: save the mean of these weights")
    options = parser.parse_args()
    if options.mean:
        save_file(mean_of(options.mean), options.out)
        return
    if not options.data:
        parser.error("--data is missing: training needs the folder of the public sets")
    torch.manual_seed(0)
    draw = random.Random(0)
    AttentionInterface.register(_ATTENTION, attend)
    AttentionMaskInterface.register(_ATTENTION, sdpa_mask)
    network = reader_network(options.start, attention=_ATTENTION)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(_is_trained(name))
    tokenizer_file = bundled_model_folder() / "tokenizer.json"
    tokenizer = tokenizer_of(tokenizer_file.read_bytes(), max_tokens=reader_recipe().max_tokens)
    learned, held_out = split_stories(load_stories())
    public = public_examples(options.data, seed=7)
    tests = {
        "SQuAD, test half": alone(judging_examples(options.data)[:1000], tokenizer),
        "stories held out": alone(story_examples(held_out, seed=0), tokenizer),
    }
    for seed, name in enumerate(options.stages):
        stage = STAGES[name] if options.limit is None else STAGES[name].at_most(options.limit)
        sets = to_learn(stage, learned, public, tokenizer, seed=seed)
        train(network, sets, stage.learning_rate, draw)
        save(network, options.out)
        print(f"after {name}, {len(sets)} sets:")
        report(network, tests)


def to_learn(
    stage: Stage, stories: Sequence[Story], public: Sequence[Example], tokenizer: Tokenizer, *, seed: int
) -> list[ItemSet]:
    """Return what a stage learns from; the public questions that it learns are others than those that go far."""
    drawn = random.Random(seed).sample(public, len(public))
    learned, others = drawn[: stage.public], drawn[stage.public or len(drawn) :]
    told = [example for number in range(stage.passes) for example in story_examples(stories, seed=number)]
    far = far_examples([example.question for example in others[: stage.far]], stories, seed=seed)
    sets = alone([*told[: stage.windows], *learned, *far], tokenizer)
    for search in searches(stories, stage.searches, reach=QuoterModel.load().reach, seed=seed):
        sets.append(ItemSet(tuple(encoded(search.examples, tokenizer)), search.several))
    return sets


def report(network: nn.Module, tests: dict[str, list[ItemSet]]) -> None:
    """Print the figures of each set."""
    for name, sets in tests.items():
        print(f"{name}: {judge(network, sets)}", flush=True)


def save(network: nn.Module, path: Path) -> None:
    """Save what training may change, in half precision."""
    state = network.state_dict()
    save_file({name: value.half().contiguous() for name, value in state.items() if _is_trained(name)}, path)


def mean_of(files: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Return the mean of the weights in several files; one that is named twice counts twice."""
    held = [load_file(file) for file in files]
    return {name: torch.stack([each[name].float() for each in held]).mean(0).half() for name in held[0]}


def _is_trained(name: str) -> bool:
    """Tell whether training may change a parameter: the word vectors stay those of the bundled model."""
    return ".embeddings." not in name


if __name__ == "__main__":
    run_fit(main)
