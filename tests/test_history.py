"""A follow-up question is made to stand alone by the conversation before it."""

import pytest

from index.news_index import MAX_QUESTION_CHARACTERS
from index.scope import Filters
from rag.history import Turn
from rag.question import read_question

PLEDGE, SUMMIT = "How much did Canada pledge to the fund?", "Who chaired the Paris summit?"
TROOPS, RAID = "What did Putin say about foreign troops?", "How many people died in the raid on Kyiv on 28 August?"


def understood(asked: str, before: str, answer: str = "") -> str:
    """Return the text of a question that follows another."""
    return read_question(asked, history=[Turn(before, answer)], filters=Filters()).text


@pytest.mark.parametrize(
    ("before", "asked", "alone"),
    [
        (PLEDGE, "What about Germany?", "How much did Germany pledge to the fund?"),
        ("How much did the Netherlands pledge?", "And Germany?", "How much did Germany pledge?"),
        (PLEDGE, "and the Nordic countries", "How much did the Nordic countries pledge to the fund?"),
        (TROOPS, "And Macron?", "What did Macron say about foreign troops?"),
        (TROOPS, "And what about the economy?", "What did Putin say about the economy?"),
        (SUMMIT, "And London?", "Who chaired the London summit?"),
        ("What happened in Kyiv?", "what about Lviv", "What happened in Lviv?"),
        ("What happened in Kyiv?", "And in Lviv?", "What happened in Lviv?"),
        (RAID, "In Odesa?", "How many people died in the raid in Odesa on 28 August?"),
        ("Did Macron travel to Kyiv?", "And Starmer?", "Did Starmer travel to Kyiv?"),
        ("Is Germany ready to send troops?", "What about Poland?", "Is Poland ready to send troops?"),
        (PLEDGE, "Germany?", "How much did Germany pledge to the fund?"),
        (PLEDGE, "And Germany.", "How much did Germany pledge to the fund?"),
        ("Who died on August 28th, 2025?", "And on 29 August?", "Who died on 29 August?"),
        ("Who died on 28 August?", "And after 29 August?", "Who died after 29 August?"),
        (RAID, "And on 29 August?", "How many people died in the raid on Kyiv on 29 August?"),
    ],
)
def test_a_name_a_day_or_a_topic_takes_the_place_of_the_one_before(before: str, asked: str, alone: str) -> None:
    assert understood(asked, before) == alone


@pytest.mark.parametrize(
    ("before", "asked", "alone"),
    [
        (SUMMIT, "And the Americans?", "the Americans (chaired the Paris summit)?"),
        (PLEDGE, "And had Germany paid?", "had Germany paid (Canada pledge to the fund)?"),
        (PLEDGE, "But Germany refused", "Germany refused (Canada pledge to the fund)?"),
        (PLEDGE, "And list all the countries", "list all the countries (Canada pledge to the fund)?"),
        ("Who may attend the talks?", "And on 29 August?", "on 29 August (may attend the talks)?"),
        (TROOPS, "And yesterday?", "yesterday (Putin say about foreign troops)?"),
        (
            RAID.replace("on 28 August", "(28 August)"),
            "And injured?",
            "How many injured (the raid on Kyiv (28 August))?",
        ),
        (RAID, "And injured?", "How many injured (the raid on Kyiv on 28 August)?"),
        (PLEDGE, "In dollars?", "How much in dollars (Canada pledge to the fund)?"),
    ],
)
def test_a_fragment_of_no_such_kind_is_asked_of_the_topic(before: str, asked: str, alone: str) -> None:
    assert understood(asked, before) == alone


@pytest.mark.parametrize(
    ("before", "asked", "alone"),
    [
        (SUMMIT, "Where was it held?", "Where was it held (the Paris summit)?"),
        (SUMMIT, "When was that?", "When was that (the Paris summit)?"),
        (SUMMIT, "And who was next?", "who was next (chaired the Paris summit)?"),
        (RAID, "Which houses were damaged?", "Which houses were damaged (the raid on Kyiv on 28 August)?"),
        (RAID, "By whom?", "By whom (the raid on Kyiv on 28 August)?"),
        ("What happened to the plane of the queen?", "Why?", "Why (plane of the queen)?"),
        ("Which ally was the first to pay?", "And who was next?", "who was next (first to pay)?"),
        (PLEDGE, "And why?", "why (Canada pledge to the fund)?"),
    ],
)
def test_a_question_that_leans_on_the_one_before_is_followed_by_its_topic(before: str, asked: str, alone: str) -> None:
    assert understood(asked, before) == alone


@pytest.mark.parametrize("before", ["Why?", "Who did what?", ""])
def test_where_nothing_was_asked_about_nothing_is_added(before: str) -> None:
    assert understood("When?", before) == "When?"


def test_a_question_in_another_language_is_left_as_it_is() -> None:
    assert understood("In quale città è successo?", RAID) == "In quale città è successo?"


@pytest.mark.parametrize("asked", [f"And {'a' * 1900},", f"what about {' ' * 1900}x", f"And {'a ' * 900}b", "(" * 1900])
def test_a_long_question_without_sense_is_read_at_once(asked: str) -> None:
    assert understood(asked, PLEDGE)
    assert understood("And Germany?", asked)


@pytest.mark.parametrize("asked", ["What is PURL?", "Who chairs NATO?", "How many drones did Russia launch at Odesa?"])
def test_a_question_with_names_of_its_own_stands_alone(asked: str) -> None:
    assert understood(asked, PLEDGE) == asked


def test_a_short_question_about_somebody_of_the_answer_leans_on_it() -> None:
    told = "Macron and Starmer did."
    assert understood("Did Starmer travel?", SUMMIT, told) == "Did Starmer travel (chaired the Paris summit)?"
    assert understood("Did Starmer travel?", SUMMIT) == "Did Starmer travel?"


def test_what_a_follow_up_left_out_is_taken_from_the_whole_conversation() -> None:
    turns = [Turn(PLEDGE, "500 million."), Turn("And Germany?", "400 million.")]
    assert read_question("When?", history=turns, filters=Filters()).text == "When (Germany pledge to the fund)?"
    turns = [Turn(SUMMIT, "Macron did."), Turn("Did Starmer go to it?", "No."), Turn("And the Americans?", "They did.")]
    assert read_question("Why?", history=turns, filters=Filters()).text == "Why (the Paris summit)?"


@pytest.mark.parametrize("before", ["Why " + "a" * 5000, f"How much did Canada pay to {'Ab ' * 2000}?", "x(" * 3000])
@pytest.mark.parametrize("asked", ["And Germany?", "Why?", f"And {'b ' * 990}why?", "When was that?"])
def test_what_was_asked_before_never_makes_a_question_too_long(before: str, asked: str) -> None:
    turns = [Turn(before, ""), Turn(f"And {'c ' * 4000}?", ""), Turn("And Oslo?", "")] * 6
    assert len(read_question(asked, history=turns, filters=Filters()).text) <= MAX_QUESTION_CHARACTERS


def test_a_long_question_before_is_still_leant_on() -> None:
    assert understood("When was that?", f"{PLEDGE} {'x' * 5000}").startswith(
        "When was that (Canada pledge to the fund?"
    )


@pytest.mark.parametrize(
    "asked",
    [
        "What did the ECB decide this week?", "Were there arrests in Lyon?", "What did Trump say about his tariffs?",
        "What did Macron say when he met Trump?", "How did Norway defend its plan?", "Did Merkel leave her party?",
        "Will there be elections in Georgia?", "How many wildfires burned in Spain this summer?",
        "Why did Boeing say it would cut jobs?", "How long will it take to rebuild the bridge in Genoa?",
    ],
)  # fmt: skip
def test_a_question_whose_pronoun_needs_nothing_before_it_stands_alone(asked: str) -> None:
    assert understood(asked, RAID) == asked


@pytest.mark.parametrize(
    "asked",
    [
        "Who was there", "What did Trump tell him", "What did Macron tell her about Oslo", "Did Starmer travel to it",
        "In Norway, what did he say", "What did he say about Trump and his tariffs", "Is this true of the raid",
    ],
)  # fmt: skip
def test_a_question_whose_pronoun_stands_for_something_before_it_leans(asked: str) -> None:
    assert understood(asked, SUMMIT) == f"{asked} (the Paris summit)?"
