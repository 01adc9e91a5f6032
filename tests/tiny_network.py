"""A network of three words that can be prepared in a second, and a command that opens it: for tests.

Its outputs for a text are each token's id plus ten times its segment (by token), and the sum of the ids (by text).
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from index.encoder import Encoder
from index.prepare import Recipe

if TYPE_CHECKING:
    import torch

WORDS = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "it": 4, "has": 5, "ended": 6}


def recipe(folder: Path) -> Recipe:
    """Return the recipe of the tiny network, with its tokenizer in a folder, where `built.txt` has a line a build."""
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    file = folder / "tokenizer.json"
    if not file.exists():  # processes that share it must not find it half written
        file.write_text(tokenizer.to_str(), encoding="utf-8")

    def build() -> "torch.nn.Module":
        with (folder / "built.txt").open("a", encoding="utf-8") as log:
            log.write("built\n")
        return network()

    return Recipe(
        name="tiny", weights_sha256="0" * 64, build=build, tokenizer=file, max_tokens=12,
        calibration=["it has ended"], precision="float32",
    )  # fmt: skip


def builds(made: Recipe) -> int:
    """Return how often the network was built, in any process."""
    log = made.tokenizer.with_name("built.txt")
    return log.read_text(encoding="utf-8").count("built") if log.exists() else 0


def network() -> "torch.nn.Module":
    import torch

    class Body(torch.nn.Module):
        """Stand for a `BertModel`: the hidden states of a token are its id and its segment."""

        def set_attn_implementation(self, name: str) -> None:
            """Take notice of nothing: there is no attention."""

        def forward(
            self,
            input_ids: torch.Tensor,
            attention_mask: torch.Tensor,
            token_type_ids: torch.Tensor,
            position_ids: torch.Tensor | None = None,
            **layout: object,
        ) -> SimpleNamespace:
            return SimpleNamespace(last_hidden_state=torch.stack((input_ids, token_type_ids), dim=2).float())

    class Tiny(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = Body()

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            tokens = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
            return self.output(tokens, attention_mask)

        def output(self, tokens: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            ids, segments = tokens.unbind(2)
            return ids + 10 * segments, (ids * attention_mask).sum(1, keepdim=True)

    return Tiny()


if __name__ == "__main__":  # python -m tests.tiny_network FOLDER CACHE
    encoder = Encoder.open(recipe(Path(sys.argv[1])), Path(sys.argv[2]))
    sys.stdout.write(str(encoder.run(encoder.tokenize(["it has ended"]))[1].tolist()))
