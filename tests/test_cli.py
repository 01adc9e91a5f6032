"""The command: one JSON document, exit statuses, and messages that say what to do. The real model answers."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from index.embed import bundled_model_folder
from ui.cli import main

pytestmark = pytest.mark.model


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ui.cli", *arguments]
    settings = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, input=stdin, env=settings, check=False)


def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, where it starts at once."""
    out, err = io.StringIO(), io.StringIO()
    with patch.dict(os.environ), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(arguments)
    return subprocess.CompletedProcess(arguments, int(left.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> str:
    folder = str(tmp_path_factory.mktemp("seeds") / "index")
    done = run("ingest", str(checkout / "seeds"), "--index", folder, "--json")
    assert json.loads(done.stdout)["totals"]["ingested"] == 25
    return folder


def assert_exact(answer: Mapping[str, Any], folder: str) -> None:
    """Compare every quote with the text that the command shows of the article."""
    assert answer["citations"]
    for citation in answer["citations"]:
        revision = str(citation["revision"])
        shown = run_here("show", citation["article_id"], "--revision", revision, "--index", folder, "--json")
        text = json.loads(shown.stdout)["text"]
        assert text[citation["start"] : citation["end"]] == citation["quote"] != ""
        assert hashlib.sha256(text.encode()).hexdigest() == citation["text_sha256"]


def test_a_reader_of_the_output_that_leaves_early_is_no_error(seeds: str) -> None:
    command = [sys.executable, "-m", "ui.cli", "list", "--index", seeds, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate()
    assert (process.returncode, err) == (0, "")


def test_a_question_is_answered_with_exact_quotes(seeds: str) -> None:
    done = run("ask", "How much did the Netherlands pay into PURL?", "--index", seeds, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["status"]) == (0, "answered")
    assert "EUR 500 million" in answer["citations"][0]["quote"]
    assert_exact(answer, seeds)


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
    asked = "How much did the Netherlands pay into PURL?\nWhat about Canada?\n"
    dutch, canadian = json.loads(run("chat", "--index", seeds, "--json", stdin=asked).stdout)["answers"]
    assert "EUR 500 million" in dutch["citations"][0]["quote"]
    assert canadian["understood"]["question"] == "How much did Canada pay into PURL?"
    assert any("Canada is paying USD 500 million" in citation["quote"] for citation in canadian["citations"])
    assert_exact(canadian, seeds)


def test_a_chat_gives_one_json_document_of_all_its_answers(seeds: str) -> None:
    asked = "How much did the Netherlands pay into PURL?\nWhich team won the chess final on the Moon in 1954?\n"
    done = run("chat", "--index", seeds, "--json", stdin=asked)
    answers = json.loads(done.stdout)["answers"]
    assert [bool(answer["refusal"]) for answer in answers] == [False, True]


def test_a_setting_that_does_not_exist_is_refused(seeds: str) -> None:
    done = run("stats", "--index", seeds, GROUNDWIRE_TYPO="1")
    assert (done.returncode, "GROUNDWIRE_TYPO" in done.stderr) == (2, True)


def test_a_deleted_article_is_gone(seeds: str, tmp_path: Path) -> None:
    copy = str(shutil.copytree(seeds, tmp_path / "index"))
    done = run_here("delete", "paris-coalition-summit", "--index", copy)
    assert (done.returncode, done.stdout) == (0, "Deleted paris-coalition-summit.\n")
    listed = json.loads(run_here("list", "--index", copy, "--json").stdout)["articles"]
    assert (len(listed), "paris-coalition-summit" in {article["id"] for article in listed}) == (23, False)
    assert run_here("delete", "paris-coalition-summit", "--index", copy).returncode == 1


FILTERS = {
    "since": (["--since", "2025-09-05"], "2025-09-05", "9"),
    "until": (["--until", "2025-03-31"], "2025", "2025-03-31"),
    "as-of": (["--as-of", "2025-08-05"], "2025", "2025-08-05T23:59"),
    "all": (
        ["--since", "2025-08-28", "--until", "2025-09-01", "--as-of", "2025-08-29"],
        "2025-08-28",
        "2025-08-29T23:59",
    ),
}


@pytest.mark.parametrize(("options", "first", "last"), FILTERS.values(), ids=FILTERS)
def test_only_what_was_published_in_a_window_is_searched(seeds: str, options: list[str], first: str, last: str) -> None:
    hits = json.loads(run_here("search", "missiles", *options, "--index", seeds, "--json").stdout)["hits"]
    assert hits
    assert [hit["published"] for hit in hits if not first <= hit["published"] <= last] == []


def test_sources_can_be_chosen(seeds: str) -> None:
    chosen = ("-k", "40", "--source", "London Desk", "--source", "Moscow Desk")
    hits = json.loads(run_here("search", "missiles", *chosen, "--index", seeds, "--json").stdout)["hits"]
    assert {hit["source"] for hit in hits} == {"London Desk", "Moscow Desk"}


def test_a_question_is_understood_with_its_filters(seeds: str) -> None:
    options = ("--since", "2025-08-01", "--until", "2025-08-31", "--as-of", "2025-08-28", "--source", "Kyiv Desk")
    answer = json.loads(run_here("ask", "Who died in Kyiv?", "-k", "3", *options, "--index", seeds, "--json").stdout)
    assert answer["understood"] == {
        "question": "Who died in Kyiv?", "since": "2025-08-01", "until": "2025-08-31", "as_of": "2025-08-28",
        "sources": ["Kyiv Desk"],
    }  # fmt: skip
    assert (len(answer["hits"]), {hit["source"] for hit in answer["hits"]}) == (3, {"Kyiv Desk"})


def test_a_search_that_finds_nothing_says_so_and_has_its_own_status(seeds: str) -> None:
    done = run_here("search", "missiles", "--source", "Oslo Desk", "--index", seeds)
    assert (done.returncode, done.stdout) == (1, "Nothing found.\n")


@pytest.fixture
def story(tmp_path: Path) -> str:
    (tmp_path / "story.txt").write_text("It rained in Oslo.", encoding="utf-8")
    return str(tmp_path / "story.txt")


@pytest.fixture
def broken(tmp_path: Path) -> str:
    (tmp_path / "broken.json").write_text('{"title": "No text"}', encoding="utf-8")
    return str(tmp_path / "broken.json")


@pytest.mark.usefixtures("seeds")  # so that the model is prepared
def test_an_ingest_talks_to_no_file(story: str, tmp_path: Path) -> None:
    done = run("ingest", story, "--index", str(tmp_path / "index"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 ingested; 1 passages\n", "")


def test_an_ingest_with_one_good_file_is_done_and_lists_the_other(story: str, broken: str, tmp_path: Path) -> None:
    done = run_here("ingest", story, broken, "--index", str(tmp_path / "index"))
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "1 ingested, 1 failed; 1 passages")
    assert "broken.json: has no `text`" in done.stdout


def test_an_ingest_whose_every_file_failed_could_not_run(broken: str, tmp_path: Path) -> None:
    done = run_here("ingest", broken, "--index", str(tmp_path / "index"))
    assert (done.returncode, done.stdout.splitlines()[0]) == (2, "1 failed; 0 passages")


def test_an_index_without_articles_names_the_next_command(broken: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "index")
    run_here("ingest", broken, "--index", folder)
    done = run_here("ask", "Who?", "--index", folder)
    said = "There are no articles yet. Add some with `groundwire ingest PATH`.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, said, "")


def test_a_new_index_is_made_with_the_model_that_is_named(story: str, tmp_path: Path) -> None:
    folder, model = str(tmp_path / "index"), str(bundled_model_folder())
    assert run_here("ingest", story, "--model", model, "--index", folder).returncode == 0
    assert json.loads(run_here("stats", "--index", folder, "--json").stdout)["model"] == model
    assert run_here("search", "rain in Oslo", "--index", folder).returncode == 0


def test_a_model_that_is_not_here_could_not_run(story: str, tmp_path: Path) -> None:
    done = run_here("ingest", story, "--model", "nobody/nothing", "--index", str(tmp_path / "index"))
    assert (done.returncode, "'nobody/nothing' is neither" in done.stderr) == (2, True)


PROMISES = [  # who pledged what in Paris, by the article
    ("coalition", "security on land, sea, air, and in cyberspace"),
    ("26 leaders", "troops"),
    ("Starmer", "unbreakable pledge"),
    ("partners", "long-range missiles"),
]


def test_the_real_article_s_pledges_are_cited_to_their_exact_words(tmp_path: Path, shared_folder: Path) -> None:
    folder = str(tmp_path / "index")
    assert run("ingest", str(shared_folder / "articles"), "--index", folder).returncode == 0
    done = run("ask", "Who pledged what at the Paris summit?", "--index", folder, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["status"]) == (0, "answered")
    assert_exact(answer, folder)
    [path] = (shared_folder / "articles").iterdir()
    text = path.read_text(encoding="utf-8")
    quotes = [citation["quote"] for citation in answer["citations"]]
    assert [text[citation["start"] : citation["end"]] for citation in answer["citations"]] == quotes
    assert [who for who, what in PROMISES if not any(who in quote and what in quote for quote in quotes)] == []
