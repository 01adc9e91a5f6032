"""The chat page in Chromium: every state, keyboard, phone, hostile text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
Visit = Callable[..., "Page"]
Inspect = Callable[["Page", str], None]


def ask(page: "Page", question: str, turn: int = 1) -> None:
    page.fill("#gw-question", question)
    page.press("#gw-question", "Enter")
    page.wait_for_selector(f"#t-{turn}[data-state=done], #t-{turn}[data-state=error], #t-{turn}[data-state=busy]")


STATES = {
    "answered": ("Answer me", "2 of 2 statements cited"), "partly": ("Partly please", "1 of 2 statements cited"),
    "disagree": ("Disagree please", "Sources disagree"), "table": ("Table please", "500 million"),
    "refused": ("Refuse please", "Not in these articles"), "error": ("Error please", "The model stumbled"),
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_a_state_says_what_it_is_and_is_accessible(visit: Visit, inspect: Inspect, state: str, scheme: str) -> None:
    question, said = STATES[state]
    page = visit(color_scheme=scheme)
    ask(page, question)
    assert said in page.inner_text("#t-1")
    inspect(page, f"{state}-{scheme}")


def test_the_empty_page_is_accessible(visit: Visit, inspect: Inspect) -> None:
    page = visit()
    page.wait_for_selector(".gw-suggest")
    page.click("#gw-filters summary")
    inspect(page, "start-filters")


def test_a_number_opens_the_exact_words_and_esc_returns(visit: Visit, inspect: Inspect) -> None:
    page = visit()
    ask(page, "Answer me")
    page.locator("#t-1 .gw-cite").nth(1).click()
    assert page.locator("mark.on").all_inner_texts() == ["Germany pledged 320 million."]
    assert page.evaluate("document.activeElement.matches('mark.on')")
    page.wait_for_function("document.querySelector('#gw-status').textContent.includes('Passage 2 highlighted')")
    inspect(page, "passage-open")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.n") == "2"


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Control+k")
    page.keyboard.type("Answer me")
    page.keyboard.press("Enter")
    page.wait_for_selector("#t-1[data-state=done]")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    assert page.locator("mark.on").all_inner_texts() == ["Germany pledged 320 million."]


def test_hostile_text_stays_text(visit: Visit, inspect: Inspect) -> None:
    evil = "Evil <img src=x onerror=pwn(9)> $$1$$ ${pwn(8)} {{pwn(7)}} ![a](http://evil.test/q) ```mermaid"
    page = visit()
    ask(page, evil)
    page.locator("#t-1 .gw-cite").nth(2).click()
    assert page.inner_text("#t-1 .gw-question") == evil
    assert page.locator("#chat img, #src img, .katex, #src a[href^=javascript]").count() == 0
    assert page.evaluate("window.hurt") == []
    inspect(page, "hostile")


def test_other_articles_that_print_the_words_are_named_beside_them(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    assert str(page.text_content(".gw-also")).startswith("The words of passage 1 are also printed in Lyon Desk")
    assert page.get_attribute(".gw-also a", "href") == "https://news.example/c"


def test_an_index_without_articles_says_how_to_add_some(visit: Visit, inspect: Inspect, empty_address: str) -> None:
    page = visit(at=empty_address)
    page.wait_for_selector("#gw-empty")
    inspect(page, "empty")
    ask(page, "Who pledged what?")
    assert "There are no articles yet." in page.inner_text("#t-1")
    inspect(page, "empty-asked")


def test_stop_keeps_what_was_said(visit: Visit, inspect: Inspect) -> None:
    page = visit()
    page.fill("#gw-question", "Slow please")
    page.press("#gw-question", "Enter")
    page.wait_for_selector("#t-1 .gw-cite")
    page.click("#gw-stop")
    page.wait_for_selector("#t-1[data-state=stopped]")
    assert page.locator("#t-1 .gw-cite").count() == 1
    inspect(page, "stopped")


def test_the_next_question_comes_to_the_top_and_can_be_stopped_while_it_is_answered(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    page.wait_for_selector(".gw-next button")
    page.fill("#gw-question", "Slow please")
    page.press("#gw-question", "Enter")
    page.wait_for_selector("#t-2[data-state=writing]")
    assert page.is_visible("#gw-stop")
    top = page.evaluate("document.querySelector('#chat').getBoundingClientRect().top")
    asked = page.evaluate("document.querySelector('#t-2 .gw-question').getBoundingClientRect().top")
    assert 0 <= asked - top <= 60


def test_two_sessions_do_not_mix(visit: Visit) -> None:
    first, second = visit(), visit()
    ask(first, "Answer me")
    ask(second, "Refuse please")
    assert first.locator(".gw-question").all_inner_texts() == ["Answer me"]
    assert second.locator(".gw-question").all_inner_texts() == ["Refuse please"]


def test_an_edited_question_takes_the_place_of_the_old_one(visit: Visit) -> None:
    page = visit()
    ask(page, "Refuse please")
    page.click(".gw-edit")
    page.fill("#gw-question", "Answer me")
    page.press("#gw-question", "Enter")
    page.wait_for_selector("#t-1 .gw-cite")
    assert page.locator(".gw-question").all_inner_texts() == ["Answer me"]


def test_an_address_asks_its_question_with_its_filters(visit: Visit) -> None:
    page = visit("/?q=Answer+me&since=2025-09-01&source=Paris+Desk")
    page.wait_for_selector("#t-1[data-state=done]")
    assert page.input_value("#gw-since") == "2025-09-01"
    assert page.locator("#gw-choices input:checked").get_attribute("value") == "Paris Desk"


def test_a_reader_says_which_passage_is_wrong_and_why(visit: Visit, inspect: Inspect, canned_folder: Path) -> None:
    page = visit()
    ask(page, "Answer me")
    page.click(".gw-report summary")
    inspect(page, "report")
    page.select_option(".gw-say-form select", "2")
    page.fill(".gw-say-form textarea", "That is <b>Spain</b>")
    page.click(".gw-say-form button")
    page.wait_for_function("document.querySelector('#gw-status').textContent.startsWith('Thank you')")
    assert page.inner_text("#gw-toast").startswith("Thank you")
    stored = (canned_folder / "index" / "feedback.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    line = json.loads(stored)
    assert (line["kind"], line["citation"], line["comment"]) == ("wrong_passage", 2, "That is <b>Spain</b>")
    assert line["answer"]["question"] == "Answer me"


def test_a_refusal_has_no_passage_to_complain_of_and_a_liked_answer_is_stored(
    visit: Visit, canned_folder: Path
) -> None:
    page = visit()
    ask(page, "Refuse please")
    page.click(".gw-report summary")
    kinds = page.locator(".gw-say-form input[type=radio]").evaluate_all("all => all.map(one => one.value)")
    assert kinds == ["dislike", "missing_source", "other"]
    page.click("[data-kind=like]")
    page.wait_for_function("document.querySelector('#gw-status').textContent.startsWith('Thank you')")
    stored = (canned_folder / "index" / "feedback.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(stored)["kind"] == "like"


def test_the_conversation_downloads(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    page.click("#gw-save summary")
    with page.expect_download() as got:
        page.click("[data-export=json]")
    assert '"quote": "Germany pledged 320 million."' in got.value.path().read_text(encoding="utf-8")


def test_a_phone_shows_sources_in_a_sheet(visit: Visit, inspect: Inspect) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    ask(page, "Answer me")
    page.locator(".gw-cite").first.tap()
    assert page.get_attribute("#src-col", "role") == "dialog"
    inspect(page, "phone-sheet")
    page.tap("#gw-close")
    assert page.evaluate("document.activeElement.className") == "gw-cite"


def test_nothing_runs_out_of_a_narrow_screen(visit: Visit, inspect: Inspect) -> None:
    page = visit(viewport={"width": 320, "height": 640})
    ask(page, "Evil please")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    inspect(page, "narrow")
