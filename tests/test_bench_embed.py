"""The bench of embedding: what its rows say, and that a bar that is missed is called so."""

import json
import subprocess
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from eval.fit.precision import Paragraphs
from index.embed import Vectors
from tests.bench.embed import Row, compared, data_of, quality, speed
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


def test_the_official_file_of_squad_is_read_from_the_folder_that_is_named(tmp_path: Path) -> None:
    asked = [
        {"id": "1", "question": "Where is Ash?", "answers": []},
        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
    ]
    articles = [{"title": "Ash", "paragraphs": [{"context": TEXTS[0], "qas": asked}]}]
    (tmp_path / "squad").mkdir()
    (tmp_path / "squad" / "dev-v2.0.json").write_text(json.dumps({"data": articles}), encoding="utf-8")
    data = data_of(tmp_path)
    assert (data.texts, data.questions, data.rows.tolist()) == (TEXTS[:1], ["Where is Ash?"], [0])


def test_without_squad_the_speed_alone_is_measured_and_what_is_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(by_name(compared(tmp_path, FakeEmbedder(), theirs()))) == {"passages/s", "ratio", "one query"}
    assert capsys.readouterr().out.startswith(f"{tmp_path}: holds no dev-v2.0*.json")


@pytest.mark.parametrize(("given", "passed"), [(["DATA=my sets"], '--data "my sets"'), ([], "")])
def test_make_hands_on_the_folder_of_the_data(given: list[str], passed: str, checkout: Path, tmp_path: Path) -> None:
    (tmp_path / ".ready").touch()
    line = ["make", "-n", "--no-print-directory", "bench-embed", f"VENV={tmp_path}", *given]
    done = subprocess.run(line, cwd=checkout, check=True, capture_output=True, text=True).stdout
    assert done.splitlines()[-1].strip() == f"{tmp_path}/bin/python -m tests.bench.embed {passed}".strip()
