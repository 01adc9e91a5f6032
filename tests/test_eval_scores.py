"""Each case gets the verdict and the figures that its citations earn, and one that fails scores 0 and is listed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.metrics import refusal_precision, refusal_recall
from eval.run import run
from tests.fakes import KYIV, NOW
from tests.scored import CASES, QUOTE, REFUSAL, TOLL, Scored, saying, suite

OFF = {"article_id": "kyiv", "quote": "Four of the victims were children."}


def verdicts(document: Mapping[str, Any]) -> dict[str, str]:
    return {case["id"]: case["verdict"] for case in document["cases"]}


def metrics(document: Mapping[str, Any], case_id: str) -> Mapping[str, float]:
    return next(case["metrics"] for case in document["cases"] if case["id"] == case_id)


def test_each_case_gets_its_verdict(scored: Scored) -> None:
    document = scored(toll=TOLL, both=TOLL, near=TOLL, far=REFUSAL)
    assert verdicts(document) == {"toll": "right", "both": "partial", "near": "answered", "far": "right"}


def test_what_is_not_right_is_listed_with_question_answer_and_evidence(scored: Scored) -> None:
    [first, second] = scored(toll=TOLL, both=TOLL, near=TOLL, far=REFUSAL)["failures"]
    assert (first["question"], first["answer"]["text"], second["id"]) == (
        "Toll, and who acts?",
        "19 people.[1]",
        "near",
    )
    assert [(need["met"], need["alternatives"][0]["quote"]) for need in first["evidence"]] == [
        (True, QUOTE),
        (False, "We act."),
    ]


def test_a_case_that_crashes_scores_0_and_is_listed(scored: Scored) -> None:
    document = scored(toll=ValueError("broken"), both=TOLL, near=REFUSAL, far=REFUSAL)
    [crashed, _] = document["failures"]
    assert (crashed["verdict"], crashed["error"], set(crashed["metrics"].values())) == (
        "crashed",
        "ValueError: broken",
        {0.0},
    )
    assert document["metrics"]["citation_precision"] == 0.5


def test_an_answer_that_cannot_be_read_is_a_crash_of_its_case_alone(scored: Scored) -> None:
    document = scored(toll={"text": "x", "citations": [5]}, both={"nothing": 1}, near=REFUSAL, far=REFUSAL)
    assert verdicts(document) == {"toll": "crashed", "both": "crashed", "near": "right", "far": "right"}


def test_a_case_without_an_answer_scores_0_and_is_listed(scored: Scored) -> None:
    document = scored(toll=TOLL, near=REFUSAL, far=REFUSAL)
    assert (verdicts(document)["both"], metrics(document, "both")["score"]) == ("missing", 0.0)


def test_an_answer_without_citations_scores_0_however_right_its_words(scored: Scored) -> None:
    found = metrics(scored(toll={"text": "19"}), "toll")
    assert (found["exact_match"], found["score"], found["evidence_complete"]) == (1.0, 0.0, 0.0)


def test_marks_are_no_words_of_an_answer(scored: Scored) -> None:
    assert metrics(scored(toll={**TOLL, "text": "19 [1, 2]"}), "toll")["exact_match"] == 1.0


def test_an_answer_without_marks_gets_0_for_its_sentences_so_that_leaving_marks_out_pays_nothing(
    scored: Scored,
) -> None:
    found = metrics(scored(toll={**TOLL, "text": "19 people."}), "toll")
    assert (found["score"], found["sentence_recall"], found["sentence_precision"]) == (1.0, 0.0, 0.0)


def test_an_altered_quote_is_no_evidence(scored: Scored) -> None:
    altered = {"text": "29.[1]", "citations": [{"article_id": "kyiv", "quote": QUOTE.replace("19", "29")}]}
    found = metrics(scored(toll=altered), "toll")
    assert (found["quote_fidelity"], found["score"]) == (0.0, 0.0)


def test_an_altered_quote_is_no_evidence_though_its_place_is_right(scored: Scored) -> None:
    start = str(KYIV["text"]).index(QUOTE)
    place = {"article_id": "kyiv", "revision": 1, "start": start, "end": start + len(QUOTE)}
    exact = {"text": "19.[1]", "citations": [{**place, "quote": QUOTE}]}
    altered = {"text": "29.[1]", "citations": [{**place, "quote": QUOTE.replace("19", "29")}]}
    assert metrics(scored(toll=exact), "toll")["score"] == 1
    found = metrics(scored(toll=altered), "toll")
    assert (found["quote_fidelity"], found["citation_precision"], found["score"]) == (0.0, 0.0, 0.0)


def test_a_citation_without_a_quote_is_no_faithful_quote(scored: Scored) -> None:
    unquoted = {**TOLL, "citations": [*TOLL["citations"], {"article_id": "kyiv"}]}
    assert metrics(scored(toll=unquoted), "toll")["quote_fidelity"] == 0.5


def test_a_needless_citation_costs_precision_and_is_listed(scored: Scored) -> None:
    document = scored(toll={**TOLL, "citations": [*TOLL["citations"], OFF]}, both=TOLL, near=REFUSAL, far=REFUSAL)
    found = metrics(document, "toll")
    assert (found["citation_precision"], found["evidence_recall"], found["score"]) == (0.5, 1.0, 0.6667)
    assert verdicts(document)["toll"] == "imprecise"
    assert [case["id"] for case in document["failures"]] == ["toll", "both"]


def test_a_citation_of_a_whole_article_is_precise_but_most_of_what_it_marks_is_no_evidence(scored: Scored) -> None:
    text = str(KYIV["text"])
    whole = {"text": "19.[1]", "citations": [{"article_id": "kyiv", "quote": text, "start": 0, "end": len(text)}]}
    found = metrics(scored(toll=whole), "toll")
    assert (found["citation_precision"], found["span_precision"]) == (1.0, round(len(QUOTE) / len(text), 4))


def test_a_wrong_refusal_is_charged_as_no_answer(scored: Scored) -> None:
    document = scored(toll=REFUSAL, both=REFUSAL, near=REFUSAL, far=REFUSAL)
    figures = document["metrics"]
    assert (figures["answered"], figures["evidence_recall"], figures["refused"], figures["refusal_precision"]) == (
        0.0, 0.0, 1.0, 0.5,
    )  # fmt: skip


def test_the_refusal_figures_of_a_run_are_those_of_their_formulas(scored: Scored) -> None:
    document = scored(toll=REFUSAL, both=TOLL, near=TOLL, far=REFUSAL)
    should = [case["refuse"] for case in document["cases"]]
    did = [case["answer"]["status"] == "refused" for case in document["cases"]]
    figures = document["metrics"]
    assert (figures["refusal_precision"], figures["refused"]) == (
        refusal_precision(should, did), refusal_recall(should, did),
    )  # fmt: skip


def test_near_misses_and_far_questions_are_counted_apart(scored: Scored) -> None:
    figures = scored(toll=TOLL, near=TOLL, far=REFUSAL)["metrics"]
    assert (figures["refused_near"], figures["refused_far"]) == (0.0, 1.0)


def test_hits_are_scored_by_the_needs_that_they_meet(scored: Scored) -> None:
    hits = [
        {"article_id": "paris", "revision": 1, "start": 0, "end": 10},
        {"article_id": "kyiv", "start": 0, "end": 80},
    ]
    found = metrics(scored(both={**TOLL, "hits": hits}), "both")
    assert [found[name] for name in ("hit@1", "hit@5", "mrr", "recall@1", "recall@5", "ndcg@10")] == [
        0.0, 1.0, 0.5, 0.0, 0.5, 0.3869,
    ]  # fmt: skip


def test_a_hit_of_another_system_is_scored_by_its_words(scored: Scored) -> None:
    hits = [{"url": "https://elsewhere.example", "text": QUOTE}, {"title": KYIV["title"], "text": QUOTE}]
    found = metrics(scored(toll={**TOLL, "hits": hits}), "toll")
    assert [found[name] for name in ("hit@1", "hit@5", "mrr", "recall@5")] == [0.0, 1.0, 0.5, 1.0]


def test_a_hit_that_meets_both_needs_at_once_is_a_perfect_ranking(scored: Scored, tmp_path: Path) -> None:
    case = {"id": "two", "question": "?", "evidence": [[{"quote": "19 people"}], [{"quote": "Four of"}]]}
    hits = [{"article_id": "kyiv", "start": 0, "end": 80}]
    document = run([suite(tmp_path, case)], saying({"two": {**TOLL, "hits": hits}}), started=NOW)
    assert [metrics(document, "two")[name] for name in ("recall@1", "ndcg@10")] == [1.0, 1.0]


def test_a_system_that_shows_no_hits_is_not_charged_for_them(scored: Scored) -> None:
    assert "hit@5" not in scored(toll=TOLL, both=ValueError("broken"))["metrics"]


def test_a_crash_of_a_system_that_shows_its_hits_is_a_miss(scored: Scored) -> None:
    hits = [{"article_id": "kyiv", "start": 0, "end": 80}]
    assert scored(toll={**TOLL, "hits": hits}, both=ValueError("broken"))["metrics"]["hit@5"] == 0.5


def test_a_table_is_scored_where_the_case_gives_its_rows(tmp_path: Path) -> None:
    case = {**CASES[0], "kind": "table", "table": [{"city": "Kyiv", "dead": "19"}]}
    table = {"columns": ["city", "dead"], "rows": [{"cells": {"city": "Kyiv", "dead": "20"}, "citations": [1]}]}
    document = run([suite(tmp_path, case)], saying({"toll": {**TOLL, "table": table}}), started=NOW)
    assert (document["metrics"]["table_precision"], document["metrics"]["table_recall"]) == (0.5, 0.5)


def test_the_accepted_answer_of_which_the_most_is_said_counts_for_the_facts(tmp_path: Path) -> None:
    case = {**CASES[0], "kind": "compare", "answers": ["neither; both 19", "as many; 19", "fewer"]}
    document = run([suite(tmp_path, case)], saying({"toll": TOLL}), started=NOW)
    assert document["metrics"]["nugget_recall"] == 0.5


def test_latency_is_taken_over_what_was_answered(scored: Scored) -> None:
    timings = scored(toll=TOLL, near=REFUSAL)["timings_ms"]
    assert (timings["p50"], timings["p95"]) == (1000.0, 1000.0)
