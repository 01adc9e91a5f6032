"""JSON and JSON Lines: each object is an article, and a bad one is a reason among the good ones."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from index.article import Article, article_id_for
from index.readers import Unread, read_articles
from tests.fakes import NO_TEXT, STORY, article, failed, read, reason, sha256, skipped, write

pytestmark = pytest.mark.usefixtures("_in_an_empty_folder")


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


# The project's own and the given articles


def test_the_seeds_are_read_whole(checkout: Path) -> None:
    read_back = list(read_articles(checkout / "seeds" / "articles.jsonl"))
    assert [item for item in read_back if isinstance(item, Unread)] == []
    assert len(read_back) == 25
