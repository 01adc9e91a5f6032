"""The HTTP service: articles listed, added and deleted; feedback stored; answers checked."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.terms import read_terms
from ui.guard import MAX_UPLOAD_BYTES

from .fakes import KYIV
from .served import QUESTION, MakeClient

# --- articles ---------------------------------------------------------------------------------------------------------


def test_articles_are_listed_a_page_at_a_time(client: TestClient) -> None:
    first = client.get("/api/v1/articles", params={"limit": 1}).json()
    second = client.get("/api/v1/articles", params={"limit": 1, "cursor": first["next"]}).json()
    assert [page["articles"][0]["id"] for page in (first, second)] == ["paris", "kyiv"]
    assert (first["total"], second["next"]) == (2, None)
    assert "text" not in first["articles"][0]


def test_an_article_comes_with_its_text_and_checksum(client: TestClient) -> None:
    article = client.get("/api/v1/articles/kyiv").json()
    assert article["text"] == KYIV["text"]
    assert len(article["text_sha256"]) == 64


def test_json_articles_are_added_found_and_deleted(make_client: MakeClient) -> None:
    client = make_client(allow_writes=True)
    new = {"id": "a/b c", "title": "Lima", "text": "The cup was won by Peru in Lima."}
    report = client.post("/api/v1/articles", json=[new, {"title": "no text"}]).json()
    assert report["totals"] == {"ingested": 1, "duplicate": 0, "skipped": 0, "failed": 1}
    assert "Peru" in client.post("/api/v1/ask", json={"question": "Who won the cup in Lima?"}).json()["text"]
    assert client.get("/api/v1/articles/a/b%20c").json()["title"] == "Lima"
    assert client.delete("/api/v1/articles/a/b%20c").json()["deleted"] == "a/b c"
    assert client.get("/api/v1/articles/a/b%20c").status_code == 404


def test_uploaded_files_have_a_row_each_under_their_own_names(make_client: MakeClient) -> None:
    client = make_client(allow_writes=True)
    files = [
        ("file", ("../../etc/story.md", b"# Rome\n\nA summit was held in Rome.")),
        ("file", ("empty.txt", b"")),
        ("file", ("story.md", b"# Oslo\n\nA summit was held in Oslo.")),
        ("file", ("picture.png", b"\x89PNG\r\n")),
    ]
    report = client.post("/api/v1/articles", files=files, data={"source": "The Desk"}).json()
    assert [(row["path"], row["outcome"]) for row in report["files"]] == [
        ("story.md", "ingested"),
        ("empty.txt", "skipped"),
        ("story.md", "ingested"),
        ("picture.png", "skipped"),
    ]
    added = client.get(f"/api/v1/articles/{report['files'][0]['articles'][0]}").json()
    assert (added["source"], added["metadata"]["file"]) == ("The Desk", "story.md")
    assert "/tmp" not in json.dumps([report, added])


def test_a_file_over_the_limit_is_named(make_client: MakeClient) -> None:
    files = [("file", ("large.txt", b" " * (MAX_UPLOAD_BYTES + 1)))]
    problem = make_client(allow_writes=True).post("/api/v1/articles", files=files).json()
    assert (problem["status"], problem["cause"]) == (400, "large.txt: is larger than 26,214,400 bytes")


def test_a_client_that_uploads_too_often_is_told_when_to_go_on(make_client: MakeClient) -> None:
    client = make_client(allow_writes=True, uploads_per_minute=1)
    answers = [client.post("/api/v1/articles", json={"text": f"It rained {n}."}) for n in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == "60"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"content": b"x", "headers": {"content-type": "text/plain"}}, 400),
        ({"data": {"source": "x"}, "files": {}}, 400),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
    ],
)
def test_an_upload_of_nothing_is_refused(make_client: MakeClient, request_: dict[str, Any], status: int) -> None:
    assert make_client(allow_writes=True).post("/api/v1/articles", **request_).status_code == status


# --- feedback and checks ----------------------------------------------------------------------------------------------


def test_feedback_is_stored_beside_the_index(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/api/v1/ask", json=QUESTION).json()
    stored = client.post("/api/v1/feedback", json={"kind": "wrong_passage", "answer": answer, "citation": 1})
    line = json.loads((tmp_path / "index" / "feedback.jsonl").read_text(encoding="utf-8"))
    assert (stored.status_code, stored.json()) == (201, {"stored": True, "at": "2025-09-05T12:00:00+00:00"})
    assert (line["kind"], line["citation"], line["answer"]) == ("wrong_passage", 1, answer)


def test_a_deleted_article_is_gone_from_the_feedback_too(make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client(allow_writes=True)
    for question in ("How many people were killed in Kyiv?", "How many countries pledged troops for Ukraine?"):
        answer = client.post("/api/v1/ask", json={"question": question, "k": 1}).json()
        client.post("/api/v1/feedback", json={"kind": "like", "answer": answer})
    client.delete("/api/v1/articles/kyiv")
    stored = (tmp_path / "index" / "feedback.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in stored.splitlines()]
    assert "19 people" not in stored
    assert [(line["kind"], line["answer"].get("forgotten")) for line in lines] == [("like", "kyiv"), ("like", None)]
    assert lines[1]["answer"]["citations"][0]["article_id"] == "paris"
    client.post("/api/v1/feedback", json={"kind": "other", "answer": {}})
    assert len((tmp_path / "index" / "feedback.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_no_cache_keeps_the_words_of_an_article_that_is_deleted(make_client: MakeClient) -> None:
    client = make_client(allow_writes=True)
    client.post("/api/v1/ask", json=QUESTION)
    assert read_terms.cache_info().currsize
    client.delete("/api/v1/articles/kyiv")
    assert not read_terms.cache_info().currsize


def test_an_answer_is_checked_against_its_texts(client: TestClient) -> None:
    answer = client.post("/api/v1/ask", json=QUESTION).json()
    texts = [{"article_id": "kyiv", "text": KYIV["text"]}]
    checked = client.post("/api/v1/verify-answer", json={"answer": answer, "texts": texts}).json()
    assert checked == answer
