"""What docs/evaluating.md shows is what happens, to a new user in an empty folder."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from eval.answer_fields import ANSWER_FIELDS
from eval.cases import KINDS
from eval.score import METRICS
from tests.served import QUESTION


@pytest.fixture(scope="module")
def guide(checkout: Path) -> str:
    return (checkout / "docs" / "evaluating.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(guide: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files of the guide."""
    files = re.findall(r"^`([^`\n]+)`[^`\n]*:\n\n```\w+\n(.*?)```", guide, re.MULTILINE | re.DOTALL)
    for name, text in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("GROUNDWIRE_INDEX", str(tmp_path / "index"))
    return tmp_path


def commands(guide: str, *words: str) -> list[list[str]]:
    """Return the commands of the guide that have all of some words."""
    shown = [shlex.split(line)[1:] for line in re.findall(r"^    (groundwire .*)$", guide, re.MULTILINE)]
    return [command for command in shown if set(words) <= set(command)]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    called = [sys.executable, "-m", "ui.cli", *command]
    return subprocess.run(called, cwd=folder, capture_output=True, text=True, check=False)


def test_the_answers_of_another_system_get_the_verdicts_that_the_guide_tells(guide: str, folder: Path) -> None:
    done = run(commands(guide, "--answers", "--html")[0], folder)
    assert done.returncode == 0
    assert "2 (cases, list): wrong" in done.stdout
    assert "4 (cases, far): answered" in done.stdout
    assert re.search(r"^score +0\.500 ", done.stdout, re.MULTILINE)
    assert re.search(r"^wrote .*\.html$", done.stderr, re.MULTILINE)


@pytest.mark.model
def test_the_cases_of_the_guide_are_answered_by_us_compared_and_gated(guide: str, folder: Path) -> None:
    assert run(commands(guide, "--runs", "runs")[0], folder).returncode == 0
    [earlier] = (folder / "runs").glob("*.json")
    statuses = [run(command, folder).returncode for command in commands(guide, "cases.jsonl", "--write-gates")]
    statuses += [run(command, folder).returncode for command in commands(guide, "cases.jsonl", "--gate")]
    [compare] = commands(guide, "--compare")
    done = run([str(earlier) if word == "runs/EARLIER.json" else word for word in compare], folder)
    assert ([*statuses, done.returncode], "cases: before and now" in done.stdout) == ([0, 0, 0], True)


@pytest.mark.model
def test_cases_are_scored_over_the_articles_of_an_index_that_is_named(folder: Path) -> None:
    assert run(["ingest", "articles"], folder).returncode == 0
    (folder / "elsewhere").mkdir()
    (folder / "cases.jsonl").rename(folder / "elsewhere" / "mine.jsonl")
    done = run(["eval", "elsewhere/mine.jsonl", "--index", "index", "--answers", "answers.jsonl"], folder)
    assert (done.returncode, bool(re.search(r"^score +0\.500 ", done.stdout, re.MULTILINE))) == (0, True)


def test_a_server_is_asked_in_both_dialects(guide: str, folder: Path, server: str) -> None:
    (folder / "token.txt").write_text("secret", encoding="utf-8")
    shown = commands(guide, "--url")
    asked = [[word.replace("http://127.0.0.1:8000", server) for word in command] for command in shown]
    assert [run(command, folder).returncode for command in asked] == [0, 0]


def test_feedback_left_over_http_becomes_a_draft_that_a_person_has_to_finish(
    guide: str, folder: Path, client: TestClient
) -> None:
    answer = client.post("/api/v1/ask", json=QUESTION).json()
    client.post("/api/v1/feedback", json={"kind": "like", "answer": answer})
    [command] = commands(guide, "feedback")
    done = run(command, folder)
    [draft] = map(json.loads, (folder / "mine.jsonl").read_text(encoding="utf-8").splitlines())
    said = [[place["quote"] for place in need] for need in draft["evidence"]]
    assert (done.returncode, "1 new draft cases" in done.stderr) == (0, True)
    assert (draft["question"], "draft" in draft) == (QUESTION["question"], True)
    assert said == [[citation["quote"]] for citation in answer["citations"]] != []


def test_a_public_set_without_its_folder_says_so(guide: str, folder: Path) -> None:
    [command] = commands(guide, "--data")
    done = run(command, folder)
    assert (done.returncode, "there is no such folder" in done.stdout) == (0, True)


def test_every_field_of_an_answer_that_is_scored_is_explained(guide: str) -> None:
    [table] = re.findall(r"^\| field of an answer .*\n((?:\|.*\n)+)", guide, re.MULTILINE)
    rows = re.findall(r"^\| (`.+) \| .+ \|$", table, re.MULTILINE)
    fields = {field for row in rows for field in re.findall(r"`([^`]+)`", row)}
    assert [field for field in ANSWER_FIELDS if field not in fields] == []


def test_every_metric_and_every_kind_is_explained(guide: str) -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", guide, re.MULTILINE))
    assert {name: rows.get(name) for name in METRICS} == dict(METRICS)
    assert [kind for kind in KINDS if kind not in rows["kind"]] == []
