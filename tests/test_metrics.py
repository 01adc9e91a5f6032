"""Metrics: their worked examples hold, they name their paper, and nothing without citations gets a full score."""

import doctest
import inspect
import re

import pytest
from sklearn.metrics import precision_score, recall_score

from eval import metrics as module
from eval.cases import EvidenceSpan
from eval.metrics import (
    CitedSentence,
    alce_precision,
    alce_recall,
    evidence_recall,
    exact_match,
    latency_percentile,
    ndcg_at_k,
    nugget_recall,
    quote_fidelity,
    recall_at_k,
    refusal_precision,
    refusal_recall,
    share_precise,
    span_precision,
    span_recall,
    table_precision,
    table_recall,
    token_f1,
    words_support,
)

FUNCTIONS = [function for name in module.__all__ if inspect.isfunction(function := getattr(module, name))]
NEEDS = [[EvidenceSpan("a", 1, 0, 10)]]


def test_every_worked_example_holds() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: str(function.__name__))
def test_a_metric_names_its_paper_and_shows_an_example(function: object) -> None:
    said = inspect.getdoc(function) or ""
    assert re.search(r"\((?:19|20)\d\d[,)]", said)
    assert ">>> " in said


def test_an_answer_without_citations_earns_nothing_that_citations_earn() -> None:
    said = [CitedSentence("Oslo paid 5.", ())]
    shares = [share_precise([], NEEDS), evidence_recall([], NEEDS), span_precision([], NEEDS), span_recall([], NEEDS)]
    shares += [alce_recall(said, words_support), alce_precision(said, words_support), quote_fidelity([])]
    assert shares == [0.0] * 7


def test_a_sentence_without_citations_is_not_borne_out_whatever_the_judge_says() -> None:
    assert alce_recall([CitedSentence("Oslo paid.", ())], lambda texts, claim: True) == 0.0


def test_a_citation_of_another_revision_is_not_the_evidence() -> None:
    assert evidence_recall([EvidenceSpan("a", 2, 0, 10)], NEEDS) == 0.0


def test_spans_that_only_touch_do_not_overlap() -> None:
    assert share_precise([[EvidenceSpan("a", 1, 10, 20)]], NEEDS) == 0.0


def test_citing_a_whole_article_is_precise_as_a_citation_but_not_as_a_span() -> None:
    whole = EvidenceSpan("a", 1, 0, 1000)
    assert (share_precise([[whole]], NEEDS), span_precision([whole], NEEDS)) == (1.0, 0.01)


def test_overlapping_marks_are_counted_once() -> None:
    assert span_precision([EvidenceSpan("a", 1, 0, 10), EvidenceSpan("a", 1, 0, 20)], NEEDS) == 0.5


def test_a_second_citation_that_bears_nothing_out_costs_precision_not_recall() -> None:
    said = [CitedSentence("Oslo paid EUR 5 million.", ("Oslo paid EUR 5 million.", "Rome did not."))]
    assert (alce_recall(said, words_support), alce_precision(said, words_support)) == (1.0, 0.5)


def test_two_citations_that_bear_a_sentence_out_together_are_both_precise() -> None:
    said = [CitedSentence("Oslo paid 5 million and Rome 7 million.", ("Oslo paid 5 million.", "Rome: 7 million."))]
    assert (alce_recall(said, words_support), alce_precision(said, words_support)) == (1.0, 1.0)


def test_a_changed_number_is_not_borne_out() -> None:
    assert not words_support(["Oslo paid EUR 5 million."], "Oslo paid EUR 5 billion.")


def test_an_empty_answer_matches_nothing() -> None:
    assert (exact_match("", ["5"]), token_f1("", ["5"]), nugget_recall("", [["5"]])) == (0.0, 0.0, 0.0)


def test_a_nugget_is_found_as_whole_words_only() -> None:
    assert nugget_recall("It has 263 rooms.", [["26"]]) == 0.0


def test_the_best_accepted_answer_counts() -> None:
    assert token_f1("twenty-six", ["26", "Twenty-six!"]) == 1.0


def test_nothing_retrieved_scores_nothing() -> None:
    assert (recall_at_k([], {"a"}, 5), ndcg_at_k([], {"a": 1}, 10)) == (0.0, 0.0)


def test_a_perfect_ranking_has_an_ndcg_of_one() -> None:
    assert ndcg_at_k(["b", "a", "x"], {"a": 1, "b": 1}, 10) == pytest.approx(1.0)


def test_the_order_of_equal_ranks_is_the_order_given() -> None:
    assert ndcg_at_k(["x", "a"], {"a": 1}, 1) == 0.0


def test_a_table_with_surplus_rows_loses_precision_and_keeps_recall() -> None:
    gold = [{"actor": "Oslo", "amount": "5"}]
    rows = [*gold, {"actor": "Rome", "amount": "7"}]
    assert (table_precision(rows, gold), table_recall(rows, gold)) == (0.5, 1.0)


@pytest.mark.parametrize(("should", "did"), [("110010", "101110"), ("11", "11"), ("00", "11"), ("11", "00")])
def test_refusals_are_counted_as_scikit_learn_counts_them(should: str, did: str) -> None:
    right, refused = [mark == "1" for mark in should], [mark == "1" for mark in did]
    assert (refusal_precision(right, refused), refusal_recall(right, refused)) == (
        precision_score(right, refused, zero_division=0), recall_score(right, refused, zero_division=0),
    )  # fmt: skip


def test_no_table_scores_nothing() -> None:
    assert (table_precision([], [{"actor": "Oslo"}]), table_recall([], [{"actor": "Oslo"}])) == (0.0, 0.0)


def test_no_latency_is_zero() -> None:
    assert latency_percentile([], 50) == 0.0
