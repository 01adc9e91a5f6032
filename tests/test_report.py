"""The report is one page that needs nothing else, says what the run says, and runs no script of an article's."""

import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.cases import Case
from eval.compare import compare_runs
from eval.plots import Estimate, difference_plot, histogram, interval_plot, stacked_bars
from eval.report import policy, report
from eval.run import Setup, run, write_run
from eval.suites import Suite, UnusedEmbedder
from tests.fakes import KYIV, write_articles
from tests.scored import QUOTE
from ui.report_page import add_report_page

HOSTILE = "<script>alert(1)</script>"
SVG = "{http://www.w3.org/2000/svg}"


def scored(folder: Path, *, day: int = 1, text: str = f"19. {HOSTILE}[1]") -> dict[str, Any]:
    cases: list[dict[str, Any]] = [
        {
            "id": f"a'\"{HOSTILE}",
            "question": f"How many? {HOSTILE}",
            "evidence": [[{"quote": QUOTE}]],
            "answers": ["19"],
        },
        {"id": "far", "question": "Who won?", "refuse": True, "kind": "far"},
    ]
    answer = {"text": text, "citations": [{"article_id": "kyiv", "quote": QUOTE, "title": HOSTILE}]}

    def system(case: Case) -> Mapping[str, Any]:
        return {"text": "", "status": "refused"} if case.refuse else answer

    write_articles(folder / "cases.jsonl", *cases)
    suite = Suite("mine", folder / "cases.jsonl", (write_articles(folder / "articles.jsonl", KYIV),))
    setup = Setup(system=lambda index: system, describe=lambda index: {"system": HOSTILE}, embedder=UnusedEmbedder())
    return run([suite], setup, started=datetime(2026, 1, day, tzinfo=UTC))


@pytest.fixture
def page(tmp_path: Path) -> str:
    return report(scored(tmp_path))


def test_a_run_is_drawn_as_intervals_verdicts_and_times(tmp_path: Path) -> None:
    run = scored(tmp_path)
    for taken, case in zip((3.0, 40.0), run["cases"], strict=True):
        case["ms"] = taken
    drawn = re.findall(r"<svg [^>]*aria-label=\"(.*?)\"", report(run))
    assert drawn == [
        "Metrics with intervals, by suite", "Verdicts by kind of question, mine", "Milliseconds an answer",
    ]  # fmt: skip


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    assert re.findall(r"(?:src|srcset|action|href)=.?(?!['\"]?#)\S|url\(|@import", page) == []


def test_what_an_article_or_an_answer_says_is_never_markup(page: str) -> None:
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_allows_its_own_script_and_style_alone(page: str) -> None:
    import base64
    import hashlib

    for tag in ("script", "style"):
        [inlined] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        checksum = base64.b64encode(hashlib.sha256(inlined.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{checksum}'" in policy()
    assert not re.search(r"<[^>]+ (?:style|on\w+)=", page)


def test_the_policy_stands_in_the_page_before_anything_it_rules(page: str) -> None:
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script>")


def test_every_case_is_there_with_its_verdict_answer_and_evidence(page: str) -> None:
    [first, second] = re.findall(r"<details class='case'.*?</details></div></div></details>", page, re.DOTALL)
    assert "data-verdict='right'" in first
    assert first.count(QUOTE) == 2
    assert "A refusal" in second


def test_a_mark_is_a_chip_that_leads_to_its_quote(page: str) -> None:
    [chip] = re.findall(r"<a class='gw-chip right' href='#(.*?)'>1</a>", page)
    assert f"id='{chip}'" in page


def test_the_figures_are_those_of_the_run(page: str, tmp_path: Path) -> None:
    document = scored(tmp_path)
    assert f"<b>{document['metrics']['citation_precision']:.3f}</b><span>citation precision</span>" in page


def test_the_figures_of_a_kind_stand_with_their_intervals(page: str) -> None:
    fact, far = re.findall(r"<tr><th scope='row'>(?:fact|far)</th>.*?</tr>", page)
    sure = "<td>1.000 <small>0.21 to 1.00, n 1</small></td>"
    assert fact == f"<tr><th scope='row'>fact</th>{sure * 4}<td></td></tr>"
    assert far == f"<tr><th scope='row'>far</th>{sure}<td></td><td></td><td></td>{sure}</tr>"


def test_a_comparison_shows_what_changed(tmp_path: Path) -> None:
    before, now = scored(tmp_path), scored(tmp_path, day=2, text="")
    now["cases"][0]["verdict"] = "refused"
    shown = report(now, earlier=before, comparison=compare_runs(before, now))
    assert "Compared with the run of 2026-01-01 00:00 UTC" in shown
    assert "not enough cases to tell" in shown
    assert "Cases with another verdict" in shown


def test_a_comparison_shows_every_metric_that_was_compared(tmp_path: Path) -> None:
    before, now = scored(tmp_path), scored(tmp_path, day=2)
    comparison = compare_runs(before, now)
    section = compared_in(report(now, earlier=before, comparison=comparison))
    assert re.findall(r"<tr><th scope='row'>([^<]+)</th>", section) == list(comparison["by_suite"]["mine"])
    assert section.count("<circle") == len(comparison["by_suite"]["mine"])


def test_a_comparison_shows_how_many_cases_were_compared_and_how_many_left_out(tmp_path: Path) -> None:
    before, now = scored(tmp_path), scored(tmp_path, day=2)
    now["cases"] = now["cases"][:1]
    section = compared_in(report(now, earlier=before, comparison=compare_runs(before, now)))
    assert "cases that both runs have: 1;" in section
    assert "<p>Cases that only the earlier run has, and that were left out: 1.</p>" in section


def compared_in(page: str) -> str:
    """Return the part of a report that compares."""
    return next(part for part in page.split("<h2>") if part.startswith("Compared with"))


def test_a_dot_stands_where_its_value_is() -> None:
    plots = [
        interval_plot({"a": [Estimate(label="a", value=v, low=0, high=1, series="one")]}, title="t") for v in (0, 1)
    ]
    places = [ElementTree.fromstring(svg).find(".//circle") for svg in plots]
    assert [place.get("cx") for place in places if place is not None] == ["190.0", "660.0"]


def test_a_figure_just_below_a_bar_is_not_rounded_up_to_it() -> None:
    estimate = Estimate(label="a", value=0.8467, low=0, high=1, series="one")
    assert ">0.847<" in interval_plot({"a": [estimate]}, title="t")


def test_a_difference_of_nothing_stands_on_the_line() -> None:
    svg = difference_plot([Estimate(label="a", value=0, low=-0.1, high=0.2, series="unsure")], title="t")
    root = ElementTree.fromstring(svg)
    [axis] = [line.get("x1") for line in root.iter("line") if line.get("class") == "axis"]
    assert [circle.get("cx") for circle in root.iter("circle")] == [axis]


def test_bars_are_cut_by_their_counts() -> None:
    root = ElementTree.fromstring(stacked_bars({"fact": {"right": 3, "wrong": 1}}, title="t"))
    assert [bar.get("width") for bar in root.iter("rect")] == ["350.5", "115.5"]


def test_every_value_is_in_the_histogram() -> None:
    root = ElementTree.fromstring(histogram([1, 2, 2, 9], title="t", unit="ms", bins=3))
    assert [(title.text or "")[:1] for title in root.iter("title")] == ["3", "1"]


@pytest.mark.parametrize("svg", [histogram([], title="t", unit="ms"), difference_plot([], title="t")])
def test_a_plot_of_nothing_is_a_plot(svg: str) -> None:
    assert ElementTree.fromstring(svg).get("aria-label") == "t"


def client(runs: Path) -> TestClient:
    app = FastAPI()
    add_report_page(app, runs)
    return TestClient(app)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    for day in (1, 2):
        write_run(scored(tmp_path, day=day), folder)
    (folder / "other.json").write_text("{}", encoding="utf-8")
    return folder


def test_the_page_lists_the_runs_of_a_folder_newest_first(runs: Path) -> None:
    names = re.findall(r"href='/reports/([^'?]*)'", client(runs).get("/reports").text)
    assert names == ["20260102T000000Z-mine", "20260101T000000Z-mine"]


def test_the_page_shows_a_run_under_its_own_policy(runs: Path) -> None:
    shown = client(runs).get("/reports/20260102T000000Z-mine")
    assert (shown.status_code, shown.headers["Content-Security-Policy"]) == (200, policy())
    assert QUOTE in shown.text


def test_the_page_compares_a_run_with_the_one_before(runs: Path) -> None:
    [link] = re.findall(r"href='(/reports/[^']*compare=[^']*)'", client(runs).get("/reports").text)
    assert "Compared with the run of 2026-01-01" in client(runs).get(link).text


@pytest.mark.parametrize("name", ["other", "gone", "..%2Fcases", "20260102T000000Z-mine?compare=gone"])
def test_a_run_that_is_not_there_is_not_found(runs: Path, name: str) -> None:
    assert client(runs).get(f"/reports/{name}").status_code == 404


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    assert "groundwire eval" in client(tmp_path / "none").get("/reports").text


@pytest.mark.browser
def test_the_filters_work_under_the_policy_of_the_page(tmp_path: Path, page: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("needs chromium")
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page()
        shown.on("console", lambda message: complaints.append(message.text))
        shown.on("dialog", lambda dialog: complaints.append(dialog.message))
        shown.goto((tmp_path / "report.html").as_uri())
        counts = [shown.inner_text("#shown")]
        for name, value in (("verdict", "failed"), ("verdict", ""), ("kind", "far")):
            shown.select_option(f"select[name={name}]", value)
            counts.append(shown.inner_text("#shown"))
        shown.fill("input[name=words]", "nowhere")
        counts.append(shown.inner_text("#shown"))
        browser.close()
    assert (counts, complaints) == (
        ["2 of 2 cases", "0 of 2 cases", "2 of 2 cases", "1 of 2 cases", "0 of 2 cases"], [],
    )  # fmt: skip
