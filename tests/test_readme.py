"""What the README shows is what happens."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.test_server import LOOPBACK, serving, wait_until_ready

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def readme(checkout: Path) -> str:
    return (checkout / "README.md").read_text(encoding="utf-8")


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ui.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def folded(text: str) -> str:
    return " ".join(text.split())


def test_the_transcript_is_what_is_printed(readme: str, checkout: Path, tmp_path: Path) -> None:
    shown = re.search(r'\$ make ask Q="(.*?)"\n(.*?)\n## ', readme, re.DOTALL)
    assert shown
    index = str(tmp_path / "index")
    run("ingest", str(checkout / "seeds"), "--index", index, folder=checkout)
    assert folded(run("ask", shown[1], "--index", index, folder=checkout).stdout) == folded(shown[2])


def test_the_commands_run(readme: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = (checkout / "seeds" / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "stories").mkdir()
    (tmp_path / "stories" / "one.md").write_text("# A title\n\nIt rained in Oslo.", encoding="utf-8")
    (tmp_path / "archive.jsonl").write_text("\n".join(seeds[17:20]), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    monkeypatch.setenv("GROUNDWIRE_INDEX", str(tmp_path / "index"))
    commands = [shlex.split(line)[1:] for line in re.findall(r"^    (groundwire .*)$", readme, re.MULTILINE)]
    assert [run(*command, folder=tmp_path).returncode for command in commands] == [0, 0, 0, 0]


def test_make_knows_what_it_is_told_to_make(readme: str, checkout: Path) -> None:
    lines = re.findall(r"^    (?:\$ )?(make .*)$", readme, re.MULTILINE)
    told = [shlex.split(line, comments=True)[1:] for line in lines]
    dry = [subprocess.run(["make", "-n", *words], cwd=checkout, capture_output=True, check=False) for words in told]
    assert [words[0] for words in told] == ["ask", "chat", "test"]
    assert [done.stderr for done in dry if done.returncode] == []


@LOOPBACK
def test_the_call_over_http_is_answered(readme: str, checkout: Path, tmp_path: Path) -> None:
    [call] = re.findall(r"^    (curl .*?)\n\n", readme, re.MULTILINE | re.DOTALL)
    run("ingest", str(checkout / "seeds"), "--index", str(tmp_path / "index"), folder=checkout)
    with serving(tmp_path / "index", XDG_CACHE_HOME=os.environ["XDG_CACHE_HOME"]) as server:
        wait_until_ready(server)
        shell = ["bash", "-euc", call.replace("http://127.0.0.1:7860", server.address)]
        answered = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
    assert "EUR 500 million" in json.loads(answered)["citations"][0]["quote"]


def test_the_python_example_runs(
    readme: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0].replace("my-index", str(tmp_path / "index"))
    monkeypatch.chdir(checkout)
    exec(compile(code, "README.md", "exec"), {})
    assert "EUR 500 million" in capsys.readouterr().out


FIGURES = {
    "quotes are exact": "quote_fidelity",
    "citations that hold evidence": "citation_precision",
    "answerable questions with all evidence cited": "evidence_complete",
    "answerable questions answered": "answered",
    "near misses refused": "refused_near",
    "false premises refused": "refused_false_premise",
    "far questions refused": "refused_far",
}
A_CASE = 0.1  # at most: of ten near misses in `unseen` one


def test_the_figures_of_quality_are_those_that_the_gates_hold_but_for_a_case(readme: str, checkout: Path) -> None:
    gates = tomllib.loads((checkout / "eval" / "gates.toml").read_text(encoding="utf-8"))
    rows = re.findall(r"^\| ([a-z][^|]*) \| ([\d.]+)[^|]*\| *([\d.]*)[^|]*\|", readme, re.MULTILINE)
    told = [(FIGURES[name], *figures) for name, *figures in rows if name in FIGURES]
    assert [metric for metric, *_ in told] == [*FIGURES.values()]
    for metric, test, unseen in told:
        for suite, figure in (("test", test), ("unseen", unseen)):
            gate = gates[suite].get(metric)
            assert (figure == "") == (gate is None)
            assert gate is None or gate - 0.0005 <= float(figure) <= gate + A_CASE


def test_the_figures_of_public_sets_are_those_of_the_page_that_has_them_all(readme: str, checkout: Path) -> None:
    page = (checkout / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    sections = {
        name: section
        for section in page.split("\n### ")
        for name in re.findall(r"^`python -m eval.benchmarks (\w+)", section, re.M)
    }
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| ([\d.]+ \| [\d. to]+ \| [\d,]+) \|", readme, re.MULTILINE)
    table = re.findall(r"^\| SET .*\n((?:\|.*\n)+)", readme, re.MULTILINE)[0].splitlines()[1:]
    assert (len(rows), len({name for name, *_ in rows})) == (len(table), 6)
    for name, figure, told in rows:
        assert re.search(rf"^\| {re.escape(figure)}(, ours)? \| {re.escape(told)} \|", sections[name], re.MULTILINE), (
            figure
        )


def test_the_figures_beside_other_systems_are_those_of_the_page_that_has_them_all(readme: str, checkout: Path) -> None:
    page = (checkout / "docs" / "peers.md").read_text(encoding="utf-8").split("Equal chunks:")[1]
    rows = re.findall(r"^\| ([\w, ]+) ((?:\| [\d.]+× ){4})\| ([\d.]+) \| ([\d.]+) \|$", readme, re.MULTILINE)
    assert [name for name, *_ in rows] == ["LlamaIndex", "Haystack", "txtai", "txtai, hybrid"]
    for name, times, recall, rank in rows:
        speed, found = re.findall(rf"^\| {name} \| (.*) \|$", page, re.MULTILINE)
        start, ingest, query, _, memory = re.findall(r"= ([\d.]+×)", speed)
        assert re.findall(r"[\d.]+×", times) == [start, ingest, query, memory]
        _, at_5, _, mrr, *_ = (float(cell.split()[0]) for cell in found.split(" | "))
        assert (recall, rank) == (f"{at_5:.2f}", f"{mrr:.2f}")
