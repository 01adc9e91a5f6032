import json
from pathlib import Path

import pytest

from eval.benchmarks.options import Options
from eval.benchmarks.realtime_qa import load, picked, run
from tests.fakes import FakeEmbedder


def question(week: str, number: int, text: str, choices: list[str], right: int) -> dict[str, object]:
    return {
        "question_id": f"{week}_{number}", "question_date": f"{week[:4]}/{week[4:6]}/{week[6:]}",
        "question_sentence": text, "choices": choices, "answer": [str(right)],
    }  # fmt: skip


def article(url: str, text: str, day: str) -> dict[str, object]:
    return {"url": url, "title": "", "text": text, "publish_date": day}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    weeks = {
        "20220617": [
            question("20220617", 0, "Which bridge closed in Porto?", ["Arrabida", "Luis"], 1),
            question("20220617", 1, "Which ferry sank off Setubal?", ["Sado", "Tejo"], 0),
        ],
        "20220624": [question("20220624", 0, "Which team won the cup in Lyon?", ["Nantes", "Nice"], 0)],
    }
    before = article("https://a", "The Luis bridge closed in Porto.", "2022/06/10")
    after = article("https://b", "The Sado ferry sank off Setubal.", "2022/06/20")
    cup = article("https://c", "Nantes won the cup in Lyon.", "2022/06/22")
    results = {"20220617": [before, after, article("https://e", " ", "2022/06/01")], "20220624": [cup, before]}
    past = tmp_path / "past"
    past.mkdir()
    for week, rows in weeks.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (past / f"{week}_qa.jsonl").write_text(lines, encoding="utf-8")
        (past / f"{week}_qa_nota.jsonl").write_text(lines, encoding="utf-8")
        found = [{"question_id": row["question_id"], "search_result": results[week]} for row in rows]
        (past / f"{week}_gcs.jsonl").write_text("".join(json.dumps(f) + "\n" for f in found), encoding="utf-8")
    return tmp_path


def test_questions_and_articles_are_read_once_with_their_days(folder: Path) -> None:
    questions, documents = load(folder)
    assert [(q.id, q.day, len(q.found)) for q in questions] == [
        ("20220617_0", "2022-06-17", 2), ("20220617_1", "2022-06-17", 2), ("20220624_0", "2022-06-24", 2),
    ]  # fmt: skip
    assert [document.published for document in documents] == ["2022-06-10", "2022-06-20", "2022-06-22"]


def test_the_choice_whose_words_are_held_best_is_picked_and_none_without_words() -> None:
    assert picked("The new bridge of Porto", ["old bridge", "new bridge"]) == 1
    assert picked("nothing of it", ["Rome", "Paris"]) is None


def test_what_was_published_after_the_question_is_not_seen(folder: Path) -> None:
    report = run(Options(folder=folder, part="fit", embedder=FakeEmbedder()))
    figures = {row.metric: (row.value, row.n) for row in report.rows}
    assert figures["multiple choice accuracy"] == (0.5, 2)
    assert figures["a cited sentence holds the right choice"] == (0.5, 2)
    assert figures["refused"] == (0.5, 2)


def test_an_article_found_for_a_question_counts_among_the_first_five(folder: Path) -> None:
    rows = {row.metric: row for row in run(Options(folder=folder, part="test", embedder=FakeEmbedder())).rows}
    assert rows["an article found for it in the first 5"].value == 1.0


def test_weeks_are_the_groups_of_the_halves(folder: Path) -> None:
    fit, test, both = (run(Options(folder=folder, part=p, embedder=FakeEmbedder())).n for p in ("fit", "test", "all"))
    assert (fit, test, both) == (2, 1, 3)


def test_published_accuracies_stand_beside_ours(folder: Path) -> None:
    rows = run(Options(folder=folder, part="all", embedder=FakeEmbedder())).rows
    assert {row.metric: [p.value for p in row.published] for row in rows if row.published} == {
        "multiple choice accuracy": [0.667, 0.473, 0.42]
    }
