"""The command that runs public sets: what cannot run is said, and the others run."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from eval.benchmarks import SUITES, BenchmarkReport, Options
from eval.benchmarks.__main__ import run
from eval.command import evaluate
from index.errors import InputError

COMMANDS: dict[str, click.Command] = {"groundwire eval": evaluate, "python -m eval.benchmarks": run}
LINE = re.compile(rf"({'|'.join(map(re.escape, COMMANDS))}) ([^`\n]*?--data FOLDER[^`\n]*?)(?=`|  |\n)")


def broken(options: Options) -> BenchmarkReport:
    raise InputError(f"{options.folder}: is not JSON")


def test_a_set_that_cannot_run_is_named_and_the_next_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.benchmarks.__main__.SUITES", {"squad": broken, "clapnq": SUITES["clapnq"]})
    done = CliRunner().invoke(run, ["--data", str(tmp_path), "--json"])
    assert (done.exit_code, done.stderr) == (2, f"eval.benchmarks: squad: {tmp_path}: is not JSON\n")
    assert json.loads(done.stdout)["suite"] == "clapnq"


def test_sets_whose_files_are_missing_are_said_and_are_no_failure(tmp_path: Path) -> None:
    done = CliRunner().invoke(run, ["--data", str(tmp_path)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.count(": not measured\n") == len(SUITES)


def test_chunks_for_a_set_that_does_not_judge_them_are_an_error(tmp_path: Path) -> None:
    chunks = tmp_path / "chunks.jsonl"
    chunks.touch()
    done = CliRunner().invoke(run, ["squad", "--data", str(tmp_path), "--chunks", str(chunks)])
    assert done.exit_code == 2
    assert "--chunks is judged by the set chunking alone" in done.stderr


def test_chunks_reach_the_set_that_judges_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(options: Options) -> BenchmarkReport:
        raise InputError(f"given {options.chunks}")

    chunks = tmp_path / "chunks.jsonl"
    chunks.touch()
    monkeypatch.setattr("eval.benchmarks.__main__.SUITES", {"chunking": named})
    done = CliRunner().invoke(run, ["chunking", "--data", str(tmp_path), "--chunks", str(chunks)])
    assert done.stderr == f"eval.benchmarks: chunking: given {chunks}\n"


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md", "docs/evaluating.md", "docs/fitting.md"])
def test_the_lines_for_public_sets_that_a_page_shows_are_taken_by_their_commands(page: str, checkout: Path) -> None:
    lines = LINE.findall((checkout / page).read_text(encoding="utf-8"))
    assert lines
    for command, words in lines:
        COMMANDS[command].make_context(command, shlex.split(words)).close()
