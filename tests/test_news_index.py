"""The index keeps what it acknowledged, finds it, forgets what is deleted, and refuses what does not fit."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import (
    Article,
    ArticleNotFoundError,
    Chunking,
    DateError,
    FileReport,
    Hit,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    IngestReport,
    InputError,
    ModelError,
    NewsIndex,
    Passage,
    QuestionError,
)
from index.embed import Vectors
from index.generation import Generation, current_generation, load, published_seq, writer_lock
from index.scope import Filters
from index.store import Identity, Store
from tests.fakes import KYIV, NOW, PARIS, FakeEmbedder, write_articles

ROME: dict[str, object] = {"id": "rome", "text": "Meloni hosted it in Rome."}
KYIV_LATER = KYIV | {"text": "At least 23 people were killed in Kyiv on Thursday.", "updated": "2025-08-30"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def empty(folder: Path, embedder: FakeEmbedder) -> Iterator[NewsIndex]:
    with NewsIndex.open(folder, create=True, embedder=embedder) as opened:
        yield opened


@pytest.fixture
def index(tmp_path: Path, empty: NewsIndex) -> NewsIndex:
    """Return an index that holds KYIV and PARIS."""
    empty.ingest(write_articles(tmp_path / "a.jsonl", KYIV, PARIS))
    return empty


@pytest.fixture
def other(folder: Path, index: NewsIndex) -> Iterator[NewsIndex]:
    """Return the same index, opened a second time as another process would."""
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as opened:
        yield opened


def add(index: NewsIndex, *articles: Mapping[str, object]) -> IngestReport:
    path = index.folder.parent / f"{index.state()['commit_seq']}.jsonl"
    return index.ingest(write_articles(path, *articles))


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "articles.db", isolation_level=None)) as connection:
        connection.execute(statement)


def ids(hits: list[Hit]) -> list[str]:
    return [hit.article.id for hit in hits]


def places(hits: list[Hit]) -> list[tuple[str, float]]:
    return [(hit.passage.id, hit.score) for hit in hits]


def files_with(folder: Path, *words: str) -> list[str]:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [name for name, data in files.items() if any(word.encode() in data for word in words)]


# Opening


def test_a_missing_index_names_the_command_that_makes_one(folder: Path) -> None:
    with pytest.raises(IndexMissingError, match=rf"index: holds no index; .*`groundwire ingest PATH --index {folder}`"):
        NewsIndex.open(folder)


def test_a_missing_index_is_not_made_by_looking_for_it(folder: Path) -> None:
    with pytest.raises(IndexMissingError):
        NewsIndex.open(folder)
    assert not folder.exists()


@pytest.mark.parametrize("made", [False, True])
def test_an_index_is_made_in_a_new_or_an_empty_folder(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "deep" / "index"
    if made:
        folder.mkdir(parents=True)
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as created:
        assert created.articles() == []


def test_an_index_is_made_where_a_crash_left_an_empty_file(folder: Path) -> None:
    folder.mkdir()
    (folder / "articles.db").touch()
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as created:
        assert created.articles() == []


def test_creating_an_index_where_there_is_one_opens_it(folder: Path, index: NewsIndex) -> None:
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as again:
        assert len(again.articles()) == 2


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(IndexMissingError, match=r"holds other files and no index; name a new or an empty folder"):
        NewsIndex.open(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("create", "message"), [(False, "holds no index"), (True, "is a file; name a folder")])
def test_a_file_is_no_index(tmp_path: Path, create: bool, message: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(IndexMissingError, match=rf"file: {message}"):
        NewsIndex.open(tmp_path / "file", create=create)


def test_a_damaged_truth_is_refused(folder: Path, index: NewsIndex) -> None:
    index.close()
    (folder / "articles.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(IndexDamagedError, match="restore it from a backup"):
        NewsIndex.open(folder)


def test_what_was_ingested_is_there_after_reopening(folder: Path, index: NewsIndex) -> None:
    index.close()
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as reopened:
        assert [article.id for article in reopened.articles()] == ["paris", "kyiv"]


def test_an_index_remembers_its_model(folder: Path, index: NewsIndex) -> None:
    with NewsIndex.open(folder) as reopened, pytest.raises(ModelError, match="'fake' is neither"):
        reopened.search("Kyiv")


def test_a_context_closes_the_index(folder: Path, index: NewsIndex) -> None:
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as opened:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened.search("Kyiv")


# What an index was made with


@pytest.mark.parametrize(
    ("given_embedder", "message"),
    [
        (
            FakeEmbedder(model_id="new"),
            r"index: was made with model_id 'fake', not with 'new'; open it with the former",
        ),
        (FakeEmbedder(fingerprint="0" * 64), rf"was made with fingerprint '{'f' * 64}', not with '{'0' * 64}'"),
    ],
)
def test_another_model_is_refused_naming_both_sides(
    folder: Path, index: NewsIndex, given_embedder: FakeEmbedder, message: str
) -> None:
    with pytest.raises(IndexMismatchError, match=message):
        NewsIndex.open(folder, embedder=given_embedder)


def test_a_refusal_names_the_command_that_makes_a_new_index(folder: Path, index: NewsIndex) -> None:
    with pytest.raises(IndexMismatchError, match=r"make a new index with `groundwire ingest PATH --index NEW_FOLDER`"):
        NewsIndex.open(folder, embedder=FakeEmbedder(model_id="new"))


def test_another_dimension_is_refused_before_searching(folder: Path, index: NewsIndex) -> None:
    with (
        NewsIndex.open(folder, embedder=FakeEmbedder(dimension=32)) as opened,
        pytest.raises(IndexMismatchError, match="dimension 64, not with 32"),
    ):
        opened.search("Kyiv")


def test_another_budget_of_passages_is_refused(folder: Path, index: NewsIndex) -> None:
    with pytest.raises(IndexMismatchError, match="chunking 'sentences-2/128', not with 'sentences-2/64'"):
        NewsIndex.open(folder, embedder=FakeEmbedder(), chunking=Chunking(max_tokens=64))


def test_the_budget_that_made_an_index_is_taken_from_it(tmp_path: Path) -> None:
    made_with = Chunking(max_tokens=64)
    with NewsIndex.open(tmp_path / "i", create=True, embedder=FakeEmbedder(), chunking=made_with) as small:
        add(small, KYIV)
    with NewsIndex.open(tmp_path / "i", embedder=FakeEmbedder()) as again:
        assert again.stats()["chunking"] == "sentences-2/64"


@pytest.mark.parametrize("chunking", ["sentences-1/128", "paragraphs-2/128"])
def test_an_index_of_another_chunker_is_refused(folder: Path, index: NewsIndex, chunking: str) -> None:
    change(folder, f"UPDATE identity SET chunking = '{chunking}'")
    with pytest.raises(IndexMismatchError, match=rf"chunking '{chunking}', not with 'sentences-2/128'"):
        NewsIndex.open(folder, embedder=FakeEmbedder())


def test_another_schema_is_refused(folder: Path, index: NewsIndex) -> None:
    change(folder, "PRAGMA user_version = 2")
    with pytest.raises(IndexMismatchError, match="schema 2, this version of Groundwire reads schema 1"):
        NewsIndex.open(folder, embedder=FakeEmbedder())


@pytest.mark.parametrize(
    ("mine", "chunking", "message"),
    [
        (FakeEmbedder(model_id="mine"), Chunking(), "model_id 'fake', not with 'mine'"),
        (FakeEmbedder(fingerprint="0" * 64), Chunking(), "fingerprint"),
        (FakeEmbedder(dimension=32), Chunking(), "dimension 64, not with 32"),
        (FakeEmbedder(), Chunking(max_tokens=64), "chunking 'sentences-2/128', not with 'sentences-2/64'"),
    ],
)
def test_whoever_ingests_first_decides_what_an_index_is_made_with(
    folder: Path, empty: NewsIndex, mine: FakeEmbedder, chunking: Chunking, message: str
) -> None:
    with NewsIndex.open(folder, embedder=mine, chunking=chunking) as late:
        add(empty, KYIV)
        with pytest.raises(IndexMismatchError, match=message):
            add(late, PARIS)
    assert mine.embedded == []


# Ingesting


def test_an_article_comes_back_whole(index: NewsIndex) -> None:
    assert index.article("kyiv") == Article(
        id="kyiv",
        text="At least 19 people were killed in Kyiv on Thursday. Four of the victims were children.",
        title="Toll in Kyiv",
        source="Kyiv Desk",
        published="2025-08-28",
        raw_sha256=index.article("kyiv").raw_sha256,
        metadata={"file": "a.jsonl"},
    )


def test_what_is_embedded_is_the_passage_under_its_header(index: NewsIndex, embedder: FakeEmbedder) -> None:
    assert embedder.embedded[0] == f"Toll in Kyiv | Kyiv Desk | 2025-08-28\n{KYIV['text']}"


def test_unchanged_articles_are_skipped_without_embedding(
    tmp_path: Path, index: NewsIndex, embedder: FakeEmbedder
) -> None:
    embedder.embedded.clear()
    report = index.ingest(tmp_path / "a.jsonl")
    assert (report.totals["skipped"], embedder.embedded) == (2, [])


def test_a_moved_file_is_the_same_article(tmp_path: Path, index: NewsIndex) -> None:
    (tmp_path / "one.txt").write_text("It held.", encoding="utf-8")
    index.ingest(tmp_path / "one.txt")
    (tmp_path / "one.txt").rename(tmp_path / "two.txt")
    assert index.ingest(tmp_path / "two.txt").files[0].reason == "unchanged"


def test_adding_an_article_embeds_no_other(index: NewsIndex, embedder: FakeEmbedder) -> None:
    embedder.embedded.clear()
    add(index, ROME)
    assert embedder.embedded == ["Meloni hosted it in Rome."]


def test_a_changed_article_embeds_no_other(index: NewsIndex, embedder: FakeEmbedder) -> None:
    embedder.embedded.clear()
    add(index, KYIV_LATER)
    assert len(embedder.embedded) == 1


def test_a_changed_article_becomes_the_next_revision_and_the_earlier_stays_readable(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    assert index.article("kyiv").revision == 2
    assert index.article("kyiv", revision=1).text == KYIV["text"]


def test_two_revisions_in_one_file_are_both_kept(index: NewsIndex) -> None:
    report = add(index, ROME, ROME | {"text": "It was Naples."})
    assert (report.totals["ingested"], index.article("rome").revision) == (2, 2)


def test_an_earlier_revision_that_comes_again_changes_nothing(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    report = add(index, KYIV)
    assert [(file.outcome, file.reason) for file in report.files] == [("skipped", "held already as revision 1")]


def test_a_version_older_than_the_correction_is_skipped(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    report = add(index, KYIV | {"text": "Some people were killed in Kyiv."})
    reason = "older than revision 2, which was updated on 2025-08-30"
    assert [(file.outcome, file.reason) for file in report.files] == [("skipped", reason)]


def test_which_version_is_older_is_decided_by_the_moment_and_not_by_the_digits(index: NewsIndex) -> None:
    add(index, KYIV_LATER | {"updated": "2025-08-30T01:00:00+05:00"})  # 20:00 of the 29th in UTC
    report = add(index, KYIV | {"text": "At least 24 people died.", "updated": "2025-08-29T23:00:00+00:00"})
    assert report.totals["ingested"] == 1


def test_a_correction_that_gives_the_day_alone_may_be_later_that_day(index: NewsIndex) -> None:
    add(index, KYIV_LATER | {"updated": "2025-08-30T09:00:00+00:00"})
    report = add(index, KYIV | {"text": "At least 24 people died.", "updated": "2025-08-30"})
    assert report.totals["ingested"] == 1


def test_the_same_text_from_the_same_source_is_a_duplicate_of_the_one_held(index: NewsIndex) -> None:
    report = add(index, KYIV | {"id": "again"})
    assert report.files == (
        FileReport(
            path=report.files[0].path,
            outcome="duplicate",
            articles=("again",),
            of="kyiv",
            reason="the same text from the same source",
        ),
    )


def test_the_same_text_from_another_source_is_kept(index: NewsIndex) -> None:
    report = add(index, KYIV | {"id": "again", "source": "London Desk"})
    assert report.totals["ingested"] == 1


def test_the_same_text_twice_in_one_run_is_a_duplicate(index: NewsIndex) -> None:
    report = add(index, ROME, ROME | {"id": "again"})
    assert [(file.outcome, file.articles, file.of) for file in report.files] == [
        ("ingested", ("rome",), None),
        ("duplicate", ("again",), "rome"),
    ]


def test_two_files_with_the_same_words_are_one_article_and_a_duplicate(tmp_path: Path, index: NewsIndex) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("It held.", encoding="utf-8")
    report = index.ingest([tmp_path / "one.txt", tmp_path / "two.txt"])
    [article_id] = report.files[0].articles
    assert [(file.outcome, file.of) for file in report.files] == [("ingested", None), ("duplicate", article_id)]


def test_fields_given_by_the_user_win(tmp_path: Path, index: NewsIndex) -> None:
    path = write_articles(tmp_path / "b.jsonl", ROME)
    index.ingest(path, meta={"source": "Rome Desk", "published": "2025-09-01"})
    assert (index.article("rome").source, index.article("rome").published) == ("Rome Desk", "2025-09-01")


def test_fields_given_by_the_user_that_fit_no_article_are_refused(tmp_path: Path, index: NewsIndex) -> None:
    path = write_articles(tmp_path / "b.jsonl", ROME)
    with pytest.raises(InputError, match="meta: `published` '1st May' is not a date"):
        index.ingest(path, meta={"published": "1st May"})


def test_progress_counts_articles_read_and_passages_committed(tmp_path: Path, index: NewsIndex) -> None:
    told: list[tuple[str, int]] = []
    index.ingest(
        write_articles(tmp_path / "b.jsonl", ROME, ROME | {"text": "It was Naples."}),
        progress=lambda what, more: told.append((what, more)),
    )
    assert told == [("articles", 1), ("articles", 1), ("passages", 2)]


def test_a_mark_that_ends_texts_for_models_is_text_like_any_other(index: NewsIndex) -> None:
    add(index, {"id": "odd", "text": "The file said <|endoftext|> and went on."})
    assert "<|endoftext|> and went on" in index.search("file went on", k=1)[0].passage.text


# The account of an ingest


def messy(folder: Path) -> Path:
    """Fill a folder with everything that can be wrong with a file, and one good file."""
    folder.mkdir()
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "broken.json").write_text("{", encoding="utf-8")
    (folder / "damaged.jsonl").write_bytes(b'{"text": "Bad \xff byte."}\n{"id": "beside", "text": "Good."}\n')
    (folder / "empty.txt").touch()
    (folder / "good.txt").write_text("Rutte praised the three.", encoding="utf-8")
    (folder / "huge.jsonl").write_bytes(b"x" * 50_000_000 + b'\n{"id": "after", "text": "It goes on."}\n')
    (folder / "loop").symlink_to(folder)
    write_articles(
        folder / "mixed.jsonl",
        {"title": "no text"},
        {"id": "ok", "text": "It held."},
        {"text": 5},
        {"text": "When?", "published": "1st May"},
        {"id": "copy", "text": "It held."},
    )
    (folder / "nothing.md").write_text("---\ntitle: x\n---\n \n", encoding="utf-8")
    (folder / "nul.txt").write_bytes(b"The minister\0 spoke of peace in the town.")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n")
    return folder


def test_bad_files_are_reported_and_the_good_ones_beside_them_ingested(tmp_path: Path, empty: NewsIndex) -> None:
    report = empty.ingest([messy(tmp_path / "messy"), tmp_path / "gone"])
    outcomes = [(Path(file.path).name, file.outcome) for file in report.files]
    assert sorted(outcomes) == [
        ("binary.txt", "failed"),
        ("broken.json", "failed"),
        ("damaged.jsonl", "ingested"),
        ("damaged.jsonl:1", "failed"),
        ("empty.txt", "skipped"),
        ("gone", "failed"),
        ("good.txt", "ingested"),
        ("huge.jsonl", "ingested"),
        ("huge.jsonl:1", "failed"),
        ("loop", "skipped"),
        ("mixed.jsonl", "duplicate"),
        ("mixed.jsonl", "ingested"),
        ("mixed.jsonl:1", "failed"),
        ("mixed.jsonl:3", "failed"),
        ("mixed.jsonl:4", "failed"),
        ("nothing.md", "skipped"),
        ("nul.txt", "ingested"),
        ("picture.png", "skipped"),
    ]


def test_every_file_that_gave_no_article_has_its_reason(tmp_path: Path, empty: NewsIndex) -> None:
    report = empty.ingest([messy(tmp_path / "messy"), tmp_path / "gone"])
    assert [file.path for file in report.files if bool(file.reason) == (file.outcome == "ingested")] == []


def test_the_articles_of_a_messy_folder_are_exactly_those_reported(tmp_path: Path, empty: NewsIndex) -> None:
    report = empty.ingest(messy(tmp_path / "messy"))
    reported = [article for file in report.files if file.outcome == "ingested" for article in file.articles]
    assert sorted(reported) == sorted(article.id for article in empty.articles())


LINES = [
    json.dumps(ROME),
    json.dumps(ROME | {"text": "It was Naples."}),
    json.dumps(ROME | {"id": "copy"}),
    json.dumps({"text": "It held."}),
    json.dumps({"text": " "}),
    json.dumps({"title": "no text"}),
    json.dumps({"text": "When?", "published": "1st May"}),
    "not JSON",
    "5",
]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=9), st.integers(1, 2))
def test_every_line_is_accounted_for_exactly_once(lines: list[str], times: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        with NewsIndex.open(Path(name) / "index", create=True, embedder=FakeEmbedder()) as index:
            reports = [index.ingest(path) for _ in range(times)]
    assert [sum(report.totals.values()) for report in reports] == [len(lines)] * times


def test_the_report_has_its_documented_shape(tmp_path: Path, empty: NewsIndex) -> None:
    path = write_articles(tmp_path / "a.jsonl", KYIV, PARIS, KYIV | {"id": "again"}, {"text": ""})
    assert empty.ingest(path).to_json() == {
        "files": [
            {"path": str(path), "outcome": "ingested", "articles": ["kyiv", "paris"], "of": None, "reason": None},
            {
                "path": str(path),
                "outcome": "duplicate",
                "articles": ["again"],
                "of": "kyiv",
                "reason": "the same text from the same source",
            },
            {
                "path": f"{path}:4",
                "outcome": "skipped",
                "articles": [],
                "of": None,
                "reason": "holds no text; there is nothing to ingest",
            },
        ],
        "totals": {"ingested": 2, "duplicate": 1, "skipped": 1, "failed": 0},
        "passages": 2,
        "commit_seq": 1,
    }


def test_an_ingest_without_an_article_leaves_an_empty_index(tmp_path: Path, empty: NewsIndex) -> None:
    report = empty.ingest(tmp_path / "gone")
    assert (report.totals["failed"], report.commit_seq, empty.search("Kyiv")) == (1, 0, [])


def test_a_file_s_name_cannot_steer_the_terminal_that_shows_the_report(tmp_path: Path, empty: NewsIndex) -> None:
    path = tmp_path / "a\x1b[2J\udcff.txt"
    path.write_text("It held.", encoding="utf-8")
    assert empty.ingest(path).files[0].path == f"{tmp_path}/a\\x1b[2J\\udcff.txt"


# Crashes


def test_what_was_committed_before_a_failure_is_kept_and_published(
    folder: Path, empty: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fails(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            if "Paris" in texts[0]:
                raise MemoryError
            return super().embed_passages(texts)

    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 1)
    with NewsIndex.open(folder, embedder=Fails()) as failing, pytest.raises(MemoryError):
        add(failing, KYIV, PARIS)
    assert (ids(empty.search("Kyiv Paris")), empty.state()) == (["kyiv"], {"generation": 1, "commit_seq": 1})


INGEST_ONE_BY_ONE = """
import itertools, sys
from pathlib import Path
from index import NewsIndex
from tests.fakes import FakeEmbedder, write_articles
folder = Path(sys.argv[1])
with NewsIndex.open(folder / "index", create=True, embedder=FakeEmbedder()) as index:
    for number in itertools.count():
        index.ingest(write_articles(folder / "a.jsonl", {"id": f"a{number}", "text": f"Missile {number} fell."}))
        print(f"a{number}", flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 3])
def test_articles_acknowledged_before_a_kill_are_there_after_it(
    tmp_path: Path, checkout: Path, acknowledged: int
) -> None:
    told = killed_after(acknowledged, INGEST_ONE_BY_ONE, tmp_path, checkout)
    with NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder()) as reopened:
        held = {article.id for article in reopened.articles()}
        assert set(told) <= held
        assert len(reopened.search("missile", k=1000)) == len(held)


INGEST_AT_ONCE = """
import sys
from pathlib import Path
from index import NewsIndex
from tests.fakes import FakeEmbedder, write_articles
folder = Path(sys.argv[1])
articles = [{"id": f"a{number:04}", "text": f"Missile {number} fell."} for number in range(5000)]
with NewsIndex.open(folder / "index", create=True, embedder=FakeEmbedder()) as index:
    committed = lambda what, more: what == "passages" and print(more, flush=True)
    index.ingest(write_articles(folder / "a.jsonl", *articles), progress=committed)
"""


def test_batches_committed_before_a_kill_are_there_after_it(tmp_path: Path, checkout: Path) -> None:
    told = killed_after(2, INGEST_AT_ONCE, tmp_path, checkout)
    with NewsIndex.open(tmp_path / "index", embedder=FakeEmbedder()) as reopened:
        held = sorted(article.id for article in reopened.articles())
        assert len(held) >= sum(map(int, told))
        assert held == [f"a{number:04}" for number in range(len(held))]
        assert add(reopened, ROME).totals["ingested"] == 1


def killed_after(lines: int, script: str, folder: Path, checkout: Path) -> list[str]:
    """Run a script, kill it when it has printed so many lines, and return all that it printed."""
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = [process.stdout.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return [line.strip() for line in told if line.endswith("\n")]


# Deleting


def test_what_is_deleted_is_in_no_file_of_the_index(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke.", "title": "Zymurgy", "author": "Qwertzuiop"})
    add(index, {"id": "secret", "text": "The xylographer was silent.", "title": "Zymurgy again"})
    index.delete("secret")
    assert files_with(folder, "xylograph", "ymurg", "Qwertz") == []


def test_what_is_deleted_was_in_the_truth_before(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke."})
    assert files_with(folder, "xylograph") == ["articles.db"]  # Tantivy and FAISS keep no plain words


def test_a_delete_leaves_no_free_page_in_the_truth(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke. " * 1000})
    index.delete("secret")
    with closing(sqlite3.connect(folder / "articles.db")) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_no_generation_from_before_a_delete_is_left(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke."})
    index.delete("secret")
    assert [path.name for path in folder.glob("*-*")] == ["gen-000003"]


def test_the_words_of_what_is_deleted_are_known_no_more(index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke."})
    index.delete("secret")
    assert index.document_frequency(["xylographer"]) == ([0], 2)


def test_what_is_deleted_is_found_no_more(index: NewsIndex) -> None:
    index.delete("kyiv")
    assert ids(index.search("killed in Kyiv")) == ["paris"]


@pytest.mark.parametrize("revision", [None, 1, 2])
def test_no_revision_of_what_is_deleted_can_be_read(index: NewsIndex, revision: int | None) -> None:
    add(index, KYIV_LATER)
    index.delete("kyiv")
    with pytest.raises(ArticleNotFoundError, match="no article 'kyiv'"):
        index.article("kyiv", revision)


def test_deleting_embeds_nothing(index: NewsIndex, embedder: FakeEmbedder) -> None:
    embedder.embedded.clear()
    index.delete("kyiv")
    assert embedder.embedded == []


def test_deleting_an_unknown_article_says_where_to_look(index: NewsIndex) -> None:
    with pytest.raises(ArticleNotFoundError, match=r"no article 'gone'; `groundwire list` shows what it holds"):
        index.delete("gone")


def test_what_is_deleted_can_be_ingested_again(tmp_path: Path, index: NewsIndex) -> None:
    index.delete("kyiv")
    assert index.ingest(tmp_path / "a.jsonl").totals["ingested"] == 1


def test_an_index_whose_last_article_is_deleted_is_empty_and_of_use(tmp_path: Path, index: NewsIndex) -> None:
    index.delete("kyiv")
    index.delete("paris")
    assert (index.search("Kyiv"), index.articles()) == ([], [])
    assert index.ingest(tmp_path / "a.jsonl").totals["ingested"] == 2


def test_a_delete_that_was_cut_off_is_ended_by_the_next_try(
    folder: Path, index: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.publish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index.delete("kyiv")
    monkeypatch.undo()
    with pytest.raises(ArticleNotFoundError):
        index.delete("kyiv")
    assert ([path.name for path in folder.glob("*-*")], published_seq(folder)) == (["gen-000002"], 2)


def test_a_delete_that_was_killed_after_its_commit_is_ended_by_the_next_open(
    folder: Path, index: NewsIndex, embedder: FakeEmbedder
) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke.", "title": "Zymurgy"})
    with closing(Store(folder)) as store:
        store.delete("secret", at=NOW)
        assert published_seq(folder) < store.commit_seq()
    NewsIndex.open(folder, embedder=embedder).close()
    with closing(Store(folder)) as store:
        assert published_seq(folder) == store.commit_seq()
    assert files_with(folder, "xylograph", "ymurg") == []


def interrupted(*_: object, **__: object) -> int:
    raise KeyboardInterrupt


# Generations


def test_every_command_that_writes_ends_with_a_published_generation(folder: Path, index: NewsIndex) -> None:
    index.delete("kyiv")
    assert (index.state(), current_generation(folder)) == ({"generation": 2, "commit_seq": 2}, 2)


def test_an_ingest_that_changes_nothing_publishes_nothing(tmp_path: Path, index: NewsIndex) -> None:
    index.ingest(tmp_path / "a.jsonl")
    assert index.state() == {"generation": 1, "commit_seq": 1}


@pytest.mark.parametrize("damaged", ["vectors.faiss", "manifest.json", "words/meta.json"])
def test_a_damaged_derived_file_changes_no_result(folder: Path, index: NewsIndex, damaged: str) -> None:
    expected = places(index.search("troops for Ukraine"))
    (folder / "gen-000001" / damaged).write_bytes(b"rotten")
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as reopened:
        assert places(reopened.search("troops for Ukraine")) == expected


def test_a_damaged_generation_embeds_nothing_anew(folder: Path, index: NewsIndex, embedder: FakeEmbedder) -> None:
    (folder / "gen-000001" / "vectors.faiss").write_bytes(b"rotten")
    embedder.embedded.clear()
    add(index, ROME)
    assert len(embedder.embedded) == 1


# Others at the same index


def test_an_open_index_sees_what_another_one_ingested(index: NewsIndex, other: NewsIndex) -> None:
    assert "rome" not in ids(index.search("Rome"))
    add(other, ROME)
    assert ids(index.search("Rome", k=1)) == ["rome"]


def test_an_open_index_sees_what_another_one_deleted(index: NewsIndex, other: NewsIndex) -> None:
    assert "kyiv" in ids(index.search("Kyiv"))
    other.delete("kyiv")
    assert ids(index.search("Kyiv")) == ["paris"]


def test_a_second_writer_is_refused_and_a_reader_is_not(
    folder: Path, index: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.generation._LOCK_TIMEOUT_S", 0.05)
    with writer_lock(folder, at=NOW):
        with pytest.raises(
            IndexLockedError, match=rf"process {os.getpid()} .* is writing to it; wait until it is done"
        ):
            index.delete("kyiv")
        assert ids(index.search("Kyiv", k=1)) == ["kyiv"]


def test_a_commit_in_the_middle_of_loading_is_not_mixed_with_what_was_loaded(
    index: NewsIndex, other: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_late(folder: Path, store: Store, identity: Identity, *, earlier: Generation | None) -> Generation:
        monkeypatch.undo()
        add(other, ROME | {"id": "a-first-row"})
        return load(folder, store, identity)

    monkeypatch.setattr("index.news_index.load", load_late)
    assert ids(index.search("killed in Kyiv", k=1)) == ["kyiv"]
    assert len(index.search("Rome Kyiv Paris")) == 3


def test_an_article_deleted_in_the_middle_of_a_search_is_left_out_of_it(folder: Path, other: NewsIndex) -> None:
    class DeletesMeanwhile(FakeEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            if "kyiv" in ids_held(other):
                other.delete("kyiv")
            return super().embed_queries(texts)

    with NewsIndex.open(folder, embedder=DeletesMeanwhile()) as opened:
        assert ids(opened.search("killed in Kyiv")) == ["paris"]


def ids_held(index: NewsIndex) -> list[str]:
    return [article.id for article in index.articles()]


def test_an_index_is_searched_from_several_threads(index: NewsIndex) -> None:
    expected = places(index.search("killed in Kyiv"))
    found: list[list[tuple[str, float]]] = []

    def search() -> None:
        found.extend(places(index.search("killed in Kyiv")) for _ in range(20))

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 80


# Searching


def test_a_hit_holds_passage_article_rank_and_scores(index: NewsIndex) -> None:
    [hit] = index.search("people killed in Kyiv", k=1)
    text = str(KYIV["text"])
    assert hit == Hit(
        passage=Passage(article_id="kyiv", revision=1, start=0, end=len(text), text=text),
        article=index.article("kyiv"),
        rank=1,
        score=hit.scores["fused"],
        scores=hit.scores,
    )


def test_a_hit_has_the_scores_of_each_stage(index: NewsIndex) -> None:
    [hit] = index.search("people killed in Kyiv", k=1)
    assert hit.scores == {"dense": pytest.approx(0.5, abs=0.5), "lexical": hit.scores["lexical"], "fused": 1.0}
    assert hit.scores["lexical"] > 0


def test_a_hit_that_has_none_of_the_words_scores_nothing_by_words(index: NewsIndex) -> None:
    assert [hit.scores["lexical"] for hit in index.search("killed") if hit.article.id == "paris"] == [0.0]


def test_hits_are_ranked_from_one_with_the_best_first(index: NewsIndex) -> None:
    add(index, ROME)
    hits = index.search("people killed in Kyiv")
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_passage_is_its_article_s_text_at_its_place(index: NewsIndex) -> None:
    add(index, {"id": "long", "text": "Leaders 😀 met in Kyiv, again. " * 200})
    hits = index.search("leaders in Kyiv", k=50)
    assert [hit.article.text[hit.passage.start : hit.passage.end] for hit in hits] == [h.passage.text for h in hits]


def test_every_passage_has_the_vector_of_its_own_words(index: NewsIndex) -> None:
    sentences = [f"Report {n} is about {word}. " * 12 for n, word in enumerate(("zebras", "otters", "badgers"))]
    add(index, {"id": "long", "text": "".join(sentences)})
    hits = index.search("a report about zebras", k=50)
    assert "zebras" in max(hits, key=lambda hit: hit.scores["dense"]).passage.text


def test_a_hit_has_its_documented_json_form(index: NewsIndex) -> None:
    [hit] = index.search("people killed in Kyiv", k=1)
    assert hit.to_json() == {
        "rank": 1,
        "article_id": "kyiv",
        "revision": 1,
        "passage_id": "kyiv@1:0-86",
        "title": "Toll in Kyiv",
        "source": "Kyiv Desk",
        "published": "2025-08-28",
        "text": KYIV["text"],
        "start": 0,
        "end": 86,
        "score": pytest.approx(hit.score, abs=1e-6),
        "scores": {name: pytest.approx(score, abs=1e-6) for name, score in hit.scores.items()},
    }


@pytest.mark.parametrize(("k", "found"), [(1, 1), (2, 2), (1000, 2)])
def test_no_more_than_k_passages_are_found(index: NewsIndex, k: int, found: int) -> None:
    assert len(index.search("Kyiv", k=k)) == found


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_a_k_out_of_range_is_refused(index: NewsIndex, k: int) -> None:
    with pytest.raises(InputError, match=rf"`k` is {k}; choose a number from 1 to 1000"):
        index.search("Kyiv", k=k)


@pytest.mark.parametrize("query", ["", " \n\t", "\u00a0"])
def test_an_empty_query_is_refused(index: NewsIndex, query: str) -> None:
    with pytest.raises(QuestionError, match=r"^the question is empty; write what you want to know$"):
        index.search(query)


@pytest.mark.parametrize(("length", "shown"), [(2001, "2,001"), (20_000, "20,000")])
def test_a_query_over_the_limit_is_refused(index: NewsIndex, length: int, shown: str) -> None:
    with pytest.raises(QuestionError, match=rf"^the question has {shown} characters, the limit is 2,000; shorten it$"):
        index.search("x" * length)


def test_a_query_at_the_limit_is_searched(index: NewsIndex) -> None:
    assert len(index.search(f" {'Kyiv ' * 399}Kyiv. ")) == 2


@pytest.mark.parametrize("query", ["Kyiv'); DROP TABLE revisions; --", 'text:* AND "', "?!", "\0", "😀", "キーウ"])
def test_a_query_is_never_read_as_code(index: NewsIndex, query: str) -> None:
    assert len(index.search(query)) == 2


@pytest.mark.parametrize("name", ["since", "until", "as_of"])
def test_a_date_that_is_none_names_its_place_and_the_cure(index: NewsIndex, name: str) -> None:
    message = rf"^`{name}` '1st May' is not a date; write 2024-05-01 or 2024-05-01T09:30:00\+02:00$"
    with pytest.raises(DateError, match=message):
        index.search("Kyiv", **{name: "1st May"})  # type: ignore[arg-type] # only the name of a date varies


def test_a_window_that_ends_before_it_begins_is_refused(index: NewsIndex) -> None:
    with pytest.raises(InputError, match="`since` '2025-09-02' is after `until` '2025-09-01'; exchange them"):
        index.search("Kyiv", since="2025-09-02", until="2025-09-01")


def test_an_empty_index_finds_nothing(empty: NewsIndex) -> None:
    assert empty.search("Kyiv") == []


def test_an_empty_index_refuses_a_bad_query_too(empty: NewsIndex) -> None:
    with pytest.raises(QuestionError):
        empty.search("")


def test_the_order_of_ingest_changes_no_hit(tmp_path: Path, index: NewsIndex) -> None:
    add(index, ROME)
    with NewsIndex.open(tmp_path / "other", create=True, embedder=FakeEmbedder()) as turned:
        add(turned, ROME, PARIS)
        add(turned, KYIV)
        assert places(turned.search("Ukraine")) == places(index.search("Ukraine"))


def test_a_search_finds_the_latest_revision_alone(index: NewsIndex) -> None:
    add(index, KYIV_LATER)
    assert {hit.passage.revision for hit in index.search("Kyiv") if hit.article.id == "kyiv"} == {2}


# Filters


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["kyiv", "paris"]),
        ({"since": "2025-08-28"}, ["kyiv", "paris"]),
        ({"since": "2025-08-29"}, ["paris"]),
        ({"since": "2025-09-04"}, ["paris"]),
        ({"since": "2025-09-05"}, []),
        ({"until": "2025-09-04"}, ["kyiv", "paris"]),
        ({"until": "2025-09-03"}, ["kyiv"]),
        ({"until": "2025-08-27"}, []),
        ({"since": "2025-09-04T16:30:00+00:00"}, ["paris"]),  # 18:30 in Paris
        ({"since": "2025-09-04T16:31:00+00:00"}, []),
        ({"since": "2025-09-04", "until": "2025-09-04"}, ["paris"]),
        ({"sources": ["kyiv desk"]}, ["kyiv"]),
        ({"sources": [" KYIV DESK ", "Paris Desk"]}, ["kyiv", "paris"]),
        ({"sources": "Paris Desk"}, ["paris"]),
        ({"sources": ["Kyiv"]}, []),
        ({"sources": ["", " "]}, ["kyiv", "paris"]),
        ({"as_of": "2025-08-28"}, ["kyiv"]),
        ({"as_of": "2025-08-27"}, []),
        ({"as_of": "2025-09-04"}, ["kyiv", "paris"]),
        ({"as_of": "2025-09-04T16:29:00+00:00"}, ["kyiv"]),
        ({"as_of": "2025-09-04", "sources": ["Paris Desk"], "until": "2025-09-03"}, []),
    ],
)
def test_filters_let_through_what_they_name(index: NewsIndex, filters: dict[str, Any], found: list[str]) -> None:
    assert sorted(ids(index.search("Kyiv", **filters))) == found


def test_a_day_is_a_day_in_utc(index: NewsIndex) -> None:
    add(index, ROME | {"published": "2025-09-04T01:00:00+02:00"})
    assert ids(index.search("Rome", since="2025-09-03", until="2025-09-03")) == ["rome"]


def test_undated_articles_are_left_out_of_a_window_and_counted(index: NewsIndex) -> None:
    add(index, ROME)
    scope = index.scope(Filters.of(since="2025-01-01"))
    assert (scope.articles, scope.undated, int(scope.rows.sum())) == (2, 1, 2)


@pytest.mark.parametrize("filters", [{"since": "2025-01-01"}, {"until": "2026-01-01"}, {"as_of": "2026-01-01"}])
def test_undated_articles_are_found_outside_of_windows_alone(index: NewsIndex, filters: dict[str, str]) -> None:
    add(index, ROME)
    assert "rome" in ids(index.search("Rome"))
    assert "rome" not in ids(index.find("Rome", k=8, filters=Filters.of(**filters)))


def test_undated_articles_of_other_sources_are_not_counted(index: NewsIndex) -> None:
    add(index, ROME)
    assert index.scope(Filters.of(since="2025-01-01", sources=["Paris Desk"])).undated == 0


@pytest.mark.parametrize(("as_of", "revision"), [("2025-08-28", 1), ("2025-08-29", 1), ("2025-08-30", 2)])
def test_as_of_shows_the_revision_of_that_day(index: NewsIndex, as_of: str, revision: int) -> None:
    add(index, KYIV_LATER)
    assert [hit.passage.revision for hit in index.search("Kyiv", as_of=as_of)] == [revision]


@pytest.mark.parametrize(("as_of", "found"), [("2025-08-31", []), ("2025-09-02", ["rome"])])
def test_a_revision_whose_date_nobody_knew_is_hidden_by_as_of(index: NewsIndex, as_of: str, found: list[str]) -> None:
    add(index, ROME)
    add(index, ROME | {"published": "2025-09-01"})
    assert [article for article in ids(index.search("Rome", as_of=as_of)) if article == "rome"] == found


def test_the_only_article_that_passes_is_found_among_many(index: NewsIndex) -> None:
    add(index, *({"id": f"a{n}", "text": f"Missiles hit Kyiv, report {n}.", "source": "Wire"} for n in range(300)))
    assert ids(index.search("report: missiles hit Kyiv", sources=["Paris Desk"])) == ["paris"]


# What else an index tells


def test_articles_come_newest_first_without_their_texts(index: NewsIndex) -> None:
    add(index, ROME)
    assert [(article.id, article.text) for article in index.articles()] == [("paris", ""), ("kyiv", ""), ("rome", "")]


def test_sources_come_most_frequent_first(index: NewsIndex) -> None:
    add(index, KYIV | {"id": "k2", "text": "More."})
    assert index.sources() == ["Kyiv Desk", "Paris Desk"]


def test_an_unknown_revision_is_named(index: NewsIndex) -> None:
    with pytest.raises(ArticleNotFoundError, match="no article 'kyiv', revision 2"):
        index.article("kyiv", revision=2)


def test_frequencies_count_passages(index: NewsIndex) -> None:
    assert index.document_frequency(["pledge", "killed", "zebra"]) == ([1, 1, 0], 2)


def test_stats_count_what_is_held(folder: Path, index: NewsIndex) -> None:
    add(index, ROME, KYIV_LATER)
    assert index.stats() == {
        "folder": str(folder),
        "articles": 3,
        "revisions": 4,
        "passages": 4,
        "sources": {"Kyiv Desk": 1, "Paris Desk": 1},
        "published": {"first": "2025-08-28", "last": "2025-09-04T18:30:00+02:00", "unknown": 1},
        "model": "fake",
        "fingerprint": "f" * 64,
        "dimension": 64,
        "chunking": "sentences-2/128",
        "generation": 2,
        "commit_seq": 2,
    }


def test_stats_of_an_empty_index_are_noughts(folder: Path, empty: NewsIndex) -> None:
    assert empty.stats() == {
        "folder": str(folder),
        "articles": 0,
        "revisions": 0,
        "passages": 0,
        "sources": {},
        "published": {"first": None, "last": None, "unknown": 0},
        "model": "fake",
        "fingerprint": None,
        "dimension": None,
        "chunking": "sentences-2/128",
        "generation": 0,
        "commit_seq": 0,
    }


def test_an_empty_index_answers_every_other_question_too(empty: NewsIndex) -> None:
    scope = empty.scope(Filters())
    assert (empty.articles(), empty.sources(), empty.document_frequency(["a"])) == ([], [], ([0], 0))
    assert (scope.articles, scope.undated, len(scope.rows)) == (0, 0, 0)


def test_an_id_given_for_every_article_names_one_alone(tmp_path: Path, index: NewsIndex) -> None:
    path = write_articles(tmp_path / "two.jsonl", {"text": "It rained in Oslo."}, {"text": "It snowed in Bergen."})
    report = index.ingest(path, meta={"id": "weather"})
    assert (report.totals["ingested"], report.totals["failed"]) == (1, 1)
    assert index.article("weather").text == "It rained in Oslo."
