import json
from pathlib import Path

import pytest

from eval.benchmarks.multihop_rag import (
    found_in,
    judge,
    load_documents,
    load_queries,
    run,
    scored_part,
    shares_a_token,
)
from eval.benchmarks.options import Options, chosen_groups
from tests.fakes import FakeEmbedder

FACTS = [
    ("Bees", "The Meadow", "Keepers in Devon lost half of their hives in March."),
    ("Bees", "The Valley", "The ministry blamed a mite for the losses in Devon."),
    ("Coal", "The Ridge", "The last pit of Durham closed on a Friday."),
    ("Coal", "The Coast", "Miners of Durham marched behind a brass band."),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    facts = [
        {"fact_id": f"f{n}", "title": f"{title} {n}", "source": source, "fact": fact, "query_ids": []}
        for n, (title, source, fact) in enumerate(FACTS)
    ]
    chunks = [{"chunk_id": "c0", "title": "Rain", "from": "log", "text": "It rained in Leeds all day long."}]
    evidence = [{"title": fact["title"], "fact": fact["fact"]} for fact in facts]
    queries = [
        {"id": "1", "query": "What hit the keepers of hives in Devon, and what did the ministry blame for the losses?",
         "answer": "mite", "question_type": "inference_query", "evidence_list": evidence[:2]},
        {"id": "2", "query": "Which pit of Durham closed and who marched there?", "answer": "Durham",
         "question_type": "inference_query", "evidence_list": evidence[2:]},
        {"id": "3", "query": "Who sank the Lusitania?", "answer": "Insufficient information.",
         "question_type": "null_query", "evidence_list": []},
    ]  # fmt: skip
    for name, rows in (("facts", facts), ("partial_chunks", chunks), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path


def test_a_fact_is_found_without_spaces_and_line_breaks_but_with_its_case() -> None:
    assert found_in(["It said: the last\npit closed.", "The Last pit closed."], "last pit  closed") == [True, False]


def test_one_fact_is_enough_for_hits_and_every_fact_for_all_evidence() -> None:
    texts = ["x", "y", "z", "u", "holds fact a", *["v"] * 5, "holds fact b"]
    assert judge(texts, ["fact a", "fact b"]) == {
        "Hits@4": 0.0, "Hits@10": 1.0, "MRR@10": 0.2, "all-evidence recall@10": 0.0,
    }  # fmt: skip
    assert judge([], ["fact a"])["MRR@10"] == 0


def test_any_shared_token_counts_and_punctuation_stays_on_it() -> None:
    assert [shares_a_token("It was Taylor", "taylor swift"), shares_a_token("yes.", "Yes")] == [1.0, 0.0]


def test_where_a_prediction_quotes_its_answer_only_that_is_scored() -> None:
    assert scored_part('Yes: so say both. The answer to the question is "No". "Well"') == "No"
    assert scored_part("The answer is Yes") == "The answer is Yes"


def test_answers_are_judged_by_kind_beside_published_figures_of_that_kind(folder: Path) -> None:
    rows = {row.metric: row for row in run(Options(folder=folder, part="all", embedder=FakeEmbedder())).rows}
    row = rows["inference queries: share a token (official)"]
    assert (row.n, [published.value for published in row.published]) == (2, [0.9216, 0.951])
    assert "null queries: share a token (official)" not in rows


def test_how_many_queries_hang_together_by_their_evidence_is_told(folder: Path) -> None:
    title = {"title": "Bees 1", "fact": "The mite came by ship."}
    row = {"id": "4", "query": "?", "answer": "no", "question_type": "temporal_query", "evidence_list": [title]}
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as queries:
        queries.write(json.dumps(row) + "\n")
    notes = run(Options(folder=folder, part="fit", embedder=FakeEmbedder())).notes
    assert notes[-1] == (
        "Queries that articles of their evidence link stay in one half: 3 of 4 are judged, and the largest group "
        "has 2. No article of the evidence is in both halves."
    )


def test_the_documents_say_that_they_are_not_the_whole_articles(folder: Path) -> None:
    documents, what = load_documents(folder)
    assert len(documents) == 5
    assert what.startswith("The corpus is 4 evidence facts and 1 chunks of articles")


def test_the_official_files_are_read_too(tmp_path: Path) -> None:
    body = {"title": "Bees 0", "source": "The Meadow", "published_at": "2023-10-01T14:00:29+00:00", "body": "Words."}
    (tmp_path / "corpus.json").write_text(json.dumps([body]), encoding="utf-8")
    query = {"query": "?", "answer": "no", "question_type": "null_query", "evidence_list": []}
    (tmp_path / "MultiHopRAG.json").write_text(json.dumps([query]), encoding="utf-8")
    documents, what = load_documents(tmp_path)
    assert (documents[0].text, documents[0].published) == ("Words.", "2023-10-01T14:00:29+00:00")
    assert what == "The corpus is the set's own: whole articles."
    assert [query.group for query in load_queries(tmp_path)] == ["null 0"]


def test_null_queries_are_left_out_of_retrieval_and_have_to_be_refused(folder: Path) -> None:
    report = run(Options(folder=folder, part="all", embedder=FakeEmbedder()))
    figures = {row.metric: (row.value, row.n) for row in report.rows}
    assert figures["Hits@4, ours"] == (1.0, 2)
    assert figures["all-evidence recall@10, words only"] == (1.0, 2)
    assert figures["null queries: refused"] == (1.0, 1)
    assert figures["answers: share a token with the gold answer (official)"][1] == 3
    assert figures["queries with evidence: strict exact match"] == (0.0, 2)


def test_published_figures_stand_beside_ours_alone(folder: Path) -> None:
    rows = {row.metric: row for row in run(Options(folder=folder, part="all", embedder=FakeEmbedder())).rows}
    assert [p.value for p in rows["Hits@10, ours"].published] == [0.6718, 0.7467, 0.9042]
    assert rows["Hits@10, dense only"].published == ()


def test_groups_of_queries_fit_and_test_in_turns(folder: Path) -> None:
    fit = run(Options(folder=folder, part="fit", embedder=FakeEmbedder()))
    test = run(Options(folder=folder, part="test", embedder=FakeEmbedder()))
    assert (fit.n, test.n) == (2, 1)


def test_queries_that_others_link_by_any_article_of_their_evidence_are_one_group(tmp_path: Path) -> None:
    titles = {"1": ["Bees", "Coal"], "2": ["Dogs", "Elks"], "3": ["Elks", "Coal"], "4": ["Frogs"], "5": []}
    rows = [
        {"id": name, "query": "?", "answer": "", "question_type": "inference_query",
         "evidence_list": [{"title": title, "fact": title} for title in named]}
        for name, named in titles.items()
    ]  # fmt: skip
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [query.group for query in load_queries(tmp_path)] == ["Bees", "Bees", "Bees", "Frogs", "null 5"]


def test_the_real_files_are_read(shared_folder: Path) -> None:
    folder = shared_folder / "data" / "multihop-rag"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/multihop-rag, and there is none")
    facts = {document.text for document in load_documents(folder)[0]}
    queries = load_queries(folder)
    assert all(fact in facts for query in queries for fact in query.facts)
    fitting = chosen_groups((query.group for query in queries), "fit")
    halves = [{fact for q in queries if (q.group in fitting) is fits for fact in q.facts} for fits in (True, False)]
    assert halves[0].isdisjoint(halves[1])
    assert sum(query.kind == "null_query" for query in queries) == sum(not query.facts for query in queries) > 100
