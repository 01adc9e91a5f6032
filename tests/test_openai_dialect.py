"""The OpenAI dialect of the HTTP service."""

import json

import pytest
from starlette.testclient import TestClient

from .served import QUESTION


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


@pytest.mark.parametrize("wrong", [{"sources": [1]}, {"k": "many"}, {"k": 0}, {"until": 5}, {"colour": "red"}])
def test_a_filter_that_fits_no_field_is_refused_and_named(client: TestClient, wrong: dict[str, object]) -> None:
    reply = client.post("/v1/chat/completions", json=chat(("user", "Who met?"), groundwire=wrong))
    assert reply.status_code in (400, 422)
    assert next(iter(wrong)) in reply.text


def test_the_one_model_is_listed(client: TestClient) -> None:
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["groundwire"]
    assert client.get("/v1/models/groundwire").json()["id"] == "groundwire"
