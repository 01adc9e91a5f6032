from collections import Counter

from eval.checkers import CHECKERS, check_report, report_table, verbatim_rule, words_rule
from eval.perturb import KINDS, Claim, Pool, load_articles, load_claims, verbatim_claims

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
    assert [(r.kind, r.planted, r.caught, r.false_alarms) for r in report.kinds] == [
        ("number", 2, 1.0, 0.5), ("place", 1, 1.0, 0.0),
    ]  # fmt: skip
    assert (report.verbatim, report.verbatim_alarms, report.paraphrases, report.paraphrase_alarms) == (1, 0.0, 1, 1.0)


def test_a_checker_that_always_agrees_catches_nothing_and_one_that_never_does_catches_all() -> None:
    agreeing = check_report(lambda sentence, quote: "supported", CLAIMS, POOL)
    refusing = check_report(lambda sentence, quote: "unsupported", CLAIMS, POOL)
    assert {(result.caught, result.false_alarms) for result in agreeing.kinds} == {(0.0, 0.0)}
    assert {(result.caught, result.false_alarms) for result in refusing.kinds} == {(1.0, 1.0)}
    assert [result.kind for result in agreeing.kinds] == list(KINDS)


def test_the_checkers_that_exist_judge_what_they_say_they_do() -> None:
    assert verbatim_rule("It ended.", "At last\nit ended. It ended.") == "supported"
    assert verbatim_rule("It is over.", "It ended.") == "unchecked"
    assert words_rule("EUR 5 million was paid.", "On Monday EUR 5 million was paid.") == "supported"
    assert words_rule("EUR 6 million was paid.", "On Monday EUR 5 million was paid.") == "unsupported"


def test_the_table_has_a_line_a_kind_and_both_false_alarm_rates() -> None:
    report = check_report(CHECKERS["verbatim"], CLAIMS[:40], POOL)
    lines = report_table("verbatim", report).splitlines()
    assert Counter(line.split()[0] for line in lines[2:-2]) == Counter(result.kind for result in report.kinds)
    assert lines[-2].startswith("  false alarms at 40 repeated sentences: 0.000")
