import json
from pathlib import Path

import pytest

from eval.benchmarks.mtrag import Message, article_of, load, run, turns_of
from eval.benchmarks.options import Options, chosen_groups
from rag.history import Turn
from tests.fakes import FakeEmbedder


def task(name: str, messages: list[str], contexts: list[tuple[str, str]], label: str) -> dict[str, object]:
    speakers = ["user", "agent"] * len(messages)
    return {
        "task_id": f"{name}::1", "conversation_id": name, "answerability": [label],
        "input": [{"speaker": s, "text": text} for s, text in zip(speakers, messages, strict=False)],
        "contexts": [{"document_id": document, "text": text, "title": ""} for document, text in contexts],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        task("a", ["Who is Ada Harker?", "Ada Harker built a mill in Bruges.", "What did she build?"],
             [("d1", "Ada Harker built a mill in Bruges in 1871.")], "ANSWERABLE"),
        task("b", ["Where do storks nest in Alsace?"], [("d2", "Storks nest on the roofs of Alsace.")], "ANSWERABLE"),
        task("c", ["Who sank the Lusitania?"], [], "UNANSWERABLE"),
        task("d", ["x" * 3000], [], "UNDERSPECIFIED"),
    ]  # fmt: skip
    (tmp_path / "reference.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return tmp_path


def test_what_the_agent_says_belongs_to_the_question_before_it() -> None:
    messages = [
        Message(speaker="user", text="One?"), Message(speaker="agent", text="Yes."),
        Message(speaker="agent", text="So."), Message(speaker="user", text="Two?"),
    ]  # fmt: skip
    assert turns_of(messages) == (Turn("One?", "Yes. So."), Turn("Two?", ""))


def test_the_last_message_is_the_question_and_the_others_its_history(folder: Path) -> None:
    first = load(folder)[0]
    assert first.question == "What did she build?"
    assert first.history == (Turn("Who is Ada Harker?", "Ada Harker built a mill in Bruges."),)


def test_tasks_that_others_link_by_conversation_or_article_are_one_group(tmp_path: Path) -> None:
    rows = [
        task("f", ["?"], [("d1-0-90", "Mill.")], "ANSWERABLE"), task("e", ["?"], [("d2-0-90", "Roof.")], "ANSWERABLE"),
        task("g", ["?"], [("d2-80-99", "Nest."), ("d1-7-60", "Wheel.")], "PARTIAL"),
        task("e", ["?"], [], "UNANSWERABLE"), task("h", ["?"], [], "UNANSWERABLE"),
    ]  # fmt: skip
    (tmp_path / "reference.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    assert [task.group for task in load(tmp_path)] == ["d1", "d1", "d1", "d1", "h"]


def test_tasks_are_judged_by_label_and_a_question_too_long_counts_as_refused(folder: Path) -> None:
    report = run(Options(folder=folder, part="all", embedder=FakeEmbedder()))
    figures = {row.metric: (row.value, row.n) for row in report.rows}
    assert figures["recall@5, ours"] == (1.0, 2)
    assert figures["recall@5, last turn alone, words only"][1] == 2
    assert figures["unanswerable: refused"] == (1.0, 1)
    assert figures["underspecified: refused"] == (1.0, 1)
    assert "1 questions too long or empty were taken as refused." in report.notes


def test_whose_tasks_the_published_figures_are_of_is_told(folder: Path) -> None:
    notes = run(Options(folder=folder, part="all", embedder=FakeEmbedder())).notes
    assert any("MT-RAG 2.0 are MTRAG-UN's" in note and "of MTRAG's own tasks" in note for note in notes)


def test_the_real_file_is_read(shared_folder: Path) -> None:
    folder = shared_folder / "data" / "mtrag"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/mtrag, and there is none")
    tasks = load(folder)
    fitting = chosen_groups((task.group for task in tasks), "fit")
    halves = [
        {article_of(p.id) for t in tasks if (t.group in fitting) is fits for p in t.passages} for fits in (True, False)
    ]
    assert halves[0].isdisjoint(halves[1])
    assert {task.label for task in tasks} == {"ANSWERABLE", "PARTIAL", "UNDERSPECIFIED", "UNANSWERABLE"}
