"""How a question is read: what its language looks like."""

import pytest

from index.scope import Filters
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
        ("Who else has joined the fund?", "list"), ("What was damaged?", "fact"), ("Which ship is the oldest?", "fact"),
        ("Who offers Greenland what?", "table"), ("Which banks lend how much each?", "table"),
        ("What did they agree on?", "fact"),
        ("Do the reports agree on how many came?", "compare"),
    ],
)  # fmt: skip
def test_a_question_for_several_things_is_a_list_or_a_table(asked: str, kind: str) -> None:
    assert read_question(asked, filters=Filters()).kind == kind
