"""A server at an address gets the time that it asks for, within bounds, and is not asked for what it does not have."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from eval.addresses import Address, Client, ServerError, from_address
from eval.cases import Case
from eval.run import Setup
from eval.suites import UnusedEmbedder
from index import NewsIndex
from index.errors import InputError
from rag.history import Turn
from tests.answer_server import Server

CASE = Case(
    id="1", split="test", question="Who?", kind="far", history=(), filters={}, answers=(), evidence=(), refuse=True
)
ANSWER = {"text": "Oslo."}

Reply = tuple[int, Mapping[str, str], Mapping[str, Any]]
Replying = Callable[[Sequence[Reply]], str]
DONE: Reply = (200, {}, ANSWER)
BUSY: Reply = (503, {}, {"detail": "as many questions wait as may"})


class Scripted(BaseHTTPRequestHandler):
    """Give the replies that a test wrote down, one after another, and keep what was asked."""

    replies: list[Reply] = []  # noqa: RUF012 - one list for the one server of a test
    asked: list[dict[str, Any]] = []  # noqa: RUF012 - so here

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._reply()

    def do_GET(self) -> None:
        self.asked.append({"path": self.path})
        self._reply()

    def _reply(self) -> None:
        status, headers, body = self.replies.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def replying(socket_enabled: None) -> Iterator[Replying]:
    """Return what lets a server give some replies, and returns its address."""
    httpd = HTTPServer(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()

    def script(replies: Sequence[Reply]) -> str:
        Scripted.replies[:], Scripted.asked[:] = replies, []
        return f"http://127.0.0.1:{httpd.server_port}"

    yield script
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def client_of(url: str, waited: list[float]) -> Client:
    return Client(address=Address.of(url, model=None, token=None), wait=waited.append)


def client_of_a_model(url: str) -> Client:
    return Client(address=Address.of(f"{url}/v1", model="small", token=None), wait=no_wait)


def no_wait(seconds: float) -> None:
    pytest.fail(f"waited {seconds} s")


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({}, [1.0, 2.0]),
        ({"Retry-After": "9"}, [9.0, 9.0]),
        ({"Retry-After": "0"}, [1.0, 2.0]),
        ({"Retry-After": "soon"}, [1.0, 2.0]),
        ({"Retry-After": "86400"}, [60.0, 60.0]),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_wait_that_it_asks_for_within_bounds(
    replying: Replying, status: int, headers: Mapping[str, str], waited: Sequence[float]
) -> None:
    seen: list[float] = []
    client = client_of(replying([(status, headers, {}), (status, headers, {}), DONE]), seen)
    assert (client.ask(CASE), seen) == (ANSWER, waited)


def test_a_server_that_stays_busy_is_said_to_be_busy(replying: Replying) -> None:
    waited: list[float] = []
    with pytest.raises(ServerError, match=r"HTTP 503 .*as many questions wait.*; it is busy, run again later"):
        client_of(replying([BUSY] * 7), waited).ask(CASE)
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def test_a_server_that_stayed_busy_is_not_waited_for_again_until_it_has_answered(replying: Replying) -> None:
    waited: list[float] = []
    client = client_of(replying([BUSY] * 8 + [DONE, BUSY, DONE]), waited)
    with pytest.raises(ServerError, match="it is busy"):
        client.ask(CASE)
    waited.clear()
    with pytest.raises(ServerError, match="it is busy"):
        client.ask(CASE)
    assert ([client.ask(CASE), client.ask(CASE)], waited) == ([ANSWER, ANSWER], [1.0])


def test_an_error_that_is_not_of_being_busy_is_not_asked_again(replying: Replying) -> None:
    waited: list[float] = []
    with pytest.raises(ServerError, match="HTTP 500"):
        client_of(replying([(500, {"Retry-After": "1"}, {}), DONE]), waited).ask(CASE)
    assert waited == []


BAD: Reply = (400, {}, {"error": {"message": "no such model"}})
COLD: Reply = (400, {}, {"error": {"code": "x" * 400, "message": "Temperature does not support 0 here"}})


def test_a_model_that_will_not_have_a_temperature_is_asked_without_from_then_on(replying: Replying) -> None:
    client = client_of_a_model(replying([COLD, DONE, DONE]))
    before = client.describe()["temperature"]
    assert ([client.ask(CASE), client.ask(CASE)], before, client.describe()["temperature"]) == ([ANSWER] * 2, 0, None)
    assert [body.get("temperature") for body in Scripted.asked] == [0, None, None]


@pytest.mark.parametrize("again", [COLD, BAD])
def test_a_model_that_fails_without_a_temperature_too_is_asked_with_one_again(replying: Replying, again: Reply) -> None:
    client = client_of_a_model(replying([COLD, again, DONE]))
    with pytest.raises(ServerError, match="HTTP 400"):
        client.ask(CASE)
    client.ask(CASE)
    assert [body.get("temperature") for body in Scripted.asked] == [0, None, 0]


def test_another_error_is_no_reason_to_ask_without_a_temperature(replying: Replying) -> None:
    with pytest.raises(ServerError, match="no such model"):
        client_of_a_model(replying([BAD, DONE])).ask(CASE)
    assert len(Scripted.asked) == 1


def models(*names: str) -> Reply:
    return 200, {}, {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


def setup_of(url: str, *, model: str | None = None) -> Setup:
    return from_address(Address.of(url, model=model, token=None), embedder=UnusedEmbedder(), wait=no_wait)


def test_where_no_model_is_named_the_only_one_that_the_server_lists_is_asked_for(
    replying: Replying, index: NewsIndex
) -> None:
    setup = setup_of(replying([models("llama"), DONE]) + "/v1")
    setup.system(index)(CASE)
    asked = [Scripted.asked[0], {"model": Scripted.asked[1]["model"]}, {"model": setup.describe(index)["model"]}]
    assert asked == [{"path": "/v1/models"}, {"model": "llama"}, {"model": "llama"}]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (models("large", "small"), r"lists \['large', 'small'\]"),
        (models(), r"lists \[\]"),
        ((404, {}, {}), "HTTP 404"),
        ((200, {}, {"data": None}), "is no list of models"),
    ],
)
def test_where_the_server_names_no_one_model_the_user_has_to(replying: Replying, listed: Reply, said: str) -> None:
    with pytest.raises(ServerError, match=f"name the model with --model.*{said}"):
        setup_of(replying([listed]) + "/v1")


@pytest.mark.parametrize(("path", "model"), [("/v1", "mine"), ("", None)])
def test_a_server_is_not_asked_for_its_models_where_one_is_named_or_none_is_needed(
    replying: Replying, path: str, model: str | None
) -> None:
    setup_of(replying([]) + path, model=model)
    assert Scripted.asked == []


def test_a_redirect_is_refused_because_it_would_take_the_token_along(server: str) -> None:
    with pytest.raises(ServerError, match="sends on to '/api/v1/ask'; name that address with --url if you trust it"):
        Client(address=Address.of(f"{server}/moved", model=None, token="secret")).ask(CASE)
    assert [path for path, _, _ in Server.asked] == ["/moved/api/v1/ask"]


def test_a_reply_that_is_too_long_is_said_to_be_that(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.addresses._LONGEST_REPLY", 10)
    with pytest.raises(ServerError, match="its reply is longer than 10 bytes"):
        Client(address=Address.of(server, model=None, token=None)).ask(CASE)


def test_history_window_and_sources_reach_a_server_of_openais_dialect() -> None:
    case = Case(
        id="1", split="test", question="And then?", kind="follow-up", history=(Turn("Who?", "Oslo."),),
        filters={"as_of": "2025-09-01", "sources": ["Oslo Desk", "Bergen Desk"]}, answers=(), evidence=(), refuse=True,
    )  # fmt: skip
    address = Address.of("https://host/v1", model="m", token=None)
    assert address.body(case)["messages"] == [
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "Oslo."},
        {"role": "user", "content": "And then? (as of 2025-09-01) (sources Oslo Desk, Bergen Desk)"},
    ]


@pytest.mark.parametrize("url", ["host:8000", "file:///etc/passwd", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="is no address"):
        Address.of(url, model=None, token=None)
