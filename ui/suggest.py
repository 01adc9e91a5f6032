"""Questions to begin with: made from the names in the articles' titles, and kept when the bot answers them."""

import re
from collections.abc import Callable, Iterator, Sequence

from index.article import Article
from rag.answer import Answer

__all__ = ["UNANSWERABLE", "examples"]

UNANSWERABLE = "Which team won the chess final on the Moon in 1954?"
_NAME = re.compile(r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*")
_TRIED = 12


def examples(articles: Sequence[Article], ask: Callable[[str], Answer], *, most: int = 3) -> Iterator[str]:
    """Yield up to `most` questions that are answered, and then one that is refused, to show what that looks like."""
    found = 0
    for question in list(dict.fromkeys(_questions(articles)))[:_TRIED]:
        if found < most and ask(question).status != "refused":
            found += 1
            yield question
    if found and ask(UNANSWERABLE).status == "refused":
        yield UNANSWERABLE


def _questions(articles: Sequence[Article]) -> Iterator[str]:
    for article in articles:
        names = [name for name in _NAME.findall(article.title or "")[1:] if len(name) > 3]
        if names:  # the first word of a title is a capital for another reason
            yield (
                f"What happened in {names[-1]}?"
                if f" in {names[-1]}" in (article.title or "")
                else (f"What is reported about {names[-1]}?")
            )
