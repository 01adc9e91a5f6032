"""The page of the articles held: every one can be reached, and the plot leaves out nothing without saying so."""

import re
from pathlib import Path

import pytest

from eval.run import write_run
from ui.views import bars_of

from .fakes import ROME
from .served import MakeClient
from .test_report import scored


def test_months_without_an_article_have_a_bar_too() -> None:
    assert bars_of(["2026-01-31", "2025-11-01T10:00:00Z", "2026-01-01"]) == (
        ("Nov 2025", 1), ("Dec 2025", 0), ("Jan 2026", 2),
    )  # fmt: skip


@pytest.mark.parametrize(("last", "bars"), [("2025-12-31", 48), ("2026-01-01", 5)])
def test_more_than_48_months_are_shown_by_year(last: str, bars: int) -> None:
    shown = bars_of(["2022-01-01", last])
    assert (len(shown), sum(count for _, count in shown)) == (bars, 2)


def test_without_a_date_there_is_no_bar() -> None:
    assert bars_of([]) == ()


def test_every_article_is_on_a_page(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.page._ON_A_PAGE", 1)
    client = make_client(page=True)
    pages = [client.get("/collection", params={"page": page}).text for page in (1, 2, 99)]
    titles = [re.findall(r'href="/collection/\w+">(.*?)<', page) for page in pages]
    links = [re.findall(r'href="/collection\?page=(\d)">(.*?)<', page) for page in pages]
    assert titles == [["Summit in Paris"], ["Toll in Kyiv"], ["Toll in Kyiv"]]
    assert links == [[("2", "Older →")], [("1", "← Newer")], [("1", "← Newer")]]


def test_the_plot_says_how_many_articles_it_leaves_out(make_client: MakeClient) -> None:
    client = make_client(page=True, allow_writes=True)
    assert "not in the plot" not in client.get("/collection").text
    client.post("/api/v1/articles", json=ROME)
    page = client.get("/collection").text
    assert "Articles a month, Aug 2025 to Sep 2025; most in one: 1." in page
    assert "Without a date, and so not in the plot: 1." in page


def test_the_page_leads_to_the_evaluations_once_there_is_one(make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client(page=True, runs=tmp_path / "runs")
    assert "/reports" not in client.get("/collection").text
    write_run(scored(tmp_path), tmp_path / "runs")
    [link] = re.findall(r'href="(/reports)"', client.get("/collection").text)
    assert "20260101T000000Z-mine" in client.get(link).text
