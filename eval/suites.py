"""Suites: which cases are scored, over which articles."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from eval.cases import Articles, Case, load_cases
from index.article import Article
from index.embed import Embedder, Vectors
from index.errors import InputError
from index.news_index import NewsIndex

__all__ = ["OWN", "Suite", "UnusedEmbedder", "articles_of", "corpus_sha256", "find_suites", "opened"]

OWN = ("dev", "test", "unseen")
_CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Suite:
    """Name a file of cases, and the files and folders that hold their articles."""

    name: str
    cases: Path
    articles: tuple[Path, ...]

    def load(self, articles: Articles) -> list[Case]:
        """Return the cases, checked against the articles."""
        return load_cases(self.cases, articles)


@dataclass
class UnusedEmbedder:
    """Stand where answers come from elsewhere: articles are kept and looked up, and no model is loaded."""

    model_id: str = "none"
    fingerprint: str = "none"
    dimension: int = 1
    max_tokens: int = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return a number that never makes a passage too long."""
        return [1] * len(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the same vector for every text."""
        return np.ones((len(texts), 1), dtype=np.float32)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the same vector for every text."""
        return self.embed_passages(texts)


def find_suites(names: Iterable[str], *, articles: Sequence[Path] = (), indexed: bool = False) -> list[Suite]:
    """Return the suites of that name (all of our own without any), of files of cases, and of folders that hold one.

    The articles of a file of cases are those given, else `articles.jsonl` or the folder `articles` beside it; with
    `indexed` they are in an index already. Raises `InputError` for a name that is none of these, and for two suites of
    one name.
    """
    found = [_own(name) if name in OWN else _of_path(Path(name), articles, indexed) for name in list(names) or OWN]
    for number, suite in enumerate(found):
        if suite.name in [other.name for other in found[:number]]:
            raise InputError(f"two suites are called {suite.name!r}; rename a file, or score them in two calls")
    return found


def _own(name: str) -> Suite:
    if name == "unseen":
        return Suite(name, _CASES / name / "cases.jsonl", (_CASES / name / "articles.jsonl",))
    return Suite(name, _CASES / f"{name}.jsonl", (Path(str(files("seeds") / "articles.jsonl")),))


def _of_path(path: Path, articles: Sequence[Path], indexed: bool) -> Suite:
    cases = path / "cases.jsonl" if path.is_dir() else path
    if not cases.is_file():
        raise InputError(
            f"{path}: neither a suite ({', '.join(OWN)}) nor a file of cases; docs/evaluating.md says more"
        )
    beside = [place for place in (cases.parent / "articles.jsonl", cases.parent / "articles") if place.exists()]
    if indexed:
        return Suite(path.stem, cases, ())
    if not (articles or beside):
        raise InputError(f"{cases}: no articles beside it; name them with --articles PATH, or an index with --index")
    return Suite(path.stem, cases, tuple(articles or beside[:1]))


@contextmanager
def opened(articles: Sequence[Path], *, embedder: Embedder | None) -> Iterator[NewsIndex]:
    """Open a fresh temporary index of the articles; raise `InputError` when one of their files cannot be read."""
    with (
        TemporaryDirectory(prefix="groundwire-eval-") as folder,
        NewsIndex.open(folder, create=True, embedder=embedder) as index,
    ):
        report = index.ingest(list(articles))
        for file in report.files:
            if file.outcome == "failed":
                raise InputError(f"{file.path}: {file.reason}; correct it, or leave it out")
        yield index


def articles_of(index: NewsIndex) -> dict[tuple[str, int], Article]:
    """Return every revision of every article by id and revision."""
    held = (index.article(a.id, revision) for a in index.articles() for revision in range(1, a.revision + 1))
    return {(article.id, article.revision): article for article in held}


def corpus_sha256(articles: Mapping[tuple[str, int], Article]) -> str:
    """Return a checksum of ids, revisions and texts: two runs with the same one had the same articles."""
    lines = sorted(f"{article_id}@{revision} {a.text_sha256}\n" for (article_id, revision), a in articles.items())
    return sha256("".join(lines).encode()).hexdigest()
