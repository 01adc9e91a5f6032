import gzip
import json
from pathlib import Path

import pytest

from eval.benchmarks.options import Options
from eval.benchmarks.squad import Question, holds_answer, load, run
from tests.fakes import FakeEmbedder

ARTICLES = [
    ("Amazon", "The Amazon river rises in the mountains of Peru.", "Where does the Amazon rise?", "Peru"),
    ("Builders", "Masons of Gloucester built the tower in 1222.", "When was the tower of Gloucester built?", "1222"),
    ("Comets", "Edmond Halley saw the comet over Islington.", "Who saw the comet over Islington?", "Edmond Halley"),
    ("Deserts", "Lichens cover the stones of the Atacama desert.", "What covers the stones of the Atacama?", "Lichens"),
]


def paragraphs() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for title, context, question, answer in ARTICLES:
        answers = [{"text": answer, "answer_start": context.index(answer)}]
        rows.append({
            "title": title, "context": context,
            "qas": [
                {"id": f"{title}-1", "question": question, "is_impossible": False, "answers": answers},
                {"id": f"{title}-2", "question": "Who sank the Lusitania?", "is_impossible": True, "answers": answers},
            ],
        })  # fmt: skip
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = "".join(json.dumps(row) + "\n" for row in paragraphs())
    (tmp_path / "dev-v2.0-some.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return tmp_path


def test_json_lines_are_read_with_answers_and_without(folder: Path) -> None:
    read = load(folder)
    assert [paragraph.title for paragraph in read] == ["Amazon", "Builders", "Comets", "Deserts"]
    assert read[1].questions == (
        Question(
            id="Builders-1", text="When was the tower of Gloucester built?", group="Builders", paragraph="Builders-1",
            answers=("1222",),
        ),
        Question(
            id="Builders-2", text="Who sank the Lusitania?", group="Builders", paragraph="Builders-1", answers=(),
        ),
    )  # fmt: skip


def test_the_official_json_gives_the_same(folder: Path, tmp_path: Path) -> None:
    official = tmp_path / "official"
    official.mkdir()
    data = [
        {"title": row["title"], "paragraphs": [{"context": row["context"], "qas": row["qas"]}]} for row in paragraphs()
    ]
    (official / "dev-v2.0.json").write_text(json.dumps({"version": "v2.0", "data": data}), encoding="utf-8")
    assert load(official) == load(folder)


def test_an_answer_is_held_word_for_word_but_for_case_and_articles() -> None:
    question = Question(id="q", text="?", group="g", paragraph="p", answers=("the Normans", "Norse"))
    assert holds_answer(["nothing", "So the normans came."], question) == 1
    assert holds_answer(["The Normanson house."], question) == 0
    assert holds_answer([], question) == 0


def test_only_questions_of_the_test_half_are_asked_over_all_paragraphs(folder: Path) -> None:
    report = run(Options(folder=folder, embedder=FakeEmbedder()))
    figures = {row.metric: (row.value, row.n) for row in report.rows}
    assert report.n == 4
    assert (report.settings["articles in it"], report.settings["articles"]) == (2, 4)
    for name in ("ours", "dense only", "words only"):
        assert figures[f"paragraph in the top 1, {name}"] == (1.0, 2)
    assert figures["answerable: a cited sentence holds a gold answer"] == (1.0, 2)
    assert figures["answerable: refused (wrongly)"] == (0.0, 2)
    assert figures["unanswerable: refused"] == (1.0, 2)


def test_the_real_files_are_read(shared_folder: Path) -> None:
    folder = shared_folder / "data" / "squad"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/squad, and there is none")
    questions = [question for paragraph in load(folder) for question in paragraph.questions]
    assert len(questions) > 5000
    assert sum(not question.answers for question in questions) > 2000
