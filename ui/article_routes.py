"""Articles over HTTP: list, read, add, delete. Writing is off unless the server was started with it."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from index.article import Article
from index.errors import InputError
from ui.article_json import article_json
from ui.ask_routes import client_of
from ui.engine import Engine, RateLimitedError
from ui.examples import articles, problems, report
from ui.guard import MAX_UPLOAD_BYTES
from ui.rate_limit import RateLimit

__all__ = ["WritingIsOffError", "article_routes"]

_MOST_FILES = 200
_MOST_FIELDS = 50
_MAX_NAME_CHARACTERS = 100
_BODY_EXAMPLE = {"title": "Summit in Paris", "source": "Paris Desk", "published": "2025-09-04", "text": "Leaders met."}
_REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {"example": _BODY_EXAMPLE, "schema": {"anyOf": [{"type": "object"}, {"type": "array"}]}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
            }
        },
    },
}


class WritingIsOffError(Exception):
    """Say that this server only reads."""


def article_routes(engine: Engine, *, uploads: RateLimit) -> APIRouter:
    """Return the routes; all of them use one engine."""
    routes = APIRouter(prefix="/api/v1/articles", tags=["articles"])
    _add_reading(routes, engine)
    _add_writing(routes, engine, uploads)
    return routes


def _add_reading(routes: APIRouter, engine: Engine) -> None:
    examples = articles()

    @routes.get(
        "", responses={200: {"content": {"application/json": {"example": examples["page"]}}}, **problems("not_ready")}
    )
    def page_of_articles(
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")] = None,
    ) -> dict[str, Any]:
        """List the articles, newest first, a page at a time."""
        held = engine.index.articles()
        after = held if cursor is None else _behind(held, cursor)
        page = after[:limit]
        following = _cursor(page[-1]) if len(after) > limit else None
        return {"articles": [article_json(a, text=False) for a in page], "total": len(held), "next": following}

    found = {
        200: {"content": {"application/json": {"example": examples["article"]}}},
        **problems("article_not_found", "not_ready"),
    }

    @routes.get("/{article_id:path}", responses=found)
    def article(article_id: str, revision: Annotated[int | None, Query(ge=1)] = None) -> dict[str, Any]:
        """Return an article with its text, by default its latest revision."""
        return article_json(engine.index.article(article_id, revision), text=True)


def _add_writing(routes: APIRouter, engine: Engine, uploads: RateLimit) -> None:
    def may_write(request: Request) -> None:
        if not engine.settings.allow_writes:
            raise WritingIsOffError
        wait_s = ceil(uploads.wait_s(client_of(request)))
        if wait_s:
            most = f"{engine.settings.uploads_per_minute} uploads a minute"
            raise RateLimitedError(f"that is more than {most}; try again in {wait_s} s", retry_after_s=wait_s)

    allowed = [Depends(may_write)]
    writing = ("writing_is_off", "wrong_origin", "index_locked", "not_ready")
    account = {200: {"content": {"application/json": {"example": report()}}}, **problems(*writing)}

    @routes.post("", responses=account, dependencies=allowed, openapi_extra={"requestBody": _REQUEST_BODY})
    async def add(request: Request) -> dict[str, Any]:
        """Add articles: one as JSON, a list of them, or files in a form, whose other fields are set for each article.

        The account has a row for every file, also for those that failed.
        """
        with TemporaryDirectory(prefix="groundwire-upload-") as made:  # of this user alone, by its mode
            folder = Path(made)
            paths, meta = await _received(request, folder)
            account = await run_in_threadpool(engine.ingest, paths, meta=meta)
            return _with_given_names(account.to_json(), folder)

    gone = {"deleted": "paris-summit", "generation": 43, "commit_seq": 98}

    wrong = problems("article_not_found", *writing)

    @routes.delete(
        "/{article_id:path}", dependencies=allowed,
        responses={200: {"content": {"application/json": {"example": gone}}}, **wrong},
    )  # fmt: skip
    def delete(article_id: str) -> dict[str, Any]:
        """Delete an article with all its revisions, everywhere in the index."""
        engine.delete(article_id)
        return {"deleted": article_id, **engine.index.state()}


async def _received(request: Request, folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Write what was sent into a folder, and return the files and the fields that hold for every article."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        path = folder / "body.json"
        path.write_bytes(await request.body())
        return [path], {}
    if kind != "multipart/form-data":
        raise InputError(f"the content type is {kind!r}; send application/json, or files as multipart/form-data")
    paths: list[Path] = []
    meta: dict[str, str] = {}
    async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                paths.append(await _stored(value, folder / str(len(paths))))
            else:
                meta[name] = value
    if not paths:
        raise InputError("the form holds no file; send at least one, as in `curl -F file=@story.md`")
    return paths, meta


async def _stored(file: UploadFile, folder: Path) -> Path:
    folder.mkdir()
    path = folder / _safe_name(file.filename or "")
    with path.open("wb") as out:
        size = 0
        while chunk := await file.read(1 << 20):
            size += len(chunk)
            if size > MAX_UPLOAD_BYTES:
                raise InputError(f"{path.name}: is larger than {MAX_UPLOAD_BYTES:,} bytes; split it")
            out.write(chunk)
    return path


def _safe_name(name: str) -> str:
    """Return the last part of a name, as one that a file may have; the sender chose it, so it is never a path."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).lstrip(". ")
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        return plain[:_MAX_NAME_CHARACTERS] or "unnamed"
    return f"{stem[: _MAX_NAME_CHARACTERS - 20]}.{suffix[:19]}"


def _with_given_names(account: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take the folder that the files lay in out of an account."""
    ours = re.compile(re.escape(str(folder)) + r"/(?:\d+/)?")
    rows: Sequence[Mapping[str, Any]] = account["files"]
    texts = ("path", "reason")
    files = [{**row, **{name: ours.sub("", row[name]) for name in texts if row[name]}} for row in rows]
    return {**account, "files": files}


def _cursor(article: Article) -> str:
    """Return the place of an article in the list; it holds also after that article is gone."""
    published, article_id = article.sort_key()
    place = json.dumps([None if published == float("-inf") else published, article_id])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _behind(held: Sequence[Article], cursor: str) -> list[Article]:
    try:
        published, article_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        place = (-(float("-inf") if published is None else float(published)), str(article_id))
    except (binascii.Error, ValueError, TypeError) as error:
        raise InputError(f"`cursor` is {cursor[:80]!r}; give `next` of the page before, unchanged") from error
    return [article for article in held if (-article.sort_key()[0], article.id) > place]
