"""What the page makes of texts: exact pieces, and links that are links."""

import re
from dataclasses import replace
from typing import Any

import pytest

from rag.answer import Conflict, Sentence, Understood
from ui.views import Badge, Turn, address_of, badge_of, link_of, pieces_of, render_conversation, static

from .fakes import refused


def test_pieces_joined_are_the_text_and_overlaps_carry_both_numbers() -> None:
    pieces = pieces_of("It ended today.", [(1, 3, 8), (2, 6, 14)])
    assert "".join(piece.text for piece in pieces) == "It ended today."
    assert [(p.text, p.numbers) for p in pieces if p.numbers] == [("end", (1,)), ("ed", (1, 2)), (" today", (2,))]


@pytest.mark.parametrize("url", [None, "", "seed:a", "javascript:alert(1)", "data:text/html,x", "//x.test", "http://["])
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert link_of(url) is None


def test_four_sentences_stand_one_under_the_other_and_three_beside_each_other() -> None:
    said = [Sentence(text=f"It ended {n}.", start=0, end=0, support="supported", score=None, reasons=(), citations=(1,))
            for n in range(4)]  # fmt: skip
    assert render_conversation([Turn(number=1, question="Who?", said=tuple(said))]).count("<li>") == 4
    assert render_conversation([Turn(number=1, question="Who?", said=tuple(said[:3]))]).count("<li>") == 0


def test_a_conversation_that_has_lost_its_beginning_says_so() -> None:
    turns = [Turn(number=number, question="Who?") for number in range(1, 12)]
    assert "questions are kept" not in render_conversation(turns[:10])
    assert "The last 10 questions are kept, here and in the download" in render_conversation(turns[1:])


def test_the_address_of_a_static_file_names_its_content() -> None:
    assert re.fullmatch(r"/ui-static/page\.css\?v=[0-9a-f]{12}", static("page.css"))
    assert static("page.css").split("=")[1] != static("page.js").split("=")[1]


@pytest.mark.parametrize(
    ("filters", "address"),
    [
        ({"since": None, "until": None, "sources": ()}, "/?q=Who+%26+what%3F"),
        ({"since": "2025-09-01", "until": None, "sources": ("A&B", "C")},
         "/?q=Who+%26+what%3F&since=2025-09-01&source=A%26B&source=C"),
        ({"since": None, "until": "2025-09-30", "sources": ()}, "/?q=Who+%26+what%3F&until=2025-09-30"),
    ],
)  # fmt: skip
def test_a_link_asks_what_was_understood_with_the_filters_that_it_had(filters: dict[str, Any], address: str) -> None:
    assert address_of(Understood(question="Who & what?", as_of=None, **filters)) == address


SEARCHED = " Searched 2 articles, from 1 Sep 2025, of Kyiv Desk."
REFUSED = [
    ("not_in_articles", "Not in these articles", "Not in these articles. I know only 2025."),
    ("nothing_in_window", "No article passes the filters", "I know only 2025."),
    ("empty_index", "No articles yet", "I know only 2025."),
    ("ambiguous", "Several readings", "That can be read in several ways. I know only 2025." + SEARCHED),
    ("false_premise", "Not borne out", "The articles do not bear out what the question takes for granted. "
                                       "I know only 2025." + SEARCHED),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "badge", "words"), REFUSED)
def test_a_refusal_says_its_reason_once(reason: str, badge: str, words: str) -> None:
    base = refused("I know only 2025.")
    assert base.refusal is not None
    searched = replace(base.refusal.searched, articles=2, since="2025-09-01", sources=("Kyiv Desk",))
    answer = replace(base, refusal=replace(base.refusal, reason=reason, searched=searched))
    turn = Turn(number=1, question="Who?", state="done", answer=answer)
    told = re.findall(r'<div class="gw-note gw-none">(.*?)</div>', render_conversation([turn]), re.DOTALL)
    assert badge_of(turn) == Badge("none", badge)
    assert " ".join(re.sub(r"<button.*?</button>|<[^>]*>", " ", told[0]).split()) == words


@pytest.mark.parametrize(
    ("kinds", "badge"), [(["updated"], "Reported differently"), (["updated", "contradictory"], "Sources disagree")]
)
def test_what_changed_with_time_is_not_called_a_disagreement(kinds: list[str], badge: str) -> None:
    conflicts = tuple(Conflict(about="The toll", kind=kind, values=()) for kind in kinds)
    answer = replace(refused(), status="answered", refusal=None, conflicts=conflicts)
    page = render_conversation([Turn(number=1, question="Who?", state="done", answer=answer)])
    assert re.findall(r'<span class="gw-badge gw-warn">([A-Z].*?)</span>', page) == [badge]


def test_a_question_is_escaped() -> None:
    assert "&lt;img src=x&gt;" in render_conversation([Turn(number=1, question="<img src=x>")])
