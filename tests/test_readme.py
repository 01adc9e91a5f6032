"""What the README shows is what happens."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_python_example_runs(
    readme: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0].replace("my-index", str(tmp_path / "index"))
    monkeypatch.chdir(checkout)
    exec(compile(code, "README.md", "exec"), {})
    assert "EUR 500 million" in capsys.readouterr().out
