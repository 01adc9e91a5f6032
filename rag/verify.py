"""Check an answer against the texts that it says it rests on, whoever wrote it.

A citation stands when its quote is exactly what the text has at its place, and the text is the one it names. A sentence
that rests on a citation that does not stand is unsupported, and says why. Nothing is looked up: answer and texts are
all there is.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from index.errors import InputError

__all__ = ["verify_answer"]

_MARK = re.compile(r"\[(\d{1,4})\]")
_SEVERAL = re.compile(r"(?:\[\d{1,4}\])+")
_MOST_SHOWN = 80


def verify_answer(answer: Mapping[str, Any], texts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the answer with `support` and `reasons` of each sentence as found, and in `rejected` what does not stand.

    `answer` has the shape of `Answer.to_json`, `texts` are ``{"article_id", "text"}`` with an optional `revision`.
    Reasons are "verbatim", "not verbatim", "no citation", "offsets: ...", "marks: ...", and for a citation that fails
    "citation 2: ..." with what is wrong. Raises `InputError` where a field is missing or of another type.
    """
    _check_shape(answer)
    held = _texts(texts)
    citations: dict[int, Mapping[str, Any]] = {citation["number"]: citation for citation in answer["citations"]}
    wrong = {number: _why_wrong(citation, held) for number, citation in citations.items()}
    sentences = [_judged(sentence, answer["text"], citations, wrong) for sentence in answer["sentences"]]
    rejected = [*_marks_of_nothing(answer, citations)]
    for number, reason in wrong.items():
        if reason:
            rejected.append({"mark": f"[{number}]", "sentence": _first_with(number, sentences), "reason": reason})
    whole = bool(sentences) and not rejected and all(sentence["support"] == "supported" for sentence in sentences)
    status = answer.get("status", "answered")
    if sentences:
        status = status if whole else "partial"
    return {**answer, "status": status, "sentences": sentences, "rejected": rejected}


def _judged(
    sentence: Mapping[str, Any],
    text: str,
    citations: Mapping[int, Mapping[str, Any]],
    wrong: Mapping[int, str | None],
) -> dict[str, Any]:
    """Return a sentence with what it is worth: verbatim, unchecked (its citations stand), or unsupported."""
    reasons = [f"citation {n}: {wrong[n]}" for n in sentence["citations"] if wrong.get(n)]
    reasons += [f"citation {n}: no such citation" for n in sentence["citations"] if n not in citations]
    start, end = sentence["start"], sentence["end"]
    marks = _marks_behind(text, end)
    if not 0 <= start < end <= len(text):  # Python would read a negative place from the end
        held = f"the answer's text has {len(text)} characters"
        reasons.append(f"offsets: {held}, and the sentence is of {start} to {end}")
    elif text[start:end] != sentence["text"]:
        reasons.append("offsets: the answer's text has other words at this place")
    elif marks != sorted(set(sentence["citations"])):
        reasons.append(f"marks: the answer's text has {marks} behind this sentence")
    if not sentence["citations"]:
        reasons.append("no citation")
    if reasons:
        return {**sentence, "support": "unsupported", "score": 0.0, "reasons": reasons}
    words = " ".join(sentence["text"].split())
    if words and any(words in " ".join(citations[n]["quote"].split()) for n in sentence["citations"]):
        return {**sentence, "support": "supported", "score": 1.0, "reasons": ["verbatim"]}
    return {**sentence, "support": "unchecked", "score": None, "reasons": ["not verbatim"]}


def _why_wrong(citation: Mapping[str, Any], texts: Mapping[tuple[str, int | None], str]) -> str | None:
    """Return why a citation does not stand; None when it does."""
    key = (citation["article_id"], citation.get("revision"))
    text = texts.get(key, texts.get((key[0], None)))
    if text is None:
        return f"no text of article {key[0]!r} was given"
    sha256 = citation.get("text_sha256")
    if sha256 is not None and hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != sha256:
        return "the text differs from the one that was cited (text_sha256)"
    start, end = citation["start"], citation["end"]
    if not 0 <= start < end <= len(text):
        return f"the text has {len(text)} characters, and the citation is of {start} to {end}"
    if text[start:end] != citation["quote"]:
        return f"the text has {_shown(text[start:end])} at this place, not {_shown(citation['quote'])}"
    return None


def _marks_behind(text: str, end: int) -> list[int]:
    found = _SEVERAL.match(text, end) if 0 <= end <= len(text) else None
    return sorted({int(number) for number in _MARK.findall(found[0])}) if found else []


def _marks_of_nothing(answer: Mapping[str, Any], citations: Mapping[int, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the marks behind sentences that no citation has the number of. A ``[9]`` inside a sentence is no mark."""
    found = []
    for sentence in answer["sentences"]:
        numbers = dict.fromkeys((*_marks_behind(answer["text"], sentence["end"]), *sentence["citations"]))
        for number in numbers:
            if number not in citations:
                mark = {"mark": f"[{number}]", "sentence": sentence["text"], "reason": "no such citation"}
                found.append(mark)
    return found


def _first_with(number: int, sentences: Sequence[Mapping[str, Any]]) -> str:
    return next((str(s["text"]) for s in sentences if number in s["citations"]), "")


def _texts(texts: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int | None], str]:
    held: dict[tuple[str, int | None], str] = {}
    for place, text in enumerate(texts):
        where = f"texts[{place}]"
        key = (_field(text, "article_id", str, where), _optional(text, "revision", int, where))
        if held.setdefault(key, _field(text, "text", str, where)) != text["text"]:
            raise InputError(f"{where}: article {key[0]!r} has another text above; give each text once")
    return held


def _check_shape(answer: Mapping[str, Any]) -> None:
    _field(answer, "text", str, "answer")
    for place, sentence in enumerate(_field(answer, "sentences", list, "answer")):
        where = f"answer.sentences[{place}]"
        _field(sentence, "text", str, where)
        _field(sentence, "start", int, where)
        _field(sentence, "end", int, where)
        for number in _field(sentence, "citations", list, where):
            if not isinstance(number, int) or isinstance(number, bool):
                raise InputError(f"{where}: `citations` holds {_shown(number)}; give the numbers of citations")
    numbers: set[int] = set()
    for place, citation in enumerate(_field(answer, "citations", list, "answer")):
        where = f"answer.citations[{place}]"
        number = _field(citation, "number", int, where)
        for name, kind in (("article_id", str), ("quote", str), ("start", int), ("end", int)):
            _field(citation, name, kind, where)
        _optional(citation, "revision", int, where)
        _optional(citation, "text_sha256", str, where)
        if number in numbers:
            raise InputError(f"{where}: there is a citation {number} already; number each once")
        numbers.add(number)


def _field(value: object, name: str, kind: type, where: str) -> Any:  # noqa: ANN401 - of the kind that is asked for
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {_shown(value)}; give an object with `{name}`")
    if name not in value:
        raise InputError(f"{where}: has no `{name}`; give the answer as Groundwire writes it")
    if not isinstance(value[name], kind) or isinstance(value[name], bool):
        words = {str: "a text", int: "a whole number", list: "a list"}[kind]
        raise InputError(f"{where}: `{name}` is {_shown(value[name])}; give {words}")
    return value[name]


def _optional(value: Mapping[str, Any], name: str, kind: type, where: str) -> Any:  # noqa: ANN401 - as above, or None
    return None if value.get(name) is None else _field(value, name, kind, where)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
