"""What was committed is kept and published, whatever fails, is killed or is damaged after it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Event, Timer

import pytest

from index import NewsIndex
from index.embed import Vectors
from index.generation import current_generation
from tests.fakes import KYIV, PARIS, ROME, FakeEmbedder, add, ids, places, write_articles

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


def test_a_stop_between_two_batches_keeps_what_was_committed_and_waits_for_no_more(
    tmp_path: Path, empty: NewsIndex, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 1)
    read = count(1)

    def stopped(what: str, more: int) -> None:
        if what == "articles" and next(read) == 4:
            raise KeyboardInterrupt

    articles = [{"id": f"a{number}", "text": f"Missile {number} fell."} for number in range(9)]
    with pytest.raises(KeyboardInterrupt):
        empty.ingest(write_articles(tmp_path / "a.jsonl", *articles), progress=stopped)
    assert ids(empty.search("missile")) == ["a0", "a1"]
    assert len(embedder.embedded) <= 3
    assert empty.ingest(tmp_path / "a.jsonl").totals == {"ingested": 7, "duplicate": 0, "skipped": 2, "failed": 0}


def test_a_large_article_is_left_in_its_middle_where_the_ingest_is_stopped(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stop = Event(), Event()

    class Slow(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            begun.set()
            assert stop.wait(timeout=20)
            return super().embed_passages(texts)

    def stopped(what: str, more: int) -> None:
        if what == "articles" and next(read) == 2:
            assert begun.wait(timeout=20)
            Timer(0.1, stop.set).start()
            raise KeyboardInterrupt

    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 1)
    monkeypatch.setattr("index.ingest._PART_PASSAGES", 1)
    read = count(1)
    large = {"id": "large", "text": "\n\n".join(f"Missile {number} fell on a town. " * 20 for number in range(30))}
    with NewsIndex.open(folder, create=True, embedder=(slow := Slow())) as index, pytest.raises(KeyboardInterrupt):
        index.ingest(write_articles(tmp_path / "a.jsonl", large, PARIS), progress=stopped)
    assert len(slow.embedded) == 1


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
