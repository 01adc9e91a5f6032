import json
import zipfile
from pathlib import Path

import pytest

from eval.benchmarks.corpus import Document
from eval.benchmarks.lihua import evidence_times, load_documents, load_questions, run
from eval.benchmarks.options import Options, chosen_groups
from index.errors import InputError
from tests.fakes import FakeEmbedder

CHATS = {
    "20260105_1400": "Time: 20260105_14:00\nAdam: The lift of the Tower needs repair.\n",
    "20260206_1600": "Time: 20260206_16:00\nJen: Bring the blue kayak to the harbour.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "LiHuaWorld.zip", "w") as archive:
        for name, text in CHATS.items():
            archive.writestr(f"LiHua-World/week1/{name}.txt", text)
    questions = {
        "0": {"question": "What needs repair, according to Adam?", "answer": "the lift",
              "evidence": "20260105_14:00", "type": "Single"},
        "1": {"question": "Did Jen ask for the blue kayak at the harbour?", "answer": "Yes",
              "evidence": "20260206_16:00<and>20260105_14:00", "type": "Multi"},
        "2": {"question": "Who sank the Lusitania?", "answer": "Insufficient information", "evidence": "N/A",
              "type": "Null"},
    }  # fmt: skip
    (tmp_path / "query_set.json").write_text(json.dumps(questions), encoding="utf-8")
    return tmp_path


def halves(folder: Path) -> tuple[set[str], set[str]]:
    """Return the times of evidence of the fitting and of the test half."""
    questions = load_questions(folder)
    fitting = chosen_groups((question.group for question in questions), "fit")
    fit, test = ({t for q in questions if (q.group in fitting) is fits for t in q.times} for fits in (True, False))
    return fit, test


def add_untimed(folder: Path) -> None:
    """Write a question to the file whose evidence is no time, though its type says that it has some."""
    path = folder / "query_set.json"
    question = {"question": "What is blue, according to Jen?", "answer": "the kayak", "evidence": "What"}
    questions = {**json.loads(path.read_text(encoding="utf-8")), "3": {**question, "type": "Single"}}
    path.write_text(json.dumps(questions), encoding="utf-8")


def test_the_first_line_of_a_chat_becomes_its_date(folder: Path) -> None:
    assert load_documents(folder)[0] == Document(
        id="20260105_14:00", text=CHATS["20260105_1400"], published="2026-01-05T14:00+00:00"
    )


def test_the_same_words_of_two_days_stay_two_documents(folder: Path) -> None:
    with zipfile.ZipFile(folder / "LiHuaWorld.zip", "a") as archive:
        archive.writestr("again.txt", CHATS["20260105_1400"].replace("0105", "0107"))
    report = run(Options(folder=folder, part="all", embedder=FakeEmbedder()))
    assert (report.settings["documents"], report.settings["articles"]) == (3, 3)


def test_a_chat_without_its_time_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "LiHuaWorld.zip", "w") as archive:
        archive.writestr("a.txt", "Adam: hello")
    with pytest.raises(InputError, match=r"a\.txt does not begin with its time"):
        load_documents(tmp_path)


def test_evidence_lists_the_times_that_it_names() -> None:
    assert evidence_times("20260206_16:00<and>20260105_14:00") == ("20260206_16:00", "20260105_14:00")


def test_a_time_without_its_colon_is_read_too() -> None:
    assert evidence_times("20260426_1330") == ("20260426_13:30",)


def test_a_question_is_null_by_its_type_not_for_want_of_a_time(folder: Path) -> None:
    add_untimed(folder)
    figures = {row.metric: row for row in run(Options(folder=folder, part="all", embedder=FakeEmbedder())).rows}
    assert figures["null questions: refused"].n == 1
    assert figures["questions with evidence: refused (wrongly)"].n == 3


def test_a_question_without_a_time_is_left_out_of_the_rankings_and_named(folder: Path) -> None:
    add_untimed(folder)
    report = run(Options(folder=folder, part="all", embedder=FakeEmbedder()))
    assert {row.n for row in report.rows if "in the first" in row.metric or "MRR" in row.metric} == {2}
    assert report.notes[-1] == "Not null, and without a time of evidence, so left out of the ranking figures: 3."


def test_questions_that_others_link_by_any_of_their_chats_are_one_group(tmp_path: Path) -> None:
    evidence = ["20260105_14:00<and>20260207_09:00", "20260301_08:00", "20260207_09:00<and>20260301_0800",
                "20260402_10:00", "N/A"]  # fmt: skip
    questions = {str(n): {"question": "?", "answer": "", "evidence": e, "type": ""} for n, e in enumerate(evidence)}
    (tmp_path / "query_set.json").write_text(json.dumps(questions), encoding="utf-8")
    groups = [question.group for question in load_questions(tmp_path)]
    assert groups == [*["20260105_14:00"] * 3, "20260402_10:00", "no time 4"]


def test_answers_of_yes_and_no_are_left_out_of_what_a_sentence_holds(folder: Path) -> None:
    report = run(Options(folder=folder, part="all", embedder=FakeEmbedder()))
    figures = {row.metric: (row.value, row.n) for row in report.rows}
    assert figures["any evidence in the first 5, ours"] == (1.0, 2)
    assert figures["all evidence in the first 10, words only"] == (0.5, 2)
    assert figures["a cited sentence holds the answer"] == (1.0, 1)
    assert figures["null questions: refused"] == (1.0, 1)


def test_the_real_files_are_read(shared_folder: Path) -> None:
    folder = shared_folder / "data" / "lihua-world"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/lihua-world, and there is none")
    times = {document.id for document in load_documents(folder)}
    questions = load_questions(folder)
    named = {time for question in questions for time in question.times}
    assert len(named & times) / len(named) > 0.95
    fit, test = halves(folder)
    assert fit.isdisjoint(test)
    assert [question.id for question in questions if not question.times and not question.is_null] == ["297"]
