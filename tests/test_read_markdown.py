"""Markdown is read as the words that a reader would see, and its front matter as fields, never as code."""

from pathlib import Path

import pytest

from index.article import Article, article_id_for
from tests.fakes import NO_TEXT, STORY, article, read, reason, sha256, skipped

pytestmark = pytest.mark.usefixtures("_in_an_empty_folder")


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
