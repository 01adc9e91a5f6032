"""What the reader is trained on: a question, a passage in sentences, and which of them answer it.

Of public questions (SQuAD 1.1 train, the fitting half of SQuAD 2.0 dev, SQuADShifts, the fitting half of CLAPNQ) an
example is a window of whole sentences around the answer; for some of them also the most alike window that lacks it, and
the question with a name or a number exchanged. Of the stories, windows of both articles of the question's story, and
of another one. Which windows, is drawn by the seed.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer

from eval.benchmarks.clapnq import load as load_clapnq
from eval.benchmarks.data_files import DataFiles
from eval.benchmarks.options import chosen_groups
from eval.benchmarks.squad import ParagraphRow, QuestionRow, development_file, read_paragraphs
from eval.fit.reader_sets import Example
from eval.fit.stories import Story, StoryArticle, StoryQuestion
from index.article import Article
from index.errors import InputError
from index.sentences import Span, split_sentences
from rag.extracts import head_of, introduced
from rag.terms import read_terms

__all__ = ["far_examples", "judging_examples", "public_examples", "story_examples"]

_SIZES = (250, 350, 450, 550, 650, 800)  # of a window, in characters
_TITLED = 0.85  # share of the windows that stand under their title
_TYPED = 0.15  # share of the questions written as people type them, in lower case without a question mark
_ALIKE = 0.7  # share of the questions that also come with a window that looks like the answer and is not
_EXCHANGED = 0.12  # share of the questions that also come with another name or number, unanswerable then
_MOST_ALIKE = 4
_OTHER_STORY = 0.25  # share of a story's questions that also come with a window of another story
_AROUND_GOLD = 0.85  # share of the windows of a story that are laid around a sentence that answers
_SQUAD = "https://rajpurkar.github.io/SQuAD-explorer/"
_NAME = re.compile(r"(?<!^)(?<![.?!] )\b[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\b")


@dataclass(frozen=True, slots=True)
class _Text:
    """Hold a text in sentences under the line that stands above it."""

    head: str
    text: str
    spans: tuple[Span, ...]


def public_examples(folder: Path, seed: int) -> list[Example]:
    """Return the examples of every public set, from a folder that holds `squad`, `squadshifts` and `clapnq`.

    The first two may be the official JSON files, or JSON Lines of their paragraphs.
    """
    draw = random.Random(seed)
    squad = DataFiles.of(folder, "squad", _SQUAD)
    shifts = DataFiles.of(folder, "squadshifts", "https://modestyachts.github.io/squadshifts-website/")
    rows = [*read_paragraphs(squad.one("train*.json", "train*.jsonl*")), *_half_of_squad(folder, "fit")]
    for path in shifts.all("*.json", "*.jsonl*"):
        rows.extend(read_paragraphs(path))
    by_title: dict[str, list[ParagraphRow]] = {}
    for row in rows:
        by_title.setdefault(row.title, []).append(row)
    examples = [example for group in by_title.values() for example in _of_article(group, draw)]
    examples.extend(_of_clapnq(folder, draw))
    draw.shuffle(examples)
    return examples


def judging_examples(folder: Path) -> list[Example]:
    """Return a window for every question of SQuAD's test half, in an order that is drawn."""
    draw = random.Random(0)
    examples = []
    for row in _half_of_squad(folder, "test"):
        text = _Text("", row.context, tuple(split_sentences(row.context)))
        for qa in row.qas:
            answer, sentence = _answer_place(text, qa) or (None, draw.randrange(len(text.spans)))
            gold = frozenset({sentence}) if answer else frozenset[int]()
            examples.append(_window(qa.question, text, sentence, draw, gold=gold, answer=answer))
    draw.shuffle(examples)
    return examples


def _half_of_squad(folder: Path, part: str) -> list[ParagraphRow]:
    """Return the paragraphs of a half of SQuAD 2.0 dev, "fit" or "test"."""
    rows = read_paragraphs(development_file(folder))
    titles = chosen_groups((row.title for row in rows), part)
    return [row for row in rows if row.title in titles]


def _of_article(rows: Sequence[ParagraphRow], draw: random.Random) -> Iterator[Example]:
    """Yield the examples of the paragraphs of one article."""
    head = f"{rows[0].title.replace('_', ' ')}\n"
    texts = [_Text(head, row.context, tuple(split_sentences(row.context))) for row in rows]
    questions = [qa.question for row in rows for qa in row.qas]
    alike = _Alike(texts, draw)
    for text, row in zip(texts, rows, strict=True):
        for qa in row.qas:
            found = _answer_place(text, qa)
            if found is None:
                for _ in range(1 + qa.is_impossible):
                    yield _window(qa.question, text, draw.randrange(len(text.spans)), draw)
                continue
            answer, sentence = found
            window = _window(qa.question, text, sentence, draw, gold=frozenset({sentence}), answer=answer)
            yield window
            if draw.random() < _ALIKE and (other := alike.without(qa)):
                yield replace(other, question=window.question)
            if draw.random() < _EXCHANGED and (question := _exchanged(qa.question, questions, draw)):
                yield replace(window, question=question, gold=frozenset(), answer=None)


def _answer_place(text: _Text, qa: QuestionRow) -> tuple[Span, int] | None:
    """Return where the first answer stands, and in which sentence; None where there is none."""
    for answer in qa.answers[:1]:
        if answer.answer_start is None:
            raise InputError(f"question {qa.id}: an answer has no `answer_start`; this fit needs the set's own files")
        place = Span(answer.answer_start, answer.answer_start + len(answer.text))
        for number, span in enumerate(text.spans):
            if span.start < place.end and place.start < span.end:
                return place, number
    return None


class _Finder:
    """Find the texts that share words with a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = TfidfVectorizer(stop_words="english", sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        self._vectors = self._words.fit_transform(texts)

    def best(self, question: str, count: int) -> list[int]:
        """Return the places of the texts most alike a question, the most alike first."""
        scores = (self._vectors @ self._words.transform([question]).T).toarray().ravel()
        return [int(place) for place in scores.argsort()[::-1][:count]]


class _Alike:
    """Find windows of an article that share words with a question and hold none of its answers."""

    def __init__(self, texts: Sequence[_Text], draw: random.Random) -> None:
        self._draw = draw
        windows = [(text, number) for text in texts for number in range(0, len(text.spans), 2)]
        self._examples = [_window("", text, number, draw) for text, number in windows]
        self._finder = _Finder([example.passage for example in self._examples])

    def without(self, qa: QuestionRow) -> Example | None:
        """Return one of the windows most alike a question that hold none of its answers."""
        answers = [answer.text.lower() for answer in qa.answers]
        best = [self._examples[place] for place in self._finder.best(qa.question, 12)]
        lacking = [e for e in best if not any(answer in e.passage.lower() for answer in answers)]
        return self._draw.choice(lacking[:_MOST_ALIKE]) if lacking else None


def _exchanged(question: str, others: Sequence[str], draw: random.Random) -> str | None:
    """Return a question with one of its names or numbers exchanged for that of another question."""
    places = [(match, _NAME) for match in _NAME.finditer(question)]
    places += [(match, _NUMBER) for match in _NUMBER.finditer(question)]
    if not places:
        return None
    match, kind = draw.choice(places)
    pool = {found[0] for other in draw.sample(others, min(40, len(others))) for found in kind.finditer(other)}
    fresh = sorted(word for word in pool if word not in question and match[0] not in word)
    return question[: match.start()] + draw.choice(fresh) + question[match.end() :] if fresh else None


def _of_clapnq(folder: Path, draw: random.Random) -> Iterator[Example]:
    """Yield the fitting half of CLAPNQ."""
    questions = load_clapnq(folder)
    titles = chosen_groups((question.title for question in questions), "fit")
    for question in questions:
        if question.title in titles:
            text = _Text(f"{question.title}\n", question.passage, question.sentences)
            gold = frozenset().union(*question.selections) if question.answerable else frozenset[int]()
            for _ in range(3):
                kept = min(gold) if gold else draw.randrange(len(text.spans))
                yield _window(question.text, text, kept, draw, gold=gold)


def story_examples(stories: Sequence[Story], seed: int) -> list[Example]:
    """Return examples of stories, in an order drawn by the seed: other windows for another seed."""
    draw = random.Random(seed)
    articles, finder = _told(stories)
    examples = []
    for story in stories:
        for question in story.questions:
            for number, article in enumerate(story.articles):
                examples.append(_of_story(question, article, number, draw))
            if draw.random() < _OTHER_STORY:
                best = [articles[place] for place in finder.best(question.text, 2 + _MOST_ALIKE)]
                others = [article for article in best if article not in story.articles][:_MOST_ALIKE]
                examples += [
                    _unanswered(question.text, other, draw) for other in draw.sample(others, min(1, len(others)))
                ]
    draw.shuffle(examples)
    return examples


def far_examples(questions: Sequence[str], stories: Sequence[Story], seed: int) -> list[Example]:
    """Return questions about anything, each beside a window of a story that is most alike: none of them answers."""
    draw = random.Random(seed)
    articles, finder = _told(stories)
    return [_unanswered(text, articles[draw.choice(finder.best(text, _MOST_ALIKE))], draw) for text in questions]


def _told(stories: Sequence[Story]) -> tuple[list[StoryArticle], _Finder]:
    articles = [article for story in stories for article in story.articles]
    return articles, _Finder([f"{article.title} {article.text}" for article in articles])


def _unanswered(question: str, article: StoryArticle, draw: random.Random) -> Example:
    text = _under_day(article)
    return _window(question, text, draw.randrange(len(text.spans)), draw)


def _of_story(question: StoryQuestion, article: StoryArticle, number: int, draw: random.Random) -> Example:
    text = _under_day(article)
    gold = frozenset(sentence for place, sentence in question.gold if place == number)
    kept = draw.choice(sorted(gold)) if gold and draw.random() < _AROUND_GOLD else draw.randrange(len(text.spans))
    answer = None
    if len(gold) == 1 and question.answer:
        start = article.text.lower().find(
            question.answer.lower(), text.spans[min(gold)].start, text.spans[min(gold)].end
        )
        answer = Span(start, start + len(question.answer)) if start >= 0 else None
    return _window(question.text, text, kept, draw, gold=gold, answer=answer)


def _under_day(story: StoryArticle) -> _Text:
    article = Article(id=story.id, text=story.text, title=story.title, published=story.published)
    return _Text(head_of(article), story.text, story.spans)


def _head(question: str, text: _Text, spans: Sequence[Span]) -> str:
    """Return what a window is read under."""
    read = [span.of(text.text) for span in spans]
    return introduced(text.head, read_terms(question).names, read, [span.of(text.text) for span in text.spans])


def _window(
    question: str,
    text: _Text,
    kept: int,
    draw: random.Random,
    *,
    gold: frozenset[int] = frozenset(),
    answer: Span | None = None,
) -> Example:
    """Return a window of whole sentences around the one that is kept, of a size that is drawn."""
    first = last = kept
    size = draw.choice(_SIZES)
    while True:
        before = first > 0 and text.spans[last].end - text.spans[first - 1].start <= size
        after = last + 1 < len(text.spans) and text.spans[last + 1].end - text.spans[first].start <= size
        if not (before or after):
            break
        if before and (not after or draw.random() < 0.5):
            first -= 1
        else:
            last += 1
    spans = text.spans[first : last + 1]
    head = _head(question, text, spans) if draw.random() < _TITLED else ""
    shift = len(head) - spans[0].start
    inside = answer is not None and spans[0].start <= answer.start and answer.end <= spans[-1].end
    if draw.random() < _TYPED:
        question = question.rstrip("? ").lower()
    return Example(
        question=question,
        passage=head + text.text[spans[0].start : spans[-1].end],
        sentences=tuple(Span(span.start + shift, span.end + shift) for span in spans),
        gold=frozenset(number - first for number in gold if first <= number <= last),
        answer=Span(answer.start + shift, answer.end + shift) if answer and inside else None,
    )
