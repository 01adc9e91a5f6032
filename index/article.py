"""An article, and the one clean-up that its text goes through before anything counts its characters.

Law: every offset in Groundwire counts Unicode code points of `Article.text`, end exclusive, and
`Article.text_sha256` names exactly that text.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache

from index.dates import first_moment

__all__ = ["Article", "article_id_for", "clean_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """Hold one revision of one article.

    `published` and `updated` are normalised ISO 8601 days or times (see `index.dates`). What the article does not
    say is None, never a guess. `raw_sha256` is the checksum of the bytes that the article was read from.
    """

    id: str
    text: str
    title: str | None = None
    source: str | None = None
    author: str | None = None
    url: str | None = None
    published: str | None = None
    updated: str | None = None
    language: str | None = None
    raw_sha256: str | None = None
    revision: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def text_sha256(self) -> str:
        """Return the SHA-256 of the text in UTF-8, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Return a checksum of what the article says; it leaves out `raw_sha256`, `revision` and where it was read."""
        left_out = {"raw_sha256", "revision", "metadata"}
        said: dict[str, object] = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in left_out}
        said["metadata"] = {name: value for name, value in sorted(self.metadata.items()) if name != "file"}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def label(self) -> str:
        """Return what to call the article on a screen: its title, else its file's name, else its id."""
        return self.title or self.metadata.get("file") or self.id

    def sort_key(self) -> tuple[float, str]:
        """Order articles by publication, undated ones first, ties by id."""
        return (first_moment(self.published).timestamp() if self.published else float("-inf"), self.id)


def article_id_for(*, url: str | None, text: str) -> str:
    """Derive the id of an article that names none: from its address, else from its content.

    The place of the file on disk never enters, so that a moved file stays the same article.
    """
    kind, key = ("url", url) if url else ("text", text)
    return f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


_LINE_ENDS = re.compile(r"\r\n?|\u2028|\u2029|\x0b|\x0c|\x85")
# Everything that can be invisible: controls, format characters, variation selectors, private tags.
_SUSPECT = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
_JOINERS = {"\u200c", "\u200d"}
_EMOJI_STYLE = "\ufe0f"
_JOINED_SCRIPTS = (
    "ARABIC", "SYRIAC", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU",
    "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "MONGOLIAN", "TIBETAN",
)  # fmt: skip


def clean_text(text: str) -> str:
    r"""Return the text as it is stored: newlines unified, control, bidi and invisible characters removed.

    Kept are tab and newline; a joiner between letters of a script that needs it; a joiner and the emoji style
    selector inside an emoji. Nothing else is changed: no letter, no space, no quotation mark. Idempotent.

    >>> clean_text("Price\u200b up\u202e 5%\r\nnext")
    'Price up 5%\nnext'
    """
    text = _LINE_ENDS.sub("\n", text)
    return _SUSPECT.sub(_keep_if_needed, text)


def _keep_if_needed(match: re.Match[str]) -> str:
    character, text, at = match[0], match.string, match.start()
    if character == _EMOJI_STYLE:
        return character if _takes_emoji_style(text[at - 1 : at]) else ""
    if character in _JOINERS:
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        if _needs_joiner(before) and _needs_joiner(after):
            return character
        if before == _EMOJI_STYLE:  # in a heart on fire, the joiner stands behind the heart's style selector
            before = text[at - 2 : at - 1]
        if character == "\u200d" and _is_pictograph(before) and _is_pictograph(after):
            return character
    return ""


@cache
def _needs_joiner(character: str) -> bool:
    if not character or _SUSPECT.match(character):  # an Arabic letter mark, which is about to go itself
        return False
    return unicodedata.name(character, "").startswith(_JOINED_SCRIPTS)


@cache
def _is_pictograph(character: str) -> bool:
    return bool(character) and unicodedata.category(character) in {"So", "Sk"}


def _takes_emoji_style(character: str) -> bool:
    return _is_pictograph(character) or (bool(character) and character in "0123456789#*\u203c\u2049")
