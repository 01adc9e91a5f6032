import json
import shutil
from pathlib import Path

import pytest

from eval.benchmarks.beir import judge, load_documents, load_queries, run
from eval.benchmarks.data_files import MissingDataError
from eval.benchmarks.options import Options
from index.errors import InputError
from tests.fakes import FakeEmbedder

TEXTS = {"d1": "Larks sing over Dover.", "d2": "Owls hunt mice at night.", "d3": "Larks nest on the ground.", "d4": ""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scifact"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "title": "", "text": text} for name, text in TEXTS.items()]
    queries = [{"_id": "q1", "text": "Where do larks sing?"}, {"_id": "q2", "text": "What do owls hunt?"}]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td3\t0\n", encoding="utf-8")
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td2\t1\n", encoding="utf-8")
    return folder


def test_each_part_has_the_judgements_of_its_own_file(folder: Path) -> None:
    assert [(query.id, query.grades) for query in load_queries(folder, "test")] == [("q1", {"d1": 2, "d3": 0})]
    assert [query.id for query in load_queries(folder, "fit")] == ["q2"]
    assert [query.id for query in load_queries(folder, "all")] == ["q1", "q2"]


def test_a_line_of_judgements_without_three_fields_is_named(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("q1 d1 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"test\.tsv:1: 'q1 d1 1' is not query, document and grade"):
        load_queries(folder, "test")


def test_an_irrelevant_document_before_the_relevant_one_costs_gain_and_rank() -> None:
    figures = judge(["d3", "d1"], {"d1": 2, "d3": 0})
    assert figures == {"nDCG@10": pytest.approx(0.6309, abs=1e-4), "recall@100": 1.0, "MRR@10": 0.5}


def test_a_known_set_is_shown_beside_its_published_figures(folder: Path) -> None:
    report = run(Options(folder=folder, embedder=FakeEmbedder()))
    rows = {row.metric: row for row in report.rows}
    assert rows["nDCG@10, ours"].value == rows["nDCG@10, words only"].value == 1.0
    assert [p.value for p in rows["nDCG@10, ours"].published] == [0.6789, 0.688, 0.7408, 0.6451, 0.7056]
    assert (report.settings["documents"], report.settings["documents left out"]) == (3, 1)


def test_documents_with_the_same_words_are_one_article_under_every_id(folder: Path) -> None:
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"_id": "d0", "title": "", "text": TEXTS["d2"]}) + "\n")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td0\t1\nq2\td2\t1\n", encoding="utf-8")
    rows = {row.metric: row.value for row in run(Options(folder=folder, embedder=FakeEmbedder())).rows}
    assert len(load_documents(folder)) == 5
    assert rows["recall@100, words only"] == 1.0


def ask(folder: Path, name: str, text: str, document: str) -> None:
    """Make a query the only one of the part that tests, with one relevant document."""
    (folder / "queries.jsonl").write_text(json.dumps({"_id": name, "text": text}) + "\n", encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{name}\t{document}\t1\n", encoding="utf-8")


def test_a_query_over_the_limit_is_cut_and_counted(folder: Path) -> None:
    ask(folder, "q1", "Where do larks sing? " + "Words and words. " * 200, "d1")
    report = run(Options(folder=folder, embedder=FakeEmbedder()))
    assert {row.metric: row.value for row in report.rows}["MRR@10, words only"] == 1.0
    assert "1 queries are cut to 2,000 characters." in report.notes


def test_a_document_with_the_query_s_own_id_is_passed_over(folder: Path) -> None:
    ask(folder, "d1", TEXTS["d1"], "d3")
    rows = {row.metric: row.value for row in run(Options(folder=folder, embedder=FakeEmbedder())).rows}
    assert rows["MRR@10, words only"] == rows["nDCG@10, dense only"] == 1.0


def test_a_set_inside_the_folder_beir_is_found_by_its_own_name(folder: Path) -> None:
    (folder.parent / "beir").mkdir()
    folder.rename(folder.parent / "beir" / "ArguAna")
    report = run(Options(folder=folder.parent, embedder=FakeEmbedder()))
    assert report.settings["folder"] == "arguana"
    assert [(p.system, p.value) for row in report.rows for p in row.published] == [
        ("BM25", 0.315), ("BM25 + MiniLM cross-encoder", 0.311),
    ]  # fmt: skip


def test_a_set_of_another_name_has_no_published_figures_and_says_so(folder: Path) -> None:
    report = run(Options(folder=folder.rename(folder.parent / "beir").parent, embedder=FakeEmbedder()))
    assert not any(row.published for row in report.rows)
    assert report.notes[-1] == "No published figures are known to us of a set in a folder named 'beir'."


def test_of_several_sets_one_has_to_be_named(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "fiqa")
    with pytest.raises(MissingDataError, match=r"holds several sets \(fiqa, scifact\); name the folder of one"):
        load_documents(folder.parent)
