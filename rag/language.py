"""Tell English from other languages, as far as the word lists and what the reader learned have to know."""

import re

from rag.lexicon import FUNCTION_WORDS, fold

__all__ = ["looks_english"]

_WORD = re.compile(r"[^\W\d_]+")


def looks_english(text: str) -> bool:
    """Tell whether a text could be English: its letters are Latin, and it has no more foreign words than English ones.

    Foreign are the common words of other languages, and words in lower case with a letter that English lacks.
    """
    letters = [c for c in text if c.isalpha()]
    latin = [c for c in letters if c < "\u0250"]
    if len(latin) * 2 < len(letters):
        return False
    words: list[str] = _WORD.findall(text)
    uncapped = [word for place, word in enumerate(words) if word.islower() or not place]
    foreign = sum(fold(word) in _FOREIGN or (word.islower() and not word.isascii()) for word in uncapped)
    english = sum(fold(word) in FUNCTION_WORDS and fold(word) not in _FOREIGN for word in words)
    return foreign == 0 or english >= foreign


_FOREIGN = frozenset(
    """
    le la les des du une est qui que quoi quel quelle combien pourquoi dans sur pour avec der die das und ist wer
    wie wann wo warum wieviel viele hat haben nicht mit von den dem ein eine el los las una es quien quienes cuando
    donde cuanto cuantos cuanta cuantas cual cuales como por para con il lo gli chi che quando dove perche quanto
    quanti quante quali quale nel della sono het een wat hoeveel waarom waar wanneer niet kto co ile gdzie kiedy
    dlaczego jest czy jak quem onde quantos quantas quais porque em os uma hur manga vem vad nar varfor hvem hvad
    hvor hvornar hvorfor och og kac nerede neden icin hangi kuka missa milloin kuinka monta hany mikor miert kdo
    kolik kde kdy cine cate cati unde siapa berapa kapan
    """.split()
) - {"die", "was", "per", "von", "los", "la", "le", "lo", "du", "den", "hat", "es", "em", "co", "como", "manga", "nar",
       "el", "las"}  # fmt: skip
