"""The chat page in Chromium: every state, keyboard, phone, hostile text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .canned_server import EVIL
from .conftest import SCREENSHOTS, TOKEN

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
    "weak": ("Weak please", "partly supported: number"),
    "updated": ("Updated please", "Reported differently over time."),
    "refused": ("Refuse please", "Not in these articles. The 2 articles do not answer this."),
    "ambiguous": ("Ambiguous please", "That can be read in several ways. Paris in France, or Paris in Texas?"),
    "premise": ("Premise please", "do not bear out what the question takes for granted."),
    "error": ("Error please", "The model stumbled"),
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


def test_a_sentence_that_is_not_borne_out_says_so_with_its_reasons(visit: Visit) -> None:
    page = visit()
    ask(page, "Weak please")
    verdicts = ["partly supported: number", "not supported: speaker, date"]
    assert page.locator("#t-1 .gw-verdict").all_inner_texts() == verdicts
    assert page.locator("#t-1 .gw-weak").count() == 2
    assert page.inner_text("#t-1 .gw-badge") == "2 of 2 statements cited"
    assert page.locator("#t-1 .gw-badge.gw-warn").count() == 1


@pytest.mark.parametrize(
    ("question", "state", "said"),
    [("Hold please", "searching", "Searching the articles…"), ("Slow please", "writing", "Writing…")],
)
def test_what_is_under_way_says_so_and_is_accessible(
    visit: Visit, inspect: Inspect, question: str, state: str, said: str
) -> None:
    page = visit()
    page.fill("#gw-question", question)
    page.press("#gw-question", "Enter")
    page.wait_for_selector(f"#t-1[data-state={state}]")
    assert page.inner_text("#t-1 .gw-busy") == said
    assert page.inner_text("#src .gw-badge") == state.capitalize()
    assert page.is_visible("#gw-stop")
    inspect(page, state)
    page.click("#gw-stop")
    page.wait_for_selector("#t-1[data-state=stopped]")


def test_what_was_found_and_not_cited_is_listed_under_the_sources(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    assert page.inner_text("#src h3") == "Retrieved, not cited"
    assert "Evil words." in page.inner_text(".gw-near")
    assert "France pledged" not in page.inner_text(".gw-near")


def test_a_refusal_says_what_was_searched_and_shows_what_came_closest(visit: Visit) -> None:
    page = visit("/?since=2025-09-01&source=Paris+Desk")
    ask(page, "Premise please")
    assert page.inner_text("#t-1 .gw-searched") == "Searched 2 articles, from 1 Sep 2025, of Paris Desk."
    assert "The closest passages are listed under Sources." in page.inner_text("#t-1")
    assert page.inner_text("#src .gw-badge") == "Not borne out"
    assert page.inner_text("#src h3") == "Closest passages"
    assert page.locator(".gw-near li").count() == 2
    page.wait_for_function("document.querySelector('#gw-status').textContent === 'Not borne out. 0 citations.'")


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


def tab_to(page: "Page", selector: str) -> None:
    """Go back with Shift+Tab until the focus is where it should be."""
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"Shift+Tab does not lead to {selector}")


def test_the_keyboard_alone_opens_a_number_and_goes_back(visit: Visit) -> None:
    page = visit()
    page.keyboard.type("Answer me")
    page.keyboard.press("Enter")
    page.wait_for_selector("#t-1[data-state=done]")
    tab_to(page, "#t-1 .gw-cite[data-n='2']")
    page.wait_for_selector("#gw-preview:not([hidden])")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('mark.on')")
    assert page.locator("mark.on").all_inner_texts() == ["Germany pledged 320 million."]
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
    evil = (
        "Evil <img src=x onerror=pwn(9)> $$1$$ ${pwn(8)} {{pwn(7)}} ![a](http://evil.test/q) "
        "[x](javascript:pwn(6)) javascript:pwn(6) [1] ```mermaid"
    )
    page = visit()
    ask(page, evil)
    page.locator("#t-1 .gw-cite").nth(2).click()
    assert page.inner_text("#t-1 .gw-question") == evil
    assert page.locator("#t-1 .gw-cite").all_text_contents() == [
        "Source Paris Desk, passage 1", "Source Paris Desk, passage 2", f"Source Src {EVIL}, passage 3",
    ]  # fmt: skip
    assert page.locator("#chat img, #src img, .katex, #chat a, a[href^=javascript]").count() == 0
    page.click("#gw-filters summary")
    assert page.locator("#gw-choices label").first.inner_text().strip() == f"Src {EVIL}"
    assert page.evaluate("window.hurt") == []
    inspect(page, "hostile")


@pytest.mark.parametrize("path", ["/collection", "/collection/b"])
def test_hostile_text_stays_text_beside_the_chat(visit: Visit, inspect: Inspect, path: str) -> None:
    page = visit(path, ready="main.gw-collection")
    assert f"Evil {EVIL}" in page.inner_text("main")
    assert f"Src {EVIL}" in page.inner_text("main")
    assert page.locator("main img, main script, a[href^=javascript]").count() == 0
    assert page.evaluate("window.hurt") == []
    inspect(page, "hostile" + path.replace("/", "-"))


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


def test_two_sessions_that_are_answered_at_once_do_not_mix(visit: Visit) -> None:
    first, second = visit(), visit()
    first.fill("#gw-question", "Slow please")
    first.press("#gw-question", "Enter")
    first.wait_for_selector("#t-1[data-state=writing]")
    ask(second, "Refuse please")
    assert first.get_attribute("#t-1", "data-state") == "writing"
    ask(second, "Table please", turn=2)
    first.click("#gw-stop")
    first.wait_for_selector("#t-1[data-state=stopped]")
    ask(first, "Answer me", turn=2)
    assert first.locator(".gw-question").all_inner_texts() == ["Slow please", "Answer me"]
    assert second.locator(".gw-question").all_inner_texts() == ["Refuse please", "Table please"]
    assert (first.locator("#chat table").count(), second.locator("#chat table").count()) == (0, 1)


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


NARROW = {"viewport": {"width": 320, "height": 640}}
WIDTH = "document.documentElement.scrollWidth"


@pytest.mark.parametrize(
    "question", ["Evil please", "Table please", "Weak please", "Disagree please", "Premise please"]
)
def test_nothing_runs_out_of_a_narrow_screen(visit: Visit, inspect: Inspect, question: str) -> None:
    page = visit(**NARROW)
    ask(page, question)
    assert page.evaluate(WIDTH) <= 320
    page.click(".gw-show")
    assert page.evaluate(WIDTH) <= 320
    page.click("#gw-close")
    page.click("#gw-filters summary")
    assert page.evaluate(WIDTH) <= 320
    page.click("#gw-filters summary")
    inspect(page, f"narrow-{question.split()[0].lower()}")
    page.click(".gw-report summary")
    assert page.evaluate(WIDTH) <= 320


@pytest.mark.parametrize("path", ["/", "/collection", "/collection/b"])
def test_no_page_runs_out_of_a_narrow_screen(visit: Visit, inspect: Inspect, path: str) -> None:
    page = visit(path, ready=".gw-suggest, main.gw-collection", **NARROW)
    assert page.evaluate(WIDTH) <= 320
    inspect(page, "narrow" + path.replace("/", "-"))


@pytest.mark.parametrize("width", [320, 360, 480, 640, 861, 1280])
def test_nothing_in_the_header_lies_over_something_else(visit: Visit, width: int) -> None:
    page = visit(viewport={"width": width, "height": 640})
    boxes = page.evaluate(
        "[...document.querySelectorAll('.gw-top h1, .gw-sub, .gw-logo, .gw-top .gw-button')].map(one => "
        "one.getBoundingClientRect()).filter(box => box.width > 1).map(box => [box.left, box.right])"
    )
    ends = [0, *(end for box in sorted(boxes) for end in box), width]
    assert len(boxes) >= 4
    assert ends == sorted(ends)


def test_behind_a_token_the_page_answers_whoever_has_signed_in(visit: Visit, locked_address: str) -> None:
    page = visit("/login", at=locked_address, ready="input[name=token]")
    page.fill("input[name=token]", TOKEN)
    page.click("button")
    page.wait_for_selector("body[data-gw-ready]", state="attached")
    ask(page, "Answer me")
    page.locator("#t-1 .gw-cite").nth(1).click()
    assert page.locator("mark.on").all_inner_texts() == ["Germany pledged 320 million."]
    assert page.evaluate("document.cookie") == ""


def test_the_documentation_of_the_service_opens_with_what_is_here(visit: Visit) -> None:
    page = visit("/docs", ready=".opblock")
    page.click("#operations-ask-ask_api_v1_ask_post .opblock-summary-control")
    page.wait_for_selector(".opblock.is-open .responses-table")
    assert "wrong_origin" in page.inner_text(".opblock.is-open")
    assert page.locator(".opblock").count() >= 12
    page.screenshot(path=SCREENSHOTS / "docs.png")
