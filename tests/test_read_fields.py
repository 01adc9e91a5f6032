"""Fields: known by their usual names, cleaned, refused where they fit no article; what the user says of them wins."""

import json
from pathlib import Path

import pytest

from index.article import Article, article_id_for
from index.errors import InputError
from index.readers import read_articles
from tests.fakes import STORY, article, reason, sha256

pytestmark = pytest.mark.usefixtures("_in_an_empty_folder")

STORY_ID = article_id_for(url=None, text=STORY)


def fields(**values: object) -> str:
    return json.dumps({"text": STORY} | values)


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


def test_an_article_may_have_a_field_called_articles() -> None:
    assert article("a.json", fields(articles=["b", "c"])).metadata == {"articles": "b, c", "file": "a.json"}


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
