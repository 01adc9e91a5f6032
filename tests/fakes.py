"""Stand-ins that tests share: an embedder without a model, small articles, and how they get into an index or a file."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from index import Article, Hit, IngestReport, NewsIndex
from index.embed import Vectors
from index.readers import Unread, read_articles
from rag.answer import Answer, Coverage, Event, Refusal, Searched, Understood
from rag.reader import Extract, Readings
from rag.terms import read_terms

NOW = datetime(2025, 9, 5, 12, tzinfo=UTC)


@dataclass
class FakeEmbedder:
    """Embed a text as the hashed bag of its stems; count what it was asked to embed."""

    model_id: str = "fake"
    fingerprint: str = "f" * 64
    dimension: int = 64
    max_tokens: int = 256
    embedded: list[str] = field(default_factory=list)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        return self.embed_queries(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            terms = read_terms(text)
            for word in (*terms.stems, *terms.names):
                row[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dimension] += 1
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class FakeReader:
    """Read by words: the more of the question's words a sentence holds, the surer that it answers.

    The readings are as far apart as the real ones: over seeds/ those of a short answer go from -18 to 8.
    """

    def read(self, question: str, extracts: Sequence[Extract]) -> list[Readings]:
        asked = _words(question)
        return [self._readings(asked, extract) for extract in extracts]

    @staticmethod
    def _readings(asked: frozenset[str], extract: Extract) -> Readings:
        shares = [len(asked & _words(extract.head + span.of(extract.text))) / len(asked) for span in extract.spans]
        rows = [(10 * share - 6, 24 * share - 16, 10 * max(shares) - 6) for share in shares]
        return np.array(rows, dtype=np.float32).reshape(len(rows), 3)


def _words(text: str) -> frozenset[str]:
    terms = read_terms(text)
    return frozenset((*terms.stems, *terms.names)) or frozenset({"?"})


def write_articles(path: Path, *articles: Mapping[str, object]) -> Path:
    """Write articles as JSON Lines."""
    path.write_text("".join(json.dumps(dict(article)) + "\n" for article in articles), encoding="utf-8")
    return path


KYIV: dict[str, object] = {
    "id": "kyiv",
    "title": "Toll in Kyiv",
    "source": "Kyiv Desk",
    "published": "2025-08-28",
    "text": "At least 19 people were killed in Kyiv on Thursday. Four of the victims were children.",
}
PARIS: dict[str, object] = {
    "id": "paris",
    "title": "Summit in Paris",
    "source": "Paris Desk",
    "published": "2025-09-04T18:30:00+02:00",
    "text": "Twenty-six countries pledged troops for Ukraine. “We act. We do not wait,” Macron said in Paris.",
}
ROME: dict[str, object] = {"id": "rome", "text": "Meloni hosted it in Rome."}
KYIV_LATER = KYIV | {"text": "At least 23 people were killed in Kyiv on Thursday.", "updated": "2025-08-30"}


def add(index: NewsIndex, *articles: Mapping[str, object]) -> IngestReport:
    path = index.folder.parent / f"{index.state()['commit_seq']}.jsonl"
    return index.ingest(write_articles(path, *articles))


def ids(hits: list[Hit]) -> list[str]:
    return [hit.article.id for hit in hits]


def places(hits: list[Hit]) -> list[tuple[str, float]]:
    return [(hit.passage.id, hit.score) for hit in hits]


class CannedBot:
    """Answer every question with the same events; wait before each until it is let go on, where it is told to wait."""

    def __init__(self, *events: Event, wait: threading.Event | None = None) -> None:
        self.events = events
        self.asked: list[str] = []
        self.given_up = threading.Event()
        self._wait = wait

    def stream(self, question: str, **settings: object) -> Iterator[Event]:
        self.asked.append(question)
        return self._events()

    def _events(self) -> Iterator[Event]:
        try:
            for event in self.events:
                if self._wait:
                    self._wait.wait(10)
                yield event
        except GeneratorExit:
            self.given_up.set()
            raise


def refused(text: str = "Not in these articles.") -> Answer:
    """Return a refusal as small as it goes."""
    searched = Searched(articles=0, since=None, until=None, sources=())
    return Answer(
        id="0" * 16, question="Who?", status="refused",
        understood=Understood(question="Who?", since=None, until=None, as_of=None, sources=()),
        text=text, sentences=(), citations=(), table=None, conflicts=(),
        coverage=Coverage(articles_in_scope=0, articles_read=0, passages_scored=0),
        refusal=Refusal(reason="empty_index", text=text, searched=searched, nearest=()),
        rejected=(), notices=(), follow_ups=(), hits=(), writer="canned", model=None,
        index={"generation": 0, "commit_seq": 0}, timings_ms={},
    )  # fmt: skip


def answer_event(answer: Answer) -> Event:
    """Return the event that ends a stream."""
    return Event("answer", answer.to_json(), answer)


STORY = "Leaders met in Paris on Thursday. They pledged support."
NO_TEXT = "holds no text; there is nothing to ingest"


def write(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(name: str, content: str | bytes, **meta: str) -> list[Article | Unread]:
    return list(read_articles(write(name, content), meta=meta))


def article(name: str, content: str | bytes, **meta: str) -> Article:
    [only] = read(name, content, **meta)
    assert isinstance(only, Article), only
    return only


def reason(name: str, content: str | bytes) -> str:
    """Return why the file's one item failed."""
    [only] = read(name, content)
    assert isinstance(only, Unread), only
    assert only.outcome == "failed", only
    return only.reason


def failed(where: str, reason: str) -> Unread:
    return Unread(where=where, outcome="failed", reason=reason)


def skipped(where: str, reason: str) -> Unread:
    return Unread(where=where, outcome="skipped", reason=reason)


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
