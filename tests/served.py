"""What the tests of the service share: how a client is made, a question, and how a stream of events is read."""

import json
from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

HERE = "http://127.0.0.1:7860"
QUESTION = {"question": "How many people were killed in Kyiv?"}

MakeClient = Callable[..., TestClient]


def events_of(text: str) -> list[tuple[str, Any]]:
    """Return the names and the data of server-sent events."""
    found = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n") if block]
    return [(event["event"], json.loads(event["data"])) for event in found]
