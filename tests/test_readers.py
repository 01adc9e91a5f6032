"""Readers: every format's happy case as whole values, and every bad file as a reason instead of an exception."""

import hashlib
import json
import os
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from index.article import Article, article_id_for
from index.errors import InputError
from index.readers import Unread, find_files, read_articles

STORY = "Leaders met in Paris on Thursday. They pledged support."
STORY_ID = article_id_for(url=None, text=STORY)
NO_TEXT = "holds no text; there is nothing to ingest"
FORMATS = ".csv, .json, .jsonl, .markdown, .md, .ndjson, .text, .tsv, .txt"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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


def found(*paths: str | Path) -> list[Path | Unread]:
    return list(find_files(paths))


def failed(where: str, reason: str) -> Unread:
    return Unread(where=where, outcome="failed", reason=reason)


def skipped(where: str, reason: str) -> Unread:
    return Unread(where=where, outcome="skipped", reason=reason)


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


# Finding files


def test_a_folder_is_walked_in_the_order_of_names() -> None:
    for name in ("news/b.txt", "news/a/z.md", "news/a.txt", "news/c/d/e.json"):
        write(name, STORY)
    assert found("news") == [Path(p) for p in ("news/a/z.md", "news/a.txt", "news/b.txt", "news/c/d/e.json")]


def test_paths_come_in_the_order_given() -> None:
    write("b.txt", STORY)
    write("a.txt", STORY)
    assert found("b.txt", Path("a.txt")) == [Path("b.txt"), Path("a.txt")]


def test_a_missing_path_fails_and_the_next_is_found() -> None:
    write("a.txt", STORY)
    assert found("gone", "a.txt") == [failed("gone", "no such file or folder; check the path"), Path("a.txt")]


def test_an_empty_path_is_not_the_current_folder() -> None:
    write("a.txt", STORY)
    assert found("") == [failed("''", "no such file or folder; check the path")]


def test_a_path_with_a_nul_fails() -> None:
    assert found("a\0.txt") == [failed(r"a\x00.txt", "no such file or folder; check the path")]


def test_a_path_is_shown_without_what_steers_a_terminal() -> None:
    assert found("a\x1b[2J\n.txt") == [failed(r"a\x1b[2J\n.txt", "no such file or folder; check the path")]


def test_an_unknown_suffix_is_skipped_with_the_list_of_formats() -> None:
    write("notes.xyz", STORY)
    reason = f"has the suffix '.xyz', which Groundwire does not read; it reads {FORMATS}"
    assert found("notes.xyz") == [skipped("notes.xyz", reason)]


def test_a_file_in_a_folder_that_no_reader_takes_is_reported_too() -> None:
    write("news/notes", STORY)
    reason = f"has no suffix: its format Groundwire does not read; it reads {FORMATS}"
    assert found("news") == [skipped("news/notes", reason)]


def test_a_readme_in_a_folder_is_no_article() -> None:
    write("news/README.md", STORY)
    reason = "tells of its folder; give its own path to read it as an article"
    assert found("news") == [skipped("news/README.md", reason)]


def test_a_readme_given_by_name_is_taken() -> None:
    write("news/README.md", STORY)
    assert found("news/README.md") == [Path("news/README.md")]


def test_suffixes_are_compared_without_case() -> None:
    write("A.TXT", STORY)
    assert found("A.TXT") == [Path("A.TXT")]


def test_hidden_entries_of_a_folder_are_passed_over() -> None:
    write("news/.git/a.txt", STORY)
    write("news/.hidden.txt", STORY)
    assert found("news") == []


def test_a_hidden_file_given_by_name_is_taken() -> None:
    write(".hidden.txt", STORY)
    assert found(".hidden.txt") == [Path(".hidden.txt")]


def test_a_loop_of_links_ends() -> None:
    write("news/a.txt", STORY)
    Path("news/loop").symlink_to("..", target_is_directory=True)
    assert found(".") == [
        Path("news/a.txt"),
        skipped("news/loop", "same folder as .; it is read once"),
    ]


def test_a_link_to_itself_fails() -> None:
    Path("a.txt").symlink_to("a.txt")
    assert found("a.txt") == [
        failed("a.txt", "cannot be read (Too many levels of symbolic links); check the path and the disk")
    ]


def test_a_link_to_nothing_fails() -> None:
    Path("a.txt").symlink_to("gone.txt")
    assert found("a.txt") == [failed("a.txt", "no such file or folder; check the path")]


def test_a_link_to_a_file_elsewhere_is_followed() -> None:
    write("elsewhere/a.txt", STORY)
    Path("news").mkdir()
    Path("news/link.txt").symlink_to("../elsewhere/a.txt")
    assert found("news") == [Path("news/link.txt")]


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_file_with_two_names_is_read_once(link: Callable[[str, str], None]) -> None:
    write("a.txt", STORY)
    link("a.txt", "b.txt")
    assert found(".") == [Path("a.txt"), skipped("b.txt", "same file as a.txt; it is read once")]


def test_a_path_given_twice_is_read_once() -> None:
    write("a.txt", STORY)
    assert found("a.txt", "a.txt") == [Path("a.txt"), skipped("a.txt", "same file as a.txt; it is read once")]


NOT_A_FILE = "is no regular file but a pipe, a socket or a device; give a file or a folder"


def test_a_pipe_is_skipped() -> None:
    os.mkfifo("pipe.txt")
    assert found("pipe.txt") == [skipped("pipe.txt", NOT_A_FILE)]


def test_a_socket_is_skipped() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.txt")
        assert found("socket.txt") == [skipped("socket.txt", NOT_A_FILE)]


def test_a_device_is_skipped() -> None:
    assert found("/dev/zero") == [skipped("/dev/zero", NOT_A_FILE)]


def test_a_folder_that_may_not_be_listed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    Path("news").mkdir()
    monkeypatch.setattr(Path, "iterdir", refuse)  # the tests may run as root, whom nothing is denied
    assert found("news") == [failed("news", "permission denied; allow reading it, or leave it out")]


# Reading files: what can be wrong with any of them


def test_a_pipe_is_not_waited_for() -> None:
    os.mkfifo("pipe.txt")
    assert list(read_articles(Path("pipe.txt"))) == [failed("pipe.txt", NOT_A_FILE)]


def test_a_link_to_an_endless_device_is_not_read() -> None:
    Path("zero.txt").symlink_to("/dev/zero")
    assert list(read_articles(Path("zero.txt"))) == [failed("zero.txt", NOT_A_FILE)]


def test_a_file_that_is_gone_fails() -> None:
    assert list(read_articles(Path("gone.txt"))) == [failed("gone.txt", "no such file or folder; check the path")]


def test_a_file_that_may_not_be_read_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    write("a.txt", STORY)
    monkeypatch.setattr(os, "open", refuse)
    assert list(read_articles(Path("a.txt"))) == [
        failed("a.txt", "permission denied; allow reading it, or leave it out")
    ]


def test_a_file_of_unknown_format_is_skipped() -> None:
    [only] = read("notes.xyz", STORY)
    assert only == skipped("notes.xyz", f"has the suffix '.xyz', which Groundwire does not read; it reads {FORMATS}")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.jsonl", "a.csv", "a.tsv"])
@pytest.mark.parametrize("content", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf"])
def test_an_empty_file_is_skipped(name: str, content: bytes) -> None:
    assert read(name, content) == [skipped(name, NO_TEXT)]


def test_a_text_of_invisible_characters_is_skipped() -> None:
    assert read("a.txt", "\u200b\u202e\n\U000e0041") == [skipped("a.txt", NO_TEXT)]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.csv"])
def test_a_file_over_the_limit_fails(name: str) -> None:
    path = write(name, "")
    os.truncate(path, 50_000_000)
    assert list(read_articles(path)) == [failed(name, "is 50 MB, over the limit of 25 MB; split it")]


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_text_over_the_limit_fails(name: str) -> None:
    assert reason(name, "a" * 5_000_001) == "`text` has 5,000,001 characters, over the limit of 5,000,000; split it"


def test_the_name_of_a_file_is_data() -> None:
    assert article("news/\x1b[2J.txt", STORY).metadata == {"file": r"\x1b[2J.txt"}


def test_the_time_of_a_file_is_never_looked_at() -> None:
    os.utime(write("a.txt", STORY), (0, 0))
    [only] = read_articles(Path("a.txt"))
    assert isinstance(only, Article)
    assert (only.published, only.updated) == (None, None)


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_unicode_with_or_without_its_mark_is_read(name: str, encoding: str) -> None:
    data = "Müller’s “café” – 東京 😀".encode(encoding)
    assert article(name, data) == Article(
        id=article_id_for(url=None, text="Müller’s “café” – 東京 😀"),
        text="Müller’s “café” – 東京 😀",
        raw_sha256=sha256(data),
        metadata={"file": name},
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_known_by_its_zeros(encoding: str) -> None:
    read_back = article("a.txt", STORY.encode(encoding))
    assert (read_back.text, read_back.metadata["encoding"]) == (STORY, encoding)


LEGACY = [
    ("cp1252", "The minister said the café’s owner had “no choice” — the bill was £1.2 million."),
    (
        "cp1252",
        "Der Bundeskanzler erklärte, die Maßnahmen würden für die Länder gelten. Es hieß in München, das genügt.",
    ),
    ("cp1251", "Министр заявил, что переговоры продолжатся на следующей неделе в Женеве."),
    ("koi8_r", "Министр заявил, что переговоры продолжатся на следующей неделе в Женеве."),
    ("cp949", "총리는 화요일 새로운 경제 대책을 발표했다. 정부는 다음 달부터 지원금을 지급할 방침이다."),
    ("gb18030", "总理星期二宣布了新的经济措施。政府计划从下个月起向有孩子的家庭发放补贴。"),
    ("cp932", "首相は火曜日、新しい経済対策を発表した。政府は来月から子育て世帯に給付金を支給する方針だ。"),
]


@pytest.mark.parametrize(("encoding", "text"), LEGACY)
def test_a_legacy_encoding_that_is_certain_is_read_and_named(encoding: str, text: str) -> None:
    read_back = article("a.txt", text.encode(encoding))
    assert (read_back.text, read_back.metadata) == (text, {"encoding": encoding, "file": "a.txt"})


def test_the_lines_beyond_ascii_decide_wherever_they_stand() -> None:
    text = "Nothing of the kind in the line.\n" * 20_000 + "Министр заявил, что переговоры продолжатся."
    assert article("a.txt", text.encode("cp1251")).text == text


def test_a_line_of_a_legacy_encoding_may_be_longer_than_the_sample() -> None:
    text = "Министр заявил, что переговоры продолжатся. " * 3_000
    assert article("a.txt", text.encode("cp1251")).text == text.strip()


def test_letters_that_could_be_of_two_encodings_are_refused() -> None:
    data = "Vláda schválila rozpočet na příští rok.".encode("cp1250")
    assert reason("a.txt", data) == "byte 0xe1 at position 2 is not UTF-8; save it as UTF-8"


def test_letters_that_make_no_words_are_refused() -> None:
    data = "Der Bundeskanzler erklärte, die Maßnahmen würden für Übergangsfälle gelten.".encode("mac_roman")
    assert reason("a.txt", data) == "byte 0x8a at position 22 is not UTF-8; save it as UTF-8"


def test_invalid_utf8_fails_with_its_place() -> None:
    data = b"Leaders met \xff in Paris."
    assert reason("story.txt", data) == "byte 0xff at position 12 is not UTF-8; save it as UTF-8"


def test_damaged_utf8_is_not_taken_for_a_legacy_encoding() -> None:
    data = "The café’s bill was £1.2 million, the owner said.".encode() + b"\xe2\x80"
    assert reason("a.txt", data) == "byte 0xe2 at position 53 is not UTF-8; save it as UTF-8"


def test_a_mark_promises_an_encoding() -> None:
    assert reason("a.txt", b"\xff\xfea") == "byte 0x61 at position 2 is not UTF-16-LE; save it as UTF-8"


def test_japanese_in_seven_bits_is_not_taken_for_ascii() -> None:
    data = "首相は火曜日、新しい経済対策を発表した。".encode("iso2022_jp")
    assert reason("a.txt", data) == "is written in ISO-2022-JP; save it as UTF-8"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.json"])
def test_a_binary_file_fails(name: str) -> None:
    data = bytes(range(256)) * 4
    start = r"b'\x00\x01\x02\x03\x04\x05\x06\x07'"
    assert reason(name, data) == f"looks binary, its first bytes are {start}; save it as UTF-8 if it is text"


def test_a_suffix_that_lies_is_noticed() -> None:
    assert reason("a.txt", b"%PDF-1.7\nhello") == "begins like a PDF, not like text; save its text as UTF-8"


def test_some_nuls_are_removed() -> None:
    assert article("a.txt", "Leaders met\0 in Paris.").text == "Leaders met in Paris."


# Plain text


def test_plain_text_says_nothing_but_its_text() -> None:
    content = "\n \nParis, Thursday\r\n\r\nLeaders met.\u200b\n\n"
    text = "Paris, Thursday\n\nLeaders met."
    assert read("news/a.txt", content) == [
        Article(
            id=article_id_for(url=None, text=text),
            text=text,
            raw_sha256=sha256(content),
            metadata={"file": "a.txt"},
        )
    ]


def test_front_matter_is_for_markdown_alone() -> None:
    assert article("a.text", "---\ntitle: A\n---\nB").text == "---\ntitle: A\n---\nB"


# Fields given by the user


def test_what_the_user_says_fills_in_and_wins() -> None:
    content = fields(title="Old", publisher="Old Desk", author="Ann Lee", section="World", city="Paris")
    meta = {"source": "Paris Desk", "date": "2025-09-04", "section": "Europe", "author": ""}
    assert article("a.json", content, **meta) == Article(
        id=STORY_ID,
        text=STORY,
        title="Old",
        source="Paris Desk",
        author="Ann Lee",
        published="2025-09-04",
        raw_sha256=sha256(content),
        metadata={"section": "Europe", "city": "Paris", "file": "a.json"},
    )


def test_what_the_user_says_wins_even_where_the_file_is_wrong() -> None:
    content = json.dumps({"text": STORY, "published": "1st May"})
    assert article("a.json", content, published="2024-05-01").published == "2024-05-01"


def test_a_bad_field_of_the_user_stops_at_once() -> None:
    with pytest.raises(InputError, match=r"^meta: `published` '1st May' is not a date; write 2024-05-01 or "):
        read_articles(Path("gone.txt"), meta={"published": "1st May"})


def test_the_user_cannot_give_every_article_the_same_text() -> None:
    with pytest.raises(InputError, match=r"^meta: `body` would take the place of every text; leave it out$"):
        read_articles(Path("gone.txt"), meta={"body": "x"})


# Fields of any format


def fields(**values: object) -> str:
    return json.dumps({"text": STORY} | values)


def test_fields_have_other_names_too() -> None:
    content = json.dumps(
        {
            "Body": STORY,
            "outlet": "Paris Desk",
            "link": "seed:a",
            "Published-At": "2025-09-04",
            "updated at": "2025-09-05",
            "lang": "en",
        }
    )
    assert article("a.json", content) == Article(
        id=article_id_for(url="seed:a", text=STORY),
        text=STORY,
        source="Paris Desk",
        url="seed:a",
        published="2025-09-04",
        updated="2025-09-05",
        language="en",
        raw_sha256=sha256(content),
        metadata={"file": "a.json"},
    )


def test_of_two_names_for_one_field_the_first_counts_and_the_other_is_kept() -> None:
    read_back = article(
        "a.json", json.dumps({"date": "2020-01-01", "content": "Teaser", "text": STORY, "published": "2025-09-04"})
    )
    assert (read_back.text, read_back.metadata["content"]) == (STORY, "Teaser")
    assert (read_back.published, read_back.metadata["date"]) == ("2025-09-04", "2020-01-01")


def test_a_name_that_is_filled_counts_before_one_that_is_empty() -> None:
    assert article("a.json", json.dumps({"text": "", "body": STORY, "title": None})).text == STORY


def test_other_fields_become_metadata() -> None:
    content = fields(based_on=["BBC", "WION"], pages=3, share=0.5, free=True, by={"desk": ["é"]}, gone=None, empty="")
    assert article("a.json", content).metadata == {
        "based_on": "BBC, WION",
        "pages": "3",
        "share": "0.5",
        "free": "true",
        "by": '{"desk": ["é"]}',
        "file": "a.json",
    }


def test_metadata_of_our_own_is_not_overwritten() -> None:
    assert article("a.json", fields(file="/etc/passwd")).metadata == {"given_file": "/etc/passwd", "file": "a.json"}


def test_metadata_is_cleaned() -> None:
    assert article("a.json", fields(**{"no\u202ete": "a\u200bb\ud800"})).metadata == {"note": "ab", "file": "a.json"}


def test_a_text_is_cleaned() -> None:
    assert article("a.json", json.dumps({"text": "\n a\0\u202e\r\nb\ud800 \n"})).text == "a\nb"


@pytest.mark.parametrize("name", ["title", "source", "author", "url", "language"])
def test_a_field_of_one_line_is_folded_and_cleaned(name: str) -> None:
    assert getattr(article("a.json", fields(**{name: " Paris\u200b\n\tDesk "})), name) == "Paris Desk"


@pytest.mark.parametrize("name", ["id", "title", "source", "author", "url", "published", "updated", "language"])
@pytest.mark.parametrize("value", ["", " \n", None])
def test_an_empty_field_is_unknown(name: str, value: str | None) -> None:
    read_back = article("a.json", fields(**{name: value}))
    assert read_back == Article(id=STORY_ID, text=STORY, raw_sha256=read_back.raw_sha256, metadata={"file": "a.json"})


def test_authors_are_joined() -> None:
    assert article("a.json", fields(author=["Ann Lee", " Bo\nRay ", ""])).author == "Ann Lee, Bo Ray"


@pytest.mark.parametrize(("given", "expected"), [("a/../b", "a/../b"), (" x ", "x"), (42, "42")])
def test_an_id_is_taken_as_it_is(given: object, expected: str) -> None:
    assert article("a.json", fields(id=given)).id == expected


BAD_FIELDS = [
    ({"text": 5}, "`text` 5 is not a string; write it as one"),
    ({"body": ["a"], "text": None}, "`body` ['a'] is not a string; write it as one"),
    ({"title": 1984}, "`title` 1984 is not a string; write it as one"),
    ({"source": {"name": "BBC"}}, "`source` {'name': 'BBC'} is not a string; write it as one"),
    ({"author": ["Ann", 5]}, "`author` ['Ann', 5] is not a list of strings; write it as one"),
    ({"author": 5}, "`author` 5 is not a string; write it as one"),
    ({"url": False}, "`url` False is not a string; write it as one"),
    ({"id": True}, "`id` True is not a string or a whole number; write it as one"),
    ({"id": 1.5}, "`id` 1.5 is not a string or a whole number; write it as one"),
    ({"id": "a\nb"}, r"`id` 'a\nb' holds invisible characters; remove them"),
    ({"id": "a\ud800"}, r"`id` 'a\ud800' holds invisible characters; remove them"),
    ({"id": "a" * 201}, "`id` has 201 characters, over the limit of 200; shorten it"),
    ({"title": "a" * 1_001}, "`title` has 1,001 characters, over the limit of 1,000; shorten it"),
    ({"author": ["a" * 600] * 2}, "`author` has 1,202 characters, over the limit of 1,000; shorten it"),
    ({"date": "1st May"}, "`date` '1st May' is not a date; write 2024-05-01 or 2024-05-01T09:30:00+02:00"),
    ({"updated": 5}, "`updated` '5' is not a date; write 2024-05-01 or 2024-05-01T09:30:00+02:00"),
    ({"text": "a" * 5_000_001}, "`text` has 5,000,001 characters, over the limit of 5,000,000; split it"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "expected"), BAD_FIELDS)
def test_a_field_that_fits_no_article_fails(values: dict[str, object], expected: str) -> None:
    assert reason("a.json", fields(**values)) == expected


def test_a_long_value_is_shown_in_short() -> None:
    assert reason("a.json", fields(title=["a" * 500] * 500)).startswith("`title` ['aaaaaaaaaaaa...")


# Markdown


def test_markdown_with_front_matter_is_read() -> None:
    content = """---
id: paris-1
title: "Paris: day one"
source: Paris Desk
author: [Ann Lee, Bo Ray]
url: https://example.org/paris
published: 2025-09-04
updated: 2025-09-05 09:30:00+02:00
lang: en
tags: [summit, pledges]
edition: 1984
note: null
---

Leaders **met** in [Paris](https://example.org).
"""
    assert read("a.md", content) == [
        Article(
            id="paris-1",
            text="Leaders met in Paris.",
            title="Paris: day one",
            source="Paris Desk",
            author="Ann Lee, Bo Ray",
            url="https://example.org/paris",
            published="2025-09-04",
            updated="2025-09-05T09:30:00+02:00",
            language="en",
            raw_sha256=sha256(content),
            metadata={"tags": "summit, pledges", "edition": "1984", "file": "a.md"},
        )
    ]


def test_the_first_top_level_heading_is_the_title_and_leaves_the_text() -> None:
    content = "## Live\n\n# Leaders *meet* in Paris\n\nThey met.\n\n# Later\n"
    text = "Live\n\nThey met.\n\nLater"
    assert read("a.markdown", content) == [
        Article(
            id=article_id_for(url=None, text=text),
            text=text,
            title="Leaders meet in Paris",
            raw_sha256=sha256(content),
            metadata={"file": "a.markdown"},
        )
    ]


def test_beside_a_title_in_the_front_matter_headings_stay() -> None:
    read_back = article("a.md", "---\nTitle: A\n---\n# B\n\nText.")
    assert (read_back.title, read_back.text) == ("A", "B\n\nText.")


RENDERED = [
    ("one\ntwo  \nthree", "one two\nthree"),
    ("**bold** _it_ `code` ~x~", "bold it code ~x~"),
    ("[words](https://a.b 'title') <https://c.d>", "words https://c.d"),
    ("![a *cat*](cat.png)", "a cat"),
    ("> quoted\n> words\n>\n> more", "quoted words\n\nmore"),
    ("- a\n- b\n  - c\n\n    d\n- e", "- a\n- b\n  - c\n    d\n- e"),
    ("1. a\n2. b", "1. a\n2. b"),
    ("```py\nx = 1\n\ny\n```\n\n    z", "x = 1\n\ny\n\nz"),
    ("| a | b |\n|---|---|\n| **1** | |", "a | b\n1 | "),
    ("before\n\n***\n\nafter", "before\n\nafter"),
    ("H<sub>2</sub>O<br>next", "H2O\nnext"),
    ("before\n\n<div>in HTML\n</div>\n\nafter", "before\n\nafter"),
    ("AT&amp;T &lt;b&gt; \\*", "AT&T <b> *"),
    ("a&#8203;b &#x202e;c\0d", "ab cd"),
    ("a\rb\r\n\r\nc", "a b\n\nc"),
    ("a\n\n![](cat.png) b", "a\n\nb"),
    ("---\na\n---b", "a ---b"),
]


@pytest.mark.parametrize(("content", "text"), RENDERED)
def test_markdown_is_rendered_as_text(content: str, text: str) -> None:
    assert article("a.md", content).text == text.strip()


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_front_matter_may_have_any_newline(newline: str) -> None:
    read_back = article("a.md", newline.join(["---", "title: A", "...", "B"]))
    assert (read_back.title, read_back.text) == ("A", "B")


def test_a_line_of_hyphens_alone_is_no_front_matter() -> None:
    assert article("a.md", "---\n\nLeaders met.").text == "Leaders met."


BAD_FRONT_MATTER = [
    ("title: a\nsource: b: c", "line 3 of the front matter is not YAML (mapping values are not allowed here)"),
    ("a: &x 1\nb: *x", "line 3 of the front matter is not YAML (alias *x)"),
    ("just words", "the front matter is 'just words'"),
    ("- a\n- b", "the front matter is ['a', 'b']"),
    ("a: 1\nb: \x01", "line 3 of the front matter holds U+0001"),
    ("- " * 2_000, "the front matter is nested too deeply"),
    ("a: b\n" * 4_001, "the front matter has 20,006 characters, over the limit of 20,000"),
    ("body: a", "the front matter has `body`, and the text stands below it"),
    ("published: 1st May", "`published` '1st May' is not a date"),
]


@pytest.mark.parametrize(("block", "expected"), BAD_FRONT_MATTER)
def test_bad_front_matter_fails(block: str, expected: str) -> None:
    assert reason("a.md", f"---\n{block}\n---\n{STORY}").partition(";")[0] == expected


def test_front_matter_runs_no_code() -> None:
    content = f"---\na: !!python/object/apply:os.mkdir [made]\n---\n{STORY}"
    assert article("a.md", content).metadata == {"a": "made", "file": "a.md"}
    assert not Path("made").exists()


def test_a_page_without_words_is_skipped() -> None:
    assert read("a.md", "---\ntitle: A\n---\n\n***\n") == [skipped("a.md", NO_TEXT)]


def test_deep_nesting_in_markdown_fails() -> None:
    assert reason("a.md", ">" * 5_000 + " a") == "is nested too deeply; flatten its lists and quotations"


# JSON


def test_a_json_object_is_an_article() -> None:
    content = json.dumps({"id": "paris-1", "title": "Paris", "text": STORY, "based_on": ["BBC"]}, indent=2)
    assert read("a.json", content) == [
        Article(
            id="paris-1",
            text=STORY,
            title="Paris",
            raw_sha256=sha256(content),
            metadata={"based_on": "BBC", "file": "a.json"},
        )
    ]


@pytest.mark.parametrize("envelope", ["{}", '{{"total": 2, "articles": {}}}'])
def test_a_json_list_holds_articles(envelope: str) -> None:
    content = envelope.format('[{"title": "Café", "text": "One."}, {"text": "Two."}]')
    assert read("a.json", content) == [
        Article(
            id=article_id_for(url=None, text="One."),
            text="One.",
            title="Café",
            raw_sha256=sha256(r'{"text":"One.","title":"Caf\u00e9"}'),
            metadata={"file": "a.json"},
        ),
        Article(
            id=article_id_for(url=None, text="Two."),
            text="Two.",
            raw_sha256=sha256('{"text":"Two."}'),
            metadata={"file": "a.json"},
        ),
    ]


def test_bad_objects_of_a_json_list_are_reported_among_the_good_ones() -> None:
    good = article("good.json", json.dumps([{"text": STORY}]))
    content = json.dumps([{"title": "A", "url": "seed:a"}, {"text": STORY}, 5, {}])
    assert read("good.json", content) == [
        failed(
            "good.json: article 1", "has no `text`, its fields are: `title`, `url`; call the article's words `text`"
        ),
        good,
        failed("good.json: article 3", '5 is not an article; write {"title": "...", "text": "..."}'),
        failed("good.json: article 4", "has no `text`, its fields are: none; call the article's words `text`"),
    ]


def test_an_article_may_have_a_field_called_articles() -> None:
    assert article("a.json", fields(articles=["b", "c"])).metadata == {"articles": "b, c", "file": "a.json"}


def test_an_empty_json_list_is_skipped() -> None:
    assert read("a.json", "[]") == [skipped("a.json", NO_TEXT)]


def test_an_object_with_an_empty_text_is_skipped() -> None:
    assert read("a.json", '{"text": " "}') == [skipped("a.json", NO_TEXT)]


BAD_JSON = [
    ('{"text": "a" "b"}', "is not JSON (Expecting ',' delimiter at line 1, column 14); mend it there"),
    ('{"text": "a"}\n{"text": "b"}', "is not JSON (Extra data at line 2, column 1); mend it there"),
    ('"Leaders met."', '\'Leaders met.\' is not an article; write {"title": "...", "text": "..."}'),
    ('{"text": NaN}', "'NaN' is no number that can be read; write it in quotes"),
    ('{"text": -Infinity}', "'-Infinity' is no number that can be read; write it in quotes"),
    ('{"text": 1e999}', "'1e999' is no number that can be read; write it in quotes"),
    ("[" * 100_000, "is nested too deeply; an article is a flat object"),
    (b'{"text": "\xff"}', "byte 0xff at position 10 is not UTF-8; save it as UTF-8"),
]


@pytest.mark.parametrize(("content", "expected"), BAD_JSON)
def test_bad_json_fails(content: str | bytes, expected: str) -> None:
    assert reason("a.json", content) == expected


NEAR_THE_LIMIT = [f'{{"text": "a", "deep": {"[" * depth}{"]" * depth}}}' for depth in range(850, 1_000)]


def test_nesting_near_the_limit_never_raises_in_json() -> None:
    assert [len(read("a.json", f"[{item}]")) for item in NEAR_THE_LIMIT] == [1] * len(NEAR_THE_LIMIT)


def test_nesting_near_the_limit_never_raises_in_json_lines() -> None:
    assert len(read("a.jsonl", "\n".join(NEAR_THE_LIMIT))) == len(NEAR_THE_LIMIT)


def test_a_number_of_five_thousand_digits_fails() -> None:
    assert reason("a.json", f'{{"text": "a", "n": {"1" * 5_000}}}').endswith(
        "is no number that can be read; write it in quotes"
    )


def test_a_number_of_three_thousand_digits_is_kept() -> None:
    assert article("a.json", f'{{"text": "a", "n": {"1" * 3_000}}}').metadata["n"] == "1" * 3_000


# JSON Lines


def test_each_line_is_an_article() -> None:
    first, second = '{"id": "a", "text": "One."}', '{"text": "Two."}'
    assert read("a.jsonl", f"\ufeff{first}\r\n\n {second}") == [
        Article(id="a", text="One.", raw_sha256=sha256(first), metadata={"file": "a.jsonl"}),
        Article(
            id=article_id_for(url=None, text="Two."),
            text="Two.",
            raw_sha256=sha256(f" {second}"),
            metadata={"file": "a.jsonl"},
        ),
    ]


def test_bad_lines_are_reported_among_the_good_ones() -> None:
    lines = [
        b'{"id": "a", "text": "One."}',
        b'{"title": "No text"}',
        b'{"text": "Two."',
        b'{"text": "caf\xe9"}',
        b'{"text": "T", "published": "1st May"}',
        b"[]",
        b"[" * 100_000,
        b'{"text": ""}',
        b'{"id": "b", "text": "Two."}',
    ]
    assert read("seeds/a.jsonl", b"\n".join(lines)) == [
        Article(id="a", text="One.", raw_sha256=sha256(lines[0]), metadata={"file": "a.jsonl"}),
        failed("seeds/a.jsonl:2", "has no `text`, its fields are: `title`; call the article's words `text`"),
        failed("seeds/a.jsonl:3", "is not JSON (Expecting ',' delimiter at line 1, column 16); mend it there"),
        failed("seeds/a.jsonl:4", "byte 0xe9 at position 13 of the line is not UTF-8; save the file as UTF-8"),
        failed(
            "seeds/a.jsonl:5",
            "`published` '1st May' is not a date; write 2024-05-01 or 2024-05-01T09:30:00+02:00",
        ),
        failed("seeds/a.jsonl:6", '[] is not an article; write {"title": "...", "text": "..."}'),
        failed("seeds/a.jsonl:7", "is nested too deeply; an article is a flat object"),
        skipped("seeds/a.jsonl:8", NO_TEXT),
        Article(id="b", text="Two.", raw_sha256=sha256(lines[8]), metadata={"file": "a.jsonl"}),
    ]


def test_a_line_of_50_mb_fails_and_the_next_is_read() -> None:
    path = write("a.ndjson", b'{"text": "' + b"a" * 49_999_987 + b'"}\n{"id": "b", "text": "Two."}\n')
    assert list(read_articles(path)) == [
        failed("a.ndjson:1", "the line is 50 MB, over the limit of 25 MB; split it"),
        Article(id="b", text="Two.", raw_sha256=sha256('{"id": "b", "text": "Two."}'), metadata={"file": "a.ndjson"}),
    ]


def test_a_line_of_150_mb_is_never_held_whole() -> None:
    path = write("a.jsonl", "")
    os.truncate(path, 150_000_000)
    tracemalloc.start()
    list(read_articles(path))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 80_000_000


def test_json_lines_in_utf16_fail_as_a_whole() -> None:
    data = '{"text": "One."}\n{"text": "Two."}\n'.encode("utf-16")
    assert reason("a.jsonl", data) == "is UTF-16-LE, and JSON Lines are UTF-8; save it as UTF-8"


# CSV and TSV


def test_each_row_is_an_article() -> None:
    content = (
        'id,Title,date,text,desk\r\na,"Paris, again",2025-09-04,"Leaders\r\nmet ""here"".",World\r\n\r\n,,,Two.,\r\n'
    )
    assert read("a.csv", content) == [
        Article(
            id="a",
            text='Leaders\nmet "here".',
            title="Paris, again",
            published="2025-09-04",
            raw_sha256=sha256(
                r'{"Title":"Paris, again","date":"2025-09-04","desk":"World","id":"a",'
                r'"text":"Leaders\r\nmet \"here\"."}'
            ),
            metadata={"desk": "World", "file": "a.csv"},
        ),
        Article(
            id=article_id_for(url=None, text="Two."),
            text="Two.",
            raw_sha256=sha256('{"Title":"","date":"","desk":"","id":"","text":"Two."}'),
            metadata={"file": "a.csv"},
        ),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "title;text\nParis, again;One."),
        ("a.csv", "title\ttext\nParis, again\tOne."),
        ("a.tsv", "a,b,c,d\ttitle\ttext\n1\tParis, again\tOne."),
        ("a.csv", "title;text\rParis, again;One."),
        ("a.csv", '\ufefftitle,text\n"Paris, again",One.'),
    ],
)
def test_columns_are_divided_as_the_first_row_is(name: str, content: str) -> None:
    read_back = article(name, content)
    assert (read_back.title, read_back.text) == ("Paris, again", "One.")


def test_a_table_of_a_legacy_encoding_names_it() -> None:
    content = "title,text\nThe café,The owner said the bill was £3.\n"
    assert article("a.csv", content.encode("cp1252")).metadata == {"encoding": "cp1252", "file": "a.csv"}


def test_a_column_without_a_name_is_called_after_its_number() -> None:
    assert article("a.csv", ",text\n0,One.").metadata == {"column 1": "0", "file": "a.csv"}


def test_bad_rows_are_reported_among_the_good_ones() -> None:
    content = 'id,text\na,"One\nmore."\nb\nc,Two.,Three.\nd,\ne," "\n"f"x,Four.\ng,Five.\nh,"open\n'
    no_text = "has no `text`, its fields are: `id`; call the article's words `text`"
    assert read("a.csv", content) == [
        Article(
            id="a",
            text="One\nmore.",
            raw_sha256=sha256(r'{"id":"a","text":"One\nmore."}'),
            metadata={"file": "a.csv"},
        ),
        failed("a.csv:4", "cells in the row: 1, in the first row: 2; quote those that hold ','"),
        failed("a.csv:5", "cells in the row: 3, in the first row: 2; quote those that hold ','"),
        failed("a.csv:6", no_text),
        skipped("a.csv:7", NO_TEXT),
        failed("a.csv:8", "the row is not CSV (',' expected after '\"'); mend its quotes"),
        Article(id="g", text="Five.", raw_sha256=sha256('{"id":"g","text":"Five."}'), metadata={"file": "a.csv"}),
        failed("a.csv:10", "the row is not CSV (unexpected end of data); mend its quotes"),
    ]


BAD_TABLES = [
    ("title,url\nA,B", "has no column `text`, its first row is 'title', 'url'; name the columns there"),
    ("text,day,day\nA,1,2", "has two columns 'day'; rename one"),
    ('"text', "the row is not CSV (unexpected end of data); mend its quotes"),
    ('"id"x,text\ntext,id\nOne.,a', "the row is not CSV (',' expected after '\"'); mend its quotes"),
]


@pytest.mark.parametrize(("content", "expected"), BAD_TABLES)
def test_a_table_that_names_no_text_fails(content: str, expected: str) -> None:
    assert reason("a.csv", content) == expected


def test_a_table_of_column_names_alone_is_skipped() -> None:
    assert read("a.csv", "title,text\n") == [skipped("a.csv", NO_TEXT)]


def test_a_cell_may_be_longer_than_the_csv_module_allows() -> None:
    text = "word " * 40_000
    assert article("a.csv", f"text\n{text}").text == text.strip()


# The project's own and the given articles


def test_the_seeds_are_read_whole(checkout: Path) -> None:
    read_back = list(read_articles(checkout / "seeds" / "articles.jsonl"))
    assert [item for item in read_back if isinstance(item, Unread)] == []
    assert len(read_back) == 25
