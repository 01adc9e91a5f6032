"""Train the reader: ``python -m eval.fit.reader --data FOLDER [--from WEIGHTS] [--out FILE]``.

Two stages from the bundled model, whose word vectors stay as they are: public questions once (`public_examples`), then
the stories (`story_examples`) several times, mixed with public ones and with questions that no story answers
(`far_examples`). The loss is that of the start and end of the short answer, of each sentence's evidence, and of whether
the passage answers. Two cores take some three hours; ``--from`` leaves the first stage out. What it prints at the end
is read on questions that trained nothing: SQuAD's test half and the stories held out.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Encoding, Tokenizer
from torch import nn
from torch.nn import functional
from tqdm import tqdm
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from eval.fit.reader_examples import (
    Example,
    far_examples,
    judging_examples,
    public_examples,
    story_examples,
)  # fmt: skip
from eval.fit.stories import load_stories, split_stories
from index.embed import bundled_model_folder
from index.encoder import tokenizer_of
from rag.reader import WEIGHTS, reader_network, reader_recipe

CHECKOUT = Path(__file__).resolve().parent.parent.parent
WEIGHTS_FILE = CHECKOUT / "rag" / WEIGHTS
_BATCH = 32
_IGNORED = -100  # the label of an answer whose place is not known
_ATTENTION = "sdpa_in_float32"


@dataclass(frozen=True, slots=True)
class Stage:
    """Say what to learn from: passes over the stories, public examples, questions that no story answers; the rate."""

    learning_rate: float
    passes: int
    public: int
    far: int


STORIES = Stage(learning_rate=9e-5, passes=3, public=12_000, far=8_000)


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
class Batch:
    """Hold items side by side, each tensor of shape ``(items, tokens)``, or ``(items,)`` for `starts` and `ends`."""

    inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    sentence_of: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    gold: tuple[frozenset[int], ...]

    @classmethod
    def of(cls, items: Sequence[Item]) -> "Batch":
        """Return the items padded to the longest."""
        longest = max(len(item.encoding.ids) for item in items)
        tokens = torch.zeros(3, len(items), longest, dtype=torch.long)
        sentence_of = torch.full((len(items), longest), -1)
        for row, item in enumerate(items):
            e = item.encoding
            tokens[:, row, : len(e.ids)] = torch.tensor([e.ids, e.attention_mask, e.type_ids])
            sentence_of[row, : len(e.ids)] = torch.from_numpy(item.sentence_of)
        places = torch.tensor([(item.start, item.end) for item in items])
        gold = tuple(item.gold for item in items)
        return cls((tokens[0], tokens[1], tokens[2]), sentence_of, places[:, 0], places[:, 1], gold)


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
    return 0.5 * span + 2 * each + 0.5 * whole


def batches(items: Sequence[Item], draw: random.Random) -> Iterator[list[Item]]:
    """Yield the items in batches of like length, in an order that is drawn."""
    order = draw.sample(range(len(items)), len(items))
    chunks = [order[at : at + 50 * _BATCH] for at in range(0, len(order), 50 * _BATCH)]
    found = []
    for chunk in chunks:
        chunk.sort(key=lambda place: len(items[place].encoding.ids))
        found += [chunk[at : at + _BATCH] for at in range(0, len(chunk), _BATCH)]
    draw.shuffle(found)
    yield from ([items[place] for place in batch] for batch in found)


def attend(
    module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None,
    **rest: Any,  # noqa: ANN401 - what transformers hands on
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Attend in float32: on a CPU, the way back through bfloat16 takes twice as long."""
    with torch.autocast("cpu", enabled=False):
        attended, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), mask, **rest)
    return attended.to(query.dtype), None


def train(network: nn.Module, items: Sequence[Item], learning_rate: float, draw: random.Random) -> None:
    """Train once over the items, at a rate that falls to 0 in a line."""
    planned = list(batches(items, draw))
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


def judge(network: nn.Module, items: Sequence[Item]) -> str:
    """Return how often the sentence read best answers, and how well answerable is told from unanswerable (AUC)."""
    network.eval()
    right: list[bool] = []
    answerable: list[float] = []
    others: list[float] = []
    for at in range(0, len(items), _BATCH):
        batch = Batch.of(items[at : at + _BATCH])
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
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--from", dest="start", type=Path, help="weights of the first stage, to leave it out")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="file to save the weights to")
    parser.add_argument("--limit", type=int, help="examples of each stage, to try it out")
    options = parser.parse_args()
    torch.manual_seed(0)
    draw = random.Random(0)
    AttentionInterface.register(_ATTENTION, attend)
    AttentionMaskInterface.register(_ATTENTION, sdpa_mask)
    network = reader_network(options.start, attention=_ATTENTION)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(_is_trained(name))
    tokenizer = tokenizer_of((bundled_model_folder() / "tokenizer.json").read_bytes(), reader_recipe())
    examples = public_examples(options.data, seed=7)[: options.limit]
    public = encoded(examples, tokenizer)
    learned, held_out = split_stories(load_stories())
    tests = {
        "SQuAD, test half": encoded(judging_examples(options.data)[:1000], tokenizer),
        "stories held out": encoded(story_examples(held_out, seed=0), tokenizer),
    }
    if options.start is None:
        train(network, public, 1.2e-4, draw)
        report(network, tests)
        save(network, options.out)
    read = [item for seed in range(STORIES.passes) for item in encoded(story_examples(learned, seed=seed), tokenizer)]
    far = [example.question for example in draw.sample(examples, min(STORIES.far, len(examples)))]
    mixed = read[: options.limit] + draw.sample(public, min(STORIES.public, len(public)))
    mixed += encoded(far_examples(far, learned, seed=0), tokenizer)
    train(network, mixed, STORIES.learning_rate, draw)
    report(network, tests)
    save(network, options.out)


def report(network: nn.Module, tests: dict[str, list[Item]]) -> None:
    """Print the figures of each set."""
    for name, items in tests.items():
        print(f"{name}: {judge(network, items)}", flush=True)


def save(network: nn.Module, path: Path) -> None:
    """Save what training may change, in half precision."""
    state = network.state_dict()
    save_file({name: value.half().contiguous() for name, value in state.items() if _is_trained(name)}, path)


def _is_trained(name: str) -> bool:
    """Tell whether training may change a parameter: the word vectors stay those of the bundled model."""
    return ".embeddings." not in name


if __name__ == "__main__":
    main()
