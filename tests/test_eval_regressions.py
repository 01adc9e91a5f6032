"""What a run lost against its gates or an earlier run is named, and what cannot be held against it is said."""

import tomllib
from pathlib import Path

import pytest

from eval.compare import cautions, compare_runs
from eval.gates import GATED, Miss, gates_of, misses, read_gates
from eval.run import run
from eval.suites import OWN
from index.errors import InputError
from tests.fakes import NOW
from tests.scored import CASES, REFUSAL, TOLL, Scored, saying, suite


def test_a_run_that_reaches_its_gates_misses_none(scored: Scored) -> None:
    document = scored(toll=TOLL, both=TOLL, near=REFUSAL, far=REFUSAL)
    assert misses(document, {"mine": {"quote_fidelity": 1.0, "refused_far": 1.0}, "other": {"score": 1.0}}) == []


def test_a_figure_below_its_gate_is_a_miss(scored: Scored) -> None:
    document = scored(toll=TOLL, both=TOLL, near=TOLL, far=REFUSAL)
    missed = misses(document, {"mine": {"refused_near": 0.6, "refused_far": 0.95}})
    assert missed == [Miss(suite="mine", metric="refused_near", least=0.6, seen=0.0)]


def test_a_figure_that_is_gone_is_a_miss(scored: Scored) -> None:
    assert str(*misses(scored(toll=TOLL), {"mine": {"hit@5": 0.5}})) == "mine: hit@5 is missing, the gate is 0.5000"


def test_gates_for_other_suites_alone_check_nothing_and_say_so(scored: Scored) -> None:
    with pytest.raises(InputError, match="no gate for mine"):
        misses(scored(toll=TOLL), {"other": {"score": 0.5}})


def test_gates_written_from_a_run_are_reached_by_it(tmp_path: Path, scored: Scored) -> None:
    document = scored(toll=TOLL, both=TOLL, near=REFUSAL, far=REFUSAL)
    (tmp_path / "gates.toml").write_text(gates_of(document), encoding="utf-8")
    gates = read_gates(tmp_path / "gates.toml")
    assert (misses(document, gates), gates["mine"]["quote_fidelity"]) == ([], 1.0)


def test_gates_written_from_a_run_are_missed_by_one_that_lost_two_cases(tmp_path: Path, scored: Scored) -> None:
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


@pytest.mark.parametrize("metric", ["span_precision", "answer_found"])
def test_the_marked_text_and_the_accepted_answer_have_gates(scored: Scored, metric: str) -> None:
    gates = tomllib.loads(gates_of(scored(toll=TOLL, both=TOLL, near=REFUSAL, far=REFUSAL)))
    assert metric in gates["mine"]


def test_our_own_suites_have_every_gate_but_those_that_no_case_of_theirs_has(checkout: Path) -> None:
    gates = read_gates(checkout / "eval" / "gates.toml")
    lacking = {suite: [metric for metric in GATED if metric not in gates[suite]] for suite in OWN}
    assert lacking == {"dev": [], "test": [], "unseen": ["refused_false_premise"]}


@pytest.mark.parametrize("text", ["[", "score = 1", "[mine]\nspeed = 1", "[mine]\nscore = '1'", "[mine]\nscore = true"])
def test_gates_that_cannot_be_used_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gates.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"gates\.toml"):
        read_gates(tmp_path / "gates.toml")


def test_runs_are_compared_case_by_case(scored: Scored) -> None:
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


def test_a_metric_is_compared_over_the_cases_where_both_runs_have_it(scored: Scored) -> None:
    before = scored(toll=REFUSAL, both=TOLL)
    comparison = compare_runs(before, scored(toll=TOLL, both=TOLL))
    assert comparison["by_suite"]["mine"]["citation_precision"]["n"] == 1


def test_runs_of_the_same_cases_and_articles_are_compared_without_a_caution(scored: Scored) -> None:
    assert cautions(compare_runs(scored(toll=REFUSAL), scored(toll=TOLL))) == []


def test_other_gold_under_the_same_id_is_said_not_to_be_the_systems_change(tmp_path: Path) -> None:
    before = run([suite(tmp_path, CASES[0])], saying({"toll": TOLL}), started=NOW)
    other = {**CASES[0], "evidence": [[{"quote": "We act."}]]}
    now = run([suite(tmp_path, other)], saying({"toll": TOLL}), started=NOW)
    [said] = cautions(compare_runs(before, now))
    assert said.startswith("By the checksums of their files the cases are not those of the earlier run")


def test_a_run_of_before_cases_had_a_checksum_is_not_taken_for_one_of_the_same_cases(scored: Scored) -> None:
    before = scored(toll=TOLL)
    del before["settings"]["cases_sha256"]
    assert compare_runs(before, scored(toll=TOLL))["same_cases"] is False


def test_what_a_comparison_leaves_out_is_counted(scored: Scored) -> None:
    before, now = scored(toll=TOLL), scored(toll=TOLL)
    before["cases"], now["cases"] = before["cases"][:2], now["cases"][1:]
    assert cautions(compare_runs(before, now)) == [
        "Cases that only the earlier run has, and that were left out: 1.",
        "Cases that only this run has, and that were left out: 2.",
    ]


def test_runs_without_a_case_in_common_are_not_compared(scored: Scored) -> None:
    document = scored(toll=TOLL)
    with pytest.raises(InputError, match="no case in common"):
        compare_runs({**document, "cases": []}, document)
