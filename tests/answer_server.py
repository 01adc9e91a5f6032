"""A server for tests of evaluation: it answers two cases in our dialect and in OpenAI's, and keeps what was asked."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.scored import CASES, QUOTE

ANSWERED = [case for case in CASES if case["id"] in ("toll", "far")]
ANSWERS: list[dict[str, Any]] = [
    {"id": "toll", "text": "At least 19.[1]", "citations": [{"article_id": "kyiv", "quote": QUOTE}]},
    {"id": "far", "text": "The articles do not say."},
]


class Server(BaseHTTPRequestHandler):
    """Answer our dialect and OpenAI's, and keep what was asked."""

    asked: list[tuple[str, str | None, dict[str, Any]]] = []  # noqa: RUF012 - one list for the one server of a test

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, self.headers["Authorization"], body))
        question = body["question"] if "question" in body else body["messages"][-1]["content"]
        answer = {**ANSWERS[question != ANSWERED[0]["question"]], "id": "of the server"}
        reply = (
            answer
            if "question" in body
            else {"choices": [{"message": {"content": answer["text"]}}], "groundwire": answer}
        )
        moved = self.path.startswith("/moved")
        self.send_response(302 if moved else 200 if self.path in ("/api/v1/ask", "/v1/chat/completions") else 404)
        if moved:
            self.send_header("Location", "/api/v1/ask")
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
