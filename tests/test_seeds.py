"""The sample corpus keeps what its tests and its readers rely on."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from index import NewsIndex
from index.duplicates import resemblance
from index.sentences import split_sentences
from rag import NewsBot
from tests.fakes import KYIV, FakeEmbedder, write_articles
from ui.show import show_answer, show_hits

Row = dict[str, Any]
COPIES = ("paris-coalition-summit", "paris-coalition-summit-london")
TOLLS = {
    "kyiv-strike-early-toll": "10", "kyiv-strike-eu-building": "15", "kyiv-strike-ambassador-summoned": "18",
    "kyiv-strike-evening-toll": "19", "kyiv-strike-toll-21": "21", "kyiv-strike-toll-23": "Twenty-three",
}  # fmt: skip
PLEDGES = [
    ("london-lancaster-house-summit", "Britain", "£1.6 billion"),
    ("london-lancaster-house-summit", "British loan", "£2.2 billion"),
    ("brussels-contact-group-aid", "Germany", "€11 billion"),
    ("brussels-contact-group-aid", "Berlin", "four IRIS-T"),
    ("brussels-contact-group-aid", "London", "£4.5 billion"),
    ("brussels-contact-group-aid", "Norway", "£450 million"),
    ("rome-recovery-conference-opens", "European Commission", "€2.3 billion"),
    ("rome-recovery-uk-missiles", "Britain", "£283 million"),
    ("purl-netherlands-first-ally", "The Netherlands", "EUR 500 million"),
    ("purl-nordic-package", "Denmark, Norway and Sweden", "USD 495 million"),
    ("purl-germany-joins", "Germany", "USD 500 million"),
    ("purl-canada-two-billion", "Canada", "USD 500 million"),
    ("purl-canada-two-billion", "Ottawa", "USD 1 billion"),
    ("paris-coalition-summit", "Twenty-six countries", "reassurance force"),
    ("purl-december-five-countries", "the Norwegians and the Poles", "USD 500 million"),
    ("purl-december-five-countries", "Canada", "CAD 200 million"),
]

# What two say of one thing: a sentence of an article has all the words of the one, another sentence those of the other.
DISAGREEMENTS = {
    "the Dutch sum in dollars": (
        ("purl-netherlands-first-ally", "Some reports", "USD 578 million"),
        ("purl-netherlands-first-ally", "Elsewhere", "USD 500 million"),
    ),
    "the Nordic sum in dollars": (
        ("purl-canada-two-billion", "Three Nordic countries", "first as USD 500 million"),
        ("purl-nordic-package", "Denmark, Norway and Sweden", "USD 495 million"),
    ),
    "the nations in Brussels": (
        ("brussels-contact-group-aid", "51 nations"), ("brussels-contact-group-aid", "around 40 countries")
    ),
    "the nations in Brussels, a third time": (
        ("brussels-contact-group-aid", "51 nations"), ("brussels-contact-group-aid", "a third of 50")
    ),
    "the size of the coalition": (
        ("paris-coalition-summit", "coalition", "more than 30 nations"), ("paris-coalition-summit", "35 states")
    ),
    "the rank of the attack": (
        ("kyiv-strike-evening-toll", "second-largest air attack since the war began"),
        ("kyiv-strike-evening-toll", "the biggest that Kyiv has gone through"),
    ),
    "the sum in Rome, of the host": (
        ("rome-recovery-conference-opens", "Meloni", "€10 billion"),
        ("rome-recovery-uk-missiles", "€4 billion altogether"),
    ),
    "the sum in Rome, of the Commission": (
        ("rome-recovery-conference-opens", "European Commission", "€2.3 billion"),
        ("rome-recovery-uk-missiles", "€4 billion altogether"),
    ),
    "the injured in Kyiv": (
        ("kyiv-strike-early-toll", "wounded as 30"), ("kyiv-strike-early-toll", "48 people were hurt")
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(checkout: Path) -> list[Row]:
    lines = (checkout / "seeds" / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def by_id(rows: list[Row], article_id: str) -> Row:
    """Return the last revision of an article."""
    return [row for row in rows if row["id"] == article_id][-1]


def test_there_are_articles_enough_and_each_is_listed(rows: list[Row], checkout: Path) -> None:
    ids = {row["id"] for row in rows}
    readme = (checkout / "seeds" / "README.md").read_text(encoding="utf-8")
    assert len(ids) >= 18
    assert set(re.findall(r"^\| `([^`]+)` \|", readme, re.MULTILINE)) == ids


def test_every_article_has_120_to_500_words(rows: list[Row]) -> None:
    assert [(row["id"], len(row["text"].split())) for row in rows if not 120 <= len(row["text"].split()) <= 500] == []


def test_every_article_says_where_its_facts_come_from_and_that_it_is_ours(rows: list[Row]) -> None:
    known = ("id", "title", "source", "author", "published", "url", "based_on")
    assert [row["id"] for row in rows if not all(row.get(name) for name in known)] == []
    assert [row["id"] for row in rows if row["url"] != f"seed:{row['id']}"] == []
    assert [row["id"] for row in rows if not re.fullmatch(r"\w+ Desk", row["source"])] == []


def test_two_desks_print_near_copies_and_no_others_do(rows: list[Row]) -> None:
    pairs = [(a, b) for a, b in combinations(rows, 2) if a["id"] != b["id"] and resemblance(a["text"], b["text"]) > 0.3]
    assert [(a["id"], b["id"]) for a, b in pairs] == [COPIES]
    assert 0.6 < resemblance(pairs[0][0]["text"], pairs[0][1]["text"]) < 1
    assert pairs[0][0]["source"] != pairs[0][1]["source"]


def test_the_toll_rises_from_article_to_article(rows: list[Row]) -> None:
    counted = sorted((row for row in rows if row["id"] in TOLLS), key=lambda row: str(row["published"]))
    assert [row["id"] for row in counted] == list(TOLLS)
    assert [row["id"] for row in counted if TOLLS[row["id"]] not in row["text"]] == []


def sentences_with(rows: list[Row], article_id: str, *words: str) -> set[tuple[str, int]]:
    """Return where the sentences of an article begin that have all of some words."""
    text = by_id(rows, article_id)["text"]
    return {(article_id, span.start) for span in split_sentences(text) if all(word in span.of(text) for word in words)}


@pytest.mark.parametrize(("one", "other"), DISAGREEMENTS.values(), ids=DISAGREEMENTS)
def test_two_sentences_disagree(rows: list[Row], one: tuple[str, ...], other: tuple[str, ...]) -> None:
    first, second = sentences_with(rows, *one), sentences_with(rows, *other)
    assert first
    assert second
    assert first.isdisjoint(second)


def test_one_article_is_corrected(rows: list[Row]) -> None:
    first, second = (row for row in rows if row["id"] == "purl-nordic-package")
    assert (first["url"], first["published"]) == (second["url"], second["published"])
    assert ("updated" in first, second["updated"] > second["published"]) == (False, True)
    assert ("USD 500 million" in first["title"], "USD 495 million" in second["title"]) == (True, True)
    assert ("495" in first["text"], "Correction" in second["text"]) == (False, True)


@pytest.mark.parametrize(("article_id", "who", "what"), PLEDGES)
def test_a_sentence_tells_who_pledges_what(rows: list[Row], article_id: str, who: str, what: str) -> None:
    assert sentences_with(rows, article_id, who, what)


def test_the_pledges_fill_a_table(rows: list[Row]) -> None:
    assert len({(by_id(rows, article_id)["published"], who, what) for article_id, who, what in PLEDGES}) >= 15


def test_a_seed_address_is_no_link_in_the_terminal(tmp_path: Path) -> None:
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest(write_articles(tmp_path / "a.jsonl", KYIV | {"url": "seed:kyiv"}))
        answer = NewsBot(index).ask("How many people were killed in Kyiv?")
        assert answer.citations[0].url == "seed:kyiv"
        assert "seed:" not in show_answer(answer) + show_hits(answer.hits)
