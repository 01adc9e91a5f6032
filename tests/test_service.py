"""The HTTP service: every address, every error, and what the shell lets through."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from index.errors import GroundwireError
from index.news_index import NewsIndex
from rag.answer import Event
from ui.engine import Answering, Engine
from ui.guard import CONTENT_SECURITY_POLICY, COOKIE_NAME, MAX_BODY_BYTES
from ui.service import create_app
from ui.settings import ServeSettings

from .fakes import KYIV, NOW, PARIS, CannedBot, FakeEmbedder, answer_event, refused, write_articles

HERE = "http://127.0.0.1:7860"
QUESTION = {"question": "How many people were killed in Kyiv?"}
TOKEN = "a-token-of-the-test"

MakeClient = Callable[..., TestClient]


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[MakeClient]:
    opened: list[TestClient] = []

    def make(bot: Answering | None = None, *, base_url: str = HERE, **settings: object) -> TestClient:
        index = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
        index.ingest([write_articles(tmp_path / "a.jsonl", KYIV, PARIS)], now=NOW)
        chosen: dict[str, Any] = {"make_bot": lambda _: bot} if bot else {}
        chosen_settings = ServeSettings(**{"page": False, "questions_per_minute": 1000} | settings)  # type: ignore[arg-type] # a test names what there is
        engine = Engine(lambda: index, settings=chosen_settings, clock=lambda: 0.0, now=lambda: NOW, **chosen)
        client = TestClient(
            create_app(engine), base_url=base_url, raise_server_exceptions=False, follow_redirects=False
        )
        opened.append(client)
        client.__enter__()
        engine.wait_until_ready(10)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


def events_of(text: str) -> list[tuple[str, Any]]:
    """Return the names and the data of server-sent events."""
    found = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n") if block]
    return [(event["event"], json.loads(event["data"])) for event in found]


# --- health ---------------------------------------------------------------------------------------------------------


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


# --- questions ------------------------------------------------------------------------------------------------------


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


# --- errors ---------------------------------------------------------------------------------------------------------

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


# --- articles -------------------------------------------------------------------------------------------------------


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


# --- feedback and checks --------------------------------------------------------------------------------------------


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


def test_an_answer_is_checked_against_its_texts(client: TestClient) -> None:
    answer = client.post("/api/v1/ask", json=QUESTION).json()
    texts = [{"article_id": "kyiv", "text": KYIV["text"]}]
    checked = client.post("/api/v1/verify-answer", json={"answer": answer, "texts": texts}).json()
    assert checked == answer


# --- the OpenAI dialect ---------------------------------------------------------------------------------------------


def chat(*messages: tuple[str, str], **more: object) -> dict[str, object]:
    return {"model": "groundwire", "messages": [{"role": r, "content": c} for r, c in messages], **more}


def test_a_chat_carries_citations_in_the_message_and_the_answer_beside_it(client: TestClient) -> None:
    done = client.post(
        "/v1/chat/completions", json=chat(("system", "Be brief."), ("user", QUESTION["question"]))
    ).json()
    assert done["groundwire"]["citations"][0]["article_id"] == "kyiv"
    assert done["choices"][0]["message"]["content"] == (
        "At least 19 people were killed in Kyiv on Thursday.[1]\n\nSources:\n[1] Toll in Kyiv, Kyiv Desk, 2025-08-28: "
        "“At least 19 people were killed in Kyiv on Thursday.”"
    )


def test_a_streamed_chat_says_the_same_and_ends_with_the_answer(client: TestClient) -> None:
    whole = client.post("/v1/chat/completions", json=chat(("user", QUESTION["question"]))).json()
    text = client.post("/v1/chat/completions", json=chat(("user", QUESTION["question"]), stream=True)).text
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    chunks = [json.loads(line) for line in lines[:-1]]
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert lines[-1] == "[DONE]"
    assert said == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["groundwire"]["citations"] == whole["groundwire"]["citations"]


def test_a_refused_chat_streams_the_refusal(client: TestClient) -> None:
    text = client.post("/v1/chat/completions", json=chat(("user", "Who won in Lima?"), stream=True)).text
    chunks = [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line and "[DONE]" not in line]
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert (chunks[-1]["groundwire"]["status"], chunks[-1]["groundwire"]["text"]) == ("refused", said)


def test_earlier_messages_are_the_history(client: TestClient) -> None:
    turns = (("user", "How many people were killed in Kyiv?"), ("assistant", "19."), ("user", "And how many there?"))
    understood = client.post("/v1/chat/completions", json=chat(*turns)).json()["groundwire"]["understood"]
    assert "Kyiv" in understood["question"]


def test_filters_of_a_chat_stand_under_our_name(client: TestClient) -> None:
    body = chat(("user", "Who was killed?"), groundwire={"sources": ["Paris Desk"]})
    assert client.post("/v1/chat/completions", json=body).json()["groundwire"]["understood"]["sources"] == [
        "Paris Desk"
    ]


def test_the_one_model_is_listed(client: TestClient) -> None:
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["groundwire"]
    assert client.get("/v1/models/groundwire").json()["id"] == "groundwire"


# --- documentation --------------------------------------------------------------------------------------------------


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
        if path.startswith(("/api", "/v1/chat"))
        for method, operation in methods.items()
        for status, response in operation["responses"].items()
        if not all("example" in kind or "examples" in kind for kind in response.get("content", {"": {}}).values())
    ]
    assert without == []
    assert set(paths["/api/v1/ask"]["post"]["responses"]) == {
        "200", "400", "401", "413", "422", "429", "500", "503", "504",
    }  # fmt: skip


# --- the shell ------------------------------------------------------------------------------------------------------

EVERYWHERE = ["/healthz", "/readyz", "/docs", "/openapi.json", "/docs-static/favicon.png", "/api/v1/articles", "/none",
              "/api/v1/articles/none", "/login", "/"]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("/docs-static/swagger-ui.css?v=1", "public, max-age=31536000, immutable"),
        ("/docs-static/swagger-ui.css", "no-store"),
        ("/docs?v=1", "no-store"),
    ],
)
def test_a_file_is_kept_for_good_when_its_address_names_its_version(
    client: TestClient, address: str, kept: str
) -> None:
    assert client.get(address).headers["cache-control"] == kept


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_response_has_the_headers_of_the_shell(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "10.0.0.1", "localhost@evil.example"]
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).json()["code"] == "wrong_host"


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "LOCALHOST:1", "[::1]:7860"])
def test_this_machine_is_a_host(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_names_of_the_settings_are_hosts(make_client: MakeClient) -> None:
    client = make_client(hosts="news.example, other.example")
    assert client.get("/healthz", headers={"host": "other.example"}).status_code == 200


FOREIGN = [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
           {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:9999"}]  # fmt: skip


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/articles", "/api/v1/feedback", "/v1/chat/completions"])
def test_what_another_site_sends_is_refused(client: TestClient, path: str, headers: dict[str, str]) -> None:
    response = client.post(path, json=QUESTION, headers=headers)
    assert (response.status_code, response.json()["code"]) == (403, "wrong_origin")


def test_the_own_page_may_ask(client: TestClient) -> None:
    headers = {"origin": HERE, "sec-fetch-site": "same-origin"}
    assert client.post("/api/v1/ask", json=QUESTION, headers=headers).status_code == 200


HIDDEN = [
    "/gradio_api/file=/etc/passwd", "/gradio_api/proxy=http://evil.example", "/monitoring", "/gradio_api/deep_link",
    "/gradio_api/upload", "/gradio_api/info", "/gradio_api//file=x", "/assets/../../etc/passwd", "/docs-static/../x",
    "/API/v1/ask", "//healthz", "/redoc", "/gradio_api/call/x", "/gradio_api/vibe-code/",
]  # fmt: skip


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_not_on_the_list_is_not_found(client: TestClient, path: str) -> None:
    response = client.get(HERE + path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    response = client.post("/api/v1/ask", content=b" " * (MAX_BODY_BYTES + 1))
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_body_that_hides_its_length_is_refused_too(client: TestClient) -> None:
    pieces = (b" " * 65536 for _ in range(6))
    headers = {"content-type": "application/json"}
    response = client.post("/api/v1/ask", content=pieces, headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_uploads_may_be_larger_where_writing_is_on(make_client: MakeClient) -> None:
    files = [("file", ("a.txt", b"A summit was held in Rome. " * 20_000))]
    assert make_client(allow_writes=True).post("/api/v1/articles", files=files).status_code == 200


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_without_the_token_nothing_but_health_and_login_answers(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    paths = [route.path for route in client.app.routes]  # type: ignore[attr-defined] # a Service
    statuses = {path: client.get(path).status_code for path in paths}
    opened = {path for path, status in statuses.items() if status != 401}
    assert opened == {"/healthz", "/readyz", "/login"}


def test_a_bearer_token_lets_in(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    assert client.get("/api/v1/articles", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_refused_token_says_what_to_send(make_client: MakeClient) -> None:
    response = make_client(token=TOKEN).get("/api/v1/articles", headers={"authorization": "Bearer wrong"})
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json()["cure"] == "send `Authorization: Bearer TOKEN`, or open /login in the browser"


def test_a_browser_signs_in_once(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    response = client.get("/login", params={"token": TOKEN})
    cookie = response.headers["set-cookie"]
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert client.get("/api/v1/articles").status_code == 200


def test_a_browser_signs_in_with_the_form(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    assert '<form method="post" action="/login">' in client.get("/login").text
    assert client.post("/login", data={"token": TOKEN}).status_code == 303
    assert client.get("/api/v1/articles").status_code == 200


@pytest.mark.parametrize("cookie", ["", TOKEN, "wrong"])
def test_a_wrong_cookie_lets_nobody_in(make_client: MakeClient, cookie: str) -> None:
    headers = {"cookie": f"{COOKIE_NAME}={cookie}"}
    assert make_client(token=TOKEN).get("/api/v1/articles", headers=headers).status_code == 401


def test_a_secure_connection_makes_a_secure_cookie(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN, base_url="https://127.0.0.1")
    assert "Secure" in client.get("/login", params={"token": TOKEN}).headers["set-cookie"]


def test_tokens_cannot_be_tried_for_long(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    logins = [client.get("/login", params={"token": str(n)}).status_code for n in range(6)]
    bearers = [client.get("/docs", headers={"authorization": f"Bearer {n}"}).status_code for n in range(6)]
    assert logins + bearers == [401] * 10 + [429] * 2
    assert client.get("/login", params={"token": TOKEN}).status_code == 429
