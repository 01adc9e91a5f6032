from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from tests.bench.peers.chunkers import pieces_of
from tests.bench.peers.semantic_chunkers import PIECE_TOKENS, Rows, by_cluster, by_distance, cluster_starts

SUBJECTS = ("rain", "bank", "song")
WEATHER, MONEY, MUSIC = (" ".join([word] * PIECE_TOKENS) + "\n\n" for word in SUBJECTS)


def embed(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the shares of each subject's word in a text, and a little of what all texts share."""
    shares = np.array([[0.1, *(text.count(word) / PIECE_TOKENS for word in SUBJECTS)] for text in texts])
    lengths: npt.NDArray[np.float64] = np.linalg.norm(shares, axis=1, keepdims=True)
    return shares / lengths


def words(text: str) -> int:
    return len(text.split())


def drawn(count: int) -> list[str]:
    """Return so many pieces whose subjects are drawn."""
    return [(WEATHER, MONEY, MUSIC)[number] for number in np.random.default_rng(7).integers(3, size=count)]


def test_pieces_are_the_text_from_its_first_part_on() -> None:
    assert pieces_of("\nRain fell.\n\nRain fell. \n", ["Rain fell.", "Rain fell."]) == [
        "Rain fell.\n\n",
        "Rain fell. \n",
    ]


def test_a_text_without_a_part_has_no_piece() -> None:
    assert pieces_of(" \n", []) == []


def test_clusters_follow_on_each_other_and_together_are_the_text() -> None:
    pieces = drawn(40)
    assert "".join(by_cluster(pieces, embed, most_tokens=200)) == "".join(pieces)


@pytest.mark.parametrize("tokens", [PIECE_TOKENS, 200, 400])
def test_no_cluster_has_more_tokens_than_it_may(tokens: int) -> None:
    chunks = by_cluster(drawn(40) + [MONEY] * 40, embed, most_tokens=tokens)
    assert max(map(words, chunks)) == tokens


def test_alike_pieces_stay_in_one_cluster_and_a_change_of_subject_ends_it() -> None:
    pieces = [WEATHER, WEATHER, WEATHER, MONEY, MONEY, MUSIC]
    assert by_cluster(pieces, embed, most_tokens=200) == [WEATHER * 3, MONEY * 2, MUSIC]


def test_clusters_hold_the_most_likeness_that_any_way_of_cutting_does() -> None:
    vectors = embed(["rain", "rain bank", "bank", "bank song", "song rain", "rain"])
    likeness = vectors @ vectors.T
    likeness -= likeness[np.triu_indices(6, 1)].mean()

    def held(begins: Sequence[int]) -> float:
        ends = [*begins[1:], 6]
        return sum(float(np.triu(likeness[a:b, a:b], 1).sum()) for a, b in zip(begins, ends, strict=True))

    ways = [[0, *(place for place in range(1, 6) if bits >> place & 1)] for bits in range(0, 64, 2)]
    fitting = [way for way in ways if max(np.diff([*way, 6])) <= 3]
    assert cluster_starts(vectors, 3) == max(fitting, key=held)


def test_one_piece_is_one_chunk() -> None:
    assert by_cluster([MUSIC], embed, most_tokens=200) == [MUSIC]
    assert by_distance([MUSIC], embed, mean_tokens=200, count=words) == [MUSIC]


def test_chunks_cut_at_the_greatest_distances_follow_on_each_other_and_together_are_the_text() -> None:
    pieces = drawn(40)
    assert "".join(by_distance(pieces, embed, mean_tokens=200, count=words)) == "".join(pieces)


@pytest.mark.parametrize("tokens", [200, 400])
def test_chunks_cut_at_the_greatest_distances_have_about_so_many_tokens_on_average(tokens: int) -> None:
    chunks = by_distance(drawn(400), embed, mean_tokens=tokens, count=words)
    assert np.mean([words(chunk) for chunk in chunks]) == pytest.approx(tokens, rel=0.05)


def test_the_greatest_distance_is_where_the_subject_changes() -> None:
    pieces = [WEATHER] * 8 + [MONEY] * 8
    assert by_distance(pieces, embed, mean_tokens=words("".join(pieces)), count=words) == [WEATHER * 8, MONEY * 8]


def test_a_stray_piece_among_its_neighbours_is_no_change_of_subject() -> None:
    pieces = [WEATHER] * 6 + [MUSIC] + [WEATHER] * 7 + [MONEY] * 14
    assert by_distance(pieces, embed, mean_tokens=words("".join(pieces)), count=words) == [
        "".join(pieces[:14]), MONEY * 14,
    ]  # fmt: skip


def test_of_no_pieces_there_are_no_chunks() -> None:
    def embed_nothing(texts: Sequence[str]) -> Rows:
        return np.zeros((len(texts), 3))

    assert by_cluster([], embed_nothing, most_tokens=200) == []
    assert by_distance([], embed_nothing, mean_tokens=200, count=len) == []
