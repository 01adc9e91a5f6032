"""`groundwire eval` over public sets: which of them run, what is printed, and with which status it ends."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eval.command import evaluate
from index.embed import Embedder
from index.errors import InputError
from tests.fakes import FakeEmbedder, write_articles
from tests.scored import QUOTE, status_of_eval


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_public(
        name: str, folder: Path, *, limit: int | None, embedder: Embedder | None
    ) -> tuple[dict[str, Any], str]:
        if name == "clapnq":
            raise InputError("dev-answerable.jsonl:1: there is no `passages`; get the file anew")
        return {"suite": name, "n": limit or 0, "folder": str(folder)}, f"{name}: a table"

    monkeypatch.setattr("eval.public.names", lambda: ("squad", "clapnq", "wice"))
    monkeypatch.setattr("eval.public.run_public", run_public)


@pytest.mark.usefixtures("public")
def test_a_public_set_is_run_from_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of_eval("squad", "--data", "sets", "--limit", "5", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"suite": "squad", "n": 5, "folder": "sets"}


@pytest.mark.usefixtures("public")
def test_a_public_set_whose_files_are_missing_is_said_not_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of_eval("squad", "--data", "sets") == 0
    assert capsys.readouterr().out == "squad: a table\n"


@pytest.mark.usefixtures("public")
def test_a_public_set_that_cannot_run_ends_with_status_2_and_the_others_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of_eval("squad", "clapnq", "wice", "--data", "sets", "--json") == 2
    told = capsys.readouterr()
    assert [document["suite"] for document in json.loads(told.out)] == ["squad", "wice"]
    assert told.err == "groundwire: clapnq: dev-answerable.jsonl:1: there is no `passages`; get the file anew\n"


@pytest.mark.usefixtures("public")
def test_where_none_of_several_sets_can_run_the_json_is_an_empty_list(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status_of_eval("clapnq", "clapnq", "--data", "sets", "--json") == 2
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.usefixtures("public")
def test_a_public_set_without_a_folder_asks_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of_eval("squad", "wice") == 2
    said = "squad, wice: a public set needs its files; name their folder with --data FOLDER"
    assert capsys.readouterr().err == f"groundwire: {said}\n"


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["dev"], "cannot be mixed"),
        (["--html"], "--html is for suites of cases; leave it out with squad"),
        (["--index", "folder"], "--index is for suites of cases"),
        (["-k", "8"], "-k is for suites of cases"),
        (["--model", "llama"], "--model is for suites of cases"),
        (["--runs", "runs"], "--runs is for suites of cases"),
        (["--failures", "3"], "--failures is for suites of cases"),
        (["--writer", "quoter"], "--writer is for suites of cases"),
    ],
)
def test_what_a_public_set_cannot_do_is_said(capsys: pytest.CaptureFixture[str], more: list[str], said: str) -> None:
    assert status_of_eval("squad", "--data", "sets", *more) == 2
    assert said in capsys.readouterr().err


def test_a_public_set_is_run_with_the_embedder_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [{"id": "1", "question": "How many died?", "answers": [{"text": "19", "answer_start": 0}]}]
    write_articles(tmp_path / "dev-v2.0.jsonl", *({"title": title, "context": QUOTE, "qas": asked} for title in "AB"))
    evaluate.main(
        ["squad", "--data", str(tmp_path), "--json"], obj=SimpleNamespace(embedder=FakeEmbedder), standalone_mode=False
    )
    assert json.loads(capsys.readouterr().out)["settings"]["model"] == "fake"
