"""The choice of sentences: which of the scored candidates the `Quoter` quotes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from index.article import Article
from index.news_index import Hit, NewsIndex
from index.passage import Passage
from index.scope import Filters
from rag.candidates import Candidate, candidates, whereabouts
from rag.choice import Scored
from rag.cite import Draft
from rag.extracts import introduced
from rag.features import FEATURES
from rag.parts import KINDS
from rag.question import read_question
from rag.quoter import _merged, _Quote, drafted, to_read
from rag.quoter_model import FURTHER, SIGNS, LinearModel, QuoterModel, further_signs, signs_of
from rag.reader import LEAST_EVIDENCE
from rag.retrieve import Evidence

MODEL = QuoterModel(
    choice=LinearModel((0.0,) * len(FEATURES), 0.0),
    answers=LinearModel((1.0,) + (0.0,) * (len(SIGNS) - 1), 0.0),
    further=LinearModel(tuple(-1.0 if name == "below_best" else 0.0 for name in FURTHER), 0.0),
    threshold=0.0,
    least=dict.fromkeys(KINDS, -1.0),
    toll_gap=2.0,
    side_gap=1.0,
    reach=0.15,
)
Told = tuple[str, str | None, float]  # a sentence, the day of its article, its score


def quoted(question: str, *told: Told, model: QuoterModel = MODEL) -> list[str]:
    """Return what is quoted of sentences that each stand in an article of their own."""
    return _drafted(
        question, [_candidate(number, text, day) for number, (text, day, _) in enumerate(told)], told, model
    )


def quoted_of_one_article(question: str, *told: Told) -> list[str]:
    """Return what is quoted of sentences that stand in one article, of the day of the first."""
    found = candidates([_hit(0, " ".join(text for text, _, _ in told), told[0][1])])
    return _drafted(question, found, told, MODEL)


def _drafted(question: str, found: Sequence[Candidate], told: Sequence[Told], model: QuoterModel) -> list[str]:
    read = read_question(question, filters=Filters())
    (part,) = read.parts
    order = sorted(range(len(told)), key=lambda place: -told[place][2])
    scored = Scored(
        part=part, terms=part.terms, candidates=tuple(found[place] for place in order),
        rows=np.zeros((len(told), len(FEATURES))), scores=np.array([told[place][2] for place in order]),
    )  # fmt: skip
    return [sentence.text for sentence in drafted(read, [scored], model).sentences]


def _candidate(number: int, text: str, day: str | None) -> Candidate:
    return candidates([_hit(number, text, day)])[0]


def _hit(number: int, text: str, day: str | None = None) -> Hit:
    article = Article(id=f"a{number}", text=text, published=day)
    passage = Passage(article_id=article.id, revision=1, start=0, end=len(text), text=text)
    return Hit(passage=passage, article=article, rank=number + 1, score=0.5, scores={"dense": 0.5})


def test_a_further_sentence_is_quoted_where_the_odds_are_high_enough_for_the_kind_of_question() -> None:
    told = [("Oslo paid 5 million.", "2025-05-01", 3.0), ("Rome paid 2 million.", "2025-05-01", 1.0)]
    assert len(quoted("Which countries paid?", *told)) == 1
    assert len(quoted("Which countries paid?", *told, model=with_least("list", -2.5))) == 2
    assert len(quoted("Which countries paid?", *told, model=with_least("fact", -2.5))) == 1


def test_an_answer_that_is_no_list_has_at_most_four_sentences() -> None:
    told = [(f"Oslo paid {number} million.", f"2025-05-0{number}", 3.0 - number / 10) for number in range(1, 7)]
    assert len(quoted("How much did Oslo pay?", *told)) == 4
    assert len(quoted("Which countries paid?", *told)) == 6


def test_the_signs_of_a_further_sentence_tell_how_it_stands_to_the_best() -> None:
    rows = np.zeros((4, len(FEATURES)))
    rows[:, FEATURES.index("evidence")] = [3.0, 2.0, 1.0, 0.0]
    where = np.array([[0, 5], [0, 4], [1, 4], [0, 1]])
    signs = further_signs(rows, np.array([2.0, 1.5, 1.0, -1.0]), where)
    named = [dict(zip(FURTHER, row, strict=True)) for row in signs[1:].tolist()]
    assert [each["below_best"] for each in named] == [0.5, 1.0, 3.0]
    assert [each["evidence"] for each in named] == [2.0, 1.0, 0.0]
    assert [each["rank"] for each in named] == pytest.approx([0.0, np.log(2), np.log(3)])
    assert [(each["same_article"], each["beside_best"]) for each in named] == [(1, 1), (0, 0), (1, 0)]


@pytest.mark.parametrize(
    ("text", "odds", "answers"),
    [
        ("The repair of the bridge will cost 8 million.", -0.3, False),
        ("The repair of the bridge will cost 8 million.", 0.1, True),
        ("Reparasjonen av broen vil koste 8 millioner kroner, og det haster.", -0.3, True),
        ("Reparasjonen av broen vil koste 8 millioner kroner, og det haster.", -0.6, False),
    ],
)
def test_a_sentence_in_another_language_answers_at_lower_odds_than_an_english_one(
    text: str, odds: float, answers: bool
) -> None:
    assert quoted("What does the repair cost?", (text, None, odds)) == [text] * answers


def test_what_is_answered_comes_in_the_order_of_the_news_where_it_is_compared() -> None:
    late, early = ("Oslo paid 5 million.", "2025-05-02", 3.0), ("Rome paid 2 million.", "2025-05-01", 2.5)
    assert quoted("How did the payments of Oslo and Rome differ?", late, early) == [early[0], late[0]]


@pytest.mark.parametrize(
    ("question", "other", "behind", "sides"),
    [
        ("Who paid more, Oslo or Rome?", "Rome paid 2 million.", 1.8, 2),
        ("Who paid more, Oslo or Rome?", "Italy paid 2 million.", 1.8, 2),
        ("Who paid more, Oslo or Rome?", "Rome paid 2 million.", 2.2, 1),  # too doubtful
        ("Who paid more, Oslo or the others?", "Rome paid 2 million.", 1.8, 1),
        ("Who paid more to Bonn, Oslo or the others?", "Bonn is glad of that.", 1.8, 1),
    ],
)
def test_of_a_comparison_the_other_side_is_quoted_where_it_is_less_sure(
    question: str, other: str, behind: float, sides: int
) -> None:
    told = [("Oslo paid 5 million.", "2025-05-01", 3.0), (other, "2025-05-01", 3.0 - behind)]
    assert len(quoted(question, *told)) == sides


def test_where_a_sentence_stands_is_its_article_and_its_place_there() -> None:
    two = candidates([_hit(0, "Oslo paid. Rome paid."), _hit(1, "Bonn paid.")])
    assert whereabouts(two).tolist() == [[0, 0], [0, 1], [1, 0]]
    assert whereabouts([]).shape == (0, 2)


def test_what_no_article_holds_is_named_as_the_question_has_it_in_an_order_that_never_changes() -> None:
    asked = "Did Oslo buy 40 tanks for USD 12 million and 7% more on 3 May or 4 June?"
    said = ["Oslo", "40", "USD 12 million", "7%", "3 May", "4 June"]
    assert list(draft_of(asked).missing) == said
    code = f"from tests.test_quoter import draft_of; print(*draft_of({asked!r}).missing, sep='|')"
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        assert done.stdout.strip().split("|") == said, done.stderr


@pytest.mark.parametrize("name", ["United States", "North Korea", "White House", "AT&T", "U.N.", "Kim Jong-un"])
def test_a_name_that_no_article_holds_is_told_as_the_question_has_it(name: str) -> None:
    assert " ".join(draft_of(f"What did {name} say?").missing) == name


def draft_of(question: str, text: str = "") -> Draft:
    """Return the draft for a question over one article, whose last sentence answers best."""
    read = read_question(question, filters=Filters())
    (part,) = read.parts
    found = candidates([_hit(0, text)])[::-1]
    scores = np.arange(len(found), 0.0, -1)
    rows = np.zeros((len(found), len(FEATURES)))
    scored = Scored(part=part, terms=part.terms, candidates=tuple(found), rows=rows, scores=scores)
    return drafted(read, [scored], MODEL)


def test_an_answer_that_is_no_list_has_at_most_120_words() -> None:
    three = [(f"Oslo {number} {'word ' * 60}paid.", "2025-05-01", 3.0 - number / 10) for number in range(3)]
    assert 1 <= len(quoted("How many words did Oslo say?", *three)) < 3
    quotation = f"She said in Oslo: “Peace {'word ' * 70}end. War {'word ' * 70}end.”"
    (said,) = draft_of("What did she say in Oslo?", quotation).sentences
    assert said.text.startswith("War")
    (said,) = draft_of("Who spoke in Oslo?", f"Oslo {'word ' * 80}end. She {'word ' * 50}spoke.").sentences
    assert said.text.startswith("She")
    (said,) = draft_of("Who spoke in Oslo?", f"Oslo {'word ' * 50}end. She {'word ' * 50}spoke.").sentences
    assert said.text.startswith("Oslo")


def test_the_limit_of_words_takes_away_the_sentence_that_answers_least() -> None:
    best = ("Oslo paid 5 million.", "2025-05-01", 3.0)
    newer = [(f"Oslo {number} {'word ' * 60}paid 6.", f"2025-05-0{number}", 3.0 - number / 10) for number in (2, 3)]
    said = quoted("How many millions did Oslo pay?", best, *newer)
    assert best[0] in said
    assert len(said) == 2


def test_whether_to_answer_is_told_by_more_than_the_best_score() -> None:
    told = ("Oslo paid 5 million.", "2025-05-01", 3.0), ("Rome paid 2 million.", "2025-05-01", 1.5)
    lead = LinearModel((0.0, 1.0, *(0.0,) * (len(SIGNS) - 2)), 0.0)
    assert quoted("Who paid?", *told, model=replace(MODEL, answers=lead, threshold=-0.5)) == []
    assert quoted("Who paid?", *told, model=replace(MODEL, answers=lead, threshold=-1.5)) == [told[0][0]]


def test_the_signs_are_the_best_and_the_second_of_scores_and_readings() -> None:
    rows = np.zeros((3, len(FEATURES)))
    rows[:, -3:] = [[1.0, -4.0, 0.5], [3.0, -6.0, 0.1], [2.0, -5.0, 0.7]]
    signs = dict(zip(SIGNS, signs_of(rows, np.array([0.5, 2.0, 1.0]))[0], strict=True))
    assert signs == pytest.approx(
        {"score": 2.0, "runner_up": -1.0, "together": 2.464, "evidence": 3.0, "next_evidence": 2.0, "span": -4.0,
         "answerable": 0.7}, abs=1e-3,
    )  # fmt: skip
    alone = dict(zip(SIGNS, signs_of(rows[:1], np.array([0.5]))[0], strict=True))
    assert (alone["runner_up"], alone["next_evidence"]) == (LEAST_EVIDENCE, LEAST_EVIDENCE)


def test_passages_that_the_search_ranks_near_the_best_are_read() -> None:
    hits = tuple(replace(_hit(number, "It rained."), score=score) for number, score in enumerate((1.0, 0.9, 0.7)))
    copies = (replace(hits[0], rank=2), replace(hits[0], rank=3))
    evidence = Evidence(hits=hits, copies=copies, index=cast(NewsIndex, None))
    fact = read_question("Where did it rain?", filters=Filters())
    assert to_read(fact, evidence, 0.15) == Evidence(hits=hits[:2], copies=copies[:1], index=evidence.index)
    parts = read_question("Where did it rain, and when did it stop in Oslo?", filters=Filters())
    assert to_read(parts, evidence, 0.05).hits == hits
    nothing = Evidence(hits=(), copies=(), index=evidence.index)
    assert to_read(fact, nothing, 0.15) == nothing
    toll = read_question("How many people died?", filters=Filters())
    assert to_read(toll, evidence, 0.15).hits == hits[:2]
    counted = (*hits[:2], replace(_hit(2, "Three people died."), score=0.1))
    assert to_read(toll, replace(evidence, hits=counted), 0.15).hits == counted


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("Where did it rain?", {7: 7, 8: 7, 15: 14, 16: 14}),
        ("Where did it rain, and when did it stop in Oslo?", {8: 7}),
        ("Which countries had rain?", {8: 8}),
        ("How many people died?", {8: 8}),
    ],
)
def test_an_eighth_of_the_passages_is_left_unread_but_of_a_list_or_a_toll(question: str, read: dict[int, int]) -> None:
    hits = tuple(_hit(number, "It rained, and three people died.") for number in range(16))
    asked = read_question(question, filters=Filters())
    for found in read:
        evidence = Evidence(hits=hits[:found], copies=(hits[found - 1],), index=cast(NewsIndex, None))
        kept = to_read(asked, evidence, 0.15)
        assert kept.hits == hits[: read[found]]
        assert kept.copies == (evidence.copies if read[found] == found else ())


@pytest.mark.parametrize(
    ("other", "entries"),
    [
        ("Norway will give EUR 500 million to the fund.", 2),
        ("Sweden will also give EUR 500 million to the fund.", 1),
    ],
)
def test_a_sentence_with_another_name_is_no_copy_of_one_that_is_quoted(other: str, entries: int) -> None:
    told = [("Sweden will give EUR 500 million to the fund.", "2025-05-01", 3.0), (other, "2025-05-02", 2.5)]
    assert len(quoted("Which countries pay into the fund?", *told)) == entries


def test_of_quotes_that_overlap_no_sentence_is_printed_twice() -> None:
    """The third is quoted with the second, which tells what "it" is, and the second with the first."""
    told = [("Rain fell.", "2025-05-01", 3.0), ("It froze.", "2025-05-01", 2.8), ("It thawed.", "2025-05-01", 2.9)]
    assert quoted_of_one_article("What happened?", *told) == ["Rain fell. It froze. It thawed."]


def test_a_quote_names_the_other_articles_that_print_it_and_not_its_own() -> None:
    question = read_question("Who paid 5 million, and when did Oslo pay?", filters=Filters())
    one, other = (_candidate(number, "On Monday Oslo paid 5 million.", "2025-05-01") for number in range(2))
    parts = [
        Scored(
            part=part,
            terms=part.terms,
            candidates=found,
            rows=np.zeros((2, len(FEATURES))),
            scores=np.array([3.0, 2.9]),
        )
        for part, found in zip(question.parts, [(one, other), (other, one)], strict=True)
    ]
    (source,) = drafted(question, parts, MODEL).sources
    assert source.article_id == "a0"
    assert [copy.article_id for copy in source.also_in] == ["a1"]


def test_of_quotes_that_become_one_the_first_gives_the_article() -> None:
    one, other = (_candidate(number, "On Monday Oslo paid 5 million.", "2025-05-01").article for number in range(2))
    whole = _Quote(other, 0, len(other.text), "b", ())
    (kept,) = _merged([_Quote(one, 0, 20, "a", ()), whole, _Quote(one, 15, len(one.text), "a", ())])
    assert (kept.article, kept.start, kept.end) == (one, 0, len(one.text))


@pytest.mark.parametrize(
    ("again", "quotes"),
    [
        ("The Dutch are giving EUR 500 million.", 1),  # the same as before
        ("The Dutch are giving EUR 200 million.", 2),
        ("Norway is giving EUR 500 million.", 2),
        ("The Dutch gave EUR 500 million in May 2024.", 2),
        ("The Dutch are generous givers.", 2),
        ("The Dutch are giving another EUR 500 million.", 2),
    ],
)
def test_a_figure_that_its_article_says_again_is_quoted_once(again: str, quotes: int) -> None:
    first = ("The Netherlands pays EUR 500 million into the fund.", "2025-05-01", 3.0)
    assert len(quoted_of_one_article("Who pays into the fund?", first, (again, "2025-05-01", 2.9))) == quotes


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("What did the strike on Kharkiv do?", "A strike on Kharkiv killed 12 people.", "Twelve were injured."),
        (
            "List what Germany pledged.",
            "Germany pledged EUR 5 million for a school.",
            "Berlin pledged EUR 5 million for roads.",
        ),
        ("What was hit in Kyiv?", "In Kyiv a drone hit one school.", "One hospital was hit."),
    ],
)
def test_another_fact_with_the_same_figure_is_quoted(question: str, first: str, second: str) -> None:
    assert len(quoted_of_one_article(question, (first, "2025-05-01", 3.0), (second, "2025-05-01", 2.9))) == 2


def test_how_many_are_compared_need_not_stand_in_an_article() -> None:
    told = [("Oslo paid 5 million.", "2025-05-01", 3.0), ("Rome paid 7 million.", "2025-05-01", 2.5)]
    assert quoted("Which of the two paid more?", *told)


def test_the_newest_toll_takes_the_place_of_the_earlier_ones() -> None:
    told = [
        ("At least 10 people were killed in Kyiv.", "2025-08-28T08:00:00Z", 4.0),
        ("Nineteen people died in Kyiv.", "2025-08-28T21:00:00Z", 3.5),
        ("In Kyiv 23 are dead.", "2025-08-29", 2.5),
        ("The 40 firemen in Kyiv are tired.", "2025-08-30", 2.4),
    ]
    assert quoted("How many people were killed in Kyiv?", *told) == ["In Kyiv 23 are dead."]


@pytest.mark.parametrize(
    "other",
    [
        "Four of the dead in Kyiv were children.",
        "At least four children are among those who died in Kyiv.",
        "Early reports from Kyiv spoke of 10 dead.",
        "Reports published in the early hours spoke of 10 killed in Kyiv.",
    ],
)
def test_beside_a_toll_its_children_and_its_first_reports_are_left_out(other: str) -> None:
    told = [("In Kyiv 23 are dead.", "2025-08-29", 3.5), (other, "2025-08-30", 3.6)]
    assert quoted("How many people were killed in Kyiv?", *told) == ["In Kyiv 23 are dead."]
    assert quoted("How many people were killed in Kyiv?", told[1]) == [other]
    children = quoted("How many children were killed in Kyiv?", *told)
    assert (other in children) == ("children" in other)


@pytest.mark.parametrize(
    "newer",
    [
        "Officials said 34 people were killed in Kyiv.",
        "Russian forces killed 34 people in Kyiv.",
        "34 people were killed in Kyiv, up from 23 reported earlier.",
        "Early on Friday a strike on a children's hospital in Kyiv killed 34 people.",
        "In Kyiv 34 people, children among them, were killed.",
        "First responders counted 34 dead in Kyiv.",
    ],
)
def test_a_newer_toll_counts_whoever_tells_it_and_whatever_was_hit(newer: str) -> None:
    told = [("In Kyiv 23 people were killed.", "2025-08-28", 3.5), (newer, "2025-08-30", 3.6)]
    assert quoted("How many people were killed in Kyiv?", *told) == [newer]


@pytest.mark.parametrize(
    "question", ["How many people were first reported killed in Kyiv?", "What number of firemen is in Kyiv?"]
)
def test_a_question_for_an_early_count_or_for_no_toll_keeps_the_best(question: str) -> None:
    early, late = ("At least 10 were killed in Kyiv.", "2025-08-28", 4.0), ("In Kyiv 23 are dead.", "2025-08-29", 2.5)
    assert quoted(question, early, late) == [early[0]]


def test_a_toll_of_weeks_later_is_that_of_another_event() -> None:
    early, late = ("At least 10 were killed in Kyiv.", "2025-08-28", 4.0), ("In Kyiv 2 are dead.", "2025-09-30", 3.5)
    assert quoted("How many people were killed in Kyiv?", early, late)[-1] == early[0]


@pytest.mark.parametrize("day", ["2022-08-28", "2025-08-10", None])
def test_a_toll_of_weeks_before_or_of_no_day_takes_the_place_of_nothing(day: str | None) -> None:
    best, other = ("Dozens were killed in Kyiv.", "2025-08-28", 4.0), ("In Kyiv 2 are dead.", day, 3.5)
    assert quoted("How many people were killed in Kyiv?", best, other)[0] == best[0]


def test_a_toll_takes_the_place_of_what_tells_no_figure_in_the_days_before_or_after() -> None:
    best, other = ("Dozens were killed in Kyiv.", "2025-08-28", 4.0), ("In Kyiv 23 are dead.", "2025-08-27", 3.5)
    assert quoted("How many people were killed in Kyiv?", best, other) == [other[0]]


def test_a_newer_toll_that_is_far_behind_counts_for_nothing() -> None:
    early, late = ("At least 10 were killed in Kyiv.", "2025-08-28", 4.0), ("In Kyiv 23 are dead.", "2025-08-29", 1.0)
    assert quoted("How many people were killed in Kyiv?", early, late) == [early[0]]


def test_a_list_has_no_more_entries_than_the_question_asks_for() -> None:
    two = ("Anna Berg of Norway and Paolo Rossi of Italy shared the chair.", "2025-05-01", 3.0)
    others = [("Jan Kos joined by video.", "2025-05-02", 2.9), ("Eva Lund spoke first.", "2025-05-03", 2.8)]
    assert quoted("Name the two people who led the talks.", two, *others) == [two[0]]
    assert len(quoted("Name the people who led the talks.", two, *others)) == 3
    third = ("Ida Hall came.", "2025-05-04", 2.7)
    assert quoted("Name the two people who led the talks.", *others, third) == [text for text, _, _ in others]
    steps = [(f"They will {verb} it.", "2025-05-01", 3.0 - at / 10) for at, verb in enumerate(("lend", "cut", "ban"))]
    assert len(quoted("List the two measures.", *steps)) == 2
    assert len(quoted("List the measures.", *steps)) == 3
    assert read_question("List the zero measures.", filters=Filters()).parts[0].wanted is None


def test_of_a_table_of_sums_the_sentences_with_a_sum_are_its_rows() -> None:
    told = [
        ("The donors met in Oslo.", "2025-05-01", 3.0),
        ("Norway gave 5 million euros.", "2025-05-02", 2.9),
        ("Sweden added 20 lorries.", "2025-05-03", 2.8),
        ("Denmark gave 3 million euros.", "2025-05-04", 2.7),
        ("Finland gave 2 million euros.", "2025-05-05", 2.6),
    ]
    sums = [text for text, _, _ in told if "euros" in text]
    assert quoted("Who gave what?", *told) == sums
    assert quoted("Who gave what?", *told[:4]) == [text for text, _, _ in told[:4]]
    assert quoted("Which countries gave something?", *told) == [text for text, _, _ in told]


@pytest.mark.parametrize(
    ("names", "read", "told"),
    [
        (("raft",), "Norvale followed with 40 million.", ["The fund is called RAFT."]),
        (("raft",), "RAFT has grown.", []),
        (("raft", "norvale"), "It has grown.", ["The fund is called RAFT.", "Norvale and RAFT agreed."]),
        (("mars",), "It has grown.", []),
    ],
)
def test_what_is_read_is_preceded_by_the_first_sentence_that_holds_a_name_it_lacks(
    names: Sequence[str], read: str, told: list[str]
) -> None:
    sentences = ["Ministers met.", "The fund is called RAFT.", "RAFT has grown.", "Norvale and RAFT agreed."]
    assert introduced("Head\n", names, [read], sentences) == "".join(f"{line}\n" for line in ["Head", *told])


def with_least(kind: str, odds: float) -> QuoterModel:
    return replace(MODEL, least={**MODEL.least, kind: odds})
