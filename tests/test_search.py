"""The parts of a search: by meaning, by words, both fused, and copies told from reports."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from index.duplicates import is_near_copy, resemblance
from index.embed import Vectors
from index.errors import IndexDamagedError
from index.fuse import DENSE_WEIGHT, fuse
from index.lexical import WordIndex
from index.vectors import Mask, VectorIndex


def vectors(*rows: list[float]) -> Vectors:
    return np.array(rows, dtype=np.float32)


def floats(*values: float) -> Vectors:
    return np.array(values, dtype=np.float32)


def mask(*allowed: int, of: int) -> Mask:
    return np.isin(np.arange(of), allowed)


def everything(rows: int) -> Mask:
    return np.ones(rows, dtype=np.bool_)


# Meaning

CORNERS = vectors([1, 0], [0, 1], [0.6, 0.8])
EAST = floats(1, 0)


def test_the_nearest_vectors_come_first_with_their_inner_products() -> None:
    rows, scores = VectorIndex.build(CORNERS).search(EAST, limit=3, allowed=everything(3))
    assert (rows.tolist(), scores.tolist()) == ([0, 2, 1], pytest.approx([1, 0.6, 0]))


def test_no_more_vectors_than_the_limit_are_found() -> None:
    rows, _ = VectorIndex.build(CORNERS).search(EAST, limit=2, allowed=everything(3))
    assert rows.tolist() == [0, 2]


def test_only_allowed_rows_are_found_by_meaning() -> None:
    rows, _ = VectorIndex.build(CORNERS).search(EAST, limit=3, allowed=mask(1, 2, of=3))
    assert rows.tolist() == [2, 1]


def test_where_nothing_is_allowed_nothing_is_found_by_meaning() -> None:
    rows, scores = VectorIndex.build(CORNERS).search(EAST, limit=3, allowed=mask(of=3))
    assert (rows.tolist(), scores.tolist()) == ([], [])


def test_the_only_allowed_vector_is_found_among_many() -> None:
    many = np.tile(EAST, (1000, 1))
    rows, _ = VectorIndex.build(many).search(EAST, limit=5, allowed=mask(987, of=1000))
    assert rows.tolist() == [987]


def test_equal_vectors_come_in_the_order_of_their_rows() -> None:
    rows, _ = VectorIndex.build(np.tile(EAST, (300, 1))).search(EAST, limit=4, allowed=everything(300))
    assert rows.tolist() == [0, 1, 2, 3]


def test_rows_can_be_scored_one_by_one() -> None:
    assert VectorIndex.build(CORNERS).scores(EAST, np.array([2, 0])).tolist() == pytest.approx([0.6, 1])


def test_a_score_does_not_depend_on_the_rows_beside_it() -> None:
    many = np.random.default_rng(0).standard_normal((37, 384), dtype=np.float32)
    index = VectorIndex.build(many)
    alone = [index.scores(many[0], np.array([row])).item() for row in range(37)]
    assert index.scores(many[0], np.arange(37)).tolist() == alone


def test_parts_are_searched_as_one_in_the_order_of_rows() -> None:
    parts = [VectorIndex.build(vectors([0, 1], [0.6, 0.8])), VectorIndex.build(vectors([1, 0]))]
    joined = VectorIndex.joined(parts, np.array([2, 0, 1]))
    rows, scores = joined.search(EAST, limit=2, allowed=mask(1, 2, of=3))
    assert (rows.tolist(), scores.tolist()) == ([1, 2], [1, 0])
    assert joined.scores(EAST, np.array([0, 1, 2])).tolist() == pytest.approx([0.6, 1, 0])


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("parts", [[10_000], [7_000, 2_990, 10]])
def test_many_vectors_give_the_same_hits_however_many_cores_share_them(
    parts: list[int], cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.vectors.cores", lambda: cores)
    several = [VectorIndex.build(np.tile(CORNERS, (copies, 1))) for copies in parts]
    index = VectorIndex.joined(several, np.arange(30_000))
    # The best ones are 0, 3, 6, and so on to the end; of three shares nothing of the middle one is allowed.
    allowed = mask(*range(29_900, 30_000), *range(300), of=30_000)
    rows, scores = index.search(EAST, limit=120, allowed=allowed)
    assert rows.tolist() == [*range(0, 300, 3), *range(29_901, 29_961, 3)]
    assert set(scores.tolist()) == {1.0}


def test_saved_vectors_give_the_same_hits(tmp_path: Path) -> None:
    VectorIndex.build(CORNERS).save(tmp_path / "v")
    rows, scores = VectorIndex.load(tmp_path / "v", rows=3, dimension=2).search(EAST, limit=3, allowed=everything(3))
    assert (rows.tolist(), scores.tolist()) == ([0, 2, 1], pytest.approx([1, 0.6, 0]))


@pytest.mark.parametrize(("rows", "dimension"), [(4, 2), (3, 4)])
def test_vectors_of_another_shape_than_the_manifest_s_are_refused(tmp_path: Path, rows: int, dimension: int) -> None:
    VectorIndex.build(CORNERS).save(tmp_path / "v")
    with pytest.raises(IndexDamagedError, match=rf"v: 3 x 2 vectors, the manifest says {rows} x {dimension}"):
        VectorIndex.load(tmp_path / "v", rows=rows, dimension=dimension)


@pytest.mark.parametrize("content", [b"", b"rotten", b"IxFI" + b"\xff" * 40])
def test_a_file_that_faiss_cannot_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(IndexDamagedError, match="v: FAISS cannot read it"):
        VectorIndex.load(tmp_path / "v", rows=3, dimension=2)


# Words

PASSAGES = [
    ("Summit in Paris", "Twenty-six countries pledged troops."),
    ("Toll in Kyiv", "At least 19 people were killed on Thursday."),
    ("", "The café in Paris was bombed."),
]


def found_words(query: str, *, limit: int = 3, allowed: Mask | None = None) -> list[int]:
    rows, _ = WordIndex.build(PASSAGES).search(
        query, limit=limit, allowed=everything(3) if allowed is None else allowed
    )
    return [int(row) for row in rows]


@pytest.mark.parametrize("query", ["pledge", "PLEDGES", "pledging troop", "country"])
def test_a_word_is_found_in_any_of_its_inflections(query: str) -> None:
    assert found_words(query) == [0]


@pytest.mark.parametrize("query", ["cafe", "CAFÉ"])
def test_a_word_is_found_with_and_without_its_accent(query: str) -> None:
    assert found_words(query) == [2]


def test_a_number_is_a_word() -> None:
    assert found_words("19") == [1]


def test_a_word_of_the_title_is_found() -> None:
    assert found_words("summit") == [0]


def test_a_word_of_the_text_counts_more_than_one_of_the_title() -> None:
    assert found_words("Paris") == [2, 0]


def test_scores_of_words_come_best_first() -> None:
    rows, scores = WordIndex.build(PASSAGES).search("Paris troops", limit=3, allowed=everything(3))
    assert rows.tolist() == [0, 2]
    assert scores[0] > scores[1] > 0


@pytest.mark.parametrize("query", ["zebra", "the of and", "", "?!“”", "AND OR NOT", 'text:"Rome" +*', "x" * 2000, "😀"])
def test_a_query_without_a_known_word_finds_nothing(query: str) -> None:
    assert found_words(query) == []


def test_only_allowed_rows_are_found_by_words() -> None:
    assert found_words("Paris", allowed=mask(0, of=3)) == [0]


def test_where_nothing_is_allowed_nothing_is_found_by_words() -> None:
    assert found_words("Paris", allowed=mask(of=3)) == []


def test_the_search_widens_until_it_finds_the_only_allowed_match_among_many() -> None:
    many = WordIndex.build([("", "Paris Paris Paris")] * 500 + [("", "Paris and many other words beside it")])
    rows, _ = many.search("Paris", limit=5, allowed=mask(500, of=501))
    assert rows.tolist() == [500]


def test_equal_matches_come_in_the_order_of_their_rows() -> None:
    rows, _ = WordIndex.build([("", "Paris")] * 300).search("Paris", limit=4, allowed=everything(300))
    assert rows.tolist() == [0, 1, 2, 3]


def test_saved_words_give_the_same_hits(tmp_path: Path) -> None:
    WordIndex.build(PASSAGES, tmp_path / "words")
    rows, _ = WordIndex.load(tmp_path / "words", rows=3).search("Paris", limit=3, allowed=everything(3))
    assert rows.tolist() == [2, 0]


def test_words_of_another_number_of_rows_than_the_manifest_s_are_refused(tmp_path: Path) -> None:
    WordIndex.build(PASSAGES, tmp_path / "words")
    with pytest.raises(IndexDamagedError, match="words: 3 rows, the manifest says 4"):
        WordIndex.load(tmp_path / "words", rows=4)


def test_a_folder_that_tantivy_cannot_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexDamagedError, match="Tantivy cannot read it"):
        WordIndex.load(tmp_path, rows=3)


def test_the_frequency_of_a_word_counts_passages_and_inflections() -> None:
    words = WordIndex.build([("", "pledge"), ("", "pledged pledges"), ("pledge", "money")])
    assert words.document_frequency(["pledging", "money", "zebra", "the"]) == [2, 1, 0, 0]


def test_the_frequency_of_a_compound_is_that_of_its_rarest_part() -> None:
    words = WordIndex.build([("", "twenty six"), ("", "twenty")])
    assert words.document_frequency(["twenty-six"]) == [1]


# Fusion


def test_fusion_adds_weighted_scores_and_gives_them_as_shares_of_the_best() -> None:
    """0.8 x (1 + 1) + 0.2 x 2 = 2.0 and 0.8 x (1 + 0.5) + 0.2 x 14 = 4.0."""
    assert fuse(floats(1, 0.5), floats(2, 14), dense_weight=0.8).tolist() == pytest.approx([0.5, 1])


def test_the_weight_is_the_documented_one() -> None:
    """0.96 x (1 + 0.5) = 1.44 and 0.96 x (1 + 0) + 0.04 x 24 = 1.92."""
    assert DENSE_WEIGHT == 0.96
    assert fuse(floats(0.5, 0), floats(0, 24)).tolist() == pytest.approx([0.75, 1])


def test_one_common_word_cannot_outweigh_what_many_rare_ones_can() -> None:
    meant, worded = 0, 1
    few, many = fuse(floats(0.5, 0.3), floats(0, 3)), fuse(floats(0.5, 0.3), floats(0, 20))
    assert few[meant] > few[worded]
    assert many[worded] > many[meant]


def test_fusion_without_any_score_is_zero() -> None:
    assert fuse(floats(-1), floats(0)).tolist() == [0]
    assert fuse(floats(0.5), floats(0), dense_weight=0).tolist() == [0]


def test_fusing_nothing_gives_nothing() -> None:
    assert fuse(floats(), floats()).tolist() == []


@given(
    arrays.arrays(np.float32, 5, elements=st.floats(-1, 1, width=32)),
    arrays.arrays(np.float32, 5, elements=st.floats(0, 100, width=32)),
)
def test_a_fused_score_lies_between_nought_and_one(dense: Vectors, lexical: Vectors) -> None:
    fused = fuse(dense, lexical)
    assert fused.min() >= 0
    assert fused.max() <= 1 + 1e-6


# Copies

STORY = "Twenty-six countries pledged troops for Ukraine at the summit in Paris on Thursday."


@pytest.mark.parametrize(
    "reprint",
    [
        STORY,
        STORY.upper(),
        STORY.replace("Thursday", "Friday"),
        STORY.removesuffix("."),
        "In brief: " + STORY,
    ],
)
def test_a_reprint_with_small_edits_is_a_copy(reprint: str) -> None:
    assert is_near_copy(STORY, reprint)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"At least 18 people died. {STORY}", f"At least 19 people died. {STORY}"),
        (f"They paid 1.5 million. {STORY}", f"They paid 15 million. {STORY}"),
        (STORY, f"{STORY} Item 3."),
        (
            "The tunnel under the Sarne will open to cars in May.",
            "The tunnel under the Sarne will not open to cars in May.",
        ),
        (STORY, "Missiles hit Kyiv in the night."),
    ],
)
def test_reports_with_other_numbers_or_words_are_no_copies(one: str, other: str) -> None:
    assert not is_near_copy(one, other)


def test_single_words_are_compared_as_they_are() -> None:
    assert (resemblance("Yes.", "yes"), resemblance("Yes.", "No.")) == (1, 0)


def test_resemblance_is_the_share_of_common_pairs_of_words() -> None:
    """Of the pairs (a b), (b c) and (b d), both texts have one."""
    assert resemblance("a b c", "a b d") == pytest.approx(1 / 3)


@given(st.text(max_size=60), st.text(max_size=60))
def test_resemblance_is_the_same_from_either_side(one: str, other: str) -> None:
    assert resemblance(one, other) == resemblance(other, one)


@given(st.text(max_size=60))
def test_every_text_resembles_itself(text: str) -> None:
    assert resemblance(text, text) == 1
