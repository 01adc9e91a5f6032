"""A run scores every case, keeps what a reader needs to check it, and is the same every time."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from eval.cases import Case
from eval.compare import cautions, compare_runs
from eval.gates import Miss, gates_of, misses, read_gates
from eval.metrics import refusal_precision, refusal_recall
from eval.run import MissingAnswerError, Setup, from_file, our_bot, read_run, run
from eval.suites import Suite, UnusedEmbedder, find_suites
from index.errors import InputError
from tests.fakes import KYIV, PARIS, FakeEmbedder, write_articles

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
QUOTE = "At least 19 people were killed in Kyiv on Thursday."
CASES: list[dict[str, Any]] = [
    {"id": "toll", "question": "How many died?", "answers": ["19"], "evidence": [[{"quote": QUOTE}]]},
    {"id": "both", "question": "Toll, and who acts?", "kind": "list",
     "evidence": [[{"quote": QUOTE}], [{"quote": "We act."}]]},
    {"id": "near", "question": "How many died in Lviv?", "refuse": True},
    {"id": "far", "question": "Who won the cup?", "refuse": True, "kind": "far"},
]  # fmt: skip
TOLL = {"text": "19 people.[1]", "citations": [{"article_id": "kyiv", "quote": QUOTE}]}
OFF = {"article_id": "kyiv", "quote": "Four of the victims were children."}
REFUSAL = {"text": "The articles do not say.", "status": "refused"}

Replies = Mapping[str, Mapping[str, Any] | Exception]


def suite(folder: Path, *cases: Mapping[str, Any]) -> Suite:
    write_articles(folder / "cases.jsonl", *(cases or CASES))
    return Suite("mine", folder / "cases.jsonl", (write_articles(folder / "articles.jsonl", KYIV, PARIS),))


def saying(replies: Replies) -> Setup:
    """Return a system that has its replies by case; it raises those that are errors."""

    def system(case: Case) -> Mapping[str, Any]:
        reply = replies.get(case.id, MissingAnswerError("none"))
        if isinstance(reply, Exception):
            raise reply
        return reply

    ticks = count()
    return Setup(
        system=lambda index: system, describe=lambda index: {"system": "fake"}, embedder=UnusedEmbedder(),
        clock=lambda: float(next(ticks)),
    )  # fmt: skip


@pytest.fixture
def scored(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def of(**replies: Mapping[str, Any] | Exception) -> dict[str, Any]:
        return run([suite(tmp_path)], saying(replies), started=NOW)

    return of


def verdicts(document: Mapping[str, Any]) -> dict[str, str]:
    return {case["id"]: case["verdict"] for case in document["cases"]}


def metrics(document: Mapping[str, Any], case_id: str) -> Mapping[str, float]:
    return next(case["metrics"] for case in document["cases"] if case["id"] == case_id)


def test_each_case_gets_its_verdict(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=TOLL, both=TOLL, near=TOLL, far=REFUSAL)
    assert verdicts(document) == {"toll": "right", "both": "partial", "near": "answered", "far": "right"}


def test_what_is_not_right_is_listed_with_question_answer_and_evidence(scored: Callable[..., dict[str, Any]]) -> None:
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


def test_a_case_that_crashes_scores_0_and_is_listed(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=ValueError("broken"), both=TOLL, near=REFUSAL, far=REFUSAL)
    [crashed, _] = document["failures"]
    assert (crashed["verdict"], crashed["error"], set(crashed["metrics"].values())) == (
        "crashed",
        "ValueError: broken",
        {0.0},
    )
    assert document["metrics"]["citation_precision"] == 0.5


def test_an_answer_that_cannot_be_read_is_a_crash_of_its_case_alone(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll={"text": "x", "citations": [5]}, both={"nothing": 1}, near=REFUSAL, far=REFUSAL)
    assert verdicts(document) == {"toll": "crashed", "both": "crashed", "near": "right", "far": "right"}


def test_a_case_without_an_answer_scores_0_and_is_listed(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=TOLL, near=REFUSAL, far=REFUSAL)
    assert (verdicts(document)["both"], metrics(document, "both")["score"]) == ("missing", 0.0)


def test_an_answer_without_citations_scores_0_however_right_its_words(scored: Callable[..., dict[str, Any]]) -> None:
    found = metrics(scored(toll={"text": "19"}), "toll")
    assert (found["exact_match"], found["score"], found["evidence_complete"]) == (1.0, 0.0, 0.0)


def test_an_altered_quote_is_no_evidence(scored: Callable[..., dict[str, Any]]) -> None:
    altered = {"text": "29.[1]", "citations": [{"article_id": "kyiv", "quote": QUOTE.replace("19", "29")}]}
    found = metrics(scored(toll=altered), "toll")
    assert (found["quote_fidelity"], found["score"]) == (0.0, 0.0)


def test_an_altered_quote_is_no_evidence_though_its_place_is_right(scored: Callable[..., dict[str, Any]]) -> None:
    start = str(KYIV["text"]).index(QUOTE)
    place = {"article_id": "kyiv", "revision": 1, "start": start, "end": start + len(QUOTE)}
    exact = {"text": "19.[1]", "citations": [{**place, "quote": QUOTE}]}
    altered = {"text": "29.[1]", "citations": [{**place, "quote": QUOTE.replace("19", "29")}]}
    assert metrics(scored(toll=exact), "toll")["score"] == 1
    found = metrics(scored(toll=altered), "toll")
    assert (found["quote_fidelity"], found["citation_precision"], found["score"]) == (0.0, 0.0, 0.0)


def test_a_needless_citation_costs_precision_and_is_listed(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll={**TOLL, "citations": [*TOLL["citations"], OFF]}, both=TOLL, near=REFUSAL, far=REFUSAL)
    found = metrics(document, "toll")
    assert (found["citation_precision"], found["evidence_recall"], found["score"]) == (0.5, 1.0, 0.6667)
    assert verdicts(document)["toll"] == "imprecise"
    assert [case["id"] for case in document["failures"]] == ["toll", "both"]


def test_a_wrong_refusal_is_charged_as_no_answer(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=REFUSAL, both=REFUSAL, near=REFUSAL, far=REFUSAL)
    figures = document["metrics"]
    assert (figures["answered"], figures["evidence_recall"], figures["refused"], figures["refusal_precision"]) == (
        0.0, 0.0, 1.0, 0.5,
    )  # fmt: skip


def test_the_refusal_figures_of_a_run_are_those_of_their_formulas(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=REFUSAL, both=TOLL, near=TOLL, far=REFUSAL)
    should = [case["refuse"] for case in document["cases"]]
    did = [case["answer"]["status"] == "refused" for case in document["cases"]]
    figures = document["metrics"]
    assert (figures["refusal_precision"], figures["refused"]) == (
        refusal_precision(should, did), refusal_recall(should, did),
    )  # fmt: skip


def test_near_misses_and_far_questions_are_counted_apart(scored: Callable[..., dict[str, Any]]) -> None:
    figures = scored(toll=TOLL, near=TOLL, far=REFUSAL)["metrics"]
    assert (figures["refused_near"], figures["refused_far"]) == (0.0, 1.0)


def test_hits_are_scored_by_the_needs_that_they_meet(scored: Callable[..., dict[str, Any]]) -> None:
    hits = [
        {"article_id": "paris", "revision": 1, "start": 0, "end": 10},
        {"article_id": "kyiv", "start": 0, "end": 80},
    ]
    found = metrics(scored(both={**TOLL, "hits": hits}), "both")
    assert [found[name] for name in ("hit@1", "hit@5", "mrr", "recall@1", "recall@5", "ndcg@10")] == [
        0.0, 1.0, 0.5, 0.0, 0.5, 0.3869,
    ]  # fmt: skip


def test_a_hit_that_meets_both_needs_at_once_is_a_perfect_ranking(
    scored: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    case = {"id": "two", "question": "?", "evidence": [[{"quote": "19 people"}], [{"quote": "Four of"}]]}
    hits = [{"article_id": "kyiv", "start": 0, "end": 80}]
    document = run([suite(tmp_path, case)], saying({"two": {**TOLL, "hits": hits}}), started=NOW)
    assert [metrics(document, "two")[name] for name in ("recall@1", "ndcg@10")] == [1.0, 1.0]


def test_a_system_that_shows_no_hits_is_not_charged_for_them(scored: Callable[..., dict[str, Any]]) -> None:
    assert "hit@5" not in scored(toll=TOLL, both=ValueError("broken"))["metrics"]


def test_a_crash_of_a_system_that_shows_its_hits_is_a_miss(scored: Callable[..., dict[str, Any]]) -> None:
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


def test_a_run_names_its_articles_settings_and_versions(scored: Callable[..., dict[str, Any]]) -> None:
    settings = scored(toll=TOLL)["settings"]
    assert (settings["system"], settings["corpora"]["mine"]["articles"]) == ("fake", 2)
    assert {"python", "numpy", "ir-measures"} <= set(settings["versions"])


def test_another_text_is_another_corpus(tmp_path: Path) -> None:
    def checksum(folder: str, text: str) -> str:
        (tmp_path / folder).mkdir()
        made = suite(tmp_path / folder, {"id": "n", "question": "?", "refuse": True})
        write_articles(made.articles[0], {**KYIV, "text": text})
        document = run([made], saying({}), started=NOW)
        return str(document["settings"]["corpora"]["mine"]["sha256"])

    assert checksum("a", "It rained.") == checksum("b", "It rained.") != checksum("c", "It snowed.")


def test_other_cases_have_another_checksum(tmp_path: Path) -> None:
    def checksum(*cases: Mapping[str, Any]) -> str:
        document = run([suite(tmp_path, *cases)], saying({}), started=NOW)
        return str(document["settings"]["cases_sha256"]["mine"])

    assert checksum(CASES[2]) == checksum(CASES[2]) != checksum({**CASES[2], "question": "How many in Kyiv?"})


def test_other_answers_have_another_checksum(tmp_path: Path) -> None:
    def checksum(text: str) -> str:
        answers = write_articles(tmp_path / "answers.jsonl", {"id": "toll", "text": text})
        document = run([suite(tmp_path)], from_file(answers, embedder=UnusedEmbedder()), started=NOW)
        return str(document["settings"]["answers_sha256"])

    assert checksum("19.") == checksum("19.") != checksum("20.")


def test_our_bot_is_named_by_what_was_fitted_too(tmp_path: Path, checkout: Path) -> None:
    settings = run([suite(tmp_path)], our_bot(embedder=FakeEmbedder()), started=NOW)["settings"]
    fitted = [
        sha256((checkout / "rag" / name).read_bytes()).hexdigest() for name in ("reader.safetensors", "quoter.json")
    ]
    assert [settings["reader_sha256"], settings["quoter_sha256"]] == fitted


def test_two_runs_of_our_bot_are_the_same_but_for_their_time(tmp_path: Path) -> None:
    def scores() -> dict[str, Any]:
        document = run([suite(tmp_path)], our_bot(embedder=FakeEmbedder()), started=NOW)
        del document["timings_ms"]
        for case in document["cases"]:
            del case["ms"]
        return document

    assert scores() == scores()


@pytest.mark.model
def test_two_processes_score_our_bot_the_same_whatever_their_hashes(tmp_path: Path, checkout: Path) -> None:
    own = checkout / "eval" / "cases" / "unseen"
    few = (own / "cases.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[::8]
    (tmp_path / "few.jsonl").write_text("".join(few), encoding="utf-8")
    found = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "eval", "few.jsonl", "--articles", str(own / "articles.jsonl"), "--runs", seed]
        env = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONHASHSEED": seed}
        subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
        [kept] = (tmp_path / seed).glob("*.json")
        document = read_run(kept)
        untimed = [{name: value for name, value in case.items() if name != "ms"} for case in document["cases"]]
        found.append((document["metrics"], document["settings"], untimed))
    assert len(found[0][2]) == 5
    assert found[0] == found[1]


def test_our_bot_is_described_by_its_writer_and_its_embedder(tmp_path: Path) -> None:
    document = run([suite(tmp_path)], our_bot(embedder=FakeEmbedder(), k=3), started=NOW)
    described = {name: document["settings"][name] for name in ("system", "writer", "model", "k", "embedder")}
    assert described == {"system": "groundwire", "writer": "quoter", "model": None, "k": 3, "embedder": "fake"}


def test_progress_is_told_case_by_case(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    run([suite(tmp_path)], saying({}), started=NOW, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_latency_is_taken_over_what_was_answered(scored: Callable[..., dict[str, Any]]) -> None:
    timings = scored(toll=TOLL, near=REFUSAL)["timings_ms"]
    assert (timings["p50"], timings["p95"]) == (1000.0, 1000.0)


def test_articles_that_cannot_be_read_stop_the_run(tmp_path: Path) -> None:
    made = suite(tmp_path)
    made.articles[0].write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"articles\.jsonl"):
        run([made], saying({}), started=NOW)


def test_a_file_of_cases_brings_its_articles_from_beside_it(tmp_path: Path) -> None:
    made = suite(tmp_path)
    assert find_suites([str(tmp_path)]) == [Suite(tmp_path.name, made.cases, made.articles)]


def test_cases_without_articles_are_refused(tmp_path: Path) -> None:
    write_articles(tmp_path / "mine.jsonl", CASES[2])
    with pytest.raises(InputError, match="--articles PATH"):
        find_suites([str(tmp_path / "mine.jsonl")])


def test_a_suite_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="neither a suite"):
        find_suites(["nonesuch"])


def test_two_suites_of_one_name_are_refused(tmp_path: Path) -> None:
    suite(tmp_path)
    with pytest.raises(InputError, match="two suites are called"):
        find_suites([str(tmp_path), str(tmp_path)])


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 0}'])
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json"):
        read_run(tmp_path / "run.json")


def test_a_run_survives_being_written(tmp_path: Path, scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=TOLL)
    (tmp_path / "run.json").write_text(json.dumps(document), encoding="utf-8")
    assert read_run(tmp_path / "run.json") == document


def test_a_run_that_reaches_its_gates_misses_none(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=TOLL, both=TOLL, near=REFUSAL, far=REFUSAL)
    assert misses(document, {"mine": {"quote_fidelity": 1.0, "refused_far": 1.0}, "other": {"score": 1.0}}) == []


def test_a_figure_below_its_gate_is_a_miss(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=TOLL, both=TOLL, near=TOLL, far=REFUSAL)
    missed = misses(document, {"mine": {"refused_near": 0.6, "refused_far": 0.95}})
    assert missed == [Miss(suite="mine", metric="refused_near", least=0.6, seen=0.0)]


def test_a_figure_that_is_gone_is_a_miss(scored: Callable[..., dict[str, Any]]) -> None:
    assert str(*misses(scored(toll=TOLL), {"mine": {"hit@5": 0.5}})) == "mine: hit@5 is missing, the gate is 0.5000"


def test_gates_for_other_suites_alone_check_nothing_and_say_so(scored: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(InputError, match="no gate for mine"):
        misses(scored(toll=TOLL), {"other": {"score": 0.5}})


def test_gates_written_from_a_run_are_reached_by_it(tmp_path: Path, scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=TOLL, both=TOLL, near=REFUSAL, far=REFUSAL)
    (tmp_path / "gates.toml").write_text(gates_of(document), encoding="utf-8")
    gates = read_gates(tmp_path / "gates.toml")
    assert (misses(document, gates), gates["mine"]["quote_fidelity"]) == ([], 1.0)


def test_gates_written_from_a_run_are_missed_by_one_that_lost_two_cases(
    tmp_path: Path, scored: Callable[..., dict[str, Any]]
) -> None:
    good = scored(toll=TOLL, both=TOLL, near=REFUSAL, far=REFUSAL)
    (tmp_path / "gates.toml").write_text(gates_of(good, metrics=["answered"]), encoding="utf-8")
    gates = read_gates(tmp_path / "gates.toml")
    assert misses(scored(toll=REFUSAL, both=TOLL), gates) == []
    assert misses(scored(toll=REFUSAL, both=REFUSAL), gates) != []


def test_a_gate_is_not_below_a_bar_that_is_reached() -> None:
    seen = {"metrics": {"refused_far": 0.95, "answered": 0.9, "refused_near": 0.5},
            "counted": {"refused_far": 20, "answered": 20, "refused_near": 10}}  # fmt: skip
    bars = [
        {"metric": "refused_far", "least": 0.95, "short": 0.0},
        {"metric": "answered", "least": 0.8, "short": 0.0},
        {"metric": "refused_near", "least": 0.6, "short": 0.1},
    ]
    written = tomllib.loads(gates_of({"by_suite": {"test": seen, "mine": seen}, "bars": {"test": bars}}))
    assert written == {
        "test": {"answered": 0.85, "refused_near": 0.4, "refused_far": 0.95},
        "mine": {"answered": 0.85, "refused_near": 0.4, "refused_far": 0.899},
    }


def test_false_premises_have_a_gate() -> None:
    seen = {"metrics": {"refused_false_premise": 0.75}, "counted": {"refused_false_premise": 4}}
    assert "refused_false_premise = 0.5\n" in gates_of({"by_suite": {"mine": seen}, "bars": {}})


@pytest.mark.parametrize("text", ["[", "score = 1", "[mine]\nspeed = 1", "[mine]\nscore = '1'", "[mine]\nscore = true"])
def test_gates_that_cannot_be_used_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gates.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"gates\.toml"):
        read_gates(tmp_path / "gates.toml")


def test_runs_are_compared_case_by_case(scored: Callable[..., dict[str, Any]]) -> None:
    before = scored(toll=REFUSAL, both=TOLL, near=REFUSAL, far=REFUSAL)
    comparison = compare_runs(before, scored(toll=TOLL, both=TOLL, near=REFUSAL, far=REFUSAL))
    assert comparison["changed"] == [
        {
            "id": "toll",
            "suite": "mine",
            "kind": "fact",
            "question": "How many died?",
            "before": "refused",
            "after": "right",
        }
    ]
    assert comparison["by_suite"]["mine"]["answered"]["verdict"] == "not enough cases to tell"


def test_a_metric_is_compared_over_the_cases_where_both_runs_have_it(scored: Callable[..., dict[str, Any]]) -> None:
    before = scored(toll=REFUSAL, both=TOLL)
    comparison = compare_runs(before, scored(toll=TOLL, both=TOLL))
    assert comparison["by_suite"]["mine"]["citation_precision"]["n"] == 1


def test_runs_of_the_same_cases_and_articles_are_compared_without_a_caution(
    scored: Callable[..., dict[str, Any]],
) -> None:
    assert cautions(compare_runs(scored(toll=REFUSAL), scored(toll=TOLL))) == []


def test_other_gold_under_the_same_id_is_said_not_to_be_the_systems_change(tmp_path: Path) -> None:
    before = run([suite(tmp_path, CASES[0])], saying({"toll": TOLL}), started=NOW)
    other = {**CASES[0], "evidence": [[{"quote": "We act."}]]}
    now = run([suite(tmp_path, other)], saying({"toll": TOLL}), started=NOW)
    [said] = cautions(compare_runs(before, now))
    assert said.startswith("By the checksums of their files the cases are not those of the earlier run")


def test_a_run_of_before_cases_had_a_checksum_is_not_taken_for_one_of_the_same_cases(
    scored: Callable[..., dict[str, Any]],
) -> None:
    before = scored(toll=TOLL)
    del before["settings"]["cases_sha256"]
    assert compare_runs(before, scored(toll=TOLL))["same_cases"] is False


def test_what_a_comparison_leaves_out_is_counted(scored: Callable[..., dict[str, Any]]) -> None:
    before, now = scored(toll=TOLL), scored(toll=TOLL)
    before["cases"], now["cases"] = before["cases"][:2], now["cases"][1:]
    assert cautions(compare_runs(before, now)) == [
        "Cases that only the earlier run has, and that were left out: 1.",
        "Cases that only this run has, and that were left out: 2.",
    ]


def test_runs_without_a_case_in_common_are_not_compared(scored: Callable[..., dict[str, Any]]) -> None:
    document = scored(toll=TOLL)
    with pytest.raises(InputError, match="no case in common"):
        compare_runs({**document, "cases": []}, document)
