"""Judge checkers of cited sentences: the share of planted errors that they catch, and of right sentences called wrong.

``python -m eval.checkers`` prints both for the checkers that exist, by kind of error; `eval.perturb` plants the errors.
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
    "CHECKERS", "VERDICTS", "CheckReport", "Checker", "KindResult", "check_report", "report_table", "verbatim_rule",
    "words_rule",
]  # fmt: skip

VERDICTS = ("supported", "partial", "unsupported")
"""What a checker may say, best first. Any other word, such as "unchecked", vouches for nothing either."""


class Checker(Protocol):
    """Judge whether a sentence is borne out by the words that it cites."""

    def __call__(self, sentence: str, quote: str, /) -> str:
        """Return one of `VERDICTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindResult:
    """Hold how many errors of a kind were planted and the share caught, and the share of alarms at the right sentences.

    The right sentences are those that the errors were planted in.
    """

    kind: str
    planted: int
    caught: float
    caught_interval: Interval
    false_alarms: float
    false_alarms_interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Hold a checker's results by kind, and its false alarms over all right sentences: repeated, and in other words."""

    kinds: tuple[KindResult, ...]
    verbatim: int
    verbatim_alarms: float
    paraphrases: int
    paraphrase_alarms: float


def check_report(
    checker: Checker, claims: Sequence[Claim], pool: Pool, *, seed: int = SEED, kinds: Sequence[str] = KINDS
) -> CheckReport:
    """Plant one error of each kind in every claim that has something of it, and count what the checker says."""
    alarms = [float(checker(claim.sentence, claim.quote) != "supported") for claim in claims]
    results = []
    for kind in kinds:
        planted = [(perturb(claim, kind, pool, seed=seed), alarm) for claim, alarm in zip(claims, alarms, strict=True)]
        errors = [(error, alarm) for error, alarm in planted if error is not None]
        if errors:
            caught = [float(checker(error.sentence, error.quote) != "supported") for error, _ in errors]
            results.append(_result(kind, caught, [alarm for _, alarm in errors]))
    repeated = [alarm for claim, alarm in zip(claims, alarms, strict=True) if claim.sentence == claim.quote]
    reworded = [alarm for claim, alarm in zip(claims, alarms, strict=True) if claim.sentence != claim.quote]
    return CheckReport(
        kinds=tuple(results), verbatim=len(repeated), verbatim_alarms=_mean(repeated), paraphrases=len(reworded),
        paraphrase_alarms=_mean(reworded),
    )  # fmt: skip


def _result(kind: str, caught: Sequence[float], alarms: Sequence[float]) -> KindResult:
    return KindResult(
        kind=kind, planted=len(caught), caught=_mean(caught), caught_interval=bootstrap_interval(caught, seed=1),
        false_alarms=_mean(alarms), false_alarms_interval=bootstrap_interval(alarms, seed=1),
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


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
    """Return a report as text: a line a kind."""
    lines = [f"{name}", f"  {'kind':10}{'planted':>8}{'caught':>9}  {'95 %':14}{'false alarms':>14}  95 %"]
    for result in report.kinds:
        caught, alarms = result.caught_interval, result.false_alarms_interval
        lines.append(
            f"  {result.kind:10}{result.planted:>8}{result.caught:>9.3f}  {caught.low:.3f}-{caught.high:.3f}   "
            f"{result.false_alarms:>14.3f}  {alarms.low:.3f}-{alarms.high:.3f}"
        )
    lines.append(f"  false alarms at {report.verbatim} repeated sentences: {report.verbatim_alarms:.3f}")
    lines.append(f"  false alarms at {report.paraphrases} paraphrases: {report.paraphrase_alarms:.3f}")
    return "\n".join(lines)


def main() -> None:
    """Print what each checker that exists makes of errors planted in the sample articles' sentences and paraphrases."""
    articles = load_articles()
    claims = [*verbatim_claims(articles), *load_claims(articles)]
    pool = Pool.of(articles)
    click.echo(
        "\n\n".join(report_table(name, check_report(checker, claims, pool)) for name, checker in CHECKERS.items())
    )


if __name__ == "__main__":
    main()
