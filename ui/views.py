"""From turns of a conversation to escaped HTML: pure, and the only point where text from outside meets markup."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, FunctionLoader, StrictUndefined

from index.article import Article
from rag.answer import Answer, Citation, Copy, Sentence, Understood

__all__ = ["Badge", "Piece", "Turn", "address_of", "badge_of", "bars_of", "link_of", "pieces_of", "render",
           "render_conversation", "render_sources", "static"]  # fmt: skip

Texts = Callable[[str, int], Article]
_MOST_MONTHS = 48
_REFUSED = {
    "nothing_in_window": "No article passes the filters",
    "empty_index": "No articles yet",
    "ambiguous": "Several readings",
    "false_premise": "Not borne out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Hold one question of a conversation and what is known of its answer.

    `state` is "searching", "waiting", "writing", "done", "stopped", "busy" or "error"; `said` has what came before the
    whole answer did, and `message` what to tell the reader (a place in the line, or what failed). `name` is what the
    browser calls it, so that the browser knows when its question is answered.
    """

    number: int
    question: str
    name: str = ""
    state: str = "searching"
    said: tuple[Sentence, ...] = ()
    cited: tuple[Citation, ...] = ()
    answer: Answer | None = None
    message: str = ""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Return the sentences that there are."""
        return self.answer.sentences if self.answer else self.said

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Return the citations that there are."""
        return self.answer.citations if self.answer else self.cited

    @property
    def live(self) -> bool:
        """Tell whether more is to come."""
        return self.state in ("searching", "waiting", "writing")


@dataclass(frozen=True, slots=True)
class Badge:
    """Hold a state in words, and the tone ("ok", "warn", "none", "busy") that colours it."""

    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold a stretch of an article, the numbers that cite it, and those of them that begin with it."""

    text: str
    numbers: tuple[int, ...]
    begins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Hold an article of the source panel, cut where citations begin and end; `copies` say who prints which, too."""

    article: Article
    numbers: tuple[int, ...]
    pieces: tuple[Piece, ...]
    copies: tuple[tuple[int, tuple[Copy, ...]], ...]


def pieces_of(text: str, spans: Sequence[tuple[int, int, int]]) -> tuple[Piece, ...]:
    """Cut a text at the ends of spans (number, start, end); the pieces joined are the text.

    >>> [(p.text, p.numbers) for p in pieces_of("It ended.", [(1, 3, 8)])]
    [('It ', ()), ('ended', (1,)), ('.', ())]
    """
    cuts = sorted({0, len(text), *(at for _, start, end in spans for at in (start, end))})
    pieces = []
    for start, end in pairwise(cuts):
        covering = tuple(n for n, first, last in spans if first <= start and end <= last)
        begins = tuple(n for n, first, _ in spans if first == start and n in covering)
        pieces.append(Piece(text[start:end], covering, begins))
    return tuple(pieces)


def link_of(url: str | None) -> str | None:
    """Return an address when it may become a link: http or https with a host, and nothing else."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def address_of(understood: Understood) -> str:
    """Return the address that asks a question again, as it was understood, with the filters that it had."""
    filters = [("since", understood.since), ("until", understood.until), *(("source", s) for s in understood.sources)]
    return "/?" + urlencode([("q", understood.question), *((name, value) for name, value in filters if value)])


def badge_of(turn: Turn) -> Badge:
    """Return the state of a turn in words: they say "cited", and "supported" is said of single sentences only."""
    fixed = {
        "searching": Badge("busy", "Searching"), "waiting": Badge("busy", "Waiting"),
        "writing": Badge("busy", "Writing"), "stopped": Badge("warn", "Stopped"), "error": Badge("warn", "No answer"),
        "busy": Badge("warn", "Busy"),
    }  # fmt: skip
    if turn.state in fixed:
        return fixed[turn.state]
    if turn.answer is None or turn.answer.refusal:
        reason = turn.answer.refusal.reason if turn.answer and turn.answer.refusal else ""
        return Badge("none", _REFUSED.get(reason, "Not in these articles"))
    cited = sum(bool(sentence.citations) for sentence in turn.sentences)
    statements = "statement" if len(turn.sentences) == 1 else "statements"
    whole = cited == len(turn.sentences) and turn.answer.status == "answered"
    return Badge("ok" if whole else "warn", f"{cited} of {len(turn.sentences)} {statements} cited")


def bars_of(published: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Count dates by month, those without one included; by year where they span more than 48 months.

    >>> bars_of(["2025-11-30", "2026-01-02T10:00:00Z"])
    (('Nov 2025', 1), ('Dec 2025', 0), ('Jan 2026', 1))
    """
    places = Counter(int(day[:4]) * 12 + int(day[5:7]) - 1 for day in published)
    if not places:
        return ()
    first, last = min(places), max(places)
    if last - first < _MOST_MONTHS:
        return tuple((_month(f"{n // 12:04}-{n % 12 + 1:02}"), places[n]) for n in range(first, last + 1))
    years = Counter(day[:4] for day in published)
    return tuple((f"{n:04}", years[f"{n:04}"]) for n in range(first // 12, last // 12 + 1))


def render_conversation(turns: Sequence[Turn]) -> str:
    """Return the conversation as HTML."""
    return render("conversation.html", turns=turns)


def render_sources(turns: Sequence[Turn], article: Texts) -> str:
    """Return the source panel as HTML: a section a turn, of which the last is shown."""
    return render("sources.html", turns=[(turn, _cards(turn, article)) for turn in turns])


def render(template: str, **values: object) -> str:
    """Return a template filled with values, every one of them escaped."""
    return _environment().get_template(template).render(**values)


@cache
def static(name: str) -> str:
    """Return the address of a static file of ours; it names the content, so that browsers may keep it for good."""
    content = (files("ui") / "static" / name).read_bytes()
    return f"/ui-static/{name}?v={sha256(content).hexdigest()[:12]}"


def _cards(turn: Turn, article: Texts) -> list[Card]:
    spans: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    for c in turn.citations:
        spans.setdefault((c.article_id, c.revision), []).append((c.number, c.start, c.end))
    also = {c.number: c.also_in for c in turn.citations if c.also_in}
    cards = []
    for (article_id, revision), cited in spans.items():
        held = article(article_id, revision)
        numbers = tuple(number for number, _, _ in cited)
        copies = tuple((number, also[number]) for number in numbers if number in also)
        cards.append(Card(held, numbers, pieces_of(held.text, cited), copies))
    return cards


def _uncited(turn: Turn) -> list[object]:
    """Return what was found and not cited: the nearest passages of a refusal, else hits that no citation touches."""
    if turn.answer is None:
        return []
    if turn.answer.refusal:
        return list(turn.answer.refusal.nearest)
    used = [(c.article_id, c.revision, c.start, c.end) for c in turn.citations]
    return [
        hit for hit in turn.answer.hits
        if not any(i == hit.article.id and r == hit.article.revision and s < hit.passage.end and hit.passage.start < e
                   for i, r, s, e in used)
    ]  # fmt: skip


def _paragraphs(turn: Turn) -> list[list[Sentence]]:
    paragraphs: list[list[Sentence]] = []
    end = 0
    for sentence in turn.sentences:
        new_line = turn.answer is not None and "\n" in turn.answer.text[end : sentence.start]
        if not paragraphs or new_line:
            paragraphs.append([])
        paragraphs[-1].append(sentence)
        end = sentence.end
    return paragraphs


def _day(published: str | None) -> str:
    """Return a day as people write it ("4 Sep 2025"), or "undated"."""
    if not published:
        return "undated"
    return f"{int(published[8:10])} {_month(published)}"


def _month(published: str) -> str:
    """Return a month as people write it ("Sep 2025")."""
    return f"{'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()[int(published[5:7]) - 1]} {published[:4]}"


def _initials(source: str | None) -> str:
    words = [word for word in (source or "").split() if word[0].isalnum() and word.lower() != "the"]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@cache
def _environment() -> Environment:
    folder = files("ui") / "templates"
    loader = FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8"))
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters |= {
        "day": _day,
        "initials": _initials,
        "link": link_of,
        "path": quote,
        "address": address_of,
    }
    environment.globals |= {"badge_of": badge_of, "uncited": _uncited, "paragraphs": _paragraphs, "static": static}
    return environment
