"""Compute texts of any lengths together, end to end: only attention sees them side by side, and only there is padding.

Nine tenths of a network of the BERT kind looks at each token alone, and takes as long for a token of padding as for
another. Between the layers the tokens of all texts stand in one row, without any; attention gets a row for each text.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["packed_network"]

_ATTENTION = "groundwire-packed"


def packed_network(network: Any) -> "torch.nn.Module":  # noqa: ANN401 - a torch module with two parts
    """Return a network that takes the tensors of `index.network_inputs.packed_inputs`, and returns what `network` does.

    `network` has two parts: `bert`, a `BertModel` of transformers, and `output`, which takes its last hidden states,
    shape ``(texts, tokens, hidden)``, and the attention mask, shape ``(texts, tokens)``.
    """
    import torch
    from transformers import AttentionInterface

    AttentionInterface.register(_ATTENTION, _attend)
    network.bert.set_attn_implementation(_ATTENTION)

    class PackedNetwork(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(
            self, tokens: torch.Tensor, places: torch.Tensor, rows: torch.Tensor, attention_mask: torch.Tensor
        ) -> Any:  # noqa: ANN401 - a tensor, or a tuple of tensors
            ids, types, positions = tokens[0:1], tokens[1:2], tokens[2:3]
            unseen = torch.where(attention_mask.bool(), 0.0, torch.finfo(torch.float32).min)[:, None, None]
            hidden = self.network.bert(ids, unseen, types, positions, rows=rows, places=places).last_hidden_state
            return self.network.output(_taken(hidden, rows), attention_mask)

    return PackedNetwork()


def _attend(
    module: "torch.nn.Module",
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: "torch.Tensor",
    *,
    rows: "torch.Tensor",
    places: "torch.Tensor",
    **settings: Any,  # noqa: ANN401 - transformers'
) -> tuple["torch.Tensor", None]:
    """Attend within each text: tokens of shape ``(1, heads, tokens, size)`` to ``(1, tokens, heads, size)``."""
    from transformers.models.bert.modeling_bert import eager_attention_forward

    heads, size = query.shape[1], query.shape[3]

    def by_text(tokens: "torch.Tensor") -> "torch.Tensor":
        """Return shape ``(texts, heads, length, size)``."""
        return _taken(tokens.transpose(1, 2).flatten(2), rows).view(*rows.shape, heads, size).transpose(1, 2)

    seen, _ = eager_attention_forward(module, by_text(query), by_text(key), by_text(value), attention_mask, **settings)
    packed: torch.Tensor = seen.reshape(1, -1, heads * size).index_select(1, places)
    return packed.view(1, -1, heads, size), None


def _taken(tokens: "torch.Tensor", rows: "torch.Tensor") -> "torch.Tensor":
    """Take tokens of shape ``(1, tokens, size)`` by their numbers, shape ``(texts, length)``: one row for each text."""
    size = int(tokens.shape[2])  # else the converted network would not know it
    return tokens.index_select(1, rows.flatten()).view(*rows.shape, size)
