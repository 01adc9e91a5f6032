import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks.clapnq import cited_sentences, load, run, selection_f1
from eval.benchmarks.options import Options
from index.errors import InputError
from index.sentences import Span
from tests.fakes import FakeEmbedder


def row(number: int, title: str, sentences: list[str], question: str, selections: list[list[str]]) -> dict[str, Any]:
    return {
        "id": str(number), "input": question,
        "passages": [{"title": title, "text": " ".join(sentences) + " ", "sentences": sentences}],
        "output": [{"answer": "", "selected_sentences": selected} for selected in selections],
    }  # fmt: skip


TIDES = ["Tides rise twice a day .", "The moon pulls the water of the oceans .", "Fishers know them well ."]
WHEAT = ["Wheat grows in Kansas .", "Farmers harvest the wheat of Kansas in June .", "Bread is baked from it ."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    answerable = [
        row(1, "Tides", TIDES, "what pulls the water of the oceans", [[TIDES[1]], [TIDES[0], TIDES[1]]]),
        row(2, "Wheat", WHEAT, "when do farmers harvest the wheat of Kansas", [[WHEAT[1]], []]),
        row(5, "Wheat", WHEAT, "is it", [[]]),
    ]
    unanswerable = [
        row(3, "Xenon", ["Xenon is a gas .", "It glows ."], "who sank the Lusitania", [[]]),
        row(4, "Yaks", ["Yaks have long hair .", "They live in Tibet ."], "what pulls the water of the oceans", [[]]),
    ]
    for name, rows in (("answerable", answerable), ("unanswerable", unanswerable)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"clapnq_dev_{name}.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def test_sentences_are_found_at_their_places_and_selections_by_number(folder: Path) -> None:
    first = load(folder)[0]
    assert [span.of(first.passage) for span in first.sentences] == TIDES
    assert first.selections == (frozenset({1}), frozenset({0, 1}))
    assert [question.answerable for question in load(folder)] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("sentences", "selected", "said"),
    [
        (["Tides rise.", "Tides sink."], [], "sentence 2 does not stand in its passage: 'Tides sink.'"),
        (["Tides rise."], ["Tides sink."], "a selected sentence is none of its passage: 'Tides sink.'"),
    ],
)
def test_a_sentence_that_does_not_stand_in_its_passage_is_said(
    folder: Path, sentences: list[str], selected: list[str], said: str
) -> None:
    broken = row(9, "Tides", ["Tides rise."], "what rises", [selected])
    broken["passages"][0]["sentences"] = sentences
    (folder / "clapnq_dev_answerable.jsonl").write_text(json.dumps(broken) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        load(folder)
    assert (
        f"clapnq_dev_answerable.jsonl:1: {said}; docs/benchmarks.md says which file belongs here, and where to get it"
        in str(error.value)
    )


def test_a_cited_span_stands_for_every_sentence_that_it_touches(folder: Path) -> None:
    first = load(folder)[0]
    second = first.sentences[1]
    assert cited_sentences(first, [Span(second.start + 4, second.end + 3)]) == {1, 2}
    assert cited_sentences(first, []) == frozenset()


def test_the_annotator_that_fits_best_counts_and_a_refusal_scores_nothing() -> None:
    assert selection_f1({1}, [frozenset({0}), frozenset({0, 1})]) == pytest.approx(2 / 3)
    assert selection_f1(set(), [frozenset({0})]) == 0


def test_each_question_is_asked_about_its_own_passage(folder: Path) -> None:
    report = run(Options(folder=folder, part="all", embedder=FakeEmbedder()))
    figures = {row.metric: (row.value, row.n) for row in report.rows}
    assert figures["sentence selection F1, ours"] == (0.8333, 2)
    assert figures["sentence selection F1, the whole passage"] == (0.65, 2)
    assert figures["answerable: refused (wrongly)"] == (0.0, 2)
    assert figures["unanswerable: refused"] == (1.0, 2)
    assert "1 answerable questions for which nobody selected a sentence are left out." in report.notes


def test_the_halves_share_no_title(folder: Path) -> None:
    titles = {
        part: {title for title in ("Tides", "Wheat", "Xenon", "Yaks") if title in chosen}
        for part, chosen in (("test", {"Wheat", "Yaks"}), ("fit", {"Tides", "Xenon"}))
    }
    assert run(Options(folder=folder, part="test", embedder=FakeEmbedder())).n == len(titles["test"])
    assert run(Options(folder=folder, part="fit", embedder=FakeEmbedder())).n == len(titles["fit"])


def test_the_real_files_are_read(shared_folder: Path) -> None:
    folder = shared_folder / "data" / "clapnq"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/clapnq, and there is none")
    questions = load(folder)
    assert all(span.of(q.passage).strip() for q in questions for span in q.sentences)
    assert len(questions) == 300
