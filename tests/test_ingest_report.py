"""The account of an ingest: every file and line in it exactly once, with the reason where it gave no article."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from index import NewsIndex
from tests.fakes import KYIV, PARIS, ROME, FakeEmbedder, write_articles


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
