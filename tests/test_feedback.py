"""Feedback is listed, and becomes draft cases that a person has to finish before they count."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.cases import ids_of, load_cases
from eval.feedback import Feedback, draft_case, read_feedback, write_drafts
from index.article import Article
from index.errors import InputError
from tests.fakes import NOW
from ui.cli import main
from ui.feedback import Feedback as Stored

ANSWER: dict[str, Any] = {
    "question": "And how many?", "status": "answered", "text": "19.[1] Four.[2]",
    "understood": {"question": "How many died in Kyiv?", "since": None, "until": None, "as_of": "2025-08-29",
                   "sources": []},
    "sentences": [{"text": "19.", "citations": [1]}, {"text": "Four.", "citations": [2]}],
    "citations": [
        {"number": 1, "article_id": "kyiv", "revision": 1, "start": 0, "end": 2, "quote": "19"},
        {"number": 2, "article_id": "kyiv", "revision": 1, "start": 3, "end": 7, "quote": "Four"},
    ],
}  # fmt: skip


def said(kind: str, *, citation: int | None = None, **answer: object) -> Feedback:
    return Feedback(at="2026-01-02", kind=kind, comment="hm", citation=citation, answer={**ANSWER, **answer})


def entry(**fields: object) -> str:
    return json.dumps(
        {"at": "2026-01-02", "kind": "like", "comment": "hm", "citation": None, "answer": ANSWER, **fields}
    )


def spans(draft: Mapping[str, Any]) -> list[list[str]]:
    return [[span["quote"] for span in need] for need in draft["evidence"]]


def test_what_was_liked_keeps_its_evidence_a_need_a_sentence() -> None:
    draft = draft_case(said("like"))
    assert (draft["question"], draft["as_of"], spans(draft)) == (
        "How many died in Kyiv?",
        "2025-08-29",
        [["19"], ["Four"]],
    )


def test_the_passage_that_was_called_wrong_is_left_out() -> None:
    assert spans(draft_case(said("wrong_passage", citation=1))) == [["Four"]]


def test_a_refusal_that_was_liked_is_a_case_to_be_refused() -> None:
    draft = draft_case(said("like", status="refused", citations=[], sentences=[]))
    assert (draft["refuse"], draft["evidence"]) == (True, [])


def test_a_refusal_that_was_disliked_leaves_open_what_is_right() -> None:
    draft = draft_case(said("dislike", status="refused", citations=[], sentences=[]))
    assert (draft["refuse"], draft["evidence"], "evidence" in draft["draft"]) == (False, [], True)


@pytest.mark.parametrize(
    ("finished", "kind"), [({"refuse": True}, "near-miss"), ({"evidence": [[{"quote": "Four"}]]}, "fact")]
)
def test_a_refusal_that_was_disliked_can_be_finished_either_way(
    tmp_path: Path, finished: Mapping[str, Any], kind: str
) -> None:
    draft = draft_case(said("dislike", status="refused", citations=[], sentences=[]))
    del draft["draft"]
    (tmp_path / "c.jsonl").write_text(json.dumps({**draft, **finished}), encoding="utf-8")
    [case] = load_cases(tmp_path / "c.jsonl", {("kyiv", 1): Article(id="kyiv", text="19 Four", title="Toll")})
    assert case.kind == kind


def test_the_same_feedback_gets_the_same_id_and_another_one_another() -> None:
    assert draft_case(said("like"))["id"] == draft_case(said("like"))["id"] != draft_case(said("other"))["id"]


def test_a_draft_counts_only_when_it_is_finished(tmp_path: Path) -> None:
    articles = {("kyiv", 1): Article(id="kyiv", text="19 Four", title="Toll")}
    path = tmp_path / "cases.jsonl"
    write_drafts([said("like")], path)
    with pytest.raises(InputError, match="is a draft"):
        load_cases(path, articles)
    finished = json.loads(path.read_text(encoding="utf-8"))
    del finished["draft"]
    path.write_text(json.dumps(finished), encoding="utf-8")
    assert [case.question for case in load_cases(path, articles)] == ["How many died in Kyiv?"]


def test_writing_twice_adds_nothing_and_keeps_what_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "mine"}', encoding="utf-8")  # without a line end
    counts = [write_drafts([said("like"), said("other")], path) for _ in range(2)]
    names = [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert (counts, names[0], len(names)) == ([2, 0], "mine", 3)


def test_drafts_begin_in_the_first_line_of_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.touch()
    write_drafts([said("like")], path)
    assert path.read_text(encoding="utf-8").startswith("{")


@pytest.mark.parametrize(
    ("held", "why"), [("buy milk", "not JSON"), ('{"buy": "milk"}', "is no case"), ("5", "no case")]
)
def test_a_file_that_holds_no_cases_is_left_alone(held: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(held, encoding="utf-8")
    with pytest.raises(InputError, match=why):
        write_drafts([said("like")], path)
    assert path.read_text(encoding="utf-8") == held


@pytest.mark.parametrize("held", ['[\n {"id": "mine"}\n]\n', '\ufeff{\n "id": "mine"\n}', '{"id": "mine"}\n'])
def test_drafts_are_added_to_cases_however_those_are_laid_out(held: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(held, encoding="utf-8")
    counts = [write_drafts([said("like")], path) for _ in range(2)]
    assert (counts, ids_of(path)[0], len(ids_of(path))) == ([1, 0], "mine", 2)


def test_lines_that_cannot_be_read_are_named_and_the_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_text("\n".join([entry(), "{", entry(kind="shout"), entry(answer=None), ""]), encoding="utf-8")
    found, unread = read_feedback(path)
    assert ([f.kind for f in found], [line.partition(": ")[0] for line in unread]) == (
        ["like"],
        ["feedback.jsonl:2", "feedback.jsonl:3", "feedback.jsonl:4"],
    )


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_comment_keeps_every_separator_that_json_does_not_escape(tmp_path: Path, separator: str) -> None:
    Stored(tmp_path).append("other", ANSWER, at=NOW, comment=f"no{separator}yes")
    found, unread = read_feedback(tmp_path / "feedback.jsonl")
    assert ([f.comment for f in found], unread) == ([f"no{separator}yes"], [])


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_draft_whose_note_has_such_a_separator_is_added_once(tmp_path: Path, separator: str) -> None:
    heard = [replace(said("like"), comment=f"no{separator}yes")]
    assert [write_drafts(heard, tmp_path / "cases.jsonl") for _ in range(2)] == [1, 0]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["feedback", *arguments])
    return int(stop.value.code or 0)


def test_the_command_lists_feedback_and_writes_drafts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "feedback.jsonl").write_text(entry(citation=2, comment="no\x1b[2J") + "\n{\n", encoding="utf-8")
    status = run("--index", str(tmp_path), "--to-cases", str(tmp_path / "new.jsonl"))
    captured = capsys.readouterr()
    assert (status, captured.out) == (
        0, "2026-01-02  like, passage [2]\n  question: And how many?\n  comment:  no�[2J\n",
    )  # fmt: skip
    assert "left out: feedback.jsonl:2" in captured.err
    assert "1 new draft cases" in captured.err


def test_the_command_gives_one_json_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "feedback.jsonl").write_text(entry(), encoding="utf-8")
    run("--index", str(tmp_path), "--json")
    assert [f["kind"] for f in json.loads(capsys.readouterr().out)["feedback"]] == ["like"]


def test_no_feedback_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--index", str(tmp_path)) == 0
    assert capsys.readouterr().out == "No feedback yet; readers leave it on the page.\n"
