from collections import Counter

import pytest

from eval.checkers import CHECKERS, Alarms, check_report, main, report_table, verbatim_rule, words_rule
from eval.perturb import KINDS, Claim, Pool, load_articles, load_claims, verbatim_claims
from eval.stats import Interval

ARTICLES = load_articles()
POOL = Pool.of(ARTICLES)
CLAIMS = [*verbatim_claims(ARTICLES), *load_claims(ARTICLES)]


def claim(sentence: str) -> Claim:
    return Claim(article_id="a", revision=1, start=0, end=len(sentence), quote=sentence, sentence=sentence)


def test_rates_are_counted_by_kind_over_errors_and_the_sentences_they_were_planted_in() -> None:
    repeated = claim("Oslo paid EUR 5 million.")
    reworded = Claim(
        article_id="a", revision=1, start=0, end=24, quote="Oslo paid EUR 5 million.", sentence="EUR 5 million came."
    )
    report = check_report(verbatim_rule, [repeated, reworded], POOL, kinds=("number", "place", "date"))
    right, wrong = Alarms(1, 0.0, Interval(0.0, 0.7935)), Alarms(1, 1.0, Interval(0.2065, 1.0))
    assert [(r.kind, r.planted, r.caught, r.repeated, r.paraphrases) for r in report.kinds] == [
        ("number", 2, 1.0, right, wrong), ("place", 1, 1.0, right, Alarms(0, 0.0, None)),
    ]  # fmt: skip
    assert (report.repeated, report.paraphrases) == (right, wrong)


def test_a_checker_that_always_agrees_catches_nothing_and_one_that_never_does_catches_all() -> None:
    agreeing = check_report(lambda sentence, quote: "supported", CLAIMS, POOL)
    refusing = check_report(lambda sentence, quote: "unsupported", CLAIMS, POOL)
    assert {(r.caught, r.repeated.share, r.paraphrases.share) for r in agreeing.kinds} == {(0.0, 0.0, 0.0)}
    assert {(r.caught, r.repeated.share, r.paraphrases.share) for r in refusing.kinds} == {(1.0, 1.0, 1.0)}
    assert [result.kind for result in agreeing.kinds] == list(KINDS)


def test_the_checkers_that_exist_judge_what_they_say_they_do() -> None:
    assert verbatim_rule("It ended.", "At last\nit ended. It ended.") == "supported"
    assert verbatim_rule("It is over.", "It ended.") == "unchecked"
    assert words_rule("EUR 5 million was paid.", "On Monday EUR 5 million was paid.") == "supported"
    assert words_rule("EUR 6 million was paid.", "On Monday EUR 5 million was paid.") == "unsupported"


def test_the_table_has_a_line_a_kind_and_both_false_alarm_rates() -> None:
    report = check_report(CHECKERS["verbatim"], CLAIMS[:40], POOL)
    lines = report_table("verbatim", report).splitlines()
    assert Counter(line.split()[0] for line in lines[3:-2]) == Counter(result.kind for result in report.kinds)
    assert lines[-2].startswith("  false alarms at 40 repeated sentences: 0.000")


def test_a_line_tells_alarms_at_repeated_sentences_apart_from_those_at_paraphrases() -> None:
    report = check_report(words_rule, CLAIMS, POOL, kinds=("quote",))
    line = report_table("words in common", report).splitlines()[3]
    assert line.split() == "quote 28 0.500 0.321-0.679 0.000 of 18 0.200 of 10 0.000-0.500".split()


def test_what_the_claims_are_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out.endswith("sentences and paraphrases of them by hand, not answers.\n")
