"""Markdown: front matter says what the article is, the rest is its text, without the marks."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from index.errors import UnreadableError
from index.readers.encoding import decode
from index.readers.fields import MAX_TEXT_CHARACTERS, sort_fields, text_over_limit
from index.readers.file_bytes import read_bytes
from index.readers.front_matter import split_front_matter
from index.readers.record import Record, Unread, printable

__all__ = ["read_markdown"]

_MAX_NESTING = 1_000  # never reached: Python's own limit comes first, and raises where the parser would drop text


def read_markdown(path: Path) -> Iterator[Record | Unread]:
    """Yield the file's one record, its text as a reader of the rendered page sees it.

    A blank line stands between blocks; items of a list begin with ``- `` or their number; cells of a table are divided
    by ``|``; links are their text and pictures their description; code is kept. Raw HTML is left out: its tags and,
    where a whole block is HTML, the words in it. Where the front matter names no title, the first top-level heading
    of the page is the title, and is left out of the text.
    """
    data = read_bytes(path)
    decoded = decode(data)
    # A NUL would come out of the parser as a question mark. Everything else is cleaned once, in what comes out.
    page = decoded.text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    fields, body = split_front_matter(page)
    known = sort_fields(fields).known
    if "text" in known:
        raise UnreadableError(f"the front matter has `{known['text'].name}`, and the text stands below it; rename it")
    title, text = _render(body, take_title="title" not in known)
    yield Record(
        where=printable(path),
        file=printable(path.name),
        fields={**fields, **({"title": title} if title else {}), "text": text},
        raw_sha256=hashlib.sha256(data).hexdigest(),
        encoding=decoded.guessed,
    )


def _render(body: str, *, take_title: bool) -> tuple[str, str]:
    """Return the title, empty where none is to be taken or there is none, and the text."""
    if len(body) > MAX_TEXT_CHARACTERS:
        raise UnreadableError(text_over_limit(len(body)))
    try:
        blocks = SyntaxTreeNode(_parser().parse(body)).children
        heading = next((block for block in blocks if take_title and block.tag == "h1" and _block(block)), None)
        text = _joined("\n\n", [block for block in blocks if block is not heading])
        return _block(heading) if heading else "", text
    except RecursionError as error:
        raise UnreadableError("is nested too deeply; flatten its lists and quotations") from error


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table")


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "heading" | "paragraph" | "th" | "td":
            return _words(node).strip()
        case "bullet_list" | "ordered_list" | "table" | "thead" | "tbody":
            return _joined("\n", node.children)
        case "list_item":
            mark = f"{node.info}. " if node.info else "- "
            return mark + _joined("\n", node.children).replace("\n", "\n  ")
        case "tr":
            return " | ".join(map(_block, node.children))
        case "blockquote":
            return _joined("\n\n", node.children)
        case "fence" | "code_block":
            return node.content.rstrip("\n")
        case _:  # raw HTML, rules across the page
            return ""


def _joined(between: str, nodes: Sequence[SyntaxTreeNode]) -> str:
    return between.join(filter(None, map(_block, nodes)))


def _words(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return "\n" if node.content.lower().startswith("<br") else ""
        case _:  # a line, emphasis, a link, a picture with its description
            return "".join(map(_words, node.children))
