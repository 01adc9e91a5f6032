"""How near one embedder's rankings come to another's: the figures that the bars of the int8 model are read from."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from eval.benchmarks.data_files import WHICH_FILE
from eval.fit.command import run_fit
from eval.fit.precision import Likeness, Paragraphs, likeness, main, read_squad
from index.embed import Vectors

TWELVE = np.eye(12, dtype=np.float32)  # twelve paragraphs, each at a right angle to the others


def scoring(*scores: float) -> Vectors:
    """Return one question's vector that scores the twelve paragraphs so."""
    return np.array([scores], dtype=np.float32)


DOWNWARD = tuple(float(score) for score in range(12, 0, -1))  # paragraph 0 first, 10 and 11 below the tenth


def seen(ours: Vectors, reference: Vectors, *, right: int, paragraphs: Vectors = TWELVE) -> Likeness:
    data = Paragraphs([""] * 12, [""], np.array([right], dtype=np.int64))
    return likeness(data, (paragraphs, ours), (TWELVE, reference))


def test_the_same_rankings_are_wholly_alike() -> None:
    both = scoring(*DOWNWARD)
    assert seen(both, both, right=0) == Likeness(cosine=1, overlap=1, same_first=1, ndcg=1, reference_ndcg=1)


def test_the_overlap_is_the_share_of_the_top_ten_that_both_have() -> None:
    """Ours has paragraphs 2 to 11 in its top 10, the reference 0 to 9: eight in common."""
    result = seen(scoring(*reversed(DOWNWARD)), scoring(*DOWNWARD), right=0)
    assert result.overlap == pytest.approx(0.8)
    assert result.same_first == 0


def test_the_order_within_the_top_ten_does_not_change_the_overlap_but_ndcg() -> None:
    """The right paragraph is third in ours, 1 / log2(1 + 3), and first in the reference."""
    result = seen(scoring(10, 12, 11, *DOWNWARD[3:]), scoring(*DOWNWARD), right=0)
    assert (result.overlap, result.ndcg, result.reference_ndcg) == (1, 0.5, 1)


def test_a_paragraph_below_the_tenth_gains_nothing() -> None:
    result = seen(scoring(*reversed(DOWNWARD)), scoring(*DOWNWARD), right=1)
    assert result.ndcg == 0
    assert result.reference_ndcg == pytest.approx(1 / np.log2(3))


def test_the_cosine_is_the_mean_over_paragraphs() -> None:
    half_turned = np.vstack([TWELVE[:6], -TWELVE[6:]])
    assert seen(scoring(*DOWNWARD), scoring(*DOWNWARD), right=0, paragraphs=half_turned).cosine == 0


def test_figures_are_means_over_the_questions() -> None:
    data = Paragraphs([""] * 12, ["", ""], np.array([0, 11], dtype=np.int64))
    both = np.vstack([scoring(*DOWNWARD), scoring(*DOWNWARD)])
    assert likeness(data, (TWELVE, both), (TWELVE, both)).ndcg == 0.5


def asked(question: str, *, is_impossible: bool = False) -> dict[str, object]:
    return {"id": question, "question": question, "answers": [], "is_impossible": is_impossible}


def test_paragraphs_are_read_once_with_their_answerable_questions(tmp_path: Path) -> None:
    rows = [
        {"title": "A", "context": "One.", "qas": [asked("1?"), asked("No?", is_impossible=True)]},
        {"title": "A", "context": "Two.", "qas": [asked("2?")]},
        {"title": "B", "context": "One.", "qas": [asked("3?")]},
    ]
    path = tmp_path / "train.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    data = read_squad(path, questions=9)
    assert data.texts == ["One.", "Two."]
    assert sorted(zip(data.questions, data.rows.tolist(), strict=True)) == [("1?", 0), ("2?", 1), ("3?", 0)]
    assert read_squad(path, questions=1, paragraphs=1).texts == ["One."]


def test_a_fit_whose_data_is_missing_says_so_and_leaves_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing.jsonl"
    monkeypatch.setattr("sys.argv", ["precision", str(path)])
    with pytest.raises(SystemExit) as stop:
        run_fit(main)
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"{path}: cannot be read (No such file or directory); {WHICH_FILE}\n"
