"""Make what the reader learns from: ``python -m eval.fit.reader_sources --data FOLDER --out FILE``.

It takes some 25 minutes on two cores. The public questions, the windows of stories and the searches are
those of `reader_examples` and `reader_searches`; `far` are public questions beside windows of stories, each of them
learned beside its own passage too; twins are learned in both ways. What judges the reader is SQuAD's test half and the
stories held out, the sagas apart: each of them has seven articles on events that resemble each other.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.fit.command import run_fit
from eval.fit.reader_examples import far_examples, judging_examples, public_examples, story_examples
from eval.fit.reader_searches import searches
from eval.fit.reader_sets import Example, ExampleSet, write_sets
from eval.fit.stories import Story, load_stories, split_stories, told_by_twins
from rag.quoter_model import QuoterModel

_DRAWS = 3  # of windows for every question of a story
_FAR = 16_000
_SEARCHES, _SAGA_SEARCHES = 40_000, 10_000  # about all that there are
_JUDGED_WINDOWS, _JUDGED_SEARCHES = 2_000, 300  # of stories and of sagas each
_PAIR = 2  # articles of a story that is no saga


def sets_of(data: Path, stories: Sequence[Story]) -> Iterator[tuple[str, list[ExampleSet]]]:
    """Yield the sets of each name, from the folder of the public sets and from stories."""
    learned, held_out = split_stories(stories)
    reach = QuoterModel.load().reach
    public = public_examples(data, seed=7)
    yield "public", _alone(public)
    yield "stories", _alone(_windows(_pairs(learned)))
    yield "sagas", _alone(_windows(_sagas(learned)))
    asked = random.Random(0).sample(public, min(_FAR, len(public)))
    yield "far", _alone(far_examples([example.question for example in asked], learned, seed=0))
    yield "saga_searches", searches(_sagas(learned), _SAGA_SEARCHES, reach=reach, seed=1)
    yield "searches", searches(_pairs(learned), _SEARCHES, reach=reach, seed=2)
    yield "twins", _alone(_windows(told_by_twins(learned)))
    yield "twin_searches", searches(told_by_twins(learned), _SEARCHES, reach=reach, seed=5)
    yield "squad_test", _alone(judging_examples(data)[:1000])
    yield "sagas_held_out", _alone(story_examples(_sagas(held_out), seed=0)[:_JUDGED_WINDOWS])
    yield "stories_held_out", _alone(story_examples(_pairs(held_out), seed=0)[:_JUDGED_WINDOWS])
    yield "saga_searches_held_out", searches(_sagas(held_out), _JUDGED_SEARCHES, reach=reach, seed=3)
    yield "searches_held_out", searches(_pairs(held_out), _JUDGED_SEARCHES, reach=reach, seed=4)
    yield "twin_searches_held_out", searches(told_by_twins(held_out), _SEARCHES, reach=reach, seed=5)


def _windows(stories: Sequence[Story]) -> list[Example]:
    return [example for seed in range(_DRAWS) for example in story_examples(stories, seed=seed)]


def _alone(examples: Sequence[Example]) -> list[ExampleSet]:
    return [ExampleSet((example,)) for example in examples]


def _pairs(stories: Sequence[Story]) -> list[Story]:
    return [story for story in stories if len(story.articles) <= _PAIR]


def _sagas(stories: Sequence[Story]) -> list[Story]:
    return [story for story in stories if len(story.articles) > _PAIR]


def main() -> None:
    """Make the examples, print how many there are of each name, and write them."""
    parser = argparse.ArgumentParser(description="Make what the reader learns from.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    options = parser.parse_args()
    made = {}
    for name, sets in sets_of(options.data, load_stories()):
        made[name] = sets
        print(f"{name}: {len(sets)} sets of {sum(len(each.examples) for each in sets)} passages", flush=True)
    write_sets(made, options.out)


if __name__ == "__main__":
    run_fit(main)
