"""A server of the page whose bot says canned things, one for each state; it prints its address when it is ready."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from index.errors import InputError
from index.news_index import NewsIndex
from rag.answer import (
    Answer,
    Citation,
    Conflict,
    ConflictValue,
    Copy,
    Event,
    Row,
    Sentence,
    Table,
    TableCoverage,
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


class StateBot:
    """Answer by the first word of the question, which names a state."""

    def __init__(self, index: NewsIndex) -> None:
        self._index = index

    def stream(self, question: str, *, history: object = (), k: int = 8, **_: object) -> Iterator[Event]:
        """Yield the events of the state."""
        return self._events(question)

    def _events(self, question: str) -> Iterator[Event]:
        word = question.split()[0].lower()
        if word == "error":
            raise InputError("the model stumbled; ask again")
        if word in ("refuse", "which", "outside"):
            base = refused("The 2 articles do not answer this.")
            assert base.refusal
            nearest = tuple(self._index.search("pledged", k=2))
            reason = "nothing_in_window" if word == "outside" else "not_in_articles"
            refusal = replace(base.refusal, reason=reason, nearest=nearest,
                              searched=replace(base.refusal.searched, articles=2))  # fmt: skip
            understood = replace(base.understood, question=question)
            yield answer_event(replace(base, question=question, understood=understood, refusal=refusal))
            return
        if word == "what":  # an example that the page tries out before it shows it
            time.sleep(1)
        answer = self._answer(question, word)
        for sentence in answer.sentences:
            cited = [c for c in answer.citations if c.number in sentence.citations]
            yield Event("sentence", {**to_json(sentence), "cited": to_json(cited)})
            time.sleep(2 if word == "slow" else 0.02)
        yield answer_event(answer)

    def _answer(self, question: str, word: str) -> Answer:
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
            sentences.append(Sentence(text=one, start=len(text), end=len(text) + len(one), support="supported",
                                      score=None,
                                      reasons=(), citations=numbers))  # fmt: skip
            text += one + f" [{number}] "
        values = (ConflictValue(value="500 million", as_of="2025-09-04", citations=(1,)),
                  ConflictValue(value="320 million", as_of=None, citations=(2,)))  # fmt: skip
        conflicts = (
            (Conflict(about="How much was pledged", kind="contradictory", values=values),) if word == "disagree" else ()
        )
        row = Row(cells={"actor": "France", "amount": "500 million"}, value=5e8, currency="EUR", citations=(1,))
        table = Table(columns=("actor", "amount"), rows=(row,), coverage=TableCoverage(
            articles_in_scope=2, articles_read=2, articles_with_rows=1)) if word == "table" else None  # fmt: skip
        base = refused()
        return replace(base, question=question, status="partial" if word == "partly" else "answered", text=text,
                       sentences=tuple(sentences), citations=tuple(cited), conflicts=conflicts, table=table,
                       refusal=None, understood=replace(base.understood, question=question),
                       hits=tuple(self._index.search("evil", k=2)),
                       follow_ups=("Table of pledges", "Refuse this one", question))  # fmt: skip

    def _cite(self, number: int, article_id: str, quote: str) -> Citation:
        a = self._index.article(article_id)
        start = a.text.index(quote)
        return Citation(number=number, article_id=a.id, revision=a.revision, passage_id="p", title=a.title,
                        source=a.source, author=None, url=a.url, published=a.published, quote=quote, start=start,
                        end=start + len(quote), text_sha256=a.text_sha256, also_in=())  # fmt: skip


def main(folder: Path, articles: Sequence[dict[str, str]]) -> None:
    """Serve until the process is ended."""
    index = NewsIndex.open(folder / "index", create=True, embedder=FakeEmbedder())
    if articles:
        index.ingest([write_articles(folder / "a.jsonl", *articles)], now=NOW)
    settings = ServeSettings(allow_writes=True, questions_per_minute=10_000, queue_size=1)
    engine = Engine(lambda: index, settings=settings, make_bot=StateBot if articles else NewsBot)
    listening = bind(settings)
    app = mount_page(create_app(engine), engine)
    engine.wait_until_ready(60)
    sys.stdout.write(address_of(listening, settings) + "\n")
    sys.stdout.flush()
    run(app, listening, settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [] if "--empty" in sys.argv else ARTICLES)
