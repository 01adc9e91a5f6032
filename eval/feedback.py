"""Feedback left by readers becomes draft cases: a person fills in what is right, then removes `draft`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.json_values import read_values
from index.errors import InputError

__all__ = ["Feedback", "draft_case", "feedback_json", "read_feedback", "show_feedback", "write_drafts"]

KINDS = ("like", "dislike", "wrong_passage", "missing_source", "other")
_TODO = {
    "like": "Liked. Check that the evidence is all that is needed, and write the accepted answers.",
    "dislike": "Disliked. Write the accepted answers and the evidence, or set `refuse`.",
    "wrong_passage": "A passage is wrong. Keep the evidence that is right, and add what is missing.",
    "missing_source": "A source is missing. Add its words to the evidence.",
    "other": "Write the accepted answers and the evidence, or set `refuse`.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Hold what a reader said of an answer; `citation` is the number of the one that it is about."""

    at: str
    kind: str
    comment: str
    citation: int | None
    answer: Mapping[str, Any]


def read_feedback(path: Path) -> tuple[list[Feedback], list[str]]:
    """Return the feedback, oldest first, and a line for each entry that cannot be read; none when there is no file."""
    if not path.exists():
        return [], []
    found, unread = [], []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines() would cut a comment at its U+2028
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            feedback = Feedback(
                at=str(data["at"]), kind=data["kind"], comment=str(data.get("comment") or ""),
                citation=data.get("citation"), answer={**data["answer"], "question": str(data["answer"]["question"])},
            )  # fmt: skip
            if feedback.kind not in KINDS:
                raise ValueError(f"`kind` is {feedback.kind!r}")
            found.append(feedback)
        except (ValueError, KeyError, TypeError) as error:
            unread.append(f"{path.name}:{number}: no feedback ({error!r})")
    return found, unread


def feedback_json(feedback: Sequence[Feedback], unread: Sequence[str]) -> dict[str, Any]:
    """Return the JSON form of a list of feedback."""
    return {
        "feedback": [
            {"at": f.at, "kind": f.kind, "comment": f.comment, "citation": f.citation, "answer": dict(f.answer)}
            for f in feedback
        ],
        "unread": list(unread),
    }


def show_feedback(feedback: Sequence[Feedback]) -> str:
    """Return a block for each: when, what kind, about which question, and what was said."""
    blocks = []
    for said in feedback:
        about = f", passage [{said.citation}]" if said.citation is not None else ""
        lines = [f"{said.at}  {said.kind}{about}", f"  question: {said.answer['question']}"]
        lines += [f"  comment:  {said.comment}"] if said.comment else []
        blocks.append("\n".join(lines))
    text = "\n".join(blocks) or "No feedback yet; readers leave it on the page."
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def draft_case(feedback: Feedback) -> dict[str, Any]:
    """Return a draft in the case format, with `draft` that says what is left to do.

    What was liked keeps its citations as evidence, one need a sentence; of other answers the citations that were not
    complained of stay as a start. `kind` is left open: until a person names one, it follows from `refuse`.
    """
    answer = feedback.answer
    understood = answer.get("understood") or {}
    refused = answer.get("status") == "refused"
    key = json.dumps([feedback.at, feedback.kind, feedback.comment, answer["question"]]).encode()
    return {
        "id": f"feedback-{hashlib.sha256(key).hexdigest()[:10]}", "split": "test",
        "question": understood.get("question") or answer["question"], "kind": None,
        "history": [], **{name: understood.get(name) for name in ("as_of", "since", "until")},
        "sources": list(understood.get("sources") or ()),
        "answers": [], "evidence": [] if refused else _evidence(feedback),
        "refuse": refused and feedback.kind == "like",
        "note": feedback.comment, "draft": _TODO[feedback.kind],
    }  # fmt: skip


def write_drafts(feedback: Sequence[Feedback], path: Path) -> int:
    """Append the drafts that the file does not have yet; return how many were added."""
    held = list(read_values(path)) if path.exists() else []
    if strange := next((where for where, case in held if not isinstance(case, dict) or "id" not in case), None):
        raise InputError(f"{strange}: is no case; name another file than {path}")
    known = {str(case["id"]) for _, case in held}
    new = {draft["id"]: draft for draft in map(draft_case, feedback) if draft["id"] not in known}
    lines = "".join(json.dumps(draft, ensure_ascii=False) + "\n" for draft in new.values())
    if lines:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{lines}" if held else lines)
    return len(new)


def _evidence(feedback: Feedback) -> list[list[dict[str, Any]]]:
    cited = {c["number"]: c for c in feedback.answer.get("citations") or () if c["number"] != feedback.citation}
    if feedback.kind == "like":
        cited = {c["number"]: c for c in feedback.answer.get("citations") or ()}
    needs = [
        [
            {"article_id": c["article_id"], "revision": c.get("revision", 1), "start": c["start"], "end": c["end"],
             "quote": c["quote"]}
            for number in sentence.get("citations") or () if (c := cited.get(number))
        ]
        for sentence in feedback.answer.get("sentences") or ()
    ]  # fmt: skip
    return [need for need in needs if need]
