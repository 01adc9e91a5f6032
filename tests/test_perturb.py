import json
import re

import pytest

from eval.perturb import (
    KINDS,
    Claim,
    Planted,
    Pool,
    load_articles,
    load_claims,
    perturb,
    verbatim_claims,
)
from index.article import Article
from index.errors import InputError
from rag.terms import read_terms

ARTICLES = load_articles()
POOL = Pool.of(ARTICLES)
CLAIMS = [*verbatim_claims(ARTICLES), *load_claims(ARTICLES)]


def claim(sentence: str) -> Claim:
    return Claim(article_id="a", revision=1, start=0, end=len(sentence), quote=sentence, sentence=sentence)


def edits(sentence: str, kind: str) -> set[str]:
    """Return the stretches that a hundred seeds change."""
    planted = [perturb(claim(sentence), kind, POOL, seed=seed) for seed in range(100)]
    return {error.before for error in planted if error is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_changes_one_stretch_and_nothing_else(kind: str) -> None:
    errors = [error for each in CLAIMS if (error := perturb(each, kind, POOL)) is not None]
    assert len(errors) >= 20
    for error in errors:
        changed, other = (error.quote, error.sentence) if kind == "passage" else (error.sentence, error.quote)
        original, kept = (
            (error.claim.quote, error.claim.sentence)
            if kind == "passage"
            else (error.claim.sentence, error.claim.quote)
        )
        assert original[error.at : error.at + len(error.before)] == error.before
        assert changed == original[: error.at] + error.after + original[error.at + len(error.before) :]
        assert other == kept
        assert changed != original


@pytest.mark.parametrize(
    ("kind", "sentence", "changed"),
    [
        ("number", "On 4 September 2025, 26 countries and twenty-one towns paid 1.6.", {"26", "twenty-one", "1.6"}),
        ("number", "The IRIS-T systems came in 2025.", set()),
        ("date", "On Thursday 4 September 26 countries met, in 2025.", {"Thursday", "4", "September", "2025"}),
        ("date", "They may march on 10 and 11 July.", {"10", "11", "July"}),
        ("name", "Emmanuel Macron said that Mark Rutte of NATO had called.", {"Mark Rutte", "NATO"}),
        ("speaker", "Emmanuel Macron said that Mark Rutte of NATO had called.", {"Emmanuel Macron"}),
        ("speaker", "By Thursday 19 had died, according to Tymur Tkachenko.", {"Tymur Tkachenko"}),
        ("speaker", "The talks were held with Mark Rutte.", set()),
        ("negation", "The plan was agreed and would not fail.", {"not "}),
        ("negation", "The plan was agreed and has been signed.", {"was", "has"}),
        ("negation", "Prices rose.", set()),
        ("unit", "It cost €5 million, or USD 6, within ten minutes.", {"€", "million", "USD", "minutes"}),
        ("unit", "Millions of people waited for years.", set()),
        ("place", "From Paris the French minister flew to Norway.", {"Paris", "French", "Norway"}),
        ("quote", "He promised a \"lasting peace\" with force.", {"lasting", "peace"}),
        ("quote", "He promised a long peace.", set()),
    ],
)  # fmt: skip
def test_only_the_words_that_bear_the_meaning_are_changed(kind: str, sentence: str, changed: set[str]) -> None:
    assert edits(sentence, kind) == changed


@pytest.mark.parametrize(
    ("kind", "sentence", "pattern"),
    [
        ("number", "Some 26 countries paid.", r"Some [1-9]6 countries paid\."),
        ("number", "Twenty-six countries paid.", r"[Tt]wenty-\w+ countries paid\."),
        ("date", "It began on 4 September.", r"It began on (\d+ September|4 [A-Z][a-z]+)\."),
        ("negation", "The plan was agreed.", r"The plan was not agreed\."),
        ("negation", "The plan was not agreed.", r"The plan was agreed\."),
        ("unit", "It cost €5.", r"It cost [$£]5\."),
    ],
)
def test_the_wrong_sentence_reads_like_the_right_one(kind: str, sentence: str, pattern: str) -> None:
    planted = [perturb(claim(sentence), kind, POOL, seed=seed) for seed in range(30)]
    assert all(error is not None and re.fullmatch(pattern, error.sentence) for error in planted)


def test_a_wrong_number_is_another_number() -> None:
    for each in CLAIMS:
        error = perturb(each, "number", POOL)
        if error is not None:
            assert read_terms(error.before).numbers != read_terms(error.after).numbers


def test_a_new_name_or_place_does_not_stand_in_the_sentence_already() -> None:
    for kind in ("name", "speaker", "place"):
        for each in CLAIMS:
            error = perturb(each, kind, POOL)
            assert error is None or error.after not in each.sentence


def test_a_swapped_passage_is_another_sentence_of_the_same_article() -> None:
    for each in CLAIMS:
        error = perturb(each, "passage", POOL)
        if error is not None:
            assert error.quote in POOL.sentences[each.article_id, each.revision]
            assert error.quote not in each.quote
            assert each.quote not in error.quote


def test_the_seed_decides_and_the_same_seed_gives_the_same() -> None:
    def planted(seed: int) -> list[Planted | None]:
        return [perturb(each, kind, POOL, seed=seed) for each in CLAIMS[:60] for kind in KINDS]

    assert planted(1) == planted(1)
    assert planted(1) != planted(2)


def test_people_are_neither_places_nor_institutions() -> None:
    text = "The White House, United Kingdom, World Bank and Channel NewsAsia heard NATO's Brussels staff and Ann Lee."
    assert Pool.of([Article(id="a", text=text)]).people == ("Ann Lee",)


def test_there_are_at_least_a_hundred_paraphrases_and_none_repeats_its_source_or_another() -> None:
    paraphrases = load_claims(ARTICLES)
    assert len(paraphrases) >= 100
    assert len({each.sentence for each in paraphrases}) == len(paraphrases)
    assert all(" ".join(each.sentence.split()) not in each.quote for each in paraphrases)


def test_a_paraphrase_has_no_figure_that_its_source_does_not_have() -> None:
    spelled = {"17": "seventeen", "23": "twenty-three", "26": "twenty-six"}
    for each in load_claims(ARTICLES):
        for figure in re.findall(r"\d+(?:[.,]\d+)*", each.sentence):
            assert figure in each.quote or spelled[figure] in each.quote.lower()


def test_a_paraphrase_that_points_at_other_words_is_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cases") / "paraphrases.jsonl"
    place = {"article_id": "purl-nordic-package", "revision": 2, "start": 0, "end": 7}
    path.write_text(json.dumps({**place, "quote": "Finland", "paraphrase": "x"}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"paraphrases\.jsonl:1: purl-nordic-package reads 'Denmark' there"):
        load_claims(ARTICLES, path)
