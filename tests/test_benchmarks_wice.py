import json
from pathlib import Path

import pytest

from eval.benchmarks.options import Options
from eval.benchmarks.wice import load, run, verdict_scores
from tests.fakes import FakeEmbedder


def row(name: str, label: str, claim: str, evidence: list[str], supporting: list[int] | None) -> dict[str, object]:
    places = [10 * number for number in range(len(evidence))]
    meta: dict[str, object] = {"id": name, "claim_title": f"Article {name}", "claim_section": "", "chunk_idx": places}
    if supporting is not None:
        meta["oracle_idx"] = [places[number] for number in supporting]
    return {"label": label, "claim": claim, "evidence": evidence, "meta": meta}


BOATS = ["Nobody slept.", "Boats left Cork at dawn.", "It was cold."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        row("a", "supported", "Boats left Cork at dawn.", BOATS, [1]),
        row("a", "supported", "Boats left Cork at dawn.", ["It was cold.", "Nobody slept."], [0]),
        row("b", "not_supported", "A bridge fell in Genoa.", ["The market opened.", "Fish was sold."], None),
    ]
    (tmp_path / "claim-dev.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return tmp_path


def test_supporting_sentences_are_numbered_within_the_chunk(folder: Path) -> None:
    assert [sorted(chunk.supporting) for chunk in load(folder)] == [[1], [0], []]


def test_a_claim_takes_the_best_verdict_of_its_chunks(folder: Path) -> None:
    asked = []

    def checker(sentence: str, quote: str, /) -> str:
        asked.append((sentence, quote))
        return "supported" if "Boats left" in quote else "unsupported"

    options = Options(folder=folder, part="all", embedder=FakeEmbedder(), checkers={"mine": checker})
    rows = {row.metric: row for row in run(options).rows}
    assert asked[0] == ("Boats left Cork at dawn.", " ".join(BOATS))
    assert (rows["verdicts: accuracy, mine"].value, rows["verdicts: accuracy, mine"].n) == (1.0, 2)
    assert rows["verdicts: F1 of supported, mine"].value == 1.0
    assert [p.value for p in rows["verdicts: F1 of supported, mine"].published] == [0.778, 0.618, 0.61]


def test_published_verdicts_say_of_how_few_claims_they_are(folder: Path) -> None:
    rows = run(
        Options(folder=folder, part="all", embedder=FakeEmbedder(), checkers={"mine": lambda s, q: "partial"})
    ).rows
    assert {published.source for row in rows for published in row.published} == {
        "result_table.tex of the repository, oracle chunks of 100 claims of the test file, 22 supported (R)"
    }


def test_partial_support_is_not_support() -> None:
    assert verdict_scores([("partial", True), ("supported", True)]) == {"F1": pytest.approx(2 / 3), "accuracy": 0.5}
    assert verdict_scores([("unsupported", False)]) == {"F1": 0.0, "accuracy": 1.0}


def test_sentences_are_ranked_by_three_means_and_chunks_without_support_are_left_out(folder: Path) -> None:
    report = run(Options(folder=folder, part="all", embedder=FakeEmbedder(), checkers={"none": lambda s, q: "partial"}))
    rows = {row.metric: row for row in report.rows}
    for name in ("ours", "dense only", "words in common"):
        assert rows[f"evidence sentences: first is supporting, {name}"].n == 2
    assert rows["evidence sentences: recall@3, ours"].value == 1.0
    assert report.n == 2


def test_without_a_checker_those_that_exist_are_judged(folder: Path) -> None:
    metrics = {row.metric for row in run(Options(folder=folder, part="all", embedder=FakeEmbedder())).rows}
    assert {"verdicts: accuracy, verbatim", "verdicts: accuracy, words in common"} <= metrics


def test_the_real_file_is_read(shared_folder: Path) -> None:
    folder = shared_folder / "data" / "wice"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/wice, and there is none")
    chunks = load(folder)
    assert all(bool(chunk.supporting) == (chunk.label != "not_supported") for chunk in chunks)
