import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import SUITES, BenchmarkReport, MetricRow, Options, Published, table
from eval.benchmarks.data_files import DataFiles, MissingDataError, read_json_lines
from eval.benchmarks.options import chosen_groups, sampled
from eval.benchmarks.report import mean_rows
from eval.stats import Interval
from index.errors import InputError

ROW = MetricRow(
    metric="found", value=0.75, interval=Interval(0.5, 1.0), n=4, published=(Published("BM25", 0.685, "a paper (R)"),)
)
REPORT = BenchmarkReport(name="tiny", n=4, rows=(ROW,), settings={"part": "test"}, notes=("A note.",))


def test_a_report_shows_the_figure_its_interval_and_what_others_published() -> None:
    lines = [" ".join(line.split()) for line in table(REPORT).splitlines()]
    assert lines == [
        "tiny: 4 questions",
        "ours 95 % interval questions",
        "found 0.750 0.500 to 1.000 4",
        "BM25 0.685 a paper (R)",
        "part: test",
        "A note.",
    ]


def test_a_report_as_json_has_the_fields_of_a_suite_and_the_published_figures() -> None:
    assert REPORT.to_json() == {
        "suite": "tiny", "n": 4, "metrics": {"found": 0.75}, "intervals": {"found": [0.5, 1.0]},
        "questions": {"found": 4},
        "published": {"found": [{"system": "BM25", "value": 0.685, "source": "a paper (R)"}]},
        "by_kind": {}, "failures": [], "settings": {"part": "test"}, "notes": ["A note."],
    }  # fmt: skip


def test_a_figure_without_values_is_left_out_and_the_others_keep_what_was_published() -> None:
    published = {"found": [Published("BM25", 0.685, "a paper (R)")]}
    rows = mean_rows({"found": [1, 1, 1, 0], "refused": []}, published)
    assert [(row.metric, row.value, row.n, row.published) for row in rows] == [("found", 0.75, 4, ROW.published)]


@pytest.mark.parametrize("name", list(SUITES))
def test_a_missing_folder_is_said_not_failed(name: str, tmp_path: Path) -> None:
    report = SUITES[name](Options(folder=tmp_path / "absent"))
    assert (report.n, report.rows, report.measured) == (0, (), False)
    assert f"{tmp_path}/absent: there is no such folder; get the set from https://" in table(report)


@pytest.mark.parametrize("name", list(SUITES))
def test_a_folder_without_the_files_of_the_set_says_which_are_missing(name: str, tmp_path: Path) -> None:
    (note,) = SUITES[name](Options(folder=tmp_path)).notes
    assert note.startswith(f"{tmp_path}: holds no ")
    assert ".json" in note or ".zip" in note or ".md" in note


def test_the_folder_of_the_sets_own_name_comes_first(tmp_path: Path) -> None:
    (tmp_path / "squad").mkdir()
    assert DataFiles.of(tmp_path, "squad", "elsewhere").folder == tmp_path / "squad"


def test_the_first_pattern_that_fits_wins(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "a.csv"):
        (tmp_path / name).touch()
    files = DataFiles.of(tmp_path, "squad", "elsewhere")
    assert files.all("*.txt", "*.json", "*.csv") == [tmp_path / "a.json", tmp_path / "b.json"]
    with pytest.raises(MissingDataError, match=r"holds no \*\.txt and no \*\.md; get the set from elsewhere"):
        files.all("*.txt", "*.md")


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n{"a":\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"rows\.jsonl:3: is not JSON"):
        list(read_json_lines(path, Any))


def test_a_line_separator_inside_a_string_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"a": "one\u2028two"}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert list(read_json_lines(path, dict[str, str])) == [(f"{path}:1", {"a": "one\u2028two"})]


def test_the_halves_share_no_group_and_together_are_all() -> None:
    groups = ["d", "a", "c", "b", "e", "a"]
    fit, test = chosen_groups(groups, "fit"), chosen_groups(groups, "test")
    assert (sorted(fit), sorted(test)) == (["a", "c", "e"], ["b", "d"])
    assert fit | test == chosen_groups(groups, "all")


def test_a_sample_is_drawn_by_the_seed_and_keeps_the_order() -> None:
    items = list(range(100))
    options = Options(folder=Path(), limit=10, seed=1)
    drawn = sampled(items, options)
    assert drawn == sampled(items, options) == sorted(drawn)
    assert len(drawn) == 10
    assert drawn != sampled(items, Options(folder=Path(), limit=10, seed=2))
    assert sampled(items, Options(folder=Path())) == items
