"""Train the reader: ``python -m eval.fit.reader --examples FILE [--out FILE] [--device cuda --workers 2]``.

The examples are those that ``python -m eval.fit.reader_sources`` makes. Three stages from the bundled model, whose word
vectors stay as they are: public questions; all together, of which each epoch draws others; and twins of questions, with
some of all the rest (`STAGES`). The loss is that of the start and end of the short answer, of each sentence's evidence,
of whether the passage answers, and of the share that falls to the right sentences of a search. What is saved is a
moving mean of the weights. What it prints is read on questions that trained nothing: SQuAD's test half and the stories
held out, as windows and as whole searches.

Two cores take some ten hours. With ``--minutes`` the rate reaches 0 by then, wherever the schedule is; ``--change
all.rate=1e-4 all.epochs=6`` tries another schedule; ``--mean FILE ...`` makes one of several results. The same seed
does not quite give the same weights: in which order numbers are added is left to the machine.
"""

import argparse
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from eval.fit.command import run_fit
from eval.fit.reader_batches import IGNORED, Batch, Loader, batches
from eval.fit.reader_sets import ExampleSet, read_sets
from index.embed import bundled_model_folder
from index.errors import InputError
from index.network_inputs import tokenizer_of
from rag.reader import MAX_TOKENS, WEIGHTS, reader_network

CHECKOUT = Path(__file__).resolve().parent.parent.parent
WEIGHTS_FILE = CHECKOUT / "rag" / WEIGHTS
_ATTENTION = "sdpa_in_float32"
_UNHELD = -1e4  # the score of what is not there
_JUDGED_AT_ONCE = 128  # items
_STEPS_BETWEEN_LOSSES = 50  # the loss is asked for no more often: a GPU is waited for then


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Say what to learn from, and how.

    The rate rises to `rate` over `warm_up` steps and falls to 0 in a line. A batch has `batch` items at most. What is
    kept is a moving mean of the weights that forgets ``1 - mean`` a step. The search loss has `search_weight` beside
    that of the passages. It ends after `steps` batches, also within an epoch. The rest says how many sets of a name an
    epoch draws, none twice until all were drawn.
    """

    rate: float
    epochs: int
    batch: int
    steps: int = 1_000_000
    warm_up: int = 200
    mean: float = 0.999
    search_weight: float = 0.5
    public: int = 0
    stories: int = 0
    sagas: int = 0
    far: int = 0
    searches: int = 0
    saga_searches: int = 0
    twins: int = 0
    twin_searches: int = 0

    def epoch(self, sets: Mapping[str, Sequence[ExampleSet]], number: int, seed: int) -> list[ExampleSet]:
        """Return what an epoch learns from."""
        return [each for name in DRAWN for each in _drawn(sets[name], getattr(self, name), number, seed)]

    def at_most(self, limit: int) -> "Stage":
        """Return one epoch of the stage with no more than `limit` sets of each name."""
        return replace(self, epochs=1, **{name: min(limit, getattr(self, name)) for name in DRAWN})


DRAWN = ("public", "stories", "sagas", "twins", "far", "searches", "saga_searches", "twin_searches")
JUDGED = {
    "squad_test": "SQuAD, test half",
    "stories_held_out": "stories held out",
    "sagas_held_out": "sagas held out",
    "searches_held_out": "searches of stories held out",
    "saga_searches_held_out": "searches of sagas held out",
    "twin_searches_held_out": "searches of twins held out",
}
STAGES = {
    "public": Stage(rate=1.5e-4, epochs=1, batch=32, public=100_000),
    "all": Stage(
        rate=1.5e-4, epochs=4, batch=64, steps=10_065,
        public=12_000, stories=80_000, sagas=32_000, far=8_000, searches=7_000, saga_searches=7_000,
    ),
    "twins": Stage(
        rate=4e-5, epochs=1, batch=32, warm_up=50, mean=0.995,
        public=1_500, stories=3_000, sagas=1_500, twins=5_700, far=1_500,
        searches=2_500, saga_searches=1_200, twin_searches=3_600,
    ),
}  # fmt: skip


def _drawn(sets: Sequence[ExampleSet], count: int, epoch: int, seed: int) -> list[ExampleSet]:
    """Return what an epoch draws: a stretch of one order, which begins again where it ends."""
    count = min(count, len(sets))
    order = random.Random(seed).sample(range(len(sets)), len(sets))
    return [sets[order[place % len(sets)]] for place in range(epoch * count, (epoch + 1) * count)]


def evidence_of_sentences(evidence: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean evidence of each sentence's tokens, and which sentences have any; both ``(items, sentences)``."""
    numbers = torch.arange(batch.gold.shape[1], device=evidence.device)
    member = (batch.sentence_of[:, :, None] == numbers).to(evidence.dtype)
    counts = member.sum(1)
    return torch.einsum("bt,bts->bs", evidence, member) / counts.clamp(min=1), counts > 0


def loss(logits: torch.Tensor, batch: Batch, search_weight: float) -> torch.Tensor:
    """Return the loss of a batch; logits have shape ``(items, tokens, 3)``. It never waits for a GPU."""
    outside = batch.sentence_of < 0
    outside[:, 0] = False  # "no answer" points at the first token
    span = sum(
        (
            functional.cross_entropy(
                logits[..., column].masked_fill(outside, _UNHELD), places, ignore_index=IGNORED, reduction="sum"
            )
            / (places != IGNORED).sum().clamp(min=1)
            for column, places in ((0, batch.starts), (1, batch.ends))
        ),
        start=logits.new_zeros(()),
    )
    sentences, held = evidence_of_sentences(logits[..., 2], batch)
    wanted = (batch.gold & held).to(sentences.dtype)
    each = functional.binary_cross_entropy_with_logits(sentences, wanted, reduction="none")
    each = (each * held).sum() / held.sum().clamp(min=1)
    whole = functional.binary_cross_entropy_with_logits(logits[:, 0, 2], batch.answers.to(logits.dtype))
    return 0.5 * span + 2 * each + 0.5 * whole + search_weight * loss_of_searches(sentences, held, batch)


def loss_of_searches(sentences: torch.Tensor, held: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return the mean over all items of the loss of the search that each is of; 0 for one that stands alone."""
    scores, there, right = in_sets(sentences, held, batch)
    sizes = (batch.sets >= 0).sum(1)
    cut_off = answerable(batch) & ~right.any(1)
    weights = sizes * ((sizes > 1) & ~cut_off)
    return (search_losses(scores, there, right, batch.several) * weights).sum() / len(batch.starts)


def answerable(batch: Batch) -> torch.Tensor:
    """Return which of the sets hold what answers, perhaps where it was cut off: ``(sets,)``."""
    return (batch.answers[batch.sets.clamp(min=0)] & (batch.sets >= 0)).any(1)


def in_sets(
    sentences: torch.Tensor, held: torch.Tensor, batch: Batch
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the scores of all sentences of each set, which are there, and which are right: ``(sets, sentences)``."""
    places = batch.sets.clamp(min=0)
    there = held[places] & (batch.sets >= 0)[:, :, None]
    right = there & batch.gold[places]
    return sentences[places].flatten(1), there.flatten(1), right.flatten(1)


def search_losses(scores: torch.Tensor, held: torch.Tensor, right: torch.Tensor, several: torch.Tensor) -> torch.Tensor:
    """Return the loss of each search over all its sentences, from ``(searches, sentences)`` and ``(searches,)``.

    It is the negative logarithm of the share that falls to the right sentences, or to "none" at 0 where there is none.
    Where several are needed it is the mean over them of each one's, beside the wrong ones and "none".
    """
    everything = _log_sum(scores, held, none=True)
    share = everything - torch.where(right.any(1), _log_sum(scores, right, none=False), 0)
    wrong = _log_sum(scores, held & ~right, none=True)
    of_each = (functional.softplus(wrong[:, None] - scores) * right).sum(1) / right.sum(1).clamp(min=1)
    return torch.where(several & right.any(1), of_each, share)


def _log_sum(scores: torch.Tensor, chosen: torch.Tensor, *, none: bool) -> torch.Tensor:
    """Return the logarithm of the sum of the exponentials of the chosen scores, with that of "none" if wanted."""
    beside = scores.new_full((len(scores), 1), 0.0 if none else _UNHELD)
    return torch.cat([scores.masked_fill(~chosen, _UNHELD), beside], dim=1).logsumexp(1)


def attend(
    module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None,
    **rest: Any,  # noqa: ANN401 - what transformers hands on
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Attend, on a CPU in float32: there the way back through bfloat16 takes twice as long."""
    if query.device.type != "cpu":
        return sdpa_attention_forward(module, query, key, value, mask, **rest)
    with torch.autocast("cpu", enabled=False):
        attended, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), mask, **rest)
    return attended.to(query.dtype), None


def whole_mask(*sizes: Any, **rest: Any) -> torch.Tensor | None:  # noqa: ANN401 - what transformers hands on
    """Return the mask without asking whether it masks anything: a GPU would be waited for."""
    return sdpa_mask(*sizes, **(rest | {"allow_is_bidirectional_skip": False}))


@dataclass(frozen=True, slots=True)
class Trainer:
    """Train and judge a network on a device; `until` says when to stop, as `time.monotonic` tells the time."""

    network: nn.Module
    loader: Loader
    until: float = float("inf")

    def train(self, planned: Sequence[Sequence[ExampleSet]], stage: Stage) -> int:
        """Train once over the batches that are planned; return the steps made. The network has the moving mean then."""
        learned = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        kept = [parameter.detach().clone() for parameter in learned]
        optimizer = torch.optim.AdamW(_groups(learned), lr=stage.rate, fused=True)
        self.network.train()
        begun, made = time.monotonic(), 0
        steps = tqdm(self.loader.load(planned), total=len(planned), unit="batch", mininterval=10)
        for step, batch in enumerate(steps):
            now = time.monotonic()
            if now >= self.until:
                break
            progress = max(step / len(planned), (now - begun) / (self.until - begun))
            rate = stage.rate * min(1.0, (step + 1) / stage.warm_up) * (1 - progress)
            value = self._step(batch, optimizer, rate, stage.search_weight)
            get_ema_multi_avg_fn(min(stage.mean, (1 + step) / (10 + step)))(  # type: ignore[no-untyped-call]
                kept, learned, step
            )
            made = step + 1
            if step % _STEPS_BETWEEN_LOSSES == 0:
                steps.set_postfix(loss=f"{value.item():.3f}", rate=f"{rate:.1e}", refresh=False)
        with torch.no_grad():
            for parameter, mean in zip(learned, kept, strict=True):
                parameter.copy_(mean)
        return made

    def _step(self, batch: Batch, optimizer: torch.optim.Optimizer, rate: float, search_weight: float) -> torch.Tensor:
        for group in optimizer.param_groups:
            group["lr"] = rate
        value = loss(self._logits(batch), batch, search_weight)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([each for group in optimizer.param_groups for each in group["params"]], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return value.detach()

    def _logits(self, batch: Batch) -> torch.Tensor:
        with torch.autocast(self.loader.device, dtype=torch.bfloat16):
            logits: torch.Tensor = self.network(*batch.inputs)
        return logits.float()

    def judge(self, sets: Sequence[ExampleSet]) -> "Figures":
        """Return how often the best sentence of a set answers, and how well answerable is told from unanswerable."""
        self.network.eval()
        read = []
        with torch.inference_mode():
            for batch in self.loader.load(batches(sets, _JUDGED_AT_ONCE, random.Random(0))):
                sentences, held = evidence_of_sentences(self._logits(batch)[..., 2], batch)
                scores, there, right = in_sets(sentences, held, batch)
                best, place = scores.masked_fill(~there, _UNHELD).max(1)
                read.append(torch.stack([best, right.gather(1, place[:, None])[:, 0], answerable(batch)]))
        best, hits, asked = torch.cat(read, dim=1).cpu().numpy()
        return Figures.of(best, hits > 0, asked > 0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Say how often the best sentence is right where one answers, and the AUC of its score, answerable or not."""

    right: float
    answerable: int
    auc: float

    @classmethod
    def of(
        cls, best: npt.NDArray[np.float32], right: npt.NDArray[np.bool_], answerable: npt.NDArray[np.bool_]
    ) -> "Figures":
        """Return the figures from one value of each sort for each set."""
        yes, no = best[answerable], best[~answerable]
        higher = (yes[:, None] > no).mean() if len(yes) and len(no) else float("nan")
        return cls(float(right[answerable].mean()) if len(yes) else float("nan"), len(yes), float(higher))

    def __str__(self) -> str:
        return f"best sentence answers {self.right:.4f} of {self.answerable}, answerable or not: AUC {self.auc:.4f}"


def _groups(learned: Sequence[nn.Parameter]) -> list[dict[str, Any]]:
    """Return the parameters, of which matrices decay."""
    return [
        {"params": [each for each in learned if each.ndim > 1], "weight_decay": 0.01},
        {"params": [each for each in learned if each.ndim <= 1], "weight_decay": 0.0},
    ]


def main() -> None:
    """Train, print the figures, and save the weights, by default where the package ships them."""
    options = _options()
    if options.mean:
        save_file(mean_of(options.mean), options.out)
        return
    until = time.monotonic() + 60 * options.minutes
    torch.manual_seed(options.seed)
    tokenizer = tokenizer_of((bundled_model_folder() / "tokenizer.json").read_bytes(), max_tokens=MAX_TOKENS)
    network = network_to_train(options.start).to(options.device)
    trainer = Trainer(network, Loader(tokenizer, options.device, options.workers), until)
    sets = read_sets(options.examples)
    judged = {name: _drawn(sets[name], options.limit or len(sets[name]), 0, 0) for name in JUDGED}
    stages = changed(STAGES, options.change)
    for number, name in enumerate(options.stages):
        stage = stages[name] if options.limit is None else stages[name].at_most(options.limit)
        made = trainer.train(planned(stage, sets, seed=options.seed + number), stage)
        save(network, options.out)
        print(f"after {name}, {made} steps: {stage}")
        for key, title in JUDGED.items():
            print(f"{title}: {trainer.judge(judged[key])}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the reader.")
    parser.add_argument("--examples", type=Path, help="file that eval.fit.reader_sources made, which training needs")
    parser.add_argument("--from", dest="start", type=Path, help="weights to begin with, in place of the bundled model")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="stages to go through")
    parser.add_argument("--change", nargs="+", default=[], help="other values for stages: all.rate=1e-4")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to train")
    parser.add_argument("--workers", type=int, default=0, help="processes beside, which make batches")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="how long to train at most")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="file to save the weights to")
    parser.add_argument("--limit", type=int, help="examples of each sort and stage, to try it out")
    parser.add_argument("--mean", type=Path, nargs="+", help="train nothing: save the mean of these weights")
    options = parser.parse_args()
    if not (options.examples or options.mean):
        parser.error("--examples is missing; make the file: python -m eval.fit.reader_sources --data FOLDER --out FILE")
    return options


def network_to_train(start: Path | None) -> nn.Module:
    """Return the network with weights to begin with, set to learn what training may change."""
    AttentionInterface.register(_ATTENTION, attend)
    AttentionMaskInterface.register(_ATTENTION, whole_mask)
    network = reader_network(start, attention=_ATTENTION)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(_is_trained(name))
    return network


def changed(stages: Mapping[str, Stage], changes: Sequence[str]) -> dict[str, Stage]:
    """Return the stages with other values: ``["all.rate=1e-4"]``."""
    found = dict(stages)
    for change in changes:
        place, _, value = change.partition("=")
        stage, _, field = place.partition(".")
        try:
            found[stage] = replace(found[stage], **{field: type(getattr(found[stage], field))(value)})
        except (KeyError, AttributeError, ValueError) as error:
            raise InputError(f"{change!r} changes no stage; write STAGE.FIELD=VALUE, such as all.rate=1e-4") from error
    return found


def planned(stage: Stage, sets: Mapping[str, Sequence[ExampleSet]], *, seed: int) -> list[list[ExampleSet]]:
    """Return the batches of all epochs of a stage, in order."""
    draw = random.Random(seed)
    found = [
        batch for number in range(stage.epochs) for batch in batches(stage.epoch(sets, number, seed), stage.batch, draw)
    ]
    return found[: stage.steps]


def save(network: nn.Module, path: Path) -> None:
    """Save what training may change, in half precision."""
    state = network.state_dict()
    kept = {name: value.half().contiguous().cpu() for name, value in state.items() if _is_trained(name)}
    save_file(kept, path)


def mean_of(files: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Return the mean of the weights in several files; one that is named twice counts twice."""
    held = [load_file(file) for file in files]
    return {name: torch.stack([each[name].float() for each in held]).mean(0).half() for name in held[0]}


def _is_trained(name: str) -> bool:
    """Tell whether training may change a parameter: the word vectors stay those of the bundled model."""
    return ".embeddings." not in name


if __name__ == "__main__":
    run_fit(main)
