"""The command: one JSON document, exit statuses, and messages that say what to do. The real model answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.model


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ui.cli", *arguments]
    settings = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, input=stdin, env=settings, check=False)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> str:
    folder = str(tmp_path_factory.mktemp("seeds") / "index")
    done = run("ingest", str(checkout / "seeds"), "--index", folder, "--json")
    assert json.loads(done.stdout)["totals"]["ingested"] == 25
    return folder


def test_a_question_is_answered_with_exact_quotes(seeds: str) -> None:
    done = run("ask", "How much did the Netherlands pay into PURL?", "--index", seeds, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["status"]) == (0, "answered")
    assert "EUR 500 million" in answer["citations"][0]["quote"]


def test_nothing_but_the_answer_is_printed(seeds: str) -> None:
    assert run("ask", "Who chaired the Paris summit?", "--index", seeds).stderr == ""


def test_a_refusal_has_its_own_status(seeds: str) -> None:
    assert run("ask", "How much did Japan pay into PURL?", "--index", seeds).returncode == 1


def test_what_cannot_run_says_why_and_what_to_do(tmp_path: Path) -> None:
    done = run("ask", "Who?", "--index", str(tmp_path / "none"))
    assert (done.returncode, "groundwire ingest" in done.stderr, done.stdout) == (2, True, "")


def test_an_unknown_article_has_the_status_of_nothing_found(seeds: str) -> None:
    assert run("show", "gone", "--index", seeds).returncode == 1


def test_list_show_search_and_stats_give_one_json_document(seeds: str) -> None:
    for arguments in (["list"], ["show", "paris-coalition-summit"], ["search", "missiles"], ["stats"]):
        assert json.loads(run(*arguments, "--index", seeds, "--json").stdout)


def test_a_chat_remembers_what_was_asked(seeds: str) -> None:
    done = run("chat", "--index", seeds, stdin="How much did the Netherlands pay into PURL?\nWhat about Canada?\n")
    assert "Canada" in done.stdout


def test_a_chat_gives_one_json_document_of_all_its_answers(seeds: str) -> None:
    done = run(
        "chat", "--index", seeds, "--json", stdin="How much did the Netherlands pay into PURL?\nWho won the cup?\n"
    )
    answers = json.loads(done.stdout)["answers"]
    assert [bool(answer["refusal"]) for answer in answers] == [False, True]


def test_a_setting_that_does_not_exist_is_refused(seeds: str) -> None:
    done = run("stats", "--index", seeds, GROUNDWIRE_TYPO="1")
    assert (done.returncode, "GROUNDWIRE_TYPO" in done.stderr) == (2, True)


def test_the_real_article_s_pledges_are_cited(tmp_path: Path, shared_folder: Path) -> None:
    folder = str(tmp_path / "index")
    run("ingest", str(shared_folder / "articles"), "--index", folder)
    done = run("ask", "Who pledged what at the Paris summit?", "--index", folder, "--json")
    quotes = " ".join(citation["quote"] for citation in json.loads(done.stdout)["citations"])
    assert "26 leaders pledged" in quotes
