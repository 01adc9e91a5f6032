"""The chat page: Gradio carries events to the server and HTML back; everything else is our own markup and script."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from index.article import Article
from index.errors import GroundwireError, InputError
from ui.conversation import LOADING, Asked, converse, export, next_questions, stopped
from ui.engine import Engine
from ui.guard import MAX_UPLOAD_BYTES
from ui.report_page import add_report_page
from ui.suggest import examples
from ui.views import Turn, bars_of, render, render_conversation, render_sources

__all__ = ["mount_page"]

_LOAD_S = 60
_ON_A_PAGE = 500
_MOST_SESSIONS = 500
_PAUSE_S = 0.1
_EVENTS = """
for (const name of ['ask', 'stop', 'fresh', 'follow', 'feedback', 'export'])
  document.addEventListener('gw:' + name, event => trigger(name, event.detail || {}));
document.body.dataset.gwWired = '1';
"""
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# In the mode "once", one message that got lost keeps every later one of its kind from being sent.
_OFTEN = {**_QUIET, "trigger_mode": "multiple"}


def mount_page(app: FastAPI, engine: Engine, *, runs: Path | None = None) -> FastAPI:
    """Mount the chat page at "/" and the collection at "/collection"; call it last, after every other route.

    With `runs`, a folder of run files, also "/reports", to which the collection links once the folder has one.
    """
    if runs is not None:
        add_report_page(app, runs)

    @app.get("/collection", include_in_schema=False)
    def collection(page: int = 1) -> HTMLResponse:
        _wait(engine)
        evaluated = runs is not None and any(runs.glob("*.json"))
        return HTMLResponse(render("collection.html", evaluated=evaluated, **_collection(engine, page)))

    @app.get("/collection/{article_id:path}", include_in_schema=False)
    def one_article(article_id: str) -> HTMLResponse:
        _wait(engine)
        return HTMLResponse(render("article.html", article=engine.index.article(article_id)))

    app.mount("/ui-static", StaticFiles(directory=str(files("ui") / "static")), name="ui-static")
    blocks = _blocks(engine)
    blocks.state_session_capacity = _MOST_SESSIONS  # the oldest conversation is forgotten; the browser still shows it
    blocks.queue(max_size=None, default_concurrency_limit=None)  # the engine has the one line to wait in
    mounted: FastAPI = gr.mount_gradio_app(
        app, blocks, path="/", head=render("links.html"), footer_links=[], run_history=False, show_error=False,
        max_file_size="1kb", ssr_mode=False, theme=gr.themes.Base(font=["system-ui"], font_mono=["monospace"]),
    )  # fmt: skip
    return mounted


def _blocks(engine: Engine) -> gr.Blocks:
    with gr.Blocks(title="Groundwire", fill_width=True, analytics_enabled=False) as blocks:
        turns = gr.State([], time_to_live=3600)
        _html("head", render("head.html"))
        with gr.Row(elem_id="main"):
            with gr.Column(elem_id="chat-col"):
                # Of its own: what it says comes late, and must not take the place of a conversation begun meanwhile.
                welcome = _html("welcome", _welcome(engine))
                chat = _html("chat", "")
                box = render("composer.html", allow_writes=engine.settings.allow_writes, most_bytes=MAX_UPLOAD_BYTES)
                composer = _html("composer", box, js=_EVENTS)
            with gr.Column(elem_id="src-col"):
                _html("src-head", render("sources_head.html"))
                sources = _html("src", render("sources.html", turns=[]))
        choices, mail, follow = (_html(name, "") for name in ("choices", "mail", "follow"))
        _wire(engine, composer, turns=turns, shown=(chat, sources), mail=mail)
        composer.follow(_follower(engine), turns, follow, **_OFTEN)
        blocks.load(_opener(engine), None, [welcome, choices], **_QUIET)
    page: gr.Blocks = blocks
    return page


def _html(name: str, value: str, js: str | None = None) -> gr.HTML:
    return gr.HTML(value, elem_id=name, apply_default_css=False, js_on_load=js)


def _wire(engine: Engine, composer: gr.HTML, *, turns: gr.State, shown: tuple[gr.HTML, gr.HTML], mail: gr.HTML) -> None:
    conversation = [turns, *shown]

    async def ask(held: list[Turn], request: gr.Request, event: gr.EventData) -> AsyncIterator[tuple[Any, ...]]:
        async for now in converse(engine, held, Asked.of(event._data or {}), client=_client(request)):
            yield (now, *_shown(engine, now))

    def stop(held: list[Turn]) -> tuple[Any, ...]:
        now = stopped(held)
        return (now, *_shown(engine, now))

    def fresh() -> tuple[Any, ...]:
        return [], "", render_sources([], engine.index.article)

    def feedback(held: list[Turn], request: gr.Request, event: gr.EventData) -> str:
        return _mail("feedback", event, _save_feedback(engine, held, event._data or {}, client=_client(request)))

    def hand_out(held: list[Turn], event: gr.EventData) -> str:
        return _mail("export", event, json.dumps(export(held), ensure_ascii=False))

    asking = composer.ask(ask, turns, conversation, concurrency_limit=None, **_OFTEN)
    composer.stop(stop, turns, conversation, cancels=[asking], **_OFTEN)
    composer.fresh(fresh, None, conversation, cancels=[asking], **_OFTEN)
    composer.feedback(feedback, turns, mail, **_QUIET)
    composer.export(hand_out, turns, mail, **_QUIET)


def _follower(engine: Engine) -> Any:  # noqa: ANN401 - Gradio reads its signature
    """Return what answers, once an answer stands, with the questions that may be asked next."""

    async def follow(held: list[Turn], request: gr.Request, event: gr.EventData) -> str:
        sent = event._data or {}
        questions = await next_questions(engine, held, Asked.of(sent), client=_client(request))
        return _mail(str(sent.get("turn", "")), event, json.dumps(questions, ensure_ascii=False))

    return follow


def _shown(engine: Engine, turns: Sequence[Turn]) -> tuple[str, str]:
    def article(article_id: str, revision: int) -> Article:
        try:
            return engine.index.article(article_id, revision)
        except GroundwireError:  # deleted, or not loaded: the conversation stays, its words do not
            return Article(id=article_id, text="This article has been deleted.", revision=revision)

    return render_conversation(turns), render_sources(turns, article)


def _mail(kind: str, event: gr.EventData, text: str) -> str:
    """Return what the script takes out of the page: `serial` makes two of the same differ."""
    return render("mail.html", kind=kind, serial=str((event._data or {}).get("serial", "")), text=text)


def _client(request: gr.Request) -> str:
    return request.client.host if request.client else "unknown"


def _save_feedback(engine: Engine, turns: Sequence[Turn], sent: dict[str, Any], *, client: str) -> str:
    answers = [turn.answer for turn in turns if turn.answer and turn.number == sent.get("turn")]
    number = sent.get("citation")
    try:
        if not answers:
            raise InputError("there is no such answer in this conversation")
        engine.save_feedback(
            str(sent.get("kind")), answers[0].to_json(), client=client,
            comment=str(sent.get("comment") or "").strip() or None,
            citation=number if isinstance(number, int) else None,
        )  # fmt: skip
    except GroundwireError as error:
        return f"Not saved: {error}"
    return "Thank you. Your feedback is saved."


def _opener(engine: Engine) -> Any:  # noqa: ANN401 - Gradio reads its signature
    """Return what fills the empty page; the questions are tried once for each state of the index."""
    tried: dict[int, list[str]] = {}

    def questions(seq: int) -> list[str]:
        if seq not in tried:

            def ask(question: str) -> Any:  # noqa: ANN401
                while engine.working or engine.waiting:  # whoever has a question of their own goes first
                    time.sleep(_PAUSE_S)
                return asyncio.run(engine.ask(question, client="the page itself"))

            try:
                tried.clear()
                tried[seq] = list(examples(engine.index.articles(), ask))
            except GroundwireError:  # busy: the page does without until it is opened again
                return []
        return tried[seq]

    async def opened() -> AsyncIterator[tuple[str, str]]:
        if not engine.ready:
            yield _welcome(engine, failed=LOADING), ""
        try:
            await asyncio.to_thread(engine.wait_until_ready, _LOAD_S)
            index = engine.index
        except (GroundwireError, OSError) as error:  # a TimeoutError is an OSError
            yield _welcome(engine, failed=str(error) or LOADING), ""
            return
        stats = await asyncio.to_thread(index.stats)
        choices = render("choices.html", sources=list(stats["sources"]))
        yield _welcome(engine, stats=stats), choices
        if stats["articles"]:
            found = await asyncio.to_thread(questions, stats["commit_seq"])
            yield _welcome(engine, stats=stats, questions=found), choices

    return opened


def _welcome(
    engine: Engine, *, stats: Mapping[str, Any] | None = None, questions: Sequence[str] = (), failed: str = ""
) -> str:
    writes = engine.settings.allow_writes
    return render("welcome.html", stats=stats, questions=questions, failed=failed, allow_writes=writes)


def _wait(engine: Engine) -> None:
    """Wait for the articles, as a reader would; what made them fail is raised by whoever uses them."""
    with suppress(GroundwireError, OSError):
        engine.wait_until_ready(_LOAD_S)


def _collection(engine: Engine, page: int) -> dict[str, Any]:
    articles, stats = engine.index.articles(), engine.index.stats()
    pages = max(1, -(-len(articles) // _ON_A_PAGE))
    page = min(max(page, 1), pages)
    return {
        "articles": articles[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE], "page": page, "pages": pages,
        "stats": stats, "bars": bars_of([a.published for a in articles if a.published]),
    }  # fmt: skip
