"""The HTTP service: health, questions, errors, and its documentation."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from index.errors import GroundwireError
from index.news_index import NewsIndex
from rag.answer import Event
from ui.engine import Engine
from ui.service import create_app
from ui.settings import ServeSettings

from .fakes import CannedBot, answer_event, refused
from .served import HERE, QUESTION, MakeClient, events_of

# --- health -----------------------------------------------------------------------------------------------------------


def test_health_is_answered_before_the_model_is_loaded(tmp_path: Path) -> None:
    engine = Engine(lambda: NewsIndex.open(tmp_path / "none"), settings=ServeSettings(page=False))
    with TestClient(create_app(engine), base_url=HERE) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        not_ready = client.get("/readyz")
    assert (not_ready.status_code, not_ready.json()["code"], not_ready.headers["retry-after"]) == (
        503,
        "not_ready",
        "2",
    )


def test_a_loaded_model_is_ready(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}


# --- questions --------------------------------------------------------------------------------------------------------


def test_a_question_is_answered_in_the_one_json_shape(client: TestClient) -> None:
    answer = client.post("/api/v1/ask", json=QUESTION).json()
    assert answer.keys() == refused().to_json().keys()
    assert answer["citations"][0]["quote"] == "At least 19 people were killed in Kyiv on Thursday."


def test_a_refusal_is_an_answer(client: TestClient) -> None:
    answer = client.post("/api/v1/ask", json={"question": "Who won the cup in Lima?"})
    assert (answer.status_code, answer.json()["status"]) == (200, "refused")


def test_filters_and_history_reach_the_bot(client: TestClient) -> None:
    filters = {"sources": ["Kyiv Desk"], "since": "2025-08-01", "until": "2025-08-30", "as_of": "2025-09-01"}
    turn = {"question": "Who was killed in Kyiv?", "answer": "19."}
    body = {"question": "And in Paris?", "k": 3, "history": [turn], **filters}
    understood = client.post("/api/v1/ask", json=body).json()["understood"]
    assert understood["sources"] == ["Kyiv Desk"]
    assert (understood["since"], understood["until"], understood["as_of"]) == ("2025-08-01", "2025-08-30", "2025-09-01")


def test_a_stream_ends_with_the_same_answer(client: TestClient) -> None:
    response = client.post("/api/v1/ask/stream", json=QUESTION)
    events = events_of(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in events] == ["understood", "hits", "sentence", "answer"]
    whole = client.post("/api/v1/ask", json=QUESTION).json()
    assert {**events[-1][1], "timings_ms": {}} == {**whole, "timings_ms": {}}


class Fails:
    """A bot that fails half-way."""

    def stream(self, question: str, **settings: object) -> Iterator[Event]:
        yield Event("understood", {})
        raise GroundwireError("articles.db: is gone; restore it")


def test_an_error_on_the_way_is_the_last_event_of_a_stream(make_client: MakeClient) -> None:
    *_, (name, problem) = events_of(make_client(Fails()).post("/api/v1/ask/stream", json=QUESTION).text)
    assert (name, problem["cause"], problem["cure"]) == ("error", "articles.db: is gone", "restore it")


def test_a_search_finds_passages(client: TestClient) -> None:
    found = client.get("/api/v1/search", params={"query": "troops", "source": ["Paris Desk", "Kyiv Desk"], "k": 1})
    assert [hit["article_id"] for hit in found.json()["hits"]] == ["paris"]


def test_what_is_too_much_is_told_busy_at_once(make_client: MakeClient) -> None:
    go = threading.Event()
    client = make_client(CannedBot(answer_event(refused()), wait=go), workers=1, queue_size=0)
    engine: Engine = client.app.engine  # type: ignore[attr-defined] # a Service
    accepted: list[int] = []
    asking = threading.Thread(target=lambda: accepted.append(client.post("/api/v1/ask", json=QUESTION).status_code))
    asking.start()
    waited = [threading.Event().wait(0.01) for _ in range(500) if not engine.working]
    assert len(waited) < 500
    busy = client.post("/api/v1/ask", json=QUESTION)
    streamed = client.post("/api/v1/ask/stream", json=QUESTION)
    go.set()
    asking.join(10)
    assert [(r.status_code, r.json()["code"], r.headers["retry-after"]) for r in (busy, streamed)] == [
        (503, "busy", "1")
    ] * 2
    assert accepted == [200]


def test_a_client_that_asks_too_often_is_told_when_to_ask_again(make_client: MakeClient) -> None:
    client = make_client(questions_per_minute=1)
    client.post("/api/v1/ask", json=QUESTION)
    limited = client.post("/api/v1/ask", json=QUESTION)
    assert (limited.status_code, limited.json()["code"], limited.headers["retry-after"]) == (
        429,
        "too_many_questions",
        "60",
    )


# --- errors -----------------------------------------------------------------------------------------------------------

BAD = [
    ("POST", "/api/v1/ask", {"json": {"question": " "}}, 400, "bad_input"),
    ("POST", "/api/v1/ask", {"json": {"question": "x" * 2001}}, 422, "bad_body"),
    ("POST", "/api/v1/ask", {"json": {"question": "Who?", "since": "soon"}}, 400, "bad_input"),
    ("POST", "/api/v1/ask", {"json": {"question": "Who?", "history": [{"question": "x"}] * 21}}, 422, "bad_body"),
    ("POST", "/api/v1/ask", {"json": {"question": "Who?", "sinse": "2025"}}, 422, "bad_body"),
    ("POST", "/api/v1/ask", {"content": b"{", "headers": {"content-type": "application/json"}}, 422, "bad_body"),
    ("POST", "/api/v1/ask/stream", {"json": {"question": ""}}, 400, "bad_input"),
    ("GET", "/api/v1/search", {}, 422, "bad_body"),
    ("GET", "/api/v1/search?query=x&k=0", {}, 422, "bad_body"),
    ("GET", "/api/v1/articles/none", {}, 404, "article_not_found"),
    ("GET", "/api/v1/articles?cursor=%21", {}, 400, "bad_input"),
    ("POST", "/api/v1/articles", {"json": {"text": "x"}}, 403, "writing_is_off"),
    ("DELETE", "/api/v1/articles/kyiv", {}, 403, "writing_is_off"),
    ("PUT", "/api/v1/ask", {}, 405, "http"),
    ("GET", "/api/v2", {}, 404, "not_found"),
    ("POST", "/api/v1/feedback", {"json": {"kind": "great", "answer": {}}}, 400, "bad_input"),
    ("POST", "/api/v1/verify-answer", {"json": {"answer": {}, "texts": []}}, 400, "bad_input"),
    ("POST", "/v1/chat/completions", {"json": {"model": "gpt", "messages": []}}, 404, "model_not_found"),
    ("POST", "/v1/chat/completions", {"json": {"model": "groundwire", "messages": []}}, 400, "bad_input"),
]


@pytest.mark.parametrize(("method", "path", "request_", "status", "code"), BAD)
def test_an_error_has_its_status_its_cause_and_a_cure(
    client: TestClient, method: str, path: str, request_: dict[str, Any], status: int, code: str
) -> None:
    response = client.request(method, path, **request_)
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert all(problem[name] for name in ("title", "detail", "cause", "cure"))


class Breaks:
    """A bot with an error of the program."""

    def stream(self, question: str, **settings: object) -> Iterator[Event]:
        raise KeyError("secret-of-the-program")


def test_an_error_of_the_program_is_numbered_and_tells_nothing(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = make_client(Breaks()).post("/api/v1/ask", json=QUESTION)
    assert (response.status_code, response.json()["cause"]) == (500, "this is an error of the program (E-1)")
    assert "secret-of-the-program" not in response.text
    assert "secret-of-the-program" in caplog.text
    assert response.headers["x-content-type-options"] == "nosniff"


# --- documentation ----------------------------------------------------------------------------------------------------


def test_the_documentation_takes_everything_from_this_server(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    files = re.findall(r'(?:src|href)="(/docs-static/[^"]+)"', page)
    assert len(files) == 3
    assert [client.get(file).status_code for file in files] == [200] * 3


def test_every_address_is_documented_with_an_example_for_each_status(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    without = [
        (method, path, status)
        for path, methods in paths.items()
        for method, operation in methods.items()
        for status, response in operation["responses"].items()
        if not all("example" in kind or "examples" in kind for kind in response.get("content", {"": {}}).values())
    ]
    assert without == []
    assert set(paths["/api/v1/ask"]["post"]["responses"]) == {
        "200", "400", "401", "403", "413", "422", "429", "500", "503", "504",
    }  # fmt: skip
    assert set(paths["/readyz"]["get"]["responses"]) == {"200", "503"}


def test_what_changes_something_is_documented_to_refuse_other_sites(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    refuse = {
        (method, path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "wrong_origin" in str(operation["responses"].get("403"))
    }
    changing = {(method, path) for path, methods in paths.items() for method in methods if method != "get"}
    assert refuse == changing


def test_the_example_of_an_error_is_what_is_answered(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    kinds = paths["/v1/models/{model}"]["get"]["responses"]["404"]["content"]["application/problem+json"]
    shown, answered = kinds["examples"]["model_not_found"]["value"], client.get("/v1/models/gpt-4").json()
    assert [shown[name] for name in ("status", "detail", "code")] == [
        answered[name] for name in ("status", "detail", "code")
    ]
