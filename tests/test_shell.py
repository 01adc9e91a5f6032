"""What the shell around the service lets through: headers, hosts, origins, sizes, tokens."""

import pytest
from starlette.testclient import TestClient

from ui.guard import CONTENT_SECURITY_POLICY, COOKIE_NAME, MAX_BODY_BYTES, MAX_UPLOAD_BYTES

from .served import HERE, QUESTION, MakeClient

TOKEN = "a-token-of-the-test"


# --- the shell --------------------------------------------------------------------------------------------------------

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


def test_with_the_page_and_with_writing_nothing_more_of_gradio_is_found(make_client: MakeClient) -> None:
    client = make_client(page=True, allow_writes=True)
    answers = [client.request(method, HERE + path) for path in HIDDEN for method in ("GET", "POST")]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert client.get("/").status_code == 200


PAGE = ["/", "/config", "/theme.css", "/gradio_api/startup-events", "/gradio_api/app_id", "/gradio_api/info",
        "/assets/none.js", "/ui-static/page.css", "/collection", "/collection/kyiv", "/collection/none"]  # fmt: skip


def test_every_response_of_the_page_has_the_headers_of_the_shell(make_client: MakeClient) -> None:
    client = make_client(page=True)
    answers = [client.get(path, headers={"origin": HERE}).headers for path in PAGE]
    assert [answer["content-security-policy"] for answer in answers] == [CONTENT_SECURITY_POLICY] * len(PAGE)
    assert [answer["x-content-type-options"] for answer in answers] == ["nosniff"] * len(PAGE)
    assert [answer["referrer-policy"] for answer in answers] == ["no-referrer"] * len(PAGE)
    assert [answer["x-frame-options"] for answer in answers] == ["DENY"] * len(PAGE)
    assert [path for path, answer in zip(PAGE, answers, strict=True) if "access-control-allow-origin" in answer] == []


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


def test_an_upload_over_its_limit_is_refused(make_client: MakeClient) -> None:
    client = make_client(allow_writes=True)
    whole = client.post("/api/v1/articles", content=b" " * (MAX_UPLOAD_BYTES + 2**16 + 1))
    pieces = (b" " * 2**20 for _ in range(26))
    hidden = client.post("/api/v1/articles", content=pieces, headers={"content-type": "application/json"})
    told = "the body is larger than 26,279,936 bytes"
    assert [(r.status_code, r.json()["cause"]) for r in (whole, hidden)] == [(413, told)] * 2


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_without_the_token_nothing_but_health_and_login_answers(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    paths = [route.path for route in client.app.routes]  # type: ignore[attr-defined] # a Service
    statuses = {path: client.get(path).status_code for path in paths}
    opened = {path for path, status in statuses.items() if status != 401}
    assert opened == {"/healthz", "/readyz", "/login"}


def test_without_the_token_nothing_of_the_page_answers(make_client: MakeClient) -> None:
    client = make_client(page=True, token=TOKEN)
    gradio = ["/gradio_api/queue/data?session_hash=x", "/gradio_api/heartbeat/x", "/gradio_api/cancel"]
    assert {path: client.get(path).status_code for path in (*PAGE, *gradio)} == dict.fromkeys((*PAGE, *gradio), 401)
    assert client.post("/gradio_api/queue/join", json={"data": [], "fn_index": 0}).status_code == 401


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
    page = client.get("/login").text
    assert '<form method="post" action="/login">' in page
    assert '<meta name="referrer" content="same-origin">' in page  # else a browser sends the form from nowhere
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
