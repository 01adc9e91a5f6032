"""What is made for the reader to learn from and to be judged on."""

import json
from pathlib import Path

import pytest

from eval.fit.reader import DRAWN, JUDGED
from eval.fit.reader_sets import ExampleSet
from eval.fit.reader_sources import sets_of
from eval.fit.stories import Story, load_stories
from tests.fakes import FakeEmbedder
from tests.fit.told import story


@pytest.fixture
def mixed(tmp_path: Path) -> list[Story]:
    """Return six stories: the first, which is held out, and the third are of three articles."""
    told = [story(number) for number in range(6)]
    for saga in (told[0], told[2]):
        articles = saga["articles"]
        assert isinstance(articles, list)
        articles.append(articles[0] | {"title": "Again"})
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in told), encoding="utf-8")
    return load_stories(path)


@pytest.fixture
def made(mixed: list[Story], public: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[ExampleSet]]:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    return dict(sets_of(public, mixed))


def test_all_is_made_that_training_draws_and_is_judged_on(made: dict[str, list[ExampleSet]]) -> None:
    assert sorted(made) == sorted((*DRAWN, *JUDGED))
    assert all(made.values())


def test_sagas_are_apart_from_other_stories(made: dict[str, list[ExampleSet]]) -> None:
    of_sagas = {"sagas", "saga_searches", "sagas_held_out", "saga_searches_held_out"}
    heads = ("Title 0", "Title 2", "Other 0", "Other 2", "Again")
    told = {name for name, sets in made.items() for each in sets if each.examples[0].passage.startswith(heads)}
    assert told - {"far", "twins", "twin_searches", "twin_searches_held_out"} == of_sagas


def test_twins_are_learned_apart_from_the_other_questions(made: dict[str, list[ExampleSet]]) -> None:
    asked = {name: {e.question.lower() for each in sets for e in each.examples} for name, sets in made.items()}
    of_twins = {"who questioned the captain of the ferry", "who blamed the captain of the ferry"}
    for name in DRAWN:
        questions = {question.rstrip("?") for question in asked[name]}
        assert of_twins <= questions if name.startswith("twin") else not of_twins & questions, name


def test_nothing_that_judges_is_learned_from(made: dict[str, list[ExampleSet]]) -> None:
    titles = [
        {e.passage.partition(" (")[0] for name in names if name not in ("public", "squad_test")
         for each in made[name] for e in each.examples if e.passage.startswith(("Title", "Other"))}
        for names in (DRAWN, JUDGED)
    ]  # fmt: skip
    assert titles[0]
    assert titles[1]
    assert not titles[0] & titles[1]
