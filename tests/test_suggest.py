"""Questions to begin with: tried before they are shown, unlike each other, and one that shows a refusal."""

from dataclasses import replace

from index.article import Article
from rag.answer import Answer
from ui.suggest import UNANSWERABLE, examples

from .fakes import refused

ARTICLES = [
    Article(id="a", text="...", title="Leaders meet in Paris"),
    Article(id="b", text="...", title="Strike on Kyiv kills Lviv mayor"),
    Article(id="c", text="...", title="No names here"),
    Article(id="d", text="...", title=None),
]
FOLLOW_UPS = ("What did Ann say?", "What did Bo say?", "How much did Norway give?", "What is reported about Rome?")


class Bot:
    """Answer what is not in `refuses`, with the same follow-ups; count the questions."""

    def __init__(self, *refuses: str, follow_ups: tuple[str, ...] = FOLLOW_UPS) -> None:
        self._refuses = refuses
        self._follow_ups = follow_ups
        self.asked: list[str] = []

    def __call__(self, question: str) -> Answer:
        self.asked.append(question)
        if question in self._refuses:
            return refused()
        return replace(refused(), status="answered", refusal=None, follow_ups=self._follow_ups)


def test_what_is_asked_for_in_particular_comes_before_names_and_the_refusal_last() -> None:
    found = [*examples(ARTICLES, Bot(UNANSWERABLE))]
    assert found == ["What did Ann say?", "How much did Norway give?", "What happened in Paris?", UNANSWERABLE]


def test_what_is_refused_is_not_shown() -> None:
    bot = Bot(UNANSWERABLE, "What did Ann say?", "What happened in Paris?")
    assert [*examples(ARTICLES, bot)] == [
        "How much did Norway give?", "What is reported about Lviv?", "What did Bo say?", UNANSWERABLE,
    ]  # fmt: skip


def test_a_question_that_should_be_refused_and_is_not_is_left_out() -> None:
    assert UNANSWERABLE not in [*examples(ARTICLES, Bot())]


def test_no_question_is_shown_twice() -> None:
    bot = Bot(UNANSWERABLE, follow_ups=("What happened in Paris?", "What did Ann say?"))
    assert [*examples(ARTICLES, bot)] == [
        "What did Ann say?", "What happened in Paris?", "What is reported about Lviv?", UNANSWERABLE,
    ]  # fmt: skip


def test_without_names_nothing_is_asked() -> None:
    bot = Bot()
    assert [*examples(ARTICLES[2:], bot)] == []
    assert bot.asked == []
