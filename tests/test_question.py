"""How a question is read: what its language looks like."""

import pytest

from index.scope import Filters
from rag.parts import part_of
from rag.question import read_question


@pytest.mark.parametrize(
    "asked",
    [
        "¿Cuántas personas murieron en Kiev?", "Quante persone sono morte a Kiev?", "Combien de morts à Kiev ?",
        "Hur många människor dog i Kiev?", "Kiev'de kaç kişi öldü?", "Wie viele Menschen starben in Kiew?",
        "Ile osób zginęło w Kijowie?", "Сколько человек погибло?", "誰が約束した?",
    ],
)  # fmt: skip
def test_a_question_in_another_language_is_told_from_english(asked: str) -> None:
    assert not read_question(asked, filters=Filters()).english


@pytest.mark.parametrize(
    "asked",
    [
        "What did Beyoncé say about the café?", "PURL total at the end of August?", "El Paso shooting death toll",
        "Who pledged what?", "naïve approach to cuts", "How did Małgorzata Gosiewska vote in the Sejm?",
    ],
)  # fmt: skip
def test_foreign_names_and_words_do_not_make_a_question_foreign(asked: str) -> None:
    assert read_question(asked, filters=Filters()).english


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("Which buildings in Kyiv are known to have been hit?", "list"), ("What houses were damaged?", "list"),
        ("Who else has joined the fund?", "list"), ("Which six countries stood ready?", "list"),
        ("Who offers Greenland what?", "table"), ("Which banks lend how much each?", "table"),
        ("As of 30 September 2025, list the pledges.", "list"),
        ("When did it begin (all countries that joined)?", "fact"),
        ("Do the reports agree on how many came?", "compare"), ("What do both disagree on?", "compare"),
    ],
)  # fmt: skip
def test_a_question_for_several_things_is_a_list_a_table_or_a_comparison(asked: str, kind: str) -> None:
    assert read_question(asked, filters=Filters()).kind == kind


@pytest.mark.parametrize(
    "asked",
    [
        "What was damaged?", "Which ship is the oldest?", "What did they agree on?", "What have the allies promised?",
        "Which of the leaders spoke first?", "Who has joined NATO most recently?", "Which virus had mutated?",
        "Which series had the highest ratings?", "Who was arrested and for what?", "What was stolen, and for how much?",
    ],
)  # fmt: skip
def test_a_question_for_one_thing_is_no_list(asked: str) -> None:
    assert read_question(asked, filters=Filters()).kind == "fact"


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("Name the two men who led the talks.", 2), ("Which 26 countries signed?", 26), ("List the measures.", None),
        ("Which countries pledged in the last three months?", None), ("List what the two leaders promised.", None),
        ("What three demands did the union make?", 3), ("What are the three main points of the deal?", 3),
        ("Which countries attended the 5 August talks?", None), ("Which countries sent the 12 jets?", None),
    ],
)  # fmt: skip
def test_how_many_entries_a_list_has_to_have_is_told_of_what_is_listed_alone(asked: str, wanted: int | None) -> None:
    assert read_question(asked, filters=Filters()).parts[0].wanted == wanted


@pytest.mark.parametrize(
    ("asked", "toll"),
    [
        ("How many people died?", True),
        ("How much will the families of the dead receive?", False),
        ("When was the attack on Kyiv and how many people died?", True),
        ("List how many people died by day.", False),
    ],
)
def test_a_toll_is_a_number_of_people_and_no_sum_of_money(asked: str, toll: bool) -> None:
    assert read_question(asked, filters=Filters()).toll == toll


def test_a_question_of_several_lines_is_read_as_one_line() -> None:
    question = read_question("Who paid more,\n Oslo\r\nor  Rome?", filters=Filters())
    assert (question.text, question.kind) == ("Who paid more, Oslo or Rome?", "compare")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("HOW MUCH DID GERMANY PAY?", "how much did GERMANY pay?"), ("WHAT DID MACRON SAY?", "what did macron say?"),
        ("NATO AND EU", "nato and EU"), ("NATO SUMMIT?", "NATO SUMMIT?"), ("WHAT DID NATO say?", "WHAT DID NATO say?"),
    ],
)  # fmt: skip
def test_a_question_in_capitals_alone_is_read_in_lower_case_but_for_places(asked: str, text: str) -> None:
    assert read_question(asked, filters=Filters()).text == text


@pytest.mark.parametrize(
    "asked",
    [
        "How many died in Kyiv as of 31 August 2025?", "How many died in Kyiv, as of August 31, 2025?",
        "As of the 31st of August 2025, how many died in Kyiv?", "As at Aug 31st 2025 how many died in Kyiv?",
        "How many died in Kyiv as of 2025-08-31?",
    ],
)  # fmt: skip
def test_as_of_a_day_is_a_filter_and_no_part_of_what_is_asked(asked: str) -> None:
    question = read_question(asked, filters=Filters())
    assert question.filters.as_of == "2025-08-31"
    assert question.text == asked
    assert [part.text.lower().rstrip("?") for part in question.parts] == ["how many died in kyiv"]


@pytest.mark.parametrize("day", ["31 June 2025", "August 2025", "31 August", "the summit"])
def test_as_of_what_is_no_whole_day_stays_part_of_what_is_asked(day: str) -> None:
    question = read_question(f"How many died as of {day}?", filters=Filters())
    assert (question.filters.as_of, question.parts[0].text) == (None, f"How many died as of {day}?")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("Why did Trump sue the BBC?", ()), ("What did the BBC report?", ("BBC",)),
        ("Who left, per the BBC?", ("BBC",)),
        ("What did the independent commission say?", ()), ("What did The Independent say?", ("The Independent",)),
        ("What did the New Independent say?", ()), ("According to the Independent Commission, who left?", ()),
        ("How many died, according to Yahoo!?", ("Yahoo!",)), ("What has Yahoo! written about Oslo?", ("Yahoo!",)),
        ("Who left, according to Yahoo! and the BBC?", ("BBC", "Yahoo!")),
        ("What did the BBC and Yahoo! say?", ("BBC", "Yahoo!")),
        ("How many died, according to Yahoo!, the BBC and The Independent?", ("BBC", "The Independent", "Yahoo!")),
        ("What did Trump demand from the BBC?", ()), ("Who was hired by Yahoo!?", ()),
        ("How does the BBC's figure differ from Yahoo!'s?", ()), ("What was reported by the BBC?", ("BBC",)),
    ],
)  # fmt: skip
def test_a_source_is_a_filter_where_it_reports_and_not_where_it_is_asked_about(
    asked: str, named: tuple[str, ...]
) -> None:
    known = ("BBC", "The Independent", "Yahoo!")
    assert read_question(asked, filters=Filters(), known_sources=known).filters.sources == named


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("Who chaired the Oslo summit? And how much did Germany pay?",
         ["Who chaired the Oslo summit", "how much did Germany pay"]),
        ("Who chaired the Oslo summit? So, then, when did Macron leave?",
         ["Who chaired the Oslo summit", "when did Macron leave"]),
        ("Who chaired the summit? In which city was it held?",
         ["Who chaired the summit", "In which city was it held (chaired the summit)"]),
        ("Who chaired the Oslo summit, how much did Germany pay, and when did Macron leave?",
         ["Who chaired the Oslo summit", "how much did Germany pay", "when did Macron leave"]),
        ("Who chaired the Oslo summit; how many Germans came?",
         ["Who chaired the Oslo summit", "how many Germans came"]),
    ],
)  # fmt: skip
def test_a_question_that_joins_several_is_split(asked: str, parts: list[str]) -> None:
    assert [part.text for part in read_question(asked, filters=Filters()).parts] == parts


@pytest.mark.parametrize(
    "asked",
    [
        "After the raid on Kyiv, how many were hurt?", "What did Macron, who was in Oslo, say?",
        "Who paid? Thanks, Ann.",
        "When Macron came to Oslo, what did he say?", "According to those who left, what did Macron say?",
    ],
)  # fmt: skip
def test_a_question_with_a_clause_before_or_in_it_is_not_split(asked: str) -> None:
    assert [part.text for part in read_question(asked, filters=Filters()).parts] == [asked]


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("Who signed the deal and was praised by Macron?", 1), ("Who won in Oslo and did Germany protest?", 2),
        ("What did the minister who resigned and was arrested say?", 1), ("Did Macron win and was the vote fair?", 2),
    ],
)  # fmt: skip
def test_and_with_a_verb_begins_a_question_only_before_who_does_it(asked: str, parts: int) -> None:
    assert len(read_question(asked, filters=Filters()).parts) == parts


@pytest.mark.parametrize(
    "asked", ["Germany paid how much?", "How many billion euros came?", "How many hundreds of millions of pounds came?"]
)
def test_a_sum_is_asked_for_at_the_end_and_in_millions_too(asked: str) -> None:
    assert read_question(asked, filters=Filters()).parts[0].asks == "money"


def test_how_much_alone_behind_and_is_a_question_for_a_sum() -> None:
    parts = read_question("Who paid and how much?", filters=Filters()).parts
    assert [part.asks for part in parts] == ["name", "money"]


@pytest.mark.parametrize(
    ("asked", "asks"),
    [
        ("What did Macron say when he met Trump?", "speech"), ("Who explained why it ended?", "name"),
        ("Whom did Macron quote?", "name"), ("Why did they say where they met?", "reason"),
        ("When Russia struck Kyiv, how many people died?", "number"),
        ("According to those who left, what did Macron say?", "speech"), ("When did he come, and why?", "time"),
        ("Who pledged how much?", "money"), ("What was the number of people said to be hurt?", "number"),
    ],
)  # fmt: skip
def test_what_stands_first_in_a_question_tells_what_it_asks_for(asked: str, asks: str) -> None:
    assert read_question(asked, filters=Filters()).parts[0].asks == asks


@pytest.mark.parametrize(
    ("asked", "asks"),
    [
        ("What did the EU (European Union) say about Gaza?", "speech"),
        ("Did the EU (or who else) pay how much?", "name"),
        ("Did it end (and why)?", "any"), ("Did it end (the raid (28 August), and why)?", "any"),
    ],
)  # fmt: skip
def test_only_a_bracket_that_closes_a_question_is_beside_what_it_asks(asked: str, asks: str) -> None:
    assert part_of(asked).asks == asks


@pytest.mark.parametrize(
    "asked",
    [
        "Did more than 20 people die?", "Who pledged more than EUR 1 billion?", "Who pledged more than €1 billion?",
        "Did fewer than three ships sink?", "Did more than a million march?",
        "Did it last longer, more than half a day?",
        "Who is Orban's rival?", "What difference will it make?",
    ],
)  # fmt: skip
def test_a_question_with_a_threshold_a_rival_or_an_effect_is_no_comparison(asked: str) -> None:
    assert read_question(asked, filters=Filters()).kind != "compare"


@pytest.mark.parametrize(
    "asked",
    [
        "Did Oslo pay more than Rome?", "Did more than the half pay?", "Is there a rival figure?",
        "What is the difference between the reports?", "What are the rival accounts of the raid?",
    ],
)  # fmt: skip
def test_a_question_that_holds_one_thing_against_another_is_a_comparison(asked: str) -> None:
    assert read_question(asked, filters=Filters()).kind == "compare"


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        ("How much did Norway give Ukraine?", ("norway",)),
        ("What did Ursula von der Leyen tell Macron?", ("ursula", "leyen")),
        ("How much did Norway and Rome give Ukraine?", ("norway", "rome")),
        ("What did the prime minister tell Macron?", ("macron",)),
        ("How much did the United Kingdom give Ukraine?", ("uk",)),
        ("What did Monday's talks bring Macron?", ("macron",)),
    ],
)  # fmt: skip
def test_the_subject_is_the_first_name_behind_the_verb(asked: str, subject: tuple[str, ...]) -> None:
    assert part_of(asked).subject == subject


@pytest.mark.parametrize(
    ("asked", "nouns"),
    [("What did Macron say?", ()), ("Which is right?", ()), ("Which ships sank?", ("ships", "sank"))],
)
def test_the_noun_behind_what_and_which_is_what_is_chosen_and_no_verb(asked: str, nouns: tuple[str, ...]) -> None:
    assert part_of(asked).nouns == nouns


@pytest.mark.parametrize("word", ["both ", "do ", "who has joined ", "which of ", "what did ", "or ", " ("])
def test_a_long_question_of_one_word_is_read_at_once(word: str) -> None:
    assert read_question(("x " + word * 2000)[:1999], filters=Filters()).kind in ("fact", "quote")


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("What do both Oslo and Rome want?", "compare"), ("Both came", "fact"), ("Oslo and both", "fact"),
        ("On what do the two agree?", "compare"), ("Agree they do", "fact"),
        ("Who has joined so far?", "list"), ("Who has joined?", "fact"), ("So far, who has joined?", "fact"),
    ],
)  # fmt: skip
def test_what_has_to_follow_each_other_tells_a_comparison_and_a_list(asked: str, kind: str) -> None:
    assert read_question(asked, filters=Filters()).kind == kind
