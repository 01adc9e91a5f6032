"""The benchmark of growth makes up news that can be told apart, and prints what it measured."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.bench.scale import ROWS, StubEmbedder, Task, ingest, table, use
from tests.bench.scale_corpus import Story, stories


def some(count: int, *, seed: int = 1) -> list[Story]:
    return list(islice(stories(seed=seed), count))


def words_of(told: list[Story]) -> set[str]:
    return {word for story in told for word in story.row["text"].lower().split()}


def test_the_same_seed_makes_up_the_same_articles() -> None:
    assert (some(5) == some(5), some(5) == some(5, seed=2)) == (True, False)


def test_no_two_articles_have_the_same_id_or_text() -> None:
    told = some(200)
    assert {len({story.row[name] for story in told}) for name in ("id", "text")} == {200}


def test_more_articles_bring_more_words() -> None:
    """As in news: what is held does not run out of rare words (Heaps' law)."""
    assert len(words_of(some(200))) > 1.4 * len(words_of(some(100)))


def test_a_question_names_what_its_article_is_about() -> None:
    story = some(1)[0]
    names = [name for name in story.row["title"].partition(":")[0].split(" in ") if name in story.question]
    assert names != []


def test_the_stub_gives_a_text_the_same_vector_of_length_one_each_time() -> None:
    vectors = StubEmbedder().embed_passages(["a", "b", "a"])
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1, 1, 1])
    assert (bool((vectors[0] == vectors[2]).all()), bool((vectors[0] == vectors[1]).all())) == (True, False)


def test_every_row_of_the_table_is_measured(tmp_path: Path) -> None:
    task = Task("ingest", 3, "stub", tmp_path / "three")
    figures = ingest(task, None) | use(task, None)
    assert sorted(figures) == sorted(name for name, _, _ in ROWS)
    assert (figures["articles"], len(table([figures]).splitlines())) == (3, len(ROWS) + 2)


def test_a_task_is_told_to_another_process() -> None:
    task = Task("use", 3, "stub", Path("folder"))
    assert Task.read(task.arguments()[1:]) == task
