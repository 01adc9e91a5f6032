import csv
import json
from pathlib import Path

import pytest

from eval.benchmarks.chunking import (
    Chunk,
    judge,
    load,
    precision_omega,
    read_chunks,
    run,
    sentence_chunks,
    window_chunks,
)
from eval.benchmarks.options import Options
from index.errors import InputError
from index.passage import Chunking
from index.sentences import Span
from tests.fakes import FakeEmbedder

ALPHA = "Bees fly over the meadow. Bees make honey in the hive. Nobody saw the fox."
BETA = "Ships sail to Leith. Sailors mend the nets in Leith. Rain fell on the pier."


def write(folder: Path, rows: list[tuple[str, str, list[tuple[int, int]]]], *, shift: int = 0) -> Path:
    texts = {"alpha": ALPHA, "beta": BETA}
    (folder / "corpora").mkdir()
    for name, text in texts.items():
        (folder / "corpora" / f"{name}.md").write_text(text, encoding="utf-8")
    with (folder / "questions_df.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "references", "corpus_id"])
        for question, corpus, spans in rows:
            references = [
                {"content": texts[corpus][start:end], "start_index": start + shift, "end_index": end + shift}
                for start, end in spans
            ]
            writer.writerow([question, json.dumps(references), corpus])
    return folder


ROWS = [("Who makes honey in the hive?", "alpha", [(26, 54)]), ("Who mends the nets in Leith?", "beta", [(21, 52)])]


def test_excerpts_are_read_at_their_places(tmp_path: Path) -> None:
    texts, questions = load(write(tmp_path, ROWS))
    assert [question.excerpts[0].of(texts[question.corpus]) for question in questions] == [
        "Bees make honey in the hive.", "Sailors mend the nets in Leith.",
    ]  # fmt: skip


def test_an_excerpt_that_is_not_at_its_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"questions_df\.csv:2: alpha does not read so there"):
        load(write(tmp_path, ROWS, shift=1))


def test_a_character_retrieved_twice_counts_twice_below_the_line() -> None:
    assert judge([Span(0, 10), Span(0, 10)], [Span(0, 10)]) == {"recall": 1.0, "precision": 0.5, "IoU": 0.5}
    assert judge([], [Span(0, 10)]) == {"recall": 0.0, "precision": 0.0, "IoU": 0.0}


def test_precision_omega_takes_exactly_the_chunks_that_touch_the_excerpts() -> None:
    assert precision_omega([Span(0, 10), Span(10, 20)], [Span(0, 5)]) == 0.5
    assert precision_omega([Span(10, 20)], [Span(0, 5)]) == 0


def test_windows_cover_the_text_and_ours_whole_sentences() -> None:
    windows = window_chunks(4, 0)(ALPHA, FakeEmbedder())
    assert "".join(span.of(ALPHA) for span in windows) == ALPHA
    ours = sentence_chunks(Chunking(max_tokens=8))(ALPHA, FakeEmbedder())
    assert [span.of(ALPHA) for span in ours] == [
        "Bees fly over the meadow.", "Bees make honey in the hive.", "Nobody saw the fox.",
    ]  # fmt: skip


def test_windows_overlap_and_the_first_that_reaches_the_end_is_the_last() -> None:
    text = "Leaders met in Paris."
    assert [span.of(text) for span in window_chunks(3, 1)(text, FakeEmbedder())] == ["Leaders met in", " in Paris."]


def test_a_text_within_one_window_is_one_chunk_and_an_empty_one_is_none() -> None:
    assert window_chunks(400, 200)(ALPHA, FakeEmbedder()) == [Span(0, len(ALPHA))]
    assert window_chunks(400, 200)("", FakeEmbedder()) == []


def line(corpus: str, start: int, end: int) -> str:
    return json.dumps({"chunker": "LangChain, 200 tokens", "corpus": corpus, "start": start, "end": end}) + "\n"


def test_chunks_of_another_chunker_are_read_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    path.write_text(line("alpha", 0, 25) + line("beta", 21, 52), encoding="utf-8")
    assert read_chunks(path, {"alpha": ALPHA, "beta": BETA}) == {
        "LangChain, 200 tokens": [
            Chunk(corpus="alpha", span=Span(0, 25)), Chunk(corpus="beta", span=Span(21, 52)),
        ]
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [line("alpha", 0, 99), line("alpha", 5, 5), line("alpha", -1, 5), line("gamma", 0, 5), "[]\n", "{}\n"]
)
def test_a_chunk_at_no_place_of_a_corpus_is_an_error(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "chunks.jsonl"
    path.write_text(line("alpha", 0, 25) + wrong, encoding="utf-8")
    with pytest.raises(InputError, match=r"chunks\.jsonl:2: .* is no place in a corpus; cut the corpora anew"):
        read_chunks(path, {"alpha": ALPHA})


def test_a_chunker_that_left_out_a_corpus_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    path.write_text(line("alpha", 0, 25), encoding="utf-8")
    with pytest.raises(InputError, match="'LangChain, 200 tokens' did not cut beta; cut the corpora anew"):
        read_chunks(path, {"alpha": ALPHA, "beta": BETA})


def test_a_file_without_chunks_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"chunks\.jsonl: it holds no chunk; cut the corpora anew"):
        read_chunks(path, {"alpha": ALPHA})


def test_another_chunker_cannot_take_the_name_of_one_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    named = (line("alpha", 0, 25) + line("beta", 0, 36)).replace("LangChain", "ours")
    path.write_text(named, encoding="utf-8")
    with pytest.raises(InputError, match="'ours, 200 tokens' is judged already; name it otherwise"):
        run(Options(folder=write(tmp_path, ROWS), embedder=FakeEmbedder(), chunks=path))


def test_chunks_of_another_chunker_are_judged_beside_ours(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    path.write_text(line("alpha", 0, len(ALPHA)) + line("beta", 0, 36), encoding="utf-8")
    report = run(Options(folder=write(tmp_path, ROWS), embedder=FakeEmbedder(), chunks=path))
    rows = {row.metric: row for row in report.rows}
    assert rows["recall, LangChain, 200 tokens"].value == round(15 / 31, 4)
    assert report.settings["chunks, LangChain, 200 tokens"] == 2


def test_every_chunker_is_judged_and_the_published_ones_stand_beside_ours(tmp_path: Path) -> None:
    report = run(Options(folder=write(tmp_path, ROWS), embedder=FakeEmbedder(), chunking=Chunking(max_tokens=10)))
    rows = {row.metric: row for row in report.rows}
    assert report.n == 1
    assert rows["recall, ours, 10 tokens"].value == 1.0
    assert rows["recall, windows of 200 tokens"].n == 1
    assert rows["recall, windows of 400 tokens, overlap 200"].n == 1
    assert [p.value for p in rows["recall, ours, 200 tokens"].published] == [0.881, 0.873, 0.919]
    assert rows["recall, ours, 10 tokens"].published == ()
    assert rows["precision omega, ours, 10 tokens"].value == 1.0


def test_the_real_files_are_read(shared_folder: Path) -> None:
    folder = shared_folder / "data" / "chunking_evaluation"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/chunking_evaluation, and there is none")
    assert len(load(folder)[1]) == 472


def test_ours_stands_beside_the_others_at_each_of_the_reports_sizes(tmp_path: Path) -> None:
    report = run(Options(folder=write(tmp_path, ROWS), embedder=FakeEmbedder(), chunking=Chunking(max_tokens=10)))
    names = [row.metric for row in report.rows if row.metric.startswith("recall, ours")]
    assert names == ["recall, ours, 200 tokens", "recall, ours, 400 tokens", "recall, ours, 10 tokens"]
