"""The examples in the API's documentation: made by the types that answer, so that they cannot drift from them."""

from typing import Any

from index.article import Article
from index.news_index import Hit
from index.passage import Passage
from rag.answer import Answer, Citation, Coverage, Notice, Refusal, Searched, Sentence, Understood
from ui.article_json import article_json
from ui.problems import Problem

__all__ = ["answers", "articles", "hits", "problems", "report"]

_TEXT = "Twenty-six countries pledged troops for Ukraine. “We act. We do not wait,” Macron said in Paris."
_QUOTE = "Twenty-six countries pledged troops for Ukraine."
_ARTICLE = Article(
    id="paris-summit", text=_TEXT, title="Summit in Paris", source="Paris Desk", published="2025-09-04",
    url="https://news.example/paris-summit",
)  # fmt: skip
_HIT = Hit(
    passage=Passage(article_id=_ARTICLE.id, revision=1, start=0, end=len(_TEXT), text=_TEXT), article=_ARTICLE,
    rank=1, score=0.71, scores={"dense": 0.62, "lexical": 8.1, "fused": 0.71},
)  # fmt: skip
_CITATION = Citation(
    number=1, article_id=_ARTICLE.id, revision=1, passage_id=_HIT.passage.id, title=_ARTICLE.title,
    source=_ARTICLE.source, author=None, url=_ARTICLE.url, published=_ARTICLE.published, quote=_QUOTE, start=0,
    end=len(_QUOTE), text_sha256=_ARTICLE.text_sha256, also_in=(),
)  # fmt: skip
_SENTENCE = Sentence(
    text=_QUOTE, start=0, end=len(_QUOTE), support="supported", score=1.0, reasons=("verbatim",), citations=(1,)
)
_SEARCHED = Searched(articles=12, since=None, until=None, sources=())
_REFUSED = "Not in these articles: I found nothing that answers the question."


def answers() -> dict[str, dict[str, Any]]:
    """Return an example of each status of an answer, for OpenAPI."""
    left_open = Notice("part_unanswered", "Nothing found for: What do they cost")
    refusal = Refusal(reason="not_in_articles", text=_REFUSED, searched=_SEARCHED, nearest=(_HIT,))
    made = {
        "answered": _answer("How many countries pledged troops?", "answered"),
        "partial": _answer("How many countries pledged troops, and what do they cost?", "partial", left_open),
        "refused": _answer("Who won the cup?", "refused", refusal=refusal),
    }
    return {status: {"summary": status, "value": answer.to_json()} for status, answer in made.items()}


def articles() -> dict[str, Any]:
    """Return an example of a page of articles, and of one with its text."""
    return {
        "page": {"articles": [article_json(_ARTICLE, text=False)], "total": 1, "next": None},
        "article": article_json(_ARTICLE, text=True),
    }


def hits() -> dict[str, Any]:
    """Return an example of what a search finds."""
    return {"query": "troops for Ukraine", "hits": [_HIT.to_json()]}


def report() -> dict[str, Any]:
    """Return an example of the account of an ingest."""
    ok = {"path": "paris.md", "outcome": "ingested", "articles": ["paris-summit"], "of": None, "reason": None}
    bad: dict[str, Any] = {
        "path": "empty.txt",
        "outcome": "skipped",
        "articles": [],
        "of": None,
        "reason": "holds no text",
    }
    totals = {"ingested": 1, "duplicate": 0, "skipped": 1, "failed": 0}
    return {"files": [ok, bad], "totals": totals, "passages": 1, "commit_seq": 1}


def problems(*codes: str, common: bool = True) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the errors of an address: an example for each code, under its status."""
    of_status: dict[int | str, dict[str, Any]] = {}
    for problem in (_PROBLEMS[code] for code in (*codes, *(_COMMON if common else ()))):
        described = {"description": problem.cause, "content": {"application/problem+json": {"examples": {}}}}
        content = of_status.setdefault(problem.status, described)["content"]["application/problem+json"]
        content["examples"][problem.code] = {"summary": problem.cause, "value": problem.to_json()}
    return of_status


_COMMON = ("bad_input", "wrong_token", "too_large", "bad_body", "too_many_questions", "failed")
_PROBLEMS = {
    problem.code: problem
    for problem in (
        Problem(
            status=400, code="bad_input", cause="`since` '2025-10-01' is after `until` '2025-09-01'",
            cure="exchange them",
        ),
        Problem(
            status=401, code="wrong_token", cause="this server asks for a token",
            cure="send `Authorization: Bearer TOKEN`, or open /login in the browser",
        ),
        Problem(
            status=403, code="writing_is_off", cause="this server only reads",
            cure="start it with `groundwire serve --allow-writes`",
        ),
        Problem(
            status=403, code="wrong_origin", cause="the request comes from another site ('https://evil.example')",
            cure="ask from this server's own page or a program",
        ),
        Problem(
            status=404, code="model_not_found", cause="there is no model 'gpt-4'", cure="use 'groundwire'",
        ),
        Problem(
            status=503, code="not_ready", cause="the model is still loading",
            cure="try again in a few seconds, or watch /readyz", retry_after_s=2,
        ),
        Problem(status=404, code="article_not_found", cause="no article 'paris'", cure="`groundwire list` names them"),
        Problem(
            status=409, code="index_locked", cause="another process is using the index",
            cure="wait for it and try again",
        ),
        Problem(status=413, code="too_large", cause="the body is larger than 262,144 bytes", cure="send less at once"),
        Problem(status=422, code="bad_body", cause="`question`: Field required"),
        Problem(
            status=429, code="too_many_questions", cause="that is more than 30 questions a minute",
            cure="ask again in 2 s", retry_after_s=2,
        ),
        Problem(status=500, code="failed", cause="this is an error of the program (E-1)", cure="look into its log"),
        Problem(
            status=503, code="busy", cause="64 questions wait already, and no more may", cure="ask again in 9 s",
            retry_after_s=9,
        ),
        Problem(
            status=504, code="took_too_long", cause="no answer within 30 s", cure="ask again, or ask for less",
        ),
    )
}  # fmt: skip


def _answer(question: str, status: str, *notices: Notice, refusal: Refusal | None = None) -> Answer:
    return Answer(
        id="5f2c1c1d9a0b7e36", question=question, status=status,
        understood=Understood(question=question, since=None, until=None, as_of=None, sources=()),
        text=refusal.text if refusal else f"{_QUOTE}[1]", sentences=() if refusal else (_SENTENCE,),
        citations=() if refusal else (_CITATION,), table=None, conflicts=(),
        coverage=Coverage(articles_in_scope=12, articles_read=1, passages_scored=1), refusal=refusal, rejected=(),
        notices=notices, follow_ups=(), hits=(_HIT,), writer="quoter", model=None,
        index={"generation": 42, "commit_seq": 97}, timings_ms={"retrieve": 9, "write": 21},
    )  # fmt: skip
