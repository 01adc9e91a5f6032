"""A server at an address gets the time that it asks for, within bounds, and is not asked for what it does not have."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from eval.addresses import Address, Client, ServerError
from eval.cases import Case

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
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
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
    client = client_of(replying([COLD, DONE, DONE]) + "/v1", [])
    before = client.describe()["temperature"]
    assert ([client.ask(CASE), client.ask(CASE)], before, client.describe()["temperature"]) == ([ANSWER] * 2, 0, None)
    assert [body.get("temperature") for body in Scripted.asked] == [0, None, None]


@pytest.mark.parametrize("again", [COLD, BAD])
def test_a_model_that_fails_without_a_temperature_too_is_asked_with_one_again(replying: Replying, again: Reply) -> None:
    client = client_of(replying([COLD, again, DONE]) + "/v1", [])
    with pytest.raises(ServerError, match="HTTP 400"):
        client.ask(CASE)
    client.ask(CASE)
    assert [body.get("temperature") for body in Scripted.asked] == [0, None, 0]


def test_another_error_is_no_reason_to_ask_without_a_temperature(replying: Replying) -> None:
    with pytest.raises(ServerError, match="no such model"):
        client_of(replying([BAD, DONE]) + "/v1", []).ask(CASE)
    assert len(Scripted.asked) == 1
