"""A file of JSON values is read however they are laid out, and an error names the line."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.answers import read_answers
from eval.cases import ids_of
from eval.json_values import read_values
from index.errors import InputError

FIRST, SECOND = {"id": "1", "text": "One."}, {"id": "2", "text": "Two."}
LAID_OUT = {
    "one a line": f"{json.dumps(FIRST)}\n{json.dumps(SECOND)}\n",
    "with empty lines and line ends of Windows": f"\r\n{json.dumps(FIRST)}\r\n\r\n{json.dumps(SECOND)}",
    "one array": json.dumps([FIRST, SECOND]),
    "one array, indented": json.dumps([FIRST, SECOND], indent=2),
    "indented, one behind the other": f"{json.dumps(FIRST, indent=2)}\n{json.dumps(SECOND, indent=2)}\n",
    "with a byte order mark": f"\ufeff{json.dumps(FIRST)}\n{json.dumps(SECOND)}\n",
}


def write(folder: Path, text: str) -> Path:
    (folder / "values.jsonl").write_text(text, encoding="utf-8", newline="")
    return folder / "values.jsonl"


@pytest.mark.parametrize("text", LAID_OUT.values(), ids=LAID_OUT)
def test_values_are_read_however_they_are_laid_out(tmp_path: Path, text: str) -> None:
    assert [value for _, value in read_values(write(tmp_path, text))] == [FIRST, SECOND]


@pytest.mark.parametrize("text", LAID_OUT.values(), ids=LAID_OUT)
def test_answers_and_cases_are_read_by_the_same_rule(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    assert (list(read_answers(path)), ids_of(path)) == (["1", "2"], ["1", "2"])


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085"])
def test_a_line_separator_inside_a_text_ends_no_value(tmp_path: Path, separator: str) -> None:
    value = {"id": "1", "text": f"One.{separator}Two."}
    path = write(tmp_path, json.dumps(value, ensure_ascii=False) + "\n" + json.dumps(SECOND))
    assert list(read_values(path)) == [("values.jsonl:1", value), ("values.jsonl:2", SECOND)]
    assert (list(read_answers(path)), ids_of(path)) == (["1", "2"], ["1", "2"])


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (LAID_OUT["indented, one behind the other"], ["values.jsonl:1", "values.jsonl:5"]),
        (LAID_OUT["with empty lines and line ends of Windows"], ["values.jsonl:2", "values.jsonl:4"]),
        ("\n" + LAID_OUT["one array"], ["values.jsonl:2, item 1", "values.jsonl:2, item 2"]),
    ],
)
def test_each_value_comes_with_the_line_on_which_it_begins(tmp_path: Path, text: str, places: list[str]) -> None:
    assert [where for where, _ in read_values(write(tmp_path, text))] == places


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "\n{",
            "values.jsonl:2: not JSON (Expecting property name enclosed in double quotes: line 2 column 2 (char 2))",
        ),
        ('{"id": "1"}\n{"id": "2"},\n', "values.jsonl:2: not JSON (Expecting value: line 2 column 12 (char 23))"),
        ('{\n  "id":\n}', "values.jsonl:1: not JSON (Expecting value: line 3 column 1 (char 10))"),
        ("[" * 100_000, "values.jsonl:1: not JSON ("),
        ("9" * 5_000, "values.jsonl:1: not JSON (Exceeds the limit"),
    ],
)
def test_what_is_not_json_is_refused_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        list(read_values(write(tmp_path, text)))
    assert str(caught.value).startswith(said)


def test_a_file_that_is_not_utf_8_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "values.jsonl"
    path.write_bytes(json.dumps(FIRST).encode("utf-16"))
    with pytest.raises(InputError, match=r"values\.jsonl: cannot be read .*; give a file of JSON lines in UTF-8"):
        list(read_values(path))


@pytest.mark.parametrize("text", ["", " \n\n", "\ufeff"])
def test_an_empty_file_holds_no_value(tmp_path: Path, text: str) -> None:
    found: list[tuple[str, Any]] = list(read_values(write(tmp_path, text)))
    assert found == []
