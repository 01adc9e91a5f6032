"""What the reader and the weights of the `Quoter` are fitted on: stories, examples, and the fit itself."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from eval.cases import Case, load_cases
from eval.fit.judged import (
    SAMPLE_CASES,
    Judged,
    RememberingReader,
    asked,
    judged,
    plain_cases,
    squad_cases,
    story_cases,
)
from eval.fit.quoter import Outcome, best_row, fit, outcome, summary, unseen_scores, with_gap, worth
from eval.fit.reader import STAGES, ItemSet, alone, batches, search_loss, to_learn
from eval.fit.reader_examples import far_examples, judging_examples, public_examples, story_examples
from eval.fit.reader_searches import searches
from eval.fit.stories import FILE, Story, load_stories, split_stories
from eval.suites import articles_of
from index import NewsIndex
from index.sentences import Span
from rag.features import FEATURES
from rag.quoter_model import QuoterModel
from rag.reader import Extract, Readings
from tests.fakes import FakeEmbedder, FakeReader

FERRY = [
    "The ferry, which had left Bergen an hour before in fair weather, sank on Monday.",
    "Its captain was held in the harbour and questioned by officers until the evening.",
    "Rain fell on the boats that went out to look for those who were still missing.",
    "Four children drowned.",
    "Their school, on the far side of the fjord, was closed for the rest of that week.",
    "The company said nothing of the cause, and the prime minister said no more either.",
]
TUNNEL = ["The tunnel opened.", "It cost 40 million euros.", "The mayor cut a ribbon.", "Cars queued."]


def story(number: int) -> dict[str, object]:
    """Return a story as a line of the file holds it."""
    articles = [
        {"title": f"Title {number}", "source": "Desk", "published": "2031-05-04", "sentences": FERRY},
        {"title": f"Other {number}", "source": "Desk", "published": "2031-05-05", "sentences": TUNNEL},
    ]
    questions = [
        {"q": "How many minors died?", "kind": "count", "gold": ["0.3"], "answer": "Four"},
        {"q": "How many minors died on Tuesday?", "kind": "near", "gold": [], "answer": ""},
        {"q": "Which two things cost what?", "kind": "list", "gold": ["0.3", "1.1"], "answer": ""},
    ]
    return {"topic": "boats", "articles": articles, "questions": questions}


@pytest.fixture
def stories(tmp_path: Path) -> list[Story]:
    path = tmp_path / "stories.jsonl"
    path.write_text("".join(json.dumps(story(number)) + "\n" for number in range(6)), encoding="utf-8")
    return load_stories(path)


def test_a_story_s_sentences_stand_in_its_text(stories: list[Story]) -> None:
    article = stories[0].articles[0]
    assert [span.of(article.text) for span in article.spans] == FERRY
    assert "\n\n" in article.text


def test_gold_that_is_no_sentence_is_refused(tmp_path: Path) -> None:
    wrong = story(0) | {"questions": [{"q": "Who?", "kind": "fact", "gold": ["1.9"], "answer": ""}]}
    path = tmp_path / "wrong.jsonl"
    path.write_text(json.dumps(wrong), encoding="utf-8")
    with pytest.raises(ValueError, match=r"there is no sentence 1\.9"):
        load_stories(path)


def test_every_fifth_story_is_held_out_from_the_reader(stories: list[Story]) -> None:
    learned, held_out = split_stories(stories)
    assert [stories.index(story) for story in held_out] == [0, 5]
    assert len(learned) == 4


def test_the_stories_that_are_shipped_can_be_loaded_and_a_third_has_no_answer() -> None:
    shipped = load_stories(FILE)
    questions = [question for story in shipped for question in story.questions]
    assert len(questions) > 15_000
    assert 0.25 < np.mean([not question.gold for question in questions]) < 0.45


def test_examples_of_a_story_point_at_what_answers_and_nothing_else(stories: list[Story]) -> None:
    golden = 0
    for seed in range(5):
        for example in story_examples(stories, seed=seed):
            answers = {example.sentences[number].of(example.passage) for number in example.gold}
            listed = {"It cost 40 million euros."} if "things" in example.question.lower() else set()
            assert answers <= {"Four children drowned."} | listed
            assert "tuesday" not in example.question.lower() or not answers
            assert not example.answer or example.answer.of(example.passage) == "Four"
            golden += bool(answers)
    assert golden > 10


def test_a_name_that_a_window_lacks_is_introduced_by_the_sentence_that_holds_it(tmp_path: Path) -> None:
    asked = {"q": "How many children from Bergen died?", "kind": "count", "gold": ["0.3"], "answer": "Four"}
    path = tmp_path / "named.jsonl"
    path.write_text(json.dumps(story(0) | {"questions": [asked]}), encoding="utf-8")
    examples = [example for seed in range(40) for example in story_examples(load_stories(path), seed=seed)]
    introduced = [
        example
        for example in examples
        if example.passage.startswith(f"Title 0 (4 May 2031)\n{FERRY[0]}\n")
        and FERRY[0] not in {span.of(example.passage) for span in example.sentences}
    ]
    assert introduced
    assert all("Title" in e.passage or FERRY[0] not in e.passage for e in examples if len(e.sentences) == 1)


def test_a_question_is_also_read_beside_an_article_of_another_story_that_is_like_it(stories: list[Story]) -> None:
    names = [example.passage.split("\n")[0] for seed in range(9) for example in story_examples(stories[:1], seed=seed)]
    assert not [name for name in names if "Title 1" in name or "Other 1" in name]
    examples = [example for seed in range(9) for example in story_examples(stories[:2], seed=seed)]
    assert len(examples) > 9 * 2 * 3 * 2


def test_a_question_about_anything_is_read_beside_a_story_as_unanswered(stories: list[Story]) -> None:
    (example,) = far_examples(["Who discovered penicillin?"], stories, seed=0)
    assert (example.question, example.gold, example.answer) == ("Who discovered penicillin?", frozenset(), None)
    assert any(span.of(example.passage) in article.text for story in stories for article in story.articles
               for span in example.sentences)  # fmt: skip


def test_a_search_is_a_question_beside_all_passages_that_are_read_for_it(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    found = {search.examples[0].question: search for search in searches(stories[:1], 9, reach=1.0, seed=0)}
    assert set(found) == {"How many minors died?", "How many minors died on Tuesday?", "Which two things cost what?"}
    none, one, two = (found[question] for question in sorted(found))
    golden = [
        [example.sentences[place].of(example.passage) for example in search.examples for place in sorted(example.gold)]
        for search in (one, none, two)
    ]
    assert golden[:2] == [["Four children drowned."], []]
    assert sorted(golden[2]) == ["Four children drowned.", "It cost 40 million euros."]
    assert [search.several for search in (one, none, two)] == [False, False, True]
    answers = [example.answer.of(example.passage) for example in one.examples if example.answer]
    assert answers == ["Four"]
    assert len({example.passage for example in one.examples}) == len(one.examples) > 1


def test_the_loss_of_a_search_falls_when_a_right_sentence_rises_above_those_of_other_passages() -> None:
    held = torch.tensor([[True, True], [True, False]])
    right = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    below, above = torch.tensor([[0.0, 1.0], [3.0, 9.0]]), torch.tensor([[0.0, 4.0], [3.0, 9.0]])
    assert search_loss(above, held, right, several=False) < search_loss(below, held, right, several=False)
    none = torch.zeros(2, 2)
    assert search_loss(below - 9, held, none, several=False) < search_loss(below, held, none, several=False)


def test_where_several_sentences_are_needed_the_loss_counts_each_of_them() -> None:
    held, right = torch.ones(1, 3, dtype=torch.bool), torch.tensor([[1.0, 1.0, 0.0]])
    one, both = torch.tensor([[5.0, -5.0, 0.0]]), torch.tensor([[5.0, 4.0, 0.0]])
    assert search_loss(one, held, right, several=False) < 0.1
    assert search_loss(one, held, right, several=True) > 2
    assert search_loss(both, held, right, several=True) < 0.1


class Words:
    """Stand for the tokenizer: a token for every word of a pair."""

    def encode_batch(self, pairs: Sequence[tuple[str, str]]) -> list[Encoding]:
        return [self._one.encode(question, passage) for question, passage in pairs]

    _one = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    _one.pre_tokenizer = Whitespace()


def test_a_stage_learns_no_more_of_each_sort_than_it_may(
    stories: list[Story], public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    examples = public_examples(public, seed=0)
    stage = replace(STAGES["searches"], passes=1).at_most(2)
    sets = to_learn(stage, stories, examples, cast(Tokenizer, Words()), seed=0)
    assert [len(each.items) for each in sets[:6]] == [1] * 6
    assert [len(each.items) > 1 for each in sets[6:]] == [True, True]


def test_batches_hold_every_set_once_and_no_more_items_than_fit(stories: list[Story]) -> None:
    items = alone(story_examples(stories, seed=0), cast(Tokenizer, Words()))
    sets = [
        ItemSet(tuple(item for each in items[at : at + 5] for item in each.items)) for at in range(0, len(items), 5)
    ]
    found = list(batches(sets, random.Random(0)))
    assert sorted(id(each) for batch in found for each in batch) == sorted(map(id, sets))
    assert max(sum(len(each.items) for each in batch) for batch in found) <= 32
    assert len(found) > 1


def test_the_same_seed_draws_the_same_examples(stories: list[Story]) -> None:
    assert story_examples(stories, seed=1) == story_examples(stories, seed=1)
    assert story_examples(stories, seed=1) != story_examples(stories, seed=2)


def _paragraph(title: str) -> dict[str, object]:
    context = f"{title} tells of Oslo. Oslo lies in Norway. It has 700,000 people. The king lives there."
    answer = {"text": "Norway", "answer_start": context.index("Norway")}
    asked = [
        {"id": "1", "question": "Where does Oslo lie?", "answers": [answer], "is_impossible": False},
        {"id": "2", "question": "Who bombed Oslo in 1999?", "answers": [], "is_impossible": True},
    ]
    return {"title": title, "context": context, "qas": asked}


@pytest.fixture
def public(tmp_path: Path) -> Path:
    rows = [_paragraph(title) for title in ("Alpha", "Beta", "Gamma")]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for name in ("squad/dev-v2.0.jsonl", "squad/train.jsonl", "squadshifts/wiki.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(lines, encoding="utf-8")
    (tmp_path / "clapnq").mkdir()
    sentences = ["Tides rise.", "The moon pulls the water."]
    passage = {"title": "Tides", "text": " ".join(sentences), "sentences": sentences}
    for name, selected in (("answerable", sentences[1:]), ("unanswerable", [])):
        row = {
            "id": name,
            "input": "why do tides rise",
            "passages": [passage],
            "output": [{"selected_sentences": selected}],
        }
        (tmp_path / "clapnq" / f"clapnq_dev_{name}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    return tmp_path


def test_public_examples_point_at_the_sentence_of_the_answer(public: Path) -> None:
    examples = public_examples(public, seed=0)
    held = {example.sentences[n].of(example.passage) for example in examples for n in example.gold}
    assert held == {"Oslo lies in Norway.", "The moon pulls the water."}
    assert {example.answer.of(example.passage) for example in examples if example.answer} == {"Norway"}
    impossible = [example for example in examples if "bombed" in example.question]
    assert impossible
    assert not any(example.gold for example in impossible)


def test_examples_for_judging_are_of_the_test_half_alone(public: Path) -> None:
    assert len(judging_examples(public)) == 2  # Beta: of the titles in order every second, from the second on


def test_the_fit_finds_the_feature_that_tells_and_a_bias_that_refuses() -> None:
    draw = np.random.default_rng(0)
    telling = FEATURES.index("evidence")
    parts = []
    for number in range(60):
        rows, gold = draw.normal(size=(8, len(FEATURES))), np.zeros(8, dtype=bool)
        if number % 3:
            gold[number % 8] = True
            rows[number % 8, telling] += 6
        parts.append(Judged(case(f"dev-{number}", refuse=not number % 3), rows, gold))
    model = fit(parts, range(len(FEATURES)))
    assert int(np.argmax(np.abs(model.weights))) == telling
    right = [(model.score(part.rows).max() > 0) != part.case.refuse for part in parts]
    assert np.mean(right) > 0.95


class Seen:
    """Stand for weights by the stories that they were fitted on; a row holds the number of its story."""

    def __init__(self, parts: Sequence[Judged], columns: Sequence[int]) -> None:
        self._stories = {part.rows[0, 0] for part in parts}

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Return 1 for a row of a story that was seen."""
        return np.isin(rows[:, 0], list(self._stories)).astype(float)


@pytest.mark.parametrize("split", ["story", "squad"])
def test_weights_that_judge_a_question_did_not_see_its_story(split: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.fit.quoter.fit", Seen)
    parts = [
        Judged(replace(case(f"story-{number}-{place}"), split=split), np.full((2, 1), number), np.array([True, False]))
        for number in range(10)
        for place in range(3)
    ]
    scored = unseen_scores(parts, [0])
    assert sorted(part.case.id for part, _ in scored) == sorted(part.case.id for part in parts)
    assert not any(scores.any() for _, scores in scored)


def case(identity: str, *, refuse: bool = False, kind: str = "fact") -> Case:
    return Case(
        id=identity, split="dev", question="?", kind=kind, history=(), filters={}, answers=(), evidence=(),
        refuse=refuse,
    )  # fmt: skip


def test_refusing_what_is_there_weighs_as_much_as_answering_both_kinds_of_what_is_not() -> None:
    good = Outcome(case("a"), False, 1.0, 1.0)
    refused = Outcome(case("b"), True, 0.0, 0.0)
    near = Outcome(case("c", refuse=True, kind="near-miss"), False, 0.0, 0.0)
    far = Outcome(case("d", refuse=True, kind="far"), False, 0.0, 0.0)
    assert summary([good, refused, near, far]) == (0.5, 1.0, 1.0, 1.0, 0.5, 0.5)
    assert worth((0.5, 0, 0, 1, 1, 1)) == worth((0, 0.5, 0.5, 1, 1, 1))


def test_of_settings_that_are_worth_as_much_the_most_precise_is_taken() -> None:
    precise, complete, poor = (0, 0, 0, 0.75, 0.70, 1), (0, 0, 0, 0.73, 0.725, 1), (0, 0, 0, 0.9, 0.4, 1)
    assert best_row([precise, complete, poor]) == 0
    assert best_row([complete, precise]) == 1
    assert best_row([(0, 0, 0, 0.7, 0.9, 1), precise]) == 0


def test_a_story_s_questions_are_judged_against_its_own_articles(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    with story_cases(stories[:1]) as (index, cases):
        parts = judged(asked(index, cases, FakeReader(), 1.0))
    assert [part.case.refuse for part in parts] == [False, True, False]
    assert [int(part.gold.sum()) for part in parts] == [1, 0, 2]
    assert [len(case.evidence) for case in cases] == [1, 0, 2]


def test_an_outcome_compares_what_is_cited_with_what_is_needed(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    with story_cases(stories[:1]) as (index, cases):
        (found, *_) = asked(index, cases, FakeReader(), 1.0)
    least = QuoterModel.load()
    answered = outcome(found, replace(least, threshold=-1e9))
    assert (answered.refused, answered.recall > 0) == (False, answered.precision > 0)
    assert outcome(found, replace(least, threshold=1e9)) == Outcome(found.case, True, 0.0, 0.0)


def test_a_gap_is_changed_for_its_kind_alone() -> None:
    model = QuoterModel.load()
    changed = with_gap(model, "list", 99.0)
    assert {kind: gap for kind, gap in changed.gaps.items() if model.gaps[kind] != gap} == {"list": 99.0}


def test_every_fitting_case_rests_on_words_of_the_sample_articles(checkout: Path, tmp_path: Path) -> None:
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest(checkout / "seeds" / "articles.jsonl")
        cases = load_cases(SAMPLE_CASES, articles_of(index))
    assert {case.split for case in cases} == {"fit"}
    assert len(cases) > 140


def test_questions_of_squad_s_fitting_half_have_their_answers_as_evidence(
    public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    with squad_cases(public) as (index, cases):
        asked = {(case.question, case.id.split("-")[1]): case for case in cases}
        assert {title for _, title in asked} == {"Alpha", "Gamma"}
        lie = asked["Where does Oslo lie?", "Alpha"]
        ((span,),) = lie.evidence
        assert index.article(span.article_id).text[span.start : span.end] == "Norway"
        assert asked["Who bombed Oslo in 1999?", "Alpha"].refuse


def test_every_answer_that_a_plain_question_expects_stands_in_the_sample_articles(
    checkout: Path, tmp_path: Path
) -> None:
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest(checkout / "seeds" / "articles.jsonl")
        cases = plain_cases(index)
    assert [case.refuse for case in cases] == [not case.evidence for case in cases]
    assert all(need for case in cases for need in case.evidence)


class CountingReader(FakeReader):
    """Count how often it reads."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, question: str, extracts: Sequence[Extract]) -> list[Readings]:
        self.count += 1
        return super().read(question, extracts)


def test_a_remembering_reader_reads_each_question_beside_each_passage_once() -> None:
    counting = CountingReader()
    reader = RememberingReader(counting)
    extract = Extract("", "It rained.", (Span(0, 10),))
    assert np.array_equal(reader.read("Did it rain?", [extract])[0], reader.read("Did it rain?", [extract])[0])
    assert counting.count == 1
    reader.read("Did it snow?", [extract])
    assert counting.count == 2
