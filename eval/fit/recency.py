"""See whether newer articles should rank higher: ``python -m eval.fit.recency --data FOLDER``.

Adds to each passage's score a bonus that halves with its article's age, counted from the newest article of the set, and
prints nDCG@10 on the fitting halves of the sets whose articles are dated. Questions that give their own day (`as_of`)
are not among them: there the filter hides what came later, and no set with such questions was at hand.
"""

from collections.abc import Sequence

import numpy as np

from eval.fit.command import chosen_sets, table_head, table_line
from eval.fit.fusion import Fused, Rule, Scores, judged, scored
from eval.fit.retrieval_sets import RetrievalSet
from index.dates import utc_day
from index.embed import Vectors
from index.fuse import DENSE_WEIGHT
from index.passage import Chunking

__all__ = ["BONUSES", "HALF_LIVES_DAYS", "SETS", "ages_days", "table"]

SETS = ("multihop_rag", "lihua")
BONUSES = (0.02, 0.05, 0.1)  # the first hit and the tenth are about 0.2 apart
HALF_LIVES_DAYS = (7, 30, 180)


def ages_days(data: RetrievalSet) -> dict[str, float]:
    """Return the days from each dated article of a set to its newest one."""
    days = {article.id: utc_day(article.published) for article in data.articles if article.published}
    newest = max(days.values(), default=None)
    return {name: float((newest - day).days) for name, day in days.items()} if newest else {}


def _fused(ages: Vectors, bonus: float, half_life_days: float) -> Fused:
    fresh = np.where(np.isnan(ages), 0.0, bonus * 0.5 ** (ages / half_life_days)).astype(np.float32)
    return lambda dense, words: np.asarray(
        DENSE_WEIGHT * (dense + fresh) + (1 - DENSE_WEIGHT) * words, dtype=np.float32
    )


def table(sets: Sequence[tuple[Scores, Vectors]]) -> list[str]:
    """Return the lines of the table of tries, from each set's scores and its passages' ages in days (NaN: undated)."""
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
    """Print the table of tries."""
    chosen, embedder = chosen_sets(main.__doc__, SETS)
    sets = []
    for data in chosen:
        scores = scored(data, embedder, Chunking())
        ages = ages_days(data)
        of_passages = [ages.get(name, np.nan) for name in scores.articles]
        sets.append((scores, np.array(of_passages, dtype=np.float32)))
    print(*table(sets), sep="\n")


if __name__ == "__main__":
    main()
