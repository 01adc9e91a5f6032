"""`NewsBot`: the whole path from a question to a checked answer, on one screen."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from index.news_index import NewsIndex, checked_k
from index.scope import Filters, Scope
from rag.answer import Answer, Coverage, Event, Notice, Refusal, Understood, to_json
from rag.candidates import forget_texts
from rag.cite import Cited, Draft, cite
from rag.follow_ups import follow_ups
from rag.history import Turn
from rag.question import Question, read_question
from rag.quoter import Quoter
from rag.refuse import refusal
from rag.retrieve import Evidence, retrieve
from rag.writer import Writer

__all__ = ["NewsBot"]

History = Sequence[Turn | Mapping[str, str]]


class NewsBot:
    """Answer questions about the articles of an index; every sentence points at the words it rests on, or it refuses.

    `clock` returns seconds and only feeds `timings_ms`.
    """

    def __init__(
        self, index: NewsIndex, *, writer: Writer | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.index = index
        self.writer: Writer = writer or Quoter()
        self._clock = clock
        self._seq = 0

    @classmethod
    def loaded(cls, index: NewsIndex) -> "NewsBot":
        """Return a bot that quotes, with its models loaded; else they load with the first question."""
        writer = Quoter()
        writer.load(index)
        return cls(index, writer=writer)

    def ask(
        self,
        question: str,
        *,
        history: History = (),
        k: int = 8,
        since: object = None,
        until: object = None,
        sources: Sequence[str] = (),
        as_of: object = None,
    ) -> Answer:
        """Answer a question; a refusal is an `Answer` too, with `status` "refused".

        `history` has the earlier turns, oldest first. `since` and `until` are inclusive days in UTC on the date of
        publication; `as_of` hides what appeared later. Raises `QuestionError`, `DateError` or `InputError` for what
        cannot be used.
        """
        *_, last = self.stream(question, history=history, k=k, since=since, until=until, sources=sources, as_of=as_of)
        assert last.answer is not None
        return last.answer

    def stream(
        self,
        question: str,
        *,
        history: History = (),
        k: int = 8,
        since: object = None,
        until: object = None,
        sources: Sequence[str] = (),
        as_of: object = None,
    ) -> Iterator[Event]:
        """Yield the events of an answer as they come: understood, hits, sentence, notice, and last the answer.

        Takes the same arguments as `ask` and raises the same errors, at once and not at the first event.
        """
        filters = Filters.of(since=since, until=until, sources=sources, as_of=as_of)
        return self._events(self._read(question, history, filters), checked_k(k))

    async def ask_async(
        self,
        question: str,
        *,
        history: History = (),
        k: int = 8,
        since: object = None,
        until: object = None,
        sources: Sequence[str] = (),
        as_of: object = None,
    ) -> Answer:
        """Answer a question without blocking the event loop; arguments and errors are those of `ask`."""
        return await asyncio.to_thread(
            self.ask, question, history=history, k=k, since=since, until=until, sources=sources, as_of=as_of
        )

    async def stream_async(
        self,
        question: str,
        *,
        history: History = (),
        k: int = 8,
        since: object = None,
        until: object = None,
        sources: Sequence[str] = (),
        as_of: object = None,
    ) -> AsyncIterator[Event]:
        """Yield the events of `stream` without blocking the event loop; its errors come with the first event."""
        events = await asyncio.to_thread(
            self.stream, question, history=history, k=k, since=since, until=until, sources=sources, as_of=as_of
        )
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

    def _read(self, asked: str, history: History, filters: Filters) -> Question:
        return read_question(asked, history=history, filters=filters, known_sources=self.index.sources())

    def _events(self, question: Question, k: int) -> Iterator[Event]:
        started = self._clock()
        yield Event("understood", to_json(_understood(question)))
        state = self._forget_what_was_deleted(since=self._seq)
        self._seq = state["commit_seq"]
        try:
            scope = self.index.scope(question.filters)
            evidence = retrieve(self.index, question, k=k)
            retrieved = self._clock()
            yield Event("hits", {"hits": to_json(evidence.hits)})
            draft = self.writer.write(question, evidence) if evidence.hits else Draft(sentences=(), sources=())
            cited = cite(draft, self.index.article)
            written = self._clock()
            timings = {"retrieve": _ms(retrieved - started), "write": _ms(written - retrieved)}
            answer = self._answer(question, evidence, scope, draft, cited, state=state)
        except BaseException:  # also where nobody waits any longer: what was read may have been deleted meanwhile
            forget_texts()
            raise
        # What was deleted meanwhile has come back to the caches, though another question may have emptied them.
        self._forget_what_was_deleted(since=state["commit_seq"])
        for sentence in answer.sentences:
            citations = [c for c in answer.citations if c.number in sentence.citations]
            yield Event("sentence", {**to_json(sentence), "cited": to_json(citations)})
        for notice in answer.notices:
            yield Event("notice", to_json(notice))
        answer = replace(answer, timings_ms=timings)
        yield Event("answer", answer.to_json(), answer)

    def _forget_what_was_deleted(self, *, since: int) -> Mapping[str, int]:
        """Empty the caches of words when the index has changed since a commit; return its state."""
        state = self.index.state()
        if state["commit_seq"] != since:
            forget_texts()
        return state

    def _answer(
        self, question: Question, evidence: Evidence, scope: Scope, draft: Draft, cited: Cited, *,
        state: Mapping[str, int],
    ) -> Answer:  # fmt: skip
        refused: Refusal | None = None
        if not cited.sentences:
            refused = refusal(question, draft, evidence, scope, empty=not self.index.articles())
        partial = bool(draft.unanswered) or any(s.support != "supported" for s in cited.sentences)
        answer = Answer(
            id="", question=question.asked,
            status="refused" if refused else "partial" if partial else "answered",
            understood=_understood(question), text=refused.text if refused else cited.text,
            sentences=cited.sentences, citations=cited.citations, table=None, conflicts=(),
            coverage=Coverage(
                articles_in_scope=scope.articles, articles_read=len({hit.article.id for hit in evidence.hits}),
                passages_scored=len(evidence.hits) + len(evidence.copies),
            ),
            refusal=refused, rejected=cited.rejected, notices=_notices(question, draft, scope, refused),
            follow_ups=follow_ups(question, evidence.hits, cited.citations), hits=evidence.hits,
            writer=self.writer.name, model=self.writer.model, index=state, timings_ms={},
        )  # fmt: skip
        return replace(answer, id=_answer_id(answer))


def _understood(question: Question) -> Understood:
    filters = question.filters
    return Understood(
        question=question.text, since=filters.since, until=filters.until, as_of=filters.as_of, sources=filters.sources
    )


def _notices(question: Question, draft: Draft, scope: Scope, refused: Refusal | None) -> tuple[Notice, ...]:
    notices = []
    if not question.english:
        notices.append(Notice("not_english", "The question does not look like English. Names and numbers are still "
                              "matched, but meaning is matched well in English only."))  # fmt: skip
    if scope.undated:
        several = "1 article was" if scope.undated == 1 else f"{scope.undated} articles were"
        notices.append(Notice("undated_left_out", f"{several} left out, because no date of publication is known."))
    if draft.unanswered and not refused:
        notices.extend(Notice("part_unanswered", f"Nothing found for: {part}") for part in draft.unanswered)
    return tuple(notices)


def _answer_id(answer: Answer) -> str:
    """Derive the id from all that an answer holds, before it is timed: answers that differ have ids that differ."""
    return hashlib.sha256(json.dumps(answer.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
