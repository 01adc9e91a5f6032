"""Stories and public questions, a few of each, to fit on."""

import json
from pathlib import Path

import pytest

from eval.fit.stories import Story, load_stories
from tests.fit.told import story


@pytest.fixture
def stories(tmp_path: Path) -> list[Story]:
    path = tmp_path / "stories.jsonl"
    path.write_text("".join(json.dumps(story(number)) + "\n" for number in range(6)), encoding="utf-8")
    return load_stories(path)


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
