"""Judge checkers of cited sentences: the share of planted errors that they catch, and of right sentences called wrong.

``python -m eval.checkers`` prints both for the checkers that exist, by kind of error; `eval.perturb` plants the errors.
The claims are articles' own sentences, repeated, and paraphrases of them written by hand; alarms at the two are counted
apart, because a sentence that repeats its quote is easily called right. None is an answer that a model wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import click

from eval.metrics import words_support
from eval.perturb import (
    KINDS,
    SEED,
    Claim,
    Pool,
    load_articles,
    load_claims,
    perturb,
    verbatim_claims,
)
from eval.stats import Interval, bootstrap_interval
from index.article import Article
from rag.cite import Draft, DraftSentence, Source, cite

__all__ = [
    "CHECKERS", "VERDICTS", "Alarms", "CheckReport", "Checker", "KindResult", "check_report", "report_table",
    "verbatim_rule", "words_rule",
]  # fmt: skip

VERDICTS = ("supported", "partial", "unsupported")
"""What a checker may say, best first. Any other word, such as "unchecked", vouches for nothing either."""


class Checker(Protocol):
    """Judge whether a sentence is borne out by the words that it cites."""

    def __call__(self, sentence: str, quote: str, /) -> str:
        """Return one of `VERDICTS`."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """Hold how many right sentences there were, and the share called wrong; of none, 0 and no interval."""

    sentences: int
    share: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindResult:
    """Hold how many errors of a kind were planted and the share caught, and the false alarms where they were planted.

    Those at sentences that repeat their quote and at paraphrases are apart.
    """

    kind: str
    planted: int
    caught: float
    caught_interval: Interval
    repeated: Alarms
    paraphrases: Alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Hold a checker's results by kind, and its false alarms over all right sentences: repeated, and in other words."""

    kinds: tuple[KindResult, ...]
    repeated: Alarms
    paraphrases: Alarms


def check_report(
    checker: Checker, claims: Sequence[Claim], pool: Pool, *, seed: int = SEED, kinds: Sequence[str] = KINDS
) -> CheckReport:
    """Plant one error of each kind in every claim that has something of it, and count what the checker says."""
    judged = [(claim, float(checker(claim.sentence, claim.quote) != "supported")) for claim in claims]
    results = []
    for kind in kinds:
        planted = [(perturb(claim, kind, pool, seed=seed), claim, alarm) for claim, alarm in judged]
        errors = [(error, claim, alarm) for error, claim, alarm in planted if error is not None]
        if errors:
            caught = [float(checker(error.sentence, error.quote) != "supported") for error, _, _ in errors]
            results.append(_result(kind, caught, [(claim, alarm) for _, claim, alarm in errors]))
    repeated, paraphrases = _apart(judged)
    return CheckReport(kinds=tuple(results), repeated=repeated, paraphrases=paraphrases)


def _result(kind: str, caught: Sequence[float], judged: Sequence[tuple[Claim, float]]) -> KindResult:
    repeated, paraphrases = _apart(judged)
    return KindResult(
        kind=kind, planted=len(caught), caught=sum(caught) / len(caught), repeated=repeated, paraphrases=paraphrases,
        caught_interval=bootstrap_interval(caught, seed=1),
    )  # fmt: skip


def _apart(judged: Sequence[tuple[Claim, float]]) -> tuple[Alarms, Alarms]:
    """Return the alarms at claims that repeat their quote, and those at the others."""
    repeated = [alarm for claim, alarm in judged if claim.sentence == claim.quote]
    paraphrases = [alarm for claim, alarm in judged if claim.sentence != claim.quote]
    return _alarms(repeated), _alarms(paraphrases)


def _alarms(values: Sequence[float]) -> Alarms:
    if not values:
        return Alarms(0, 0.0, None)
    return Alarms(len(values), sum(values) / len(values), bootstrap_interval(values, seed=1))


def verbatim_rule(sentence: str, quote: str, /) -> str:
    """Judge by the rule of `rag.cite`: what repeats its quote is supported, nothing else is vouched for."""
    article = Article(id="cited", text=quote)
    source = Source(article.id, 1, 0, len(quote), f"cited@1:0-{len(quote)}")
    draft = Draft(sentences=(DraftSentence(sentence, (1,)),), sources=(source,))
    return cite(draft, lambda article_id, revision: article).sentences[0].support


def words_rule(sentence: str, quote: str, /) -> str:
    """Judge by the words in common, as `eval.metrics.words_support` does: the baseline without a model."""
    return "supported" if words_support([quote], sentence) else "unsupported"


CHECKERS: Mapping[str, Checker] = {"verbatim": verbatim_rule, "words in common": words_rule}
"""The checkers that exist, by name."""


def report_table(name: str, report: CheckReport) -> str:
    """Return a report as text: a line a kind, with the false alarms at the sentences where its errors were planted."""
    lines = [
        name, f"  {'':43}false alarms at",
        f"  {'kind':10}{'planted':>8}{'caught':>8}  {'95 %':11}{'repeated':>14}{'paraphrases':>14}  95 %",
    ]  # fmt: skip
    lines += [
        f"  {result.kind:10}{result.planted:>8}{result.caught:>8.3f}  {_between(result.caught_interval)}"
        f"{_of(result.repeated):>14}{_of(result.paraphrases):>14}  {_between(result.paraphrases.interval)}".rstrip()
        for result in report.kinds
    ]
    lines.append(f"  false alarms at {report.repeated.sentences} repeated sentences: {report.repeated.share:.3f}")
    lines.append(f"  false alarms at {report.paraphrases.sentences} paraphrases: {report.paraphrases.share:.3f}")
    return "\n".join(lines)


def _of(alarms: Alarms) -> str:
    return f"{alarms.share:.3f} of {alarms.sentences}" if alarms.sentences else "none"


def _between(interval: Interval | None) -> str:
    return f"{interval.low:.3f}-{interval.high:.3f}" if interval else ""


def main() -> None:
    """Print what each checker that exists makes of errors planted in the sample articles' sentences and paraphrases."""
    articles = load_articles()
    claims = [*verbatim_claims(articles), *load_claims(articles)]
    pool = Pool.of(articles)
    tables = [report_table(name, check_report(checker, claims, pool)) for name, checker in CHECKERS.items()]
    click.echo(
        "\n\n".join([*tables, "The claims are articles' sentences and paraphrases of them by hand, not answers."])
    )


if __name__ == "__main__":
    main()
