"""Texts end to end: a network computes of each what it computes of that text alone."""

from types import SimpleNamespace

import pytest
import torch
from transformers import BertConfig, BertModel

from index.network_inputs import Encoding, packed_inputs
from index.packing import packed_network

SHORT, LONG, PAIR = (
    SimpleNamespace(ids=[1, 2], attention_mask=[1, 1], type_ids=[0, 0]),
    SimpleNamespace(ids=[1, 5, 6, 7, 2], attention_mask=[1] * 5, type_ids=[0] * 5),
    SimpleNamespace(ids=[1, 5, 2, 8, 2], attention_mask=[1] * 5, type_ids=[0, 0, 0, 1, 1]),
)


class Network(torch.nn.Module):
    """A small network of random weights, with an output for each token and one for each text."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        settings = BertConfig(
            vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
        )
        self.bert = BertModel(settings, add_pooling_layer=False)

    def output(self, tokens: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return tokens, (tokens * attention_mask[:, :, None]).sum(1)


@torch.no_grad()
def computed(network: torch.nn.Module, *texts: Encoding) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = packed_inputs(texts, rounded=lambda tokens: -(-tokens // 4) * 4)
    tokens, sums = network(**{name: torch.from_numpy(array) for name, array in inputs.items()})
    return tokens, sums


@pytest.fixture
def packed() -> torch.nn.Module:
    return packed_network(Network()).eval()


@pytest.mark.parametrize("texts", [(LONG, SHORT), (SHORT, LONG, PAIR), (SHORT,) * 4, (PAIR,)])
@torch.no_grad()
def test_each_text_has_what_it_has_without_company_or_padding(
    packed: torch.nn.Module, texts: tuple[Encoding, ...]
) -> None:
    tokens, sums = computed(packed, *texts)
    whole = Network().eval()
    for row, text in enumerate(texts):
        ids, mask, types = (torch.tensor([each]) for each in (text.ids, text.attention_mask, text.type_ids))
        expected = whole.output(whole.bert(ids, mask, types).last_hidden_state, mask)
        torch.testing.assert_close(tokens[row, : len(text.ids)], expected[0][0])
        torch.testing.assert_close(sums[row], expected[1][0])


def test_tokens_lie_end_to_end_and_each_text_has_a_row() -> None:
    inputs = packed_inputs([LONG, SHORT], rounded=lambda tokens: -(-tokens // 4) * 4)
    assert {name: array.tolist() for name, array in inputs.items()} == {
        "tokens": [[1, 5, 6, 7, 2, 1, 2, 0], [0] * 8, [0, 1, 2, 3, 4, 0, 1, 2]],
        "places": [0, 1, 2, 3, 4, 8, 9, 10],
        "rows": [[0, 1, 2, 3, 4, 5, 6, 7], [5, 6, 7, 7, 7, 7, 7, 7]],
        "attention_mask": [[1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]],
    }


def test_what_fills_up_stays_within_the_row_of_the_last_text() -> None:
    inputs = packed_inputs([SHORT, SHORT, SHORT], rounded=lambda tokens: 2 if tokens == 2 else 8)
    assert inputs["places"].tolist() == [0, 1, 2, 3, 4, 5, 5, 5]
