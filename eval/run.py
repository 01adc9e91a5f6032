"""Run cases through a system, score what it answers, and keep everything that a reader needs to check it.

A run is a JSON document. Two runs of the same system over the same articles differ in `started`, `timings_ms` and the
`ms` of each case, and in nothing else.
"""

import json
import platform
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from eval.answers import GivenAnswer, read_answer, read_answers
from eval.bars import bars_of
from eval.cases import Articles, Case
from eval.citations import GivenCitation
from eval.metrics import latency_percentile
from eval.score import METRICS, RETRIEVAL, Score, score, score_of_nothing
from eval.stats import bootstrap_interval
from eval.suites import Suite, articles_of, corpus_sha256, opened
from index.embed import Embedder, sha256_of
from index.errors import InputError
from index.news_index import NewsIndex
from rag.bot import NewsBot
from rag.writer import Writer

__all__ = [
    "MissingAnswerError",
    "Outcome",
    "Setup",
    "System",
    "from_file",
    "our_bot",
    "outcome_of",
    "read_run",
    "run",
    "runs_folder",
    "write_run",
]

FORMAT = 1
SEED = 20250904
_PACKAGES = ("groundwire", "numpy", "torch", "sentence-transformers", "faiss-cpu", "tantivy", "openvino", "ir-measures")

System = Callable[[Case], Mapping[str, Any]]
"""Takes a case and returns an answer in our JSON shape or OpenAI's; raises `MissingAnswerError` where there is none."""


class MissingAnswerError(InputError):
    """Say that a file of answers has none for a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Hold what answers: `system` makes it for an index; `describe` says what it is, for the run file."""

    system: Callable[[NewsIndex], System]
    describe: Callable[[NewsIndex], Mapping[str, Any]]
    embedder: Embedder | None
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Hold a case, what was answered, and what that is worth.

    `evidence` has the title and the words of each alternative of each need; `error` says why there is no answer.
    """

    suite: str
    case: Case
    given: GivenAnswer | None
    score: Score
    evidence: tuple[tuple[tuple[str, str], ...], ...]
    error: str | None
    ms: float


def our_bot(*, writer: Writer | None = None, embedder: Embedder | None = None, k: int = 8) -> Setup:
    """Return the set-up of Groundwire itself."""

    def system(index: NewsIndex) -> System:
        bot = NewsBot(index, writer=writer)
        return lambda case: bot.ask(case.question, history=case.history, k=k, **case.filters).to_json()

    def describe(index: NewsIndex) -> Mapping[str, Any]:
        named = NewsBot(index, writer=writer).writer
        made = {"embedder": index.embedder.model_id, "embedder_fingerprint": index.embedder.fingerprint}
        made |= {
            "reader_sha256": _sha256_of_ours("reader.safetensors"),
            "quoter_sha256": _sha256_of_ours("quoter.json"),
        }
        return {"system": "groundwire", "writer": named.name, "model": named.model, "k": k, **made}

    return Setup(system=system, describe=describe, embedder=embedder)


def from_file(path: Path, *, embedder: Embedder) -> Setup:
    """Return the set-up of a system whose answers stand in a file."""
    answers = read_answers(path)

    def system(case: Case) -> Mapping[str, Any]:
        if case.id not in answers:
            raise MissingAnswerError(f"{path.name} has no answer for {case.id!r}")
        return answers[case.id]

    described = {"system": "file", "answers": path.name, "answers_sha256": sha256_of(path)}
    return Setup(system=lambda index: system, describe=lambda index: described, embedder=embedder)


def run(
    suites: Sequence[Suite],
    setup: Setup,
    *,
    started: datetime,
    index: NewsIndex | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Any]:
    """Score suites and return the run: over `index`, else over a fresh temporary one of each suite's articles.

    `progress` gets how many cases are done, and of how many so far. Raises `InputError` for cases or articles that
    cannot be used; an error of the system itself is the outcome of its case.
    """
    begun = setup.clock()
    outcomes: list[Outcome] = []
    corpora: dict[str, Mapping[str, Any]] = {}
    described: Mapping[str, Any] = {}
    for articles in dict.fromkeys(suite.articles for suite in suites):
        together = [suite for suite in suites if suite.articles == articles]
        if index is None:
            with opened(articles, embedder=setup.embedder) as fresh:
                described = _score_all(together, setup, fresh, outcomes, corpora, progress=progress)
        else:
            described = _score_all(together, setup, index, outcomes, corpora, progress=progress)
    if not any(outcome.given and outcome.given.hits is not None for outcome in outcomes):
        outcomes = [_without_retrieval(outcome) for outcome in outcomes]
    order = [suite.name for suite in suites]
    outcomes.sort(key=lambda outcome: order.index(outcome.suite))
    timings = {**_latency(outcomes), "total": round(1000 * (setup.clock() - begun))}
    cases = {suite.name: sha256_of(suite.cases) for suite in suites}
    settings = {**described, "corpora": corpora, "cases_sha256": cases, "seed": SEED, "versions": _versions()}
    return _document(outcomes, suites, settings, timings, started)


def read_run(path: Path) -> dict[str, Any]:
    """Read a run file; raise `InputError` when it is none, or one of another format."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read as a run ({error}); name a file that `groundwire eval` wrote"
        ) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or "cases" not in found:
        raise InputError(f"{path}: is no run of format {FORMAT}; name a file that `groundwire eval` wrote")
    return found


def runs_folder() -> Path:
    """Return the folder in the user's data that holds run files unless another is named."""
    return user_data_path("groundwire") / "runs"


def write_run(document: Mapping[str, Any], folder: Path) -> Path:
    """Write a run file, named by its time and suites, into a folder that is made if need be; return its path.

    No file is written over: of the runs of one second, the second is called -2, the third -3.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = "-".join(re.sub(r"[^\w.-]+", "_", name) for name in document["by_suite"])
    at = datetime.fromisoformat(document["started"]).strftime("%Y%m%dT%H%M%SZ")
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    path, number = folder / f"{at}-{names}.json", 1
    while True:
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            number += 1
            path = folder / f"{at}-{names}-{number}.json"
        else:
            return path


def outcome_of(case: Case, system: System, articles: Articles, *, suite: str, setup: Setup) -> Outcome:
    """Ask the system and score its answer; whatever it raises, the case gets 0 and keeps the error."""
    begun = setup.clock()
    given: GivenAnswer | None = None
    error = None
    try:
        reply = system(case)
        taken = setup.clock() - begun
        given = read_answer(reply, articles)
        worth = score(case, given)
    except MissingAnswerError as missing:
        taken, error, worth = 0.0, str(missing), score_of_nothing(case, "missing")
    except Exception as crash:  # law 5: the case scores 0 and is listed, the others go on
        taken, error = setup.clock() - begun, f"{type(crash).__name__}: {crash}"
        worth = score_of_nothing(case, "crashed")
    held = [[(articles[s.article_id, s.revision], s) for s in need] for need in case.evidence]
    evidence = tuple(tuple((article.label, article.text[s.start : s.end]) for article, s in need) for need in held)
    return Outcome(
        suite=suite, case=case, given=given, score=worth, evidence=evidence, error=error, ms=round(1000 * taken, 1)
    )


def _score_all(
    suites: Sequence[Suite],
    setup: Setup,
    index: NewsIndex,
    outcomes: list[Outcome],
    corpora: dict[str, Mapping[str, Any]],
    *,
    progress: Callable[[int, int], None],
) -> Mapping[str, Any]:
    """Add the outcomes of suites that share their articles, and say what answered."""
    articles = articles_of(index)
    system = setup.system(index)
    cases = [(suite.name, case) for suite in suites for case in suite.load(articles)]
    done = len(outcomes)
    for name in (suite.name for suite in suites):
        corpora[name] = {"articles": len({key[0] for key in articles}), "sha256": corpus_sha256(articles)}
    for number, (name, case) in enumerate(cases, start=1):
        outcomes.append(outcome_of(case, system, articles, suite=name, setup=setup))
        progress(done + number, done + len(cases))
    return setup.describe(index)


def _document(
    outcomes: Sequence[Outcome],
    suites: Sequence[Suite],
    settings: Mapping[str, Any],
    timings: Mapping[str, Any],
    started: datetime,
) -> dict[str, Any]:
    cases = [_case_json(outcome) for outcome in outcomes]
    of_suite = {suite.name: [outcome for outcome in outcomes if outcome.suite == suite.name] for suite in suites}
    by_suite = {name: {**_summary(some), "by_kind": _by_kind(some)} for name, some in of_suite.items()}
    return {
        "format": FORMAT, "suite": ", ".join(by_suite), **_summary(outcomes),
        "by_kind": _by_kind(outcomes), "by_suite": by_suite, "bars": bars_of(suites, by_suite),
        "failures": [case for case in cases if case["verdict"] != "right"],
        "settings": settings, "started": started.isoformat(timespec="seconds"), "timings_ms": timings, "cases": cases,
    }  # fmt: skip


def _summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return how many cases there are, each metric's mean, its interval, and over how many cases it was taken."""
    values = {name: [o.score.metrics[name] for o in outcomes if name in o.score.metrics] for name in METRICS}
    values = {name: found for name, found in values.items() if found}
    intervals = {name: bootstrap_interval(found, seed=SEED) for name, found in values.items()}
    return {
        "n": len(outcomes),
        "metrics": {name: round(sum(found) / len(found), 4) for name, found in values.items()},
        "intervals": {name: [interval.low, interval.high] for name, interval in intervals.items()},
        "counted": {name: len(found) for name, found in values.items()},
    }


def _by_kind(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    kinds = dict.fromkeys(outcome.case.kind for outcome in outcomes)
    return {kind: _summary([outcome for outcome in outcomes if outcome.case.kind == kind]) for kind in kinds}


def _case_json(outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    return {
        "id": case.id, "suite": outcome.suite, "kind": case.kind, "question": case.question,
        "history": [{"question": turn.question, "answer": turn.answer} for turn in case.history],
        "filters": dict(case.filters), "refuse": case.refuse, "accepted": list(case.answers),
        "verdict": outcome.score.verdict,
        "metrics": {name: round(value, 4) for name, value in outcome.score.metrics.items()},
        "evidence": _evidence_json(outcome), "answer": _answer_json(outcome), "error": outcome.error, "ms": outcome.ms,
    }  # fmt: skip


def _evidence_json(outcome: Outcome) -> list[dict[str, Any]]:
    cited = [span for citation in (outcome.given.citations if outcome.given else ()) for span in citation.spans]
    return [
        {
            "met": any(span.overlaps(right) for span in cited for right in need),
            "alternatives": [
                {"article_id": s.article_id, "revision": s.revision, "title": title, "start": s.start, "end": s.end,
                 "quote": quote}
                for s, (title, quote) in zip(need, said, strict=True)
            ],
        }
        for need, said in zip(outcome.case.evidence, outcome.evidence, strict=True)
    ]  # fmt: skip


def _answer_json(outcome: Outcome) -> dict[str, Any] | None:
    given = outcome.given
    if given is None:
        return None
    gold = [right for need in outcome.case.evidence for right in need]
    return {
        "text": given.text, "status": "refused" if given.refused else "answered",
        "citations": [
            {**_citation_json(c), "right": any(place.overlaps(right) for place in c.spans for right in gold)}
            for c in given.citations
        ],
        "rows": [dict(row) for row in given.rows],
    }  # fmt: skip


def _citation_json(citation: GivenCitation) -> dict[str, Any]:
    place = citation.spans[0] if citation.spans else None
    return {
        "number": citation.number, "title": citation.label, "quote": citation.quote, "faithful": citation.faithful,
        "article_id": place.article_id if place else None, "revision": place.revision if place else None,
        "start": place.start if place else None, "end": place.end if place else None,
    }  # fmt: skip


def _without_retrieval(outcome: Outcome) -> Outcome:
    """Take the ranking out of what a case without an answer is charged with: this system shows no hits."""
    kept = {name: value for name, value in outcome.score.metrics.items() if name not in RETRIEVAL}
    return replace(outcome, score=replace(outcome.score, metrics=kept))


def _latency(outcomes: Sequence[Outcome]) -> dict[str, float]:
    answered = [outcome.ms for outcome in outcomes if outcome.error is None]
    return {f"p{percent}": round(latency_percentile(answered, percent), 1) for percent in (50, 95)}


def _sha256_of_ours(name: str) -> str:
    """Return the checksum of a file that was fitted and is shipped with `rag`."""
    with as_file(files("rag").joinpath(name)) as path:
        return sha256_of(path)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # one that this installation does not use
            continue
    return found
