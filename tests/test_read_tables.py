"""CSV and TSV: each row is an article, whatever divides it, and a bad one is a reason among the good ones."""

import pytest

from index.article import Article, article_id_for
from tests.fakes import NO_TEXT, article, failed, read, reason, sha256, skipped

pytestmark = pytest.mark.usefixtures("_in_an_empty_folder")


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
