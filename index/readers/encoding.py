"""From bytes to text: a byte order mark, else UTF-8, else a legacy encoding that can only be one, else a clear no.

A wrong guess would change the words that are quoted later (`£1.2 million` in one encoding is `Ł1.2 million` in
another), so bytes that could be two different texts are refused.
"""

import codecs
import re
from dataclasses import dataclass

from index.errors import UnreadableError

__all__ = ["BYTE_ORDER_MARKS", "Decoded", "decode", "decode_unicode"]

# UTF-32 stands first: its mark begins with that of UTF-16.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_CURE = "save it as UTF-8"

_SIGNATURES = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x89PNG\r\n": "a picture",
    b"GIF87a": "a picture",
    b"GIF89a": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b\x08": "a gzip archive",
    b"7z\xbc\xaf\x27\x1c": "an archive",
    b"Rar!\x1a\x07": "an archive",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an office document",
    b"{\\rtf": "a rich text document",
    b"SQLite format 3\x00": "a database",
    b"\x7fELF": "a program",
}
_HEAD_BYTES = 1024
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # not \x1b, which colours text
_MOST_CONTROLS = 0.1  # shares of the bytes; by hand
_LEAST_UTF16_ZEROS = 0.4

_SAMPLE_BYTES = 64 * 1024
# The encodings that text still comes in. ISO 8859-1, -7 and -9 are read as the Windows encodings that contain them.
_LEGACY = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "koi8_u", "cp866",
    "gb18030", "big5", "cp932", "euc_jp", "cp949",
)  # fmt: skip
# Limits on charset-normalizer's two measures, set by hand on a sentence or two in 28 languages: of 45 files in the
# encodings above 37 are read right and 8 refused (Hebrew, and Latin letters that could be of two encodings), none is
# read wrong. Of 24 other sentences, 18 are read right and 6 refused. Neither files nor a script are kept.
_MOST_CHAOS = 0.03
_SAME_CHAOS = 0.02
_SAME_COHERENCE = 0.1
# Languages whose letters cp1252 was made for; the measures cannot tell it from cp1250, but every line has such words.
_WESTERN_WORDS = frozenset(
    b"the of and der die und les des est une pour que los las del uma dos che della il het een van och att det".split()
)
_LEAST_WESTERN = 0.04  # share of the words; by hand


@dataclass(frozen=True, slots=True)
class Decoded:
    """Hold a text and, where it had to be guessed, its encoding."""

    text: str
    guessed: str | None = None


def decode(data: bytes) -> Decoded:
    """Return the text of bytes in Unicode or a legacy encoding; raise `UnreadableError` where no text is certain.

    A legacy encoding is told by the first 64 KB of the lines that are not ASCII.
    """
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            raise UnreadableError(f"begins like {kind}, not like text; save its text as UTF-8")
    if b"\x1b$" in data:  # all of it is ASCII, so it would pass for UTF-8
        raise UnreadableError(f"is written in ISO-2022-JP; {_CURE}")
    codec, mark = _unicode_codec(data)
    is_legacy = codec == "utf-8" and not mark and _is_no_utf8(data)
    return (_guess(data) if is_legacy else None) or decode_unicode(data)


def decode_unicode(data: bytes) -> Decoded:
    """Return the text of bytes in UTF-8, or in UTF-16 or UTF-32 with its mark; raise `UnreadableError` for others.

    UTF-16 without its mark is known by its zeros: in text that is mostly Latin, every other byte is one.
    """
    codec, mark = _unicode_codec(data)
    try:
        text = data[mark:].decode(codec)
    except UnicodeDecodeError as error:
        at = mark + error.start
        raise UnreadableError(f"byte 0x{data[at]:02x} at position {at} is not {codec.upper()}; {_CURE}") from error
    return Decoded(text, guessed=None if mark or codec == "utf-8" else codec)


def _unicode_codec(data: bytes) -> tuple[str, int]:
    """Return which Unicode encoding to try, and the length of its mark in bytes."""
    for mark, codec in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return codec, len(mark)
    head = data[:_HEAD_BYTES]
    if len(_CONTROLS.findall(head)) <= _MOST_CONTROLS * len(head):
        return "utf-8", 0
    zeros_at_even, zeros_at_odd = head[::2].count(0), head[1::2].count(0)
    if not zeros_at_even and zeros_at_odd > _LEAST_UTF16_ZEROS * len(head) / 2:
        return "utf-16-le", 0
    if not zeros_at_odd and zeros_at_even > _LEAST_UTF16_ZEROS * len(head) / 2:
        return "utf-16-be", 0
    raise UnreadableError(f"looks binary, its first bytes are {head[:8]!r}; {_CURE} if it is text")


def _is_no_utf8(data: bytes) -> bool:
    """Tell whether most characters beyond ASCII are no UTF-8; where only some are not, it is UTF-8 with damage."""
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return bad > good


def _guess(data: bytes) -> Decoded | None:
    """Return the text in the one likely legacy encoding; None where there is none, or two that differ."""
    coherence = {codec: value for codec, value in _likely(data).items() if _decodes(data, codec)}
    if "cp1252" in coherence and _is_western(data):
        return Decoded(data.decode("cp1252"), guessed="cp1252")
    best = max(coherence.values(), default=0.0) - _SAME_COHERENCE
    texts = {codec: data.decode(codec) for codec, value in coherence.items() if value >= best}
    if len(set(texts.values())) == 1:
        codec, text = next(iter(texts.items()))
        return Decoded(text, guessed=codec)
    return None


def _likely(data: bytes) -> dict[str, float]:
    """Return the encodings in which the lines beyond ASCII are no chaos, each with how much they look like language."""
    from charset_normalizer import from_bytes  # 0.1 s, and hardly a file needs it

    sample = b"\n".join(line for line in data.split(b"\n") if not line.isascii())
    if len(sample) > _SAMPLE_BYTES:  # neither a line break nor a blank is part of another character
        sample = sample[: max(sample.rfind(mark, 0, _SAMPLE_BYTES) for mark in (b"\n", b" "))]
    found: dict[str, tuple[float, float]] = {}
    for codec in _LEGACY:  # one by one: asked for several, it leaves out those that resemble one that it refused
        match = from_bytes(
            sample, steps=1, chunk_size=len(sample) + 1, cp_isolation=[codec],
            preemptive_behaviour=False, enable_fallback=False,
        ).best()  # fmt: skip
        if match and match.chaos <= _MOST_CHAOS:
            found[codec] = (match.chaos, match.coherence)
    most = min((chaos for chaos, _ in found.values()), default=0.0) + _SAME_CHAOS
    return {codec: coherence for codec, (chaos, coherence) in found.items() if chaos <= most}


def _is_western(data: bytes) -> bool:
    words = re.findall(rb"[a-z]+", data[:_SAMPLE_BYTES].lower())
    return sum(word in _WESTERN_WORDS for word in words) > _LEAST_WESTERN * len(words)


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
