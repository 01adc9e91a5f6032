"""The page with the real bot over the sample articles: what a visitor does in the first minutes."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.enable_socket]
Visit = Callable[..., "Page"]
Inspect = Callable[["Page", str], None]


def ask(page: "Page", question: str, turn: int) -> str:
    """Ask, and return what the page says when it is done."""
    page.fill("#gw-question", question)
    page.press("#gw-question", "Enter")
    page.wait_for_selector(f"#t-{turn}[data-state=done]:has(.gw-question:text-is({json.dumps(question)}))")
    return page.inner_text(f"#t-{turn}")


def test_a_first_visit(visit: Visit, inspect: Inspect, seeds_address: str) -> None:
    page = visit(at=seeds_address)
    page.wait_for_selector(".gw-examples .gw-suggest")
    offered = page.locator(".gw-examples .gw-suggest").all_inner_texts()
    inspect(page, "seeds-start")
    assert len(offered) == 4

    page.click(".gw-examples .gw-suggest")
    page.wait_for_selector("#t-1[data-state=done] .gw-cite")
    page.locator("#t-1 .gw-cite").first.click()
    said = page.locator("#t-1 .gw-s").first.inner_text()
    assert "".join(page.locator("mark.on").all_inner_texts()) == said
    inspect(page, "seeds-answer")

    ask(page, "Who pledged what in Paris?", 2)
    page.wait_for_selector("#t-2 .gw-next .gw-suggest")
    page.locator("#t-2 .gw-next .gw-suggest").first.click()
    page.wait_for_selector("#t-3[data-state=done] .gw-cite")

    assert "EUR 500 million" in ask(page, "How much did the Netherlands pay into PURL?", 4)
    understood = ask(page, "And what about Canada?", 5)
    assert "Understood as:" in understood
    assert "Canada" in understood

    page.locator("#t-4 .gw-edit").click()
    assert "USD 500 million" in ask(page, "How much did Canada pay into PURL?", 4)
    assert page.locator(".gw-turn").count() == 4

    assert "Not in these articles." in ask(page, "Which team won the chess final on the Moon in 1954?", 5)
    page.click("#gw-save summary")
    with page.expect_download() as got:
        page.click("[data-export=json]")
    turns = json.loads(got.value.path().read_text(encoding="utf-8"))
    assert [bool(turn["answer"]["citations"]) for turn in turns] == [True, True, True, True, False]
    with page.expect_download() as got:
        page.click("[data-export=md]")
    assert turns[3]["answer"]["citations"][0]["quote"][:20] in got.value.path().read_text(encoding="utf-8")

    page.click("#gw-past summary")
    assert "And what about Canada?" in page.locator("#gw-list li").all_inner_texts()
    page.click("#gw-new")
    page.wait_for_selector(".gw-turn", state="detached")
    assert page.is_visible(".gw-welcome")
