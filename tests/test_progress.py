"""Long work draws its progress on stderr where that is a terminal, and nothing anywhere else."""

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.answer_server import ANSWERED, ANSWERS
from tests.fakes import KYIV, write_articles
from tests.tiny_network import recipe


def on_a_terminal(command: Sequence[str], folder: Path) -> tuple[str, str]:
    """Run a command of this Python whose stderr is a terminal; return its stdout, and what was drawn there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))  # without a width nothing is drawn
    process = subprocess.Popen([sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    drawn = b""
    try:
        while more := os.read(ours, 4096):
            drawn += more
    except OSError:  # the other end is closed: Linux says so with an error
        pass
    os.close(ours)
    out, _ = process.communicate()
    return out.decode(), drawn.decode()


def test_preparing_a_model_draws_its_steps_on_a_terminal(tmp_path: Path, checkout: Path) -> None:
    recipe(tmp_path / "source")
    command = ["-m", "tests.tiny_network", str(tmp_path / "source"), str(tmp_path / "cache")]
    out, drawn = on_a_terminal(command, checkout)
    assert out == "[[18.0]]"
    assert "preparing tiny:   0%" in drawn
    assert "preparing tiny: 100%" in drawn


INGEST = ("-m", "ui.cli", "ingest", "seeds", "--index")


@pytest.mark.model
def test_ingesting_counts_articles_and_passages_on_a_terminal(tmp_path: Path, checkout: Path) -> None:
    out, drawn = on_a_terminal([*INGEST, str(tmp_path)], checkout)
    assert "25 ingested" in out
    assert "articles: " in drawn
    assert "passages: " in drawn


@pytest.mark.model
def test_ingesting_draws_nothing_where_stderr_is_no_terminal(tmp_path: Path, checkout: Path) -> None:
    command = [sys.executable, *INGEST, str(tmp_path)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    assert ("articles:" in done.stderr, "\r" in done.stderr) == (False, False)


EVALUATE = ("-m", "eval", "cases.jsonl", "--answers", "answers.jsonl", "--runs", "runs")


@pytest.fixture
def cases(tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    for name, rows in (("cases", ANSWERED), ("articles", [KYIV]), ("answers", ANSWERS)):
        write_articles(tmp_path / f"{name}.jsonl", *rows)
    return tmp_path


def test_scoring_draws_its_cases_on_a_terminal(cases: Path) -> None:
    out, drawn = on_a_terminal(EVALUATE, cases)
    assert "cases: " in drawn
    assert "evidence_complete" in out


def test_scoring_draws_nothing_where_stderr_is_no_terminal(cases: Path) -> None:
    done = subprocess.run([sys.executable, *EVALUATE], cwd=cases, capture_output=True, text=True, check=True)
    assert ("cases:" in done.stderr, "\r" in done.stderr) == (False, False)
