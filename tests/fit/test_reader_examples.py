"""What the reader is trained on: windows of stories and of public articles, and which sentences answer."""

import json
from pathlib import Path

import numpy as np
import pytest

from eval.fit.reader_examples import far_examples, judging_examples, public_examples, story_examples
from eval.fit.stories import FILE, Story, load_stories, split_stories, told_by_twins
from tests.fit.told import FERRY, story


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


def test_of_the_twins_that_are_shipped_one_has_an_answer_and_the_other_has_none() -> None:
    twins = [question for story in told_by_twins(load_stories(FILE)) for question in story.questions]
    assert len(twins) > 2_000
    assert all(question.gold and question.kind != "false-premise" for question in twins[::2])
    assert all(not question.gold and question.kind == "false-premise" for question in twins[1::2])


def test_a_story_is_told_by_its_twins_in_place_of_its_questions(stories: list[Story], tmp_path: Path) -> None:
    path = tmp_path / "without.jsonl"
    path.write_text(json.dumps({key: value for key, value in story(0).items() if key != "twins"}), encoding="utf-8")
    told = told_by_twins([*stories, *load_stories(path)])
    assert [each.articles for each in told] == [each.articles for each in stories]
    assert {question.text.partition(" ")[2] for each in told for question in each.questions} == {
        "questioned the captain of the ferry?", "blamed the captain of the ferry?"
    }  # fmt: skip


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


def test_the_same_seed_draws_the_same_examples(stories: list[Story]) -> None:
    assert story_examples(stories, seed=1) == story_examples(stories, seed=1)
    assert story_examples(stories, seed=1) != story_examples(stories, seed=2)


def test_public_examples_point_at_the_sentence_of_the_answer(public: Path) -> None:
    examples = public_examples(public, seed=0)
    held = {example.sentences[n].of(example.passage) for example in examples for n in example.gold}
    assert held == {"Oslo lies in Norway.", "The moon pulls the water."}
    assert {example.answer.of(example.passage) for example in examples if example.answer} == {"Norway"}
    impossible = [example for example in examples if "bombed" in example.question]
    assert impossible
    assert not any(example.gold for example in impossible)


def test_the_official_files_of_squad_and_squadshifts_give_the_same_examples(public: Path) -> None:
    lines = public_examples(public, seed=0), judging_examples(public)
    for path in [*public.glob("squad/*.jsonl"), *public.glob("squadshifts/*.jsonl")]:
        rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        articles = [{"title": row.pop("title"), "paragraphs": [row]} for row in rows]
        path.with_suffix(".json").write_text(json.dumps({"version": "v1", "data": articles}), encoding="utf-8")
        path.unlink()
    assert (public_examples(public, seed=0), judging_examples(public)) == lines


def test_examples_for_judging_are_of_the_test_half_alone(public: Path) -> None:
    assert len(judging_examples(public)) == 2  # Beta: of the titles in order every second, from the second on
