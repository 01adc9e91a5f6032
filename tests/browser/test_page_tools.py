"""What docs/page.md promises beside the answers: previews, filters, history, copies, downloads, uploads, the line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ui.guard import MAX_UPLOAD_BYTES

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
Visit = Callable[..., "Page"]
Inspect = Callable[["Page", str], None]
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def send(page: "Page", question: str) -> None:
    page.fill("#gw-question", question)
    page.press("#gw-question", "Enter")


def ask(page: "Page", question: str, turn: int = 1) -> None:
    send(page, question)
    page.wait_for_selector(f"#t-{turn}[data-state=done], #t-{turn}[data-state=error], #t-{turn}[data-state=busy]")


def reload(page: "Page") -> None:
    """Reload the page when nothing is under way any more: Gradio calls a request that the reload ends an error."""
    page.wait_for_selector(".gw-examples", state="attached")
    page.wait_for_function("!document.querySelector('.gw-next') || document.querySelector('#follow [data-kind]')")
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector("body[data-gw-ready]", state="attached")


def exported(page: "Page") -> Any:  # noqa: ANN401 - JSON
    """Return what is downloaded as JSON: each question with its answer as the bot gave it."""
    page.click("#gw-save summary")
    with page.expect_download() as got:
        page.click("[data-export=json]")
    return json.loads(got.value.path().read_text(encoding="utf-8"))


def copied(page: "Page") -> str:
    page.wait_for_function("document.querySelector('#gw-status').textContent === 'Copied'")
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_hovering_a_number_previews_its_words_and_esc_hides_them(visit: Visit, inspect: Inspect) -> None:
    page = visit()
    ask(page, "Answer me")
    page.locator("#t-1 .gw-cite").nth(1).hover()
    page.wait_for_selector("#gw-preview:not([hidden])")
    assert "Germany pledged 320 million." in page.inner_text("#gw-preview")
    inspect(page, "preview")
    page.keyboard.press("Escape")
    assert page.is_hidden("#gw-preview")


def test_filters_that_leave_nothing_can_be_cleared_and_the_question_asked_again(visit: Visit, inspect: Inspect) -> None:
    page = visit("/?since=2030-01-01")
    ask(page, "Answer me")
    assert "No article passes the filters (from 2030-01-01)." in page.inner_text("#t-1")
    assert page.inner_text("#src .gw-badge") == "No article passes the filters"
    inspect(page, "filter-excludes-everything")
    page.click(".gw-unfilter")
    page.wait_for_selector("#t-1 .gw-cite")
    assert page.input_value("#gw-since") == ""
    assert page.evaluate("location.search") == ""


def test_filters_set_by_hand_stand_in_the_address_and_hold_for_the_answer_and_its_link(visit: Visit) -> None:
    page = visit(permissions=CLIPBOARD)
    page.wait_for_function("document.querySelectorAll('#gw-choices input').length >= 2")
    page.click("#gw-filters summary")
    page.fill("#gw-since", "2025-09-01")
    page.fill("#gw-until", "2025-09-30")
    page.check("#gw-choices input[value='Paris Desk']")
    filters = "since=2025-09-01&until=2025-09-30&source=Paris+Desk"
    assert page.evaluate("location.search") == "?" + filters
    assert page.inner_text("#gw-filters summary") == "Filters (3)"
    ask(page, "And what about Canada?")
    assert "Understood as: Answer me in full" in page.inner_text("#t-1")
    asked_of = exported(page)[0]["answer"]["understood"]
    page.click("#gw-filters summary")
    page.click("#gw-clear")
    page.click(".gw-perma")
    assert [asked_of[name] for name in ("since", "until", "sources")] == ["2025-09-01", "2025-09-30", ["Paris Desk"]]
    assert copied(page).endswith("/?q=Answer+me+in+full&" + filters)


def test_past_questions_stay_in_the_browser_until_they_are_cleared(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    reload(page)
    page.click("#gw-past summary")
    assert page.locator("#gw-list li").all_inner_texts() == ["Answer me"]
    page.click("#gw-forget")
    assert page.locator("#gw-list li").count() == 0


def test_a_past_question_can_be_asked_again(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    page.click("#gw-past summary")
    page.click(".gw-again")
    page.wait_for_selector("#t-2[data-state=done]")
    assert page.locator(".gw-question").all_inner_texts() == ["Answer me", "Answer me"]


def test_a_follow_up_that_is_answered_is_offered_and_asked_by_a_click(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    page.wait_for_selector(".gw-next .gw-suggest")
    assert page.locator(".gw-next .gw-suggest").all_inner_texts() == ["Table of pledges"]
    page.click(".gw-next .gw-suggest")
    page.wait_for_selector("#t-2[data-state=done]")
    assert page.inner_text("#t-2 .gw-question") == "Table of pledges"


def test_a_question_that_failed_can_be_tried_again_in_its_place(visit: Visit) -> None:
    page = visit()
    ask(page, "Error please")
    page.click(".gw-retry")
    page.wait_for_selector("#t-1[data-state=error]")
    assert page.locator(".gw-question").all_inner_texts() == ["Error please"]


def test_an_answer_is_copied_with_its_sources_and_its_address(visit: Visit) -> None:
    page = visit(permissions=CLIPBOARD)
    ask(page, "Answer me")
    page.click(".gw-copy")
    text = copied(page)
    page.evaluate("document.querySelector('#gw-status').textContent = ''")
    page.click(".gw-perma")
    assert "[2] Pledges in Paris." in text
    assert "“Germany pledged 320 million.”" in text
    assert copied(page).endswith("/?q=Answer+me")


def test_the_conversation_downloads_as_markdown_with_its_quotes(visit: Visit) -> None:
    page = visit()
    ask(page, "Answer me")
    page.click("#gw-save summary")
    with page.expect_download() as got:
        page.click("[data-export=md]")
    text = got.value.path().read_text(encoding="utf-8")
    assert text.startswith("## Answer me")
    assert "“Germany pledged 320 million.”" in text


def test_an_answer_stays_when_the_examples_are_found_after_it(visit: Visit, address: str) -> None:
    page = visit()
    added = {"id": "late", "title": "New bridge in Lyon", "text": "A second bridge opened in Lyon."}
    assert page.request.post(f"{address}/api/v1/articles", data=added).ok  # examples are tried anew
    page = visit()
    ask(page, "Answer me")
    page.wait_for_selector(".gw-suggest", state="attached")
    page.wait_for_function("document.querySelector('#choices li')")
    assert page.locator("#t-1 .gw-cite").count() == 2


def test_the_chosen_theme_is_kept(visit: Visit) -> None:
    page = visit()
    page.click("#gw-theme")
    reload(page)
    assert page.get_attribute("#gw-theme", "aria-pressed") == "true"
    assert page.evaluate("document.body.classList.contains('dark')")


def upload(page: "Page", *files: Path) -> None:
    """Choose files, and wait until each of their rows says what became of it."""
    page.set_input_files("#gw-files", files)
    page.wait_for_function("document.querySelector('#gw-status').textContent === 'Upload finished'")


def test_each_uploaded_file_gets_a_row_that_says_what_became_of_it(
    visit: Visit, inspect: Inspect, tmp_path: Path
) -> None:
    contents = {
        "<img src=x onerror=pwn(5)>.txt": "A new bridge opened in Lyon.", "empty.txt": "", "broken.json": "{",
        "mixed.jsonl": '{"title": "Rain", "text": "It rained in Lyon."}\n' + "[]\n" * 5,
    }  # fmt: skip
    for name, text in contents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    page = visit()
    page.click("#gw-add summary")
    upload(page, *(tmp_path / name for name in contents))
    rows = page.locator("#gw-uploads li").all_inner_texts()
    assert rows[:2] == [
        "<img src=x onerror=pwn(5)>.txt: 1 passage", "empty.txt: skipped: holds no text; there is nothing to ingest",
    ]  # fmt: skip
    assert rows[2].startswith("broken.json: failed: ")
    assert rows[3].startswith("mixed.jsonl: 1 passage; failed: ")
    assert rows[3].endswith("; and 2 more")
    assert page.evaluate("window.hurt") == []
    inspect(page, "upload-finished")


def test_a_file_waits_for_those_before_it_and_for_the_server(visit: Visit, inspect: Inspect, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"The bridge {name[0]} opened in Lyon.", encoding="utf-8")
    page = visit(expected="429")
    held: list[Route] = []
    page.route("**/api/v1/articles", lambda route: held.append(route))
    page.click("#gw-add summary")
    page.set_input_files("#gw-files", [tmp_path / "a.txt", tmp_path / "b.txt"])
    page.wait_for_function("document.querySelector('#gw-uploads').innerText === 'a.txt: reading…\\nb.txt: queued'")
    inspect(page, "upload-reading")
    held[0].fulfill(status=429, headers={"retry-after": "2"}, json={"detail": "that is more than 30 uploads a minute"})
    page.unroute("**/api/v1/articles")
    page.wait_for_selector("li:text-is('a.txt: many files were sent within a minute; goes on in 2 s')")
    page.wait_for_function("document.querySelector('#gw-uploads').innerText === 'a.txt: 1 passage\\nb.txt: 1 passage'")


def test_a_file_over_the_limit_is_not_sent(visit: Visit, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    with large.open("wb") as out:
        out.truncate(MAX_UPLOAD_BYTES + 1)
    page = visit()
    page.click("#gw-add summary")
    upload(page, large)
    assert page.inner_text("#gw-uploads") == "large.txt: failed: larger than 25 MB; split it"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_collection_lists_the_articles_with_a_plot(
    visit: Visit, address: str, inspect: Inspect, theme: str
) -> None:
    page = visit(color_scheme="dark" if theme == "light" else "light")
    page.wait_for_selector(".gw-suggest")
    page.click("#gw-theme")  # what was chosen goes before what the system has
    page.click("header a[href='/collection']")
    page.wait_for_url(f"{address}/collection")
    assert "Pledges in Paris" in page.inner_text("main")
    assert page.locator("svg.gw-plot rect").count() >= 1
    assert page.locator("html.dark").count() == (theme == "dark")
    inspect(page, f"collection-{theme}")
    page.click("main a:has-text('Pledges in Paris')")
    page.wait_for_url(f"{address}/collection/a")
    assert page.inner_text("main h1") == "Pledges in Paris"
    assert "Germany pledged 320 million." in page.inner_text(".gw-text")
    inspect(page, f"article-{theme}")


def test_a_full_line_says_its_position_and_then_that_it_is_busy(visit: Visit, inspect: Inspect) -> None:
    pages = [visit() for _ in range(4)]
    for page in pages[:2]:
        send(page, "Slow please")
        page.wait_for_selector("#t-1[data-state=writing]")
    send(pages[2], "Answer me")
    pages[2].wait_for_selector("#t-1[data-state=waiting]")
    assert "this question is next" in pages[2].inner_text("#t-1")
    inspect(pages[2], "waiting")
    ask(pages[3], "Answer me")
    assert pages[3].get_attribute("#t-1", "data-state") == "busy"
    assert "Many people are asking, and the line is full." in pages[3].inner_text("#t-1")
    assert pages[3].locator(".gw-retry").count() == 1
    inspect(pages[3], "busy")
    pages[0].click("#gw-stop")
    pages[2].wait_for_selector("#t-1[data-state=done]")


def test_a_question_that_got_lost_on_its_way_is_sent_again(visit: Visit) -> None:
    page = visit()
    page.wait_for_selector(".gw-suggest")
    lost: list[str] = []

    def lose_the_first(route: "Route") -> None:
        if lost or "Answer me" not in (route.request.post_data or ""):
            route.continue_()
            return
        lost.append(route.request.url)
        route.fulfill(json={"event_id": "lost"})

    page.route("**/queue/join*", lose_the_first)
    page.fill("#gw-question", "Answer me")
    page.press("#gw-question", "Enter")
    page.wait_for_selector("#t-1[data-state=done]")
    assert lost
    assert page.locator(".gw-turn").count() == 1


def test_a_stop_that_got_lost_on_its_way_is_sent_again(visit: Visit) -> None:
    page = visit()
    page.wait_for_selector(".gw-suggest")
    send(page, "Slow please")
    page.wait_for_selector("#t-1[data-state=writing]")
    lost: list[str] = []

    def lose_the_first(route: "Route") -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fulfill(json={"event_id": "lost"})

    page.route("**/queue/join*", lose_the_first)
    page.click("#gw-stop")
    page.wait_for_selector("#t-1[data-state=stopped]")
    assert lost
