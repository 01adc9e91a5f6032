"""Files: found in the order of names, each read once, and what no reader can take is named with its reason."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from index.article import Article
from index.readers import Unread, find_files, read_articles
from tests.fakes import NO_TEXT, STORY, article, failed, read, reason, skipped, write

pytestmark = pytest.mark.usefixtures("_in_an_empty_folder")

FORMATS = ".csv, .json, .jsonl, .markdown, .md, .ndjson, .text, .tsv, .txt"
NOT_A_FILE = "is no regular file but a pipe, a socket or a device; give a file or a folder"


def found(*paths: str | Path) -> list[Path | Unread]:
    return list(find_files(paths))


# Finding files


def test_a_folder_is_walked_in_the_order_of_names() -> None:
    for name in ("news/b.txt", "news/a/z.md", "news/a.txt", "news/c/d/e.json"):
        write(name, STORY)
    assert found("news") == [Path(p) for p in ("news/a/z.md", "news/a.txt", "news/b.txt", "news/c/d/e.json")]


def test_paths_come_in_the_order_given() -> None:
    write("b.txt", STORY)
    write("a.txt", STORY)
    assert found("b.txt", Path("a.txt")) == [Path("b.txt"), Path("a.txt")]


def test_a_missing_path_fails_and_the_next_is_found() -> None:
    write("a.txt", STORY)
    assert found("gone", "a.txt") == [failed("gone", "no such file or folder; check the path"), Path("a.txt")]


def test_an_empty_path_is_not_the_current_folder() -> None:
    write("a.txt", STORY)
    assert found("") == [failed("''", "no such file or folder; check the path")]


def test_a_path_with_a_nul_fails() -> None:
    assert found("a\0.txt") == [failed(r"a\x00.txt", "no such file or folder; check the path")]


def test_a_path_is_shown_without_what_steers_a_terminal() -> None:
    assert found("a\x1b[2J\n.txt") == [failed(r"a\x1b[2J\n.txt", "no such file or folder; check the path")]


def test_an_unknown_suffix_is_skipped_with_the_list_of_formats() -> None:
    write("notes.xyz", STORY)
    reason = f"has the suffix '.xyz', which Groundwire does not read; it reads {FORMATS}"
    assert found("notes.xyz") == [skipped("notes.xyz", reason)]


def test_a_file_in_a_folder_that_no_reader_takes_is_reported_too() -> None:
    write("news/notes", STORY)
    reason = f"has no suffix: its format Groundwire does not read; it reads {FORMATS}"
    assert found("news") == [skipped("news/notes", reason)]


def test_a_readme_in_a_folder_is_no_article() -> None:
    write("news/README.md", STORY)
    reason = "tells of its folder; give its own path to read it as an article"
    assert found("news") == [skipped("news/README.md", reason)]


def test_a_readme_given_by_name_is_taken() -> None:
    write("news/README.md", STORY)
    assert found("news/README.md") == [Path("news/README.md")]


def test_suffixes_are_compared_without_case() -> None:
    write("A.TXT", STORY)
    assert found("A.TXT") == [Path("A.TXT")]


def test_hidden_entries_of_a_folder_are_passed_over() -> None:
    write("news/.git/a.txt", STORY)
    write("news/.hidden.txt", STORY)
    assert found("news") == []


def test_a_hidden_file_given_by_name_is_taken() -> None:
    write(".hidden.txt", STORY)
    assert found(".hidden.txt") == [Path(".hidden.txt")]


def test_a_loop_of_links_ends() -> None:
    write("news/a.txt", STORY)
    Path("news/loop").symlink_to("..", target_is_directory=True)
    assert found(".") == [
        Path("news/a.txt"),
        skipped("news/loop", "same folder as .; it is read once"),
    ]


def test_a_link_to_itself_fails() -> None:
    Path("a.txt").symlink_to("a.txt")
    assert found("a.txt") == [
        failed("a.txt", "cannot be read (Too many levels of symbolic links); check the path and the disk")
    ]


def test_a_link_to_nothing_fails() -> None:
    Path("a.txt").symlink_to("gone.txt")
    assert found("a.txt") == [failed("a.txt", "no such file or folder; check the path")]


def test_a_link_to_a_file_elsewhere_is_followed() -> None:
    write("elsewhere/a.txt", STORY)
    Path("news").mkdir()
    Path("news/link.txt").symlink_to("../elsewhere/a.txt")
    assert found("news") == [Path("news/link.txt")]


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_file_with_two_names_is_read_once(link: Callable[[str, str], None]) -> None:
    write("a.txt", STORY)
    link("a.txt", "b.txt")
    assert found(".") == [Path("a.txt"), skipped("b.txt", "same file as a.txt; it is read once")]


def test_a_path_given_twice_is_read_once() -> None:
    write("a.txt", STORY)
    assert found("a.txt", "a.txt") == [Path("a.txt"), skipped("a.txt", "same file as a.txt; it is read once")]


def test_a_pipe_is_skipped() -> None:
    os.mkfifo("pipe.txt")
    assert found("pipe.txt") == [skipped("pipe.txt", NOT_A_FILE)]


def test_a_socket_is_skipped() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.txt")
        assert found("socket.txt") == [skipped("socket.txt", NOT_A_FILE)]


def test_a_device_is_skipped() -> None:
    assert found("/dev/zero") == [skipped("/dev/zero", NOT_A_FILE)]


def test_a_folder_that_may_not_be_listed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    Path("news").mkdir()
    monkeypatch.setattr(Path, "iterdir", refuse)  # the tests may run as root, whom nothing is denied
    assert found("news") == [failed("news", "permission denied; allow reading it, or leave it out")]


# Reading files: what can be wrong with any of them


def test_a_pipe_is_not_waited_for() -> None:
    os.mkfifo("pipe.txt")
    assert list(read_articles(Path("pipe.txt"))) == [failed("pipe.txt", NOT_A_FILE)]


def test_a_link_to_an_endless_device_is_not_read() -> None:
    Path("zero.txt").symlink_to("/dev/zero")
    assert list(read_articles(Path("zero.txt"))) == [failed("zero.txt", NOT_A_FILE)]


def test_a_file_that_is_gone_fails() -> None:
    assert list(read_articles(Path("gone.txt"))) == [failed("gone.txt", "no such file or folder; check the path")]


def test_a_file_that_may_not_be_read_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    write("a.txt", STORY)
    monkeypatch.setattr(os, "open", refuse)
    assert list(read_articles(Path("a.txt"))) == [
        failed("a.txt", "permission denied; allow reading it, or leave it out")
    ]


def test_a_file_of_unknown_format_is_skipped() -> None:
    [only] = read("notes.xyz", STORY)
    assert only == skipped("notes.xyz", f"has the suffix '.xyz', which Groundwire does not read; it reads {FORMATS}")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.jsonl", "a.csv", "a.tsv"])
@pytest.mark.parametrize("content", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf"])
def test_an_empty_file_is_skipped(name: str, content: bytes) -> None:
    assert read(name, content) == [skipped(name, NO_TEXT)]


def test_a_text_of_invisible_characters_is_skipped() -> None:
    assert read("a.txt", "\u200b\u202e\n\U000e0041") == [skipped("a.txt", NO_TEXT)]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.csv"])
def test_a_file_over_the_limit_fails(name: str) -> None:
    path = write(name, "")
    os.truncate(path, 50_000_000)
    assert list(read_articles(path)) == [failed(name, "is 50 MB, over the limit of 25 MB; split it")]


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_text_over_the_limit_fails(name: str) -> None:
    assert reason(name, "a" * 5_000_001) == "`text` has 5,000,001 characters, over the limit of 5,000,000; split it"


def test_the_name_of_a_file_is_data() -> None:
    assert article("news/\x1b[2J.txt", STORY).metadata == {"file": r"\x1b[2J.txt"}


def test_the_time_of_a_file_is_never_looked_at() -> None:
    os.utime(write("a.txt", STORY), (0, 0))
    [only] = read_articles(Path("a.txt"))
    assert isinstance(only, Article)
    assert (only.published, only.updated) == (None, None)
