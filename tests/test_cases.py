"""The project's own cases are what their description says, and a case that is wrong is refused when it is loaded."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from eval.cases import KINDS, Case, EvidenceSpan, ids_of, load_cases, places_of
from eval.metrics import answer_found
from eval.suites import articles_of, find_suites, opened
from index.article import Article
from index.errors import InputError
from rag.terms import read_terms
from tests.fakes import FakeEmbedder

Corpus = Mapping[tuple[str, int], Article]

ARTICLE = Article(id="oslo", text="Oslo paid 5 million. It rained. Oslo paid again.", title="Oslo pays")
ARTICLES: Corpus = {("oslo", 1): ARTICLE}


@pytest.fixture(scope="module")
def own() -> dict[str, list[Case]]:
    return {name: cases for name, (cases, _) in _loaded().items()}


@pytest.fixture(scope="module")
def corpora() -> dict[str, Corpus]:
    return {name: articles for name, (_, articles) in _loaded().items()}


def _loaded() -> dict[str, tuple[list[Case], Corpus]]:
    found: dict[str, tuple[list[Case], Corpus]] = {}
    for suite in find_suites([]):
        with opened(suite.articles, embedder=FakeEmbedder()) as index:
            articles: Corpus = articles_of(index)
            found[suite.name] = (suite.load(articles), articles)
    return found


def shares_no_word(case: Case, articles: Corpus) -> bool:
    """Tell whether a question has no content word, names aside, of the words that answer it."""
    evidence = [articles[s.article_id, s.revision].text[s.start : s.end] for need in case.evidence for s in need]
    asked = read_terms(case.question)
    return not set(asked.stems) & {stem for words in evidence for stem in read_terms(words).stems}


def words_of(case: Case, articles: Corpus) -> str:
    spans = [span for need in case.evidence for span in need]
    return "\n".join([*case.answers, *(articles[s.article_id, s.revision].text[s.start : s.end] for s in spans)])


def test_there_are_at_least_150_cases_over_the_sample_articles(own: dict[str, list[Case]]) -> None:
    assert len(own["dev"]) + len(own["test"]) >= 150


def test_a_third_is_for_fitting(own: dict[str, list[Case]]) -> None:
    share = len(own["dev"]) / (len(own["dev"]) + len(own["test"]))
    assert 0.3 <= share <= 0.4


@pytest.mark.parametrize("name", ["dev", "test"])
def test_each_split_is_in_its_own_file(own: dict[str, list[Case]], name: str) -> None:
    assert {case.split for case in own[name]} == {name}


def test_every_kind_of_question_is_asked(own: dict[str, list[Case]]) -> None:
    assert {case.kind for case in own["dev"]} == {case.kind for case in own["test"]} == set(KINDS)


@pytest.mark.parametrize("name", ["dev", "test", "unseen"])
def test_near_misses_are_at_least_half_of_the_unanswerables(own: dict[str, list[Case]], name: str) -> None:
    kinds = [case.kind for case in own[name] if case.refuse]
    assert kinds.count("near-miss") >= len(kinds) / 2


@pytest.mark.parametrize("name", ["dev", "test", "unseen"])
def test_two_fifths_of_the_answerable_share_no_word_with_their_evidence(
    own: dict[str, list[Case]], corpora: dict[str, Corpus], name: str
) -> None:
    answerable = [case for case in own[name] if not case.refuse]
    assert sum(shares_no_word(case, corpora[name]) for case in answerable) >= 0.4 * len(answerable)


def test_40_unseen_cases_stand_over_6_articles_marked_as_invented(
    own: dict[str, list[Case]], corpora: dict[str, Corpus]
) -> None:
    marked = ["invented" in json.dumps(dict(article.metadata)) for article in corpora["unseen"].values()]
    assert (len(own["unseen"]), marked) == (40, [True] * 6)


def test_follow_ups_have_their_history(own: dict[str, list[Case]]) -> None:
    cases = [case for split in own.values() for case in split]
    assert [case.id for case in cases if case.kind == "follow-up" and not case.history] == []


@pytest.mark.parametrize("name", ["dev", "test", "unseen"])
def test_each_cell_of_a_table_is_in_the_words_of_an_accepted_answer_or_of_the_evidence(
    own: dict[str, list[Case]], corpora: dict[str, Corpus], name: str
) -> None:
    tables = [case for case in own[name] if case.table]
    cells = [(case, cell) for case in tables for row in case.table for cell in row.values()]
    assert tables
    assert [(case.id, cell) for case, cell in cells if not answer_found(words_of(case, corpora[name]), [cell])] == []


def write(path: Path, *cases: Mapping[str, object]) -> Path:
    path.write_text("".join(json.dumps(dict(case)) + "\n" for case in cases), encoding="utf-8")
    return path


def test_a_short_case_needs_only_a_question_and_a_quote(tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", {"id": "1", "question": "Who paid?", "evidence": [[{"quote": "Oslo paid 5"}]]})
    assert load_cases(path, ARTICLES) == [
        Case(
            id="1", split="test", question="Who paid?", kind="fact", history=(), filters={}, answers=(),
            evidence=((EvidenceSpan("oslo", 1, 0, 11),),), refuse=False, table=(),
        )
    ]  # fmt: skip


def test_ids_are_read_without_the_articles(tmp_path: Path) -> None:
    assert ids_of(write(tmp_path / "c.jsonl", {"id": "1"}, {"id": 2}, {"question": "Who?"})) == ["1", "2"]


def test_a_quote_without_a_place_stands_for_every_place_that_has_it(tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", {"id": "1", "question": "Who paid?", "evidence": [[{"quote": "Oslo paid"}]]})
    [case] = load_cases(path, ARTICLES)
    assert case.evidence == ((EvidenceSpan("oslo", 1, 0, 9), EvidenceSpan("oslo", 1, 32, 41)),)


def test_places_of_a_quote_may_overlap() -> None:
    article = Article(id="a", text="ha-ha-ha", title="Laughs")
    assert places_of("ha-ha", article) == [EvidenceSpan("a", 1, 0, 5), EvidenceSpan("a", 1, 3, 8)]


WRONG = [
    ({"id": "1", "question": "?", "evidence": [[{"quote": "Oslo paid 6"}]]}, "does not stand in the articles"),
    ({"id": "1", "question": "?", "evidence": [[{"quote": ""}]]}, "does not stand"),
    ({"id": "1", "question": "?", "evidence": [[{"article_id": "rome", "quote": "Oslo"}]]}, "'rome'"),
    (
        {"id": "1", "question": "?", "evidence": [[{"article_id": "oslo", "start": 0, "end": 4, "quote": "Rome"}]]},
        "reads",
    ),
    (
        {"id": "1", "question": "?", "evidence": [[{"article_id": "x", "start": 0, "end": 4, "quote": "Rome"}]]},
        "no article",
    ),
    ({"id": "1", "question": "?", "evidence": [[]]}, "has evidence or is to be refused"),
    ({"id": "1", "question": "?"}, "has evidence or is to be refused"),
    ({"id": "1", "question": "?", "refuse": True, "evidence": [[{"quote": "Oslo"}]]}, "not both"),
    ({"id": "1", "question": "?", "refuse": True, "kind": "riddle"}, "'riddle'"),
    ({"id": "1", "question": "?", "refuse": True, "answer": "5"}, "no field 'answer'"),
    ({"id": "1", "question": "?", "refuse": True, "draft": "Fill in."}, "is a draft"),
    ({"question": "?", "refuse": True}, "`id` is None; write a name"),
    ({"id": "1", "refuse": True}, "`question` is None; write a question in words"),
    ({"id": "1", "question": "?", "evidence": [[{"article_id": "oslo"}]]}, "not a case"),
    ({"id": ["1"], "question": "?", "refuse": True}, "`id` is .*; write a name"),
    ({"id": "1", "question": 5, "refuse": True}, "`question` is 5; write a question in words"),
    ({"id": "1", "question": " ", "refuse": True}, "`question` is ' '"),
    ({"id": "1", "question": "?", "refuse": "false"}, "`refuse` is 'false'; write true or false"),
    ({"id": "1", "question": "?", "refuse": True, "answers": "19"}, "`answers` is '19'; write a list"),
    (
        {"id": "1", "question": "?", "refuse": True, "split": "train"},
        "`split` is 'train'; write one of dev, test, unseen",
    ),
    ({"id": "1", "question": "?", "refuse": True, "sources": "Oslo Desk"}, "`sources` is 'Oslo Desk'; write a list"),
    ({"id": "1", "question": "?", "refuse": True, "as_of": "yesterday"}, "`as_of` 'yesterday' is not a date"),
    ({"id": "1", "question": "?", "refuse": True, "since": "2025-02-01", "until": "2025-01-01"}, "exchange them"),
    ({"id": "1", "question": "?", "refuse": True, "history": [{"question": 5}]}, "`history` is .*; write turns"),
    ({"id": "1", "question": "?", "refuse": True, "history": [{"answer": "5"}]}, "`history` is .*; write turns"),
    ({"id": "1", "question": "?", "refuse": True, "table": [{"sum": 5}]}, "`table` is .*; write rows"),
    ({"id": "1", "question": "?", "evidence": [{"quote": "Oslo"}]}, "`evidence` is .*; write needs"),
    ({"id": "1", "question": "?", "evidence": [[{"quote": 5}]]}, "`quote` is 5; copy the words"),
    (
        {"id": "1", "question": "?", "evidence": [[{"article_id": "oslo", "start": -6, "end": 50, "quote": "again."}]]},
        "-6 to 50 is no place",
    ),
    (
        {"id": "1", "question": "?", "evidence": [[{"article_id": "oslo", "start": "0", "end": 4, "quote": "Oslo"}]]},
        "'0' to 4 is no place",
    ),
    ({"id": "1", "question": "?", "kind": "fact", "refuse": True}, "`kind` 'fact' is to be answered"),
    ({"id": "1", "question": "?", "kind": "far", "evidence": [[{"quote": "Oslo"}]]}, "`kind` 'far' is to be refused"),
    ({"id": "1", "question": "?", "kind": "follow-up", "evidence": [[{"quote": "Oslo"}]]}, "has no `history`"),
]


@pytest.mark.parametrize(("case", "said"), WRONG)
def test_a_wrong_case_is_refused_by_its_line(tmp_path: Path, case: Mapping[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        load_cases(write(tmp_path / "c.jsonl", case), ARTICLES)
    assert str(caught.value).startswith("c.jsonl:1: ")


def test_an_empty_field_is_one_that_is_not_given(tmp_path: Path) -> None:
    given = {"id": "1", "question": "Who paid?", "evidence": [[{"quote": "Oslo paid 5"}]]}
    empty = dict.fromkeys(("split", "kind", "history", "as_of", "since", "until", "sources", "table", "note"))
    [short] = load_cases(write(tmp_path / "short.jsonl", given), ARTICLES)
    assert load_cases(write(tmp_path / "long.jsonl", {**empty, **given, "answers": [], "refuse": False}), ARTICLES) == [
        short
    ]


def test_two_cases_of_one_id_are_refused(tmp_path: Path) -> None:
    case = {"id": "1", "question": "?", "refuse": True}
    with pytest.raises(InputError, match="stands on an earlier line"):
        load_cases(write(tmp_path / "c.jsonl", case, case), ARTICLES)


def test_what_is_not_json_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("\n{", encoding="utf-8")
    with pytest.raises(InputError, match=r"c\.jsonl:2: not JSON"):
        load_cases(path, ARTICLES)


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_a_case_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"c\.jsonl: holds no case; write one JSON object a line"):
        load_cases(tmp_path / "c.jsonl", ARTICLES)
