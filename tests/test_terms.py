"""What a text is about is read from any text, however its numbers are written."""

import pytest

from rag import lexicon
from rag.candidates import article_terms, forget_texts
from rag.terms import CURRENCIES, Date, Number, is_held, read_terms, read_word, stem


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,310,825 people", 1310825), ("1.310.825 Menschen", 1310825), ("version 1.2.3.4", 1.2), ("3.5 percent", 3.5)],
)
def test_a_number_is_read_with_commas_or_several_dots_between_its_thousands(text: str, value: float) -> None:
    assert value in {number.value for number in read_terms(text).numbers}


def test_a_number_with_both_is_read_without_an_error() -> None:
    assert read_terms("1,310.825.297 votes").numbers == {Number(1310825297.0)}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("What did Vilnius pay?", "Lithuania paid."),
        ("What did the Taoiseach say?", "The Irish prime minister spoke."),
        ("How did Downing Street put it?", "The British government spoke."),
        ("What did the Federal Republic promise?", "Germany promised four."),
    ],
)
def test_the_seat_or_the_office_of_a_government_stands_for_its_country(asked: str, told: str) -> None:
    (name,) = read_terms(asked).names
    assert is_held(name, read_terms(told).keys)
    assert not is_held(name, read_terms("Spain paid.").keys)


@pytest.mark.parametrize("table", [lexicon._PLACES, lexicon._SPELLINGS, lexicon._CONCEPTS])
def test_no_word_stands_in_two_lines_of_a_table(table: str) -> None:
    words = table.split()
    assert sorted({word for word in words if words.count(word) > 1}) == []


@pytest.mark.parametrize(("word", "concept"), [("sum", "money"), ("amounts", "money"), ("price", "inflation")])
def test_a_sum_is_money_and_a_price_goes_with_inflation(word: str, concept: str) -> None:
    assert read_terms(f"the {word}").concepts == {concept}


def test_words_of_deleted_articles_are_forgotten() -> None:
    article_terms("Zanzibar traded. It paid.")
    kept = (article_terms, read_terms, read_word, lexicon.fold, stem)
    assert all(cached.cache_info().currsize for cached in kept)
    sizes = [cached.cache_info().maxsize for cached in kept]
    forget_texts()
    assert [cached.cache_info().currsize for cached in kept] == [0] * len(kept)
    assert [cached.cache_info().maxsize for cached in kept] == sizes


def test_an_article_is_about_what_its_sentences_are_about() -> None:
    text = "Oslo paid EUR 5 million on 3 May 2031. Prime Minister Ilva Torrent thanked the Norwegians for it."
    whole, joined = read_terms(text), article_terms(text)
    assert joined == whole
    assert joined.names == ("ilva", "torrent", "norway")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Analysts in Kyiv-held towns left", ("kyiv",)),
        ("Torrent left", ()),
        ("Torrent said so", ("torrent",)),
        ("Help us, the US", ("us",)),
        ("NATO and WHO met", ("nato", "who")),
    ],
)
def test_a_word_is_a_name_by_how_it_is_written_and_at_a_start_by_what_follows(
    text: str, names: tuple[str, ...]
) -> None:
    assert read_terms(text).names == names


@pytest.mark.parametrize(
    ("written", "plain"),
    [("Støre", "store"), ("Wałęsa", "walesa"), ("Erdoğan", "erdogan"), ("Đinđić", "dindic"), ("Straße", "strasse"),
     ("Guðni", "gudni"), ("Y\u0131ld\u0131r\u0131m", "yildirim"), ("Næss", "naess")],
)  # fmt: skip
def test_letters_of_other_alphabets_compare_as_the_plain_ones(written: str, plain: str) -> None:
    assert lexicon.fold(written) == plain


@pytest.mark.parametrize(
    ("text", "name"), [("what Ukraine\u02bcs army did", "ukraine"), ("what Ben\u2011Gvir said", "ben-gvir")]
)
def test_a_typographic_apostrophe_or_hyphen_is_read_as_a_plain_one(text: str, name: str) -> None:
    assert read_terms(text).names == (name,)


def test_a_name_of_several_words_is_read_over_a_line_break() -> None:
    assert read_terms("the United\nKingdom paid").names == ("uk",)


@pytest.mark.parametrize(
    ("text", "held"),
    [("They told us so.", False), ("what did the us pay", True), ("The US paid.", True), ("U.S. aid", True)],
)
def test_the_pronoun_us_is_not_the_united_states(text: str, held: bool) -> None:
    assert is_held("us", read_terms(text).keys) == held


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Didn't Germany pay?", ("germany",)), ("Hasn’t NATO agreed?", ("nato",)), ("How'd Macron react?", ("macron",)),
        ("I'm told they'll pay", ()), ("Can't Norway join?", ("norway",)), ("Won’t Norway join?", ("norway",)),
        ("Compare Germany and France.", ("germany", "france")), ("Besides Germany, who pledged?", ("germany",)),
        ("Regarding Ukraine, what was said?", ("ukraine",)), ("Enumerate NATO members", ("nato",)),
        ("Unlike Norway, who paid?", ("norway",)),
    ],
)  # fmt: skip
def test_a_contraction_or_an_opening_word_is_no_name(question: str, names: tuple[str, ...]) -> None:
    assert read_terms(question).names == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What did EACH of them pay AND NOT spend?", ()), ("Did the WHO or IT firms warn?", ("who", "it")),
        ("Did NATO pay the US?", ("nato", "us")), ("DOES MR Macron agree?", ("macron",)),
    ],
)  # fmt: skip
def test_a_common_word_in_capitals_is_no_name(text: str, names: tuple[str, ...]) -> None:
    assert read_terms(text).names == names


@pytest.mark.parametrize(
    "text",
    ["What did Theresa May say?", "May the UK join?", "Up to 12 may have died", "the March for Life",
     "the soldiers march on", "They may, and 5 may not", "It may 2 times fail"],
)  # fmt: skip
def test_may_and_march_are_no_months_where_they_are_a_name_or_a_verb(text: str) -> None:
    assert read_terms(text).dates == frozenset()


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("in May", Date(month=5)), ("since last March", Date(month=3)), ("mid-May talks", Date(month=5)),
        ("by early May", Date(month=5)), ("May", Date(month=5)), ("May 2025", Date(2025, 5)),
        ("12 May", Date(None, 5, 12)),
        ("on March 4", Date(None, 3, 4)), ("what was signed on 12 may?", Date(None, 5, 12)),
        ("on march 4", Date(None, 3, 4)),
        ("12 march 2025", Date(2025, 3, 12)), ("from January to March", Date(month=3)),
    ],
)  # fmt: skip
def test_may_and_march_are_months_where_a_day_a_year_or_a_word_of_time_says_so(text: str, date: Date) -> None:
    assert date in read_terms(text).dates


_AUGUST_28_29 = {Date(None, 8, 28), Date(None, 8, 29)}


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("on 28-29 August", _AUGUST_28_29), ("on 28–29 August", _AUGUST_28_29),
        ("28th to 29th of August", _AUGUST_28_29),
        ("between 28 and 29 August", _AUGUST_28_29), ("August 28-29", _AUGUST_28_29),
        ("August 28 to 29", _AUGUST_28_29),
        ("28-29 August 2025", {Date(2025, 8, 28), Date(2025, 8, 29)}), ("on 04/09/2025", {Date(2025)}),
        ("September 4-6, 2025", {Date(2025, 9, 4), Date(2025, 9, 6)}), ("on 4.9.2025", {Date(2025)}),
        ("on the 28th", set()), ("28 August", {Date(None, 8, 28)}), ("2025-08-28", {Date(2025, 8, 28)}),
    ],
)  # fmt: skip
def test_a_range_of_days_is_two_dates_and_no_part_of_a_date_is_a_number(text: str, dates: set[Date]) -> None:
    terms = read_terms(text)
    assert terms.dates == dates
    assert not terms.numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [("$2000", Number(2000, "USD")), ("EUR 2000", Number(2000, "EUR")), ("€1950", Number(1950, "EUR")),
     ("2000 dollars", Number(2000, "USD")), ("2000 million", Number(2e9))],
)  # fmt: skip
def test_a_sum_is_no_year(text: str, number: Number) -> None:
    terms = read_terms(text)
    assert terms.numbers == {number}
    assert not terms.dates


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_sum_is_read_in_every_currency_and_is_no_year(currency: str) -> None:
    for written in (f"{currency} 2000", f"{currency.lower()}2000"):
        terms = read_terms(f"It cost {written}.")
        assert terms.numbers == {Number(2000, currency)}
        assert (terms.dates, terms.names) == (frozenset[Date](), ())


@pytest.mark.parametrize(
    ("text", "values"),
    [("twenty-six", {26}), ("Ninety-nine", {99}), ("forty two", {42}), ("sixteen", {16}),
     ("two hundred thousand", {200_000}), ("three hundred", {300}), ("5 million", {5e6}), ("twenty", {20})],
)  # fmt: skip
def test_number_words_are_read_together(text: str, values: set[float]) -> None:
    assert {number.value for number in read_terms(text).numbers} == values


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("EUR 1,5 billion", {Number(1.5e9, "EUR")}), ("2,75 million", {Number(2.75e6)}),
        ("1,500 million", {Number(1.5e9)}),
        ("EUR 500 000", {Number(500_000, "EUR")}), ("12\u00a0500 people", {Number(12_500)}),
        ("€1\u202f500\u202f000", {Number(1.5e6, "EUR")}), ("12 300 homes", {Number(12), Number(300)}),
        ("EUR 10-12 billion", {Number(10e9, "EUR"), Number(12e9, "EUR")}), ("10–12 people", {Number(10), Number(12)}),
        ("€10m", {Number(10e6, "EUR")}), ("800 m", {Number(800)}), ("5 k", {Number(5)}), ("50k", {Number(50_000)}),
        ("EUR500m", {Number(500e6, "EUR")}), ("10%", {Number(10, "%")}),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_meant(text: str, numbers: set[Number]) -> None:
    assert read_terms(text).numbers == numbers


@pytest.mark.parametrize(
    ("text", "name"),
    [("the G7 met", "g7"), ("the G20 met", "g20"), ("an F-16 fell", "f-16"), ("a Su-27 fell", "su-27")],
)
def test_a_number_within_a_name_is_part_of_it(text: str, name: str) -> None:
    terms = read_terms(text)
    assert (terms.names, terms.numbers) == ((name,), frozenset())


@pytest.mark.parametrize(
    ("asked", "told", "held"),
    [
        ("the Republicans", "Republican senators", True), ("the Houthis", "a Houthi raid", True),
        ("a Patriot", "two Patriots", True), ("two F-16s", "an F-16", True), ("did Macron speak", "Marcos", False),
    ],
)  # fmt: skip
def test_a_name_is_held_in_the_plural_or_in_the_singular(asked: str, told: str, held: bool) -> None:
    (name,) = read_terms(asked).names
    assert is_held(name, read_terms(told).keys) == held


@pytest.mark.parametrize(
    ("asked", "told", "held"),
    [
        ("did Ben-Gvir speak", "Ben Wallace spoke", False), ("did Ben-Gvir speak", "Itamar Ben-Gvir spoke", True),
        ("did Ben-Gvir speak", "Gvir spoke", True), ("the Russian-run plant", "Russia runs it", True),
        ("the Trump-backed plan", "Trump spoke", True), ("the Trump-backed plan", "Putin backed it", False),
        ("the Franco-German plan", "the German plan", True), ("what Jong-un said", "Kim Jong-un spoke", True),
        ("the anti-Kremlin group", "Russia", False), ("an F-16", "an F-35", False),
    ],
)  # fmt: skip
def test_a_hyphenated_name_is_held_by_its_last_part_or_by_a_place_in_it(asked: str, told: str, held: bool) -> None:
    names = read_terms(asked).names
    assert bool(names and is_held(names[0], read_terms(told).keys)) == held


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("North Korean troops", "North Korea"), ("the North Koreans", "in Pyongyang"),
        ("South Korean aid", "South Korea"),
        ("the Czech Republic", "Czechia"), ("in Holland", "the Dutch"), ("the Saudi Arabian envoy", "Saudi Arabia"),
        ("a New Zealander", "New Zealand"), ("a Taiwanese ship", "Taiwan"), ("a Cypriot", "Cyprus"),
        ("the Maltese", "Malta"), ("the Kosovar police", "Kosovo"), ("the Afghan army", "Afghanistan"),
        ("the Sudanese army", "Sudan"), ("the Yemeni coast", "Yemen"), ("the Jordanian king", "Jordan"),
        ("a South African", "South Africa"), ("did Zelenskyy speak", "Zelensky spoke"),
        ("by Zelenskiy", "by Zelenskyy"),
    ],
)  # fmt: skip
def test_forms_and_spellings_of_one_name_agree(one: str, other: str) -> None:
    (name,) = read_terms(one).names
    keys = read_terms(other).keys
    assert name in keys or any(name in lexicon.SEATS.get(key, ()) for key in keys)


def test_north_and_south_korea_differ() -> None:
    (north,), (south,) = read_terms("x North Korea's army").names, read_terms("x South Korean army").names
    assert not is_held(south, read_terms("x North Korea's army").keys)
    assert not is_held(north, read_terms("x South Korean army").keys)
