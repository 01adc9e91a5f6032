"""Questions to begin with: made from the names in the articles' titles and from what is found about them, and tried."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice

from index.article import Article
from rag.answer import Answer

__all__ = ["UNANSWERABLE", "examples"]

UNANSWERABLE = "Which team won the chess final on the Moon in 1954?"
_NAME = re.compile(r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*")
_TRIED = 12
_ANSWERED = 6


def examples(articles: Sequence[Article], ask: Callable[[str], Answer], *, most: int = 3) -> Iterator[str]:
    """Yield up to `most` questions that are answered, and then one that is refused, to show what that looks like.

    What the answers about the titles suggest to ask next comes first: it asks for something in particular.
    """
    answered: list[str] = []
    suggested: list[str] = []
    for question in list(dict.fromkeys(_questions(articles)))[:_TRIED]:
        answer = ask(question)
        if answer.status != "refused":
            answered.append(question)
            suggested += answer.follow_ups
        if len(answered) == _ANSWERED:
            break
    first, others = _varied([question for question in suggested if question not in answered])
    yield from islice(chain(_kept(first, ask), answered, _kept(others, ask)), most)
    if answered and ask(UNANSWERABLE).status == "refused":
        yield UNANSWERABLE


def _kept(questions: Sequence[str], ask: Callable[[str], Answer]) -> Iterator[str]:
    return (question for question in questions[:_TRIED] if ask(question).status != "refused")


def _varied(questions: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return questions that begin unlike each other, and the others; those about a name alone are left out."""
    first: dict[str, str] = {}
    others = []
    for question in dict.fromkeys(questions):
        if not question.startswith("What is reported"):
            beginning = " ".join(question.split()[:2])
            if first.setdefault(beginning, question) != question:
                others.append(question)
    return [*first.values()], others


def _questions(articles: Sequence[Article]) -> Iterator[str]:
    for article in articles:
        names = [name for name in _NAME.findall(article.title or "")[1:] if len(name) > 3]
        if names:  # the first word of a title is a capital for another reason
            yield (
                f"What happened in {names[-1]}?"
                if f" in {names[-1]}" in (article.title or "")
                else (f"What is reported about {names[-1]}?")
            )
