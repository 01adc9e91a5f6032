"""Answers to be scored: our own JSON shape, or what an OpenAI-compatible server gives, read into one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.answer_fields import check_answer
from eval.cases import Articles, EvidenceSpan
from eval.citations import GivenCitation, read_citation, read_hit
from eval.json_values import read_values
from eval.metrics import CitedSentence
from eval.refusals import reads_as_refusal
from index.errors import InputError
from rag.cite import parse_marks

__all__ = ["GivenAnswer", "read_answer", "read_answers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """Hold an answer of any system; `hits` is None when the system does not say what it retrieved.

    A hit has the places where its words stand: none when they stand nowhere, and it keeps its rank.
    """

    text: str
    refused: bool
    sentences: tuple[CitedSentence, ...]
    citations: tuple[GivenCitation, ...]
    hits: tuple[tuple[EvidenceSpan, ...], ...] | None
    rows: tuple[Mapping[str, str], ...]


def read_answer(data: Mapping[str, Any], articles: Articles) -> GivenAnswer:
    """Read an answer in our shape, or in OpenAI's; raise `InputError` that names the field that is neither."""
    data = _answer_of_completion(data) if data.get("choices") is not None else data
    if data.get("text") is None:
        raise InputError(f"an answer needs `text`, or `choices` as OpenAI has them; this one has {sorted(data)}")
    check_answer(data)
    citations = tuple(
        read_citation(given, number, articles) for number, given in enumerate(data.get("citations") or (), start=1)
    )
    refused = _refused(data, citations)
    table = data.get("table") or {}
    hits = data.get("hits")
    return GivenAnswer(
        text=data["text"], refused=refused, citations=citations, sentences=_sentences(data, citations),
        hits=None if hits is None else tuple(read_hit(given, articles) for given in hits),
        rows=tuple(row if row.get("cells") is None else row["cells"] for row in table.get("rows") or ()),
    )  # fmt: skip


def _answer_of_completion(completion: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer that an OpenAI chat completion carries: whole under `groundwire`, else its text alone.

    >>> _answer_of_completion({"choices": [{"message": {"content": "It ended."}}]})
    {'text': 'It ended.', 'citations': ()}
    """
    if isinstance(completion.get("groundwire"), Mapping):
        return dict(completion["groundwire"])
    message = _message(completion.get("choices"))
    parts = _parts(message.get("content"))
    declines = message.get("refusal") or any(part["type"] == "refusal" for part in parts)
    text = "".join(part["text"] for part in parts if part["type"] == "text")
    answer = {"text": text, "citations": message.get("citations") or ()}
    return {**answer, "status": "refused"} if declines else answer


def _message(choices: object) -> Mapping[str, Any]:
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    if not isinstance(message, Mapping):
        raise InputError(f"`choices` is {choices!r:.80}; write whole chat completions, with choices[0].message")
    return message


def _parts(content: object) -> Sequence[Mapping[str, Any]]:
    """Return the parts of a message's content, each of type "text" or "refusal"; a text alone is one part."""
    parts = [{"type": "text", "text": content or ""}] if content is None or isinstance(content, str) else content
    if not isinstance(parts, list) or not all(map(_is_part, parts)):
        raise InputError(
            f'`choices[0].message.content` is {content!r:.80}; write a text, or parts of type "text" or "refusal"'
        )
    return parts


def _is_part(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and value.get("type") in ("text", "refusal")
        and isinstance(value.get(value["type"]), str)
    )


def read_answers(path: Path) -> dict[str, Mapping[str, Any]]:
    """Read a file of answers by case id, as `read_values` has them; raise `InputError` naming the place.

    The case id is `case_id`, else `custom_id` as in OpenAI's batch files, else `id`.
    """
    answers: dict[str, Mapping[str, Any]] = {}
    for where, data in read_values(path):
        if not isinstance(data, Mapping):
            raise InputError(f"{where}: {data!r} is no answer; write an object with `case_id` and `text`")
        name = _case_id(data, where)
        if name in answers:
            raise InputError(f"{where}: {name!r} is answered twice; keep one")
        response = data.get("response")
        body = response.get("body") if isinstance(response, Mapping) else None
        answers[name] = body if isinstance(body, Mapping) else data
    return answers


def _case_id(data: Mapping[str, Any], where: str) -> str:
    given = {key: data.get(key) for key in ("case_id", "custom_id", "id")}
    field = next((key for key, value in given.items() if value not in (None, "")), None)
    if field is None:
        raise InputError(f"{where}: no `case_id`, `custom_id` or `id`; say which case this answers")
    if type(given[field]) not in (str, int):  # true is an int, and no name
        raise InputError(f"{where}: `{field}` is {given[field]!r}; write the `id` of a case")
    return str(given[field])


def _refused(data: Mapping[str, Any], citations: Sequence[GivenCitation]) -> bool:
    if data.get("status") is not None:
        return bool(data["status"] == "refused")
    return not data["text"].strip() or (not citations and reads_as_refusal(data["text"]))


def _sentences(data: Mapping[str, Any], citations: Sequence[GivenCitation]) -> tuple[CitedSentence, ...]:
    """Return the sentences with what they cite: as the answer gives them, else by the marks in its text."""
    quotes = {citation.number: citation.stored for citation in citations}
    if data.get("sentences"):
        said = [(sentence["text"], sentence.get("citations") or ()) for sentence in data["sentences"]]
    else:
        said = [(sentence.text, sentence.marks) for sentence in parse_marks(data["text"]) if sentence.text]
    return tuple(
        CitedSentence(text, tuple(quotes[n] for n in map(int, cited) if quotes.get(n))) for text, cited in said
    )
