"""See whether newer articles should rank higher: ``python -m eval.fit.recency --data FOLDER``.

Adds to each passage's score a bonus that halves with its article's age, and prints nDCG@10 on the fitting halves of the
sets whose articles are dated: once with the age counted from the newest article of the set, once, either way, from the
nearest whole date that a question names, where it names one. Questions that give their own day (`as_of`)
are not among them: there the filter hides what came later, and no set with such questions was at hand.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np

from eval.fit.command import run_fit, table_head, table_line
from eval.fit.fusion import Fused, Rule, Scores, judged, scored
from eval.fit.retrieval_sets import RetrievalSet, chosen_sets
from index.dates import utc_day
from index.embed import Vectors
from index.fuse import DENSE_WEIGHT
from index.passage import Chunking
from rag.terms import read_terms

__all__ = ["BONUSES", "HALF_LIVES_DAYS", "SETS", "ages_days", "days_named", "distances_days", "table"]

SETS = ("multihop_rag", "lihua")
BONUSES = (0.02, 0.05, 0.1)  # the first hit and the tenth are about 0.2 apart
HALF_LIVES_DAYS = (7, 30, 180)


def ages_days(data: RetrievalSet) -> dict[str, float]:
    """Return the days from each dated article of a set to its newest one."""
    days = _days_of(data)
    newest = max(days.values(), default=None)
    return {name: float((newest - day).days) for name, day in days.items()} if newest else {}


def _days_of(data: RetrievalSet) -> dict[str, date]:
    return {article.id: utc_day(article.published) for article in data.articles if article.published}


def days_named(text: str) -> list[date]:
    """Return the whole dates that a text names, in order of time.

    >>> days_named("Between 1 October and December 6, 2023, and on 30 September 2023?")
    [datetime.date(2023, 9, 30), datetime.date(2023, 12, 6)]
    """
    return sorted(date(d.year, d.month, d.day) for d in read_terms(text).dates if d.year and d.month and d.day)


def distances_days(data: RetrievalSet, articles: Sequence[str]) -> Vectors:
    """Return the days between the articles of passages and the nearest date that a question names, before or after it.

    Shape ``(fitting questions, passages)``, float32; NaN where an article is undated. Of a question without a date they
    are counted from the newest article.
    """
    days = _days_of(data)
    of_passages = np.array([days[name].toordinal() if name in days else np.nan for name in articles])
    newest = max(days.values(), default=date.min)
    rows = [
        np.min([np.abs(of_passages - day.toordinal()) for day in days_named(question.text) or [newest]], axis=0)
        for question in data.questions if question.fits
    ]  # fmt: skip
    return np.array(rows, dtype=np.float32)


def _fused(ages: Vectors, bonus: float, half_life_days: float) -> Fused:
    fresh = np.where(np.isnan(ages), 0.0, bonus * 0.5 ** (ages / half_life_days)).astype(np.float32)
    return lambda dense, words: np.asarray(
        DENSE_WEIGHT * (dense + fresh) + (1 - DENSE_WEIGHT) * words, dtype=np.float32
    )


def table(sets: Sequence[tuple[Scores, Vectors]]) -> list[str]:
    """Return the lines of the table of tries, from each set's scores and its passages' ages, also for each question."""
    names = ["bonus", "halves in", *(scores.name for scores, _ in sets), "mean"]
    lines = table_head(names)
    for bonus, half_life in ((0.0, 1.0), *((b, h) for b in BONUSES for h in HALF_LIVES_DAYS)):
        rules = [Rule(fused=_fused(ages, bonus, half_life)) for _, ages in sets]
        row = [judged(scores, rule, fits=True).ndcg for (scores, _), rule in zip(sets, rules, strict=True)]
        cells = [
            f"{bonus}",
            f"{half_life:.0f} days" if bonus else "",
            *(f"{f:.3f}" for f in row),
            f"{np.mean(row):.4f}",
        ]
        lines.append(table_line(cells))
    return lines


def main() -> None:
    """Print the tables of tries."""
    chosen, embedder = chosen_sets(main.__doc__, SETS)
    from_newest, from_named, dated = [], [], 0
    for data in chosen:
        scores = scored(data, embedder, Chunking())
        ages = ages_days(data)
        of_passages = [ages.get(name, np.nan) for name in scores.articles]
        from_newest.append((scores, np.array(of_passages, dtype=np.float32)))
        from_named.append((scores, distances_days(data, scores.articles)))
        dated += sum(bool(days_named(question.text)) for question in data.questions if question.fits)
    print("counted from the newest article\n", *table(from_newest), sep="\n")
    print(f"\ncounted from the date named, of {dated} questions\n", *table(from_named), sep="\n")


if __name__ == "__main__":
    run_fit(main)
