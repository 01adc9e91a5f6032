"""What the page makes of texts: exact pieces, and links that are links."""

import pytest

from ui.views import Turn, link_of, pieces_of, render_conversation


def test_pieces_joined_are_the_text_and_overlaps_carry_both_numbers() -> None:
    pieces = pieces_of("It ended today.", [(1, 3, 8), (2, 6, 14)])
    assert "".join(piece.text for piece in pieces) == "It ended today."
    assert [(p.text, p.numbers) for p in pieces if p.numbers] == [("end", (1,)), ("ed", (1, 2)), (" today", (2,))]


@pytest.mark.parametrize("url", [None, "", "seed:a", "javascript:alert(1)", "data:text/html,x", "//x.test", "http://["])
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert link_of(url) is None


def test_a_question_is_escaped() -> None:
    assert "&lt;img src=x&gt;" in render_conversation([Turn(number=1, question="<img src=x>")])
