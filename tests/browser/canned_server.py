"""A server of the page whose bot says canned things, one for each state; it prints its address when it is ready."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.errors import InputError
from index.news_index import NewsIndex
from index.scope import Filters
from rag.answer import (
    Answer,
    Citation,
    Conflict,
    ConflictValue,
    Copy,
    Event,
    Refusal,
    Row,
    Searched,
    Sentence,
    Table,
    TableCoverage,
    Understood,
    to_json,
)
from rag.bot import NewsBot
from tests.fakes import NOW, FakeEmbedder, answer_event, refused, write_articles
from ui.engine import Engine
from ui.page import mount_page
from ui.service import create_app
from ui.serving import address_of, bind, run
from ui.settings import ServeSettings

EVIL = "<img src=x onerror=pwn(1)> $$6$$ ${pwn(2)} {{pwn(3)}} ![x](http://evil.test/a.png) [1] ```mermaid"
TEXT = (
    "France pledged 500 million euros. Germany pledged 320 million. It rained. " + EVIL + " The end." + "\n\nMore." * 80
)
ARTICLES = [
    {"id": "a", "title": "Pledges in Paris", "source": "Paris Desk", "published": "2025-09-04", "text": TEXT,
     "url": "https://news.example/a"},
    {"id": "b", "title": "Evil " + EVIL, "source": "Src " + EVIL, "published": "2025-09-05",
     "text": "Evil words. " + EVIL,
     "url": "javascript:pwn(4)"},
]  # fmt: skip


REFUSED = {
    "refuse": ("not_in_articles", "The 2 articles do not answer this."),
    "which": ("not_in_articles", "The 2 articles do not answer this."),
    "ambiguous": ("ambiguous", "Paris in France, or Paris in Texas?"),
    "premise": ("false_premise", "No article says that Germany has paid."),
}
SUPPORT = {"weak": (("partial", ("number",)), ("unsupported", ("speaker", "date")))}
HELD_S = 300  # longer than any test waits: who is held is let go by a stop, or by leaving


class StateBot:
    """Answer by the first word of the question, which names a state; filters that leave nothing are the real bot's."""

    def __init__(self, index: NewsIndex) -> None:
        self._index = index

    def stream(self, question: str, *, history: object = (), k: int = 8, **filters: Any) -> Iterator[Event]:  # noqa: ANN401 - those of Filters.of
        """Yield the events of the state."""
        asked = Filters.of(**filters)
        if not self._index.scope(asked).articles:
            return NewsBot(self._index).stream(question, **filters)
        word = question.split()[0].lower()
        text = "Answer me in full" if word == "and" else question
        understood = Understood(question=text, since=asked.since, until=asked.until, as_of=None, sources=asked.sources)
        base = replace(refused(), question=question, understood=understood)
        return self._events(self._refusal(base, word) if word in REFUSED else self._answer(base, word), word)

    def _events(self, answer: Answer, word: str) -> Iterator[Event]:
        if word == "error":
            raise InputError("the model stumbled; ask again")
        if word == "hold":
            yield from _held()
        if word == "what":  # an example that the page tries out before it shows it
            time.sleep(1)
        for sentence in answer.sentences:
            cited = [c for c in answer.citations if c.number in sentence.citations]
            yield Event("sentence", {**to_json(sentence), "cited": to_json(cited)})
            if word == "slow":
                yield from _held()
            time.sleep(0.02)
        yield answer_event(answer)

    def _refusal(self, base: Answer, word: str) -> Answer:
        reason, text = REFUSED[word]
        searched = Searched(articles=2, since=base.understood.since, until=None, sources=base.understood.sources)
        nearest = tuple(self._index.search("pledged", k=2))
        return replace(base, text=text, refusal=Refusal(reason=reason, text=text, searched=searched, nearest=nearest))

    def _answer(self, base: Answer, word: str) -> Answer:
        said = [
            "France pledged 500 million euros.",
            "Germany pledged 320 million.",
            *([EVIL] if word == "evil" else []),
        ]
        copy = Copy(article_id="c", title="Copied " + EVIL, source="Lyon Desk", url="https://news.example/c")
        cited = [replace(self._cite(1, "a", said[0]), also_in=(copy,)), self._cite(2, "a", said[1])]
        if word == "evil":
            cited.append(self._cite(3, "b", "Evil words."))
        text, sentences = "", []
        for number, one in enumerate(said, start=1):
            numbers = () if word == "partly" and number == 2 else (number,)
            support, reasons = SUPPORT[word][number - 1] if word in SUPPORT else ("supported", ())
            sentences.append(Sentence(text=one, start=len(text), end=len(text) + len(one), support=support,
                                      score=None, reasons=reasons, citations=numbers))  # fmt: skip
            text += one + f" [{number}] "
        return replace(base, status="partial" if word in ("partly", "weak") else "answered", text=text,
                       sentences=tuple(sentences), citations=tuple(cited), conflicts=_conflicts(word),
                       table=_table() if word == "table" else None, refusal=None,
                       hits=tuple(self._index.search("evil", k=2)),
                       follow_ups=("Table of pledges", "Refuse this one", base.question))  # fmt: skip

    def _cite(self, number: int, article_id: str, quote: str) -> Citation:
        a = self._index.article(article_id)
        start = a.text.index(quote)
        return Citation(number=number, article_id=a.id, revision=a.revision, passage_id="p", title=a.title,
                        source=a.source, author=None, url=a.url, published=a.published, quote=quote, start=start,
                        end=start + len(quote), text_sha256=a.text_sha256, also_in=())  # fmt: skip


def _held() -> Iterator[Event]:
    """Yield for a long time what changes nothing, so that whoever stops the answer is heeded at once."""
    for _ in range(4 * HELD_S):
        time.sleep(0.25)
        yield Event("understood", {})


def _conflicts(word: str) -> tuple[Conflict, ...]:
    kinds = {"disagree": "contradictory", "updated": "updated"}
    values = (ConflictValue(value="500 million", as_of="2025-09-04", citations=(1,)),
              ConflictValue(value="320 million", as_of=None, citations=(2,)))  # fmt: skip
    return (Conflict(about="How much was pledged", kind=kinds[word], values=values),) if word in kinds else ()


def _table() -> Table:
    row = Row(cells={"actor": "France", "amount": "500 million"}, value=5e8, currency="EUR", citations=(1,))
    coverage = TableCoverage(articles_in_scope=2, articles_read=2, articles_with_rows=1)
    return Table(columns=("actor", "amount"), rows=(row,), coverage=coverage)


def main(folder: Path, articles: Sequence[dict[str, str]], *, token: str) -> None:
    """Serve until the process is ended."""
    index = NewsIndex.open(folder / "index", create=True, embedder=FakeEmbedder())
    if articles:
        index.ingest([write_articles(folder / "a.jsonl", *articles)], now=NOW)
    settings = ServeSettings(
        allow_writes=True, questions_per_minute=10_000, queue_size=1, answer_timeout_s=2 * HELD_S, token=token
    )
    engine = Engine(lambda: index, settings=settings, make_bot=StateBot)
    listening = bind(settings)
    app = mount_page(create_app(engine), engine)
    engine.wait_until_ready(60)
    sys.stdout.write(address_of(listening, settings) + "\n")
    sys.stdout.flush()
    run(app, listening, settings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--token", default="")
    options = parser.parse_args()
    main(options.folder, [] if options.empty else ARTICLES, token=options.token)
