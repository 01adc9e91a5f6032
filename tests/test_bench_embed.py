"""The bench of embedding: what its rows say, and that a bar that is missed is called so."""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from eval.fit.precision import Paragraphs
from index.embed import Vectors
from tests.bench.embed import Row, quality, speed
from tests.fakes import FakeEmbedder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TEXTS = [f"Town {name} lies on a river." for name in ("Ash", "Birk", "Cole", "Dunn", "Esk", "Firth", "Glen", "Holm",
                                                      "Inver", "Jed", "Kell", "Loch", "Muir", "Ness")]  # fmt: skip
DATA = Paragraphs(TEXTS, TEXTS[:4], np.arange(4))


def theirs(change: Callable[[Vectors], Vectors] = np.asarray) -> "SentenceTransformer":
    """Return a stand-in for sentence-transformers, whose vectors are ours, changed."""

    class Theirs:
        def encode(self, texts: Sequence[str], **_: object) -> Vectors:
            return change(FakeEmbedder().embed_passages(texts))

    return cast("SentenceTransformer", Theirs())


def by_name(rows: list[Row]) -> dict[str, Row]:
    return {row.what.partition(",")[0]: row for row in rows}


def test_an_embedder_with_the_vectors_of_float32_keeps_every_bar() -> None:
    rows = by_name(quality(DATA, FakeEmbedder(), theirs()))
    assert [(row.seen, row.kept) for row in rows.values()] == [
        ("1.0000", None), ("100.0 %", True), ("100.0 %", None), ("100.00, float32 100.00", True),
    ]  # fmt: skip


def test_an_embedder_that_ranks_otherwise_misses_both_bars() -> None:
    rows = by_name(quality(DATA, FakeEmbedder(), theirs(lambda vectors: np.roll(vectors, 1, axis=0))))
    assert (rows["top-10 overlap"].kept, rows["nDCG@10"].kept) == (False, False)


@pytest.mark.parametrize(("slow", "kept"), [(4.0, True), (3.9, False)])
def test_the_ratio_is_of_both_in_the_same_round(slow: float, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    times = cycle([slow, 1.0, 10 * slow, 10.0])  # what else the machine does slows a whole round
    monkeypatch.setattr("tests.bench.embed.seconds", lambda work: (work(), next(times))[1])
    rows = by_name(speed(DATA, FakeEmbedder(), theirs()))
    assert (rows["ratio"].seen, rows["ratio"].kept) == (f"{slow} ({slow} to {slow})", kept)
    assert rows["passages/s"].seen == f"{14 / 1:.0f}, float32 {14 / slow:.0f}"
