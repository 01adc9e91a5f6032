"""A run of the own cases says by how much it falls short of a bar, and on which kinds."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eval.bars import BARS, bars_of
from eval.report import report
from eval.run import Setup, run
from eval.show import show_run
from eval.suites import Suite, UnusedEmbedder, find_suites
from tests.scored import REFUSAL


def summary(count: int = 10, by_kind: dict[str, Any] | None = None, **metrics: float) -> dict[str, Any]:
    return {"metrics": metrics, "counted": dict.fromkeys(metrics, count), "by_kind": by_kind or {}}


def bar(metric: str, seen: dict[str, Any]) -> dict[str, Any]:
    found = bars_of(find_suites(["unseen"]), {"unseen": seen})["unseen"]
    return next(one for one in found if one["metric"] == metric)


def test_a_bar_that_is_missed_says_by_how_much_and_on_which_kinds_worst_first() -> None:
    kinds = {
        "fact": summary(5, answered=0.8),
        "list": summary(3, answered=1.0),
        "count": summary(2, answered=0.5),
        "far": summary(2, refused_far=0.0),
    }
    assert bar("answered", summary(by_kind=kinds, answered=0.8)) == {
        "metric": "answered", "least": 0.9, "seen": 0.8, "short": 0.1,
        "kinds": [{"kind": "count", "seen": 0.5, "n": 2}, {"kind": "fact", "seen": 0.8, "n": 5}],
    }  # fmt: skip


def test_a_bar_that_is_reached_names_no_kind() -> None:
    reached = bar("answered", summary(by_kind={"fact": summary(answered=0.5)}, answered=0.9))
    assert (reached["short"], reached["kinds"]) == (0.0, [])


def test_a_bar_without_a_figure_is_missed_by_all_of_it() -> None:
    assert (bar("refused_far", summary())["seen"], bar("refused_far", summary())["short"]) == (None, 0.95)


def test_the_test_cases_and_the_unseen_ones_are_judged_apart_and_those_for_fitting_not_at_all() -> None:
    found = bars_of(find_suites([]), dict.fromkeys(("dev", "test", "unseen"), summary()))
    assert {name: [bar["metric"] for bar in bars] for name, bars in found.items()} == {
        "test": list(BARS), "unseen": list(BARS),
    }  # fmt: skip


def test_the_cases_of_a_user_have_no_bars_whatever_their_file_is_called(tmp_path: Path) -> None:
    assert bars_of([Suite("test", tmp_path / "test.jsonl", ())], {"test": summary()}) == {}


@pytest.fixture(scope="module")
def refusing() -> dict[str, Any]:
    setup = Setup(
        system=lambda index: lambda case: REFUSAL, describe=lambda index: {"system": "fake"}, embedder=UnusedEmbedder()
    )
    return run(find_suites(["unseen"]), setup, started=datetime(2026, 1, 2, tzinfo=UTC))


def test_the_run_has_its_bars(refusing: dict[str, Any]) -> None:
    assert [(bar["metric"], bar["short"]) for bar in refusing["bars"]["unseen"]] == [
        ("quote_fidelity", 1.0), ("citation_precision", 0.85), ("evidence_complete", 0.75), ("answered", 0.9),
        ("refused_far", 0.0), ("refused_near", 0.0),
    ]  # fmt: skip


def test_the_terminal_shows_the_shortfall_and_the_kinds(refusing: dict[str, Any]) -> None:
    shown = show_run(refusing)
    assert "answered                  0.9000  0.0000    0.9000\n  below it: fact 0.000 of 8, count 0.000" in shown
    assert "refused_far               0.9500  1.0000   reached" in shown


def test_the_report_shows_the_shortfall_and_the_kinds(refusing: dict[str, Any]) -> None:
    shown = report(refusing)
    assert "<span class='short'>0.9000</span></td><td>fact <small>0.000, n 8</small>, count" in shown


def test_a_run_of_before_there_were_bars_is_shown_without_them(refusing: dict[str, Any]) -> None:
    old = {name: value for name, value in refusing.items() if name != "bars"}
    assert ("unseen: bar" in show_run(refusing), "What is aimed at" in report(refusing)) == (True, True)
    assert ("unseen: bar" in show_run(old), "What is aimed at" in report(old)) == (False, False)
