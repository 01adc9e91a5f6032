"""The wheel works in another environment, away from the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.test_server import LOOPBACK, serving

pytestmark = [pytest.mark.wheel, pytest.mark.model]


@pytest.fixture(scope="module")
def installed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a fresh environment that has our wheel, and sees our dependencies but not our checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    subprocess.run(["git", "clone", "--quiet", str(checkout), str(source)], check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    [wheel] = folder.glob("groundwire-*.whl")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    dependencies = sysconfig.get_path("purelib")  # a path line, unlike site.addsitedir, reads no .pth of an editable us
    (Path(packages) / "dependencies.pth").write_text(f"{dependencies}\n", encoding="utf-8")
    return python


def test_the_wheel_holds_our_packages_and_no_other(installed: Path) -> None:
    [wheel] = installed.parents[2].glob("groundwire-*.whl")
    packages = {str(Path(name).parent) for name in ZipFile(wheel).namelist() if name.endswith(".py")}
    assert packages == {"index", "index/readers", "rag", "ui", "ui/commands", "eval", "eval/benchmarks", "seeds"}


def test_the_wheel_carries_the_sample_articles_and_answers_about_them(installed: Path, tmp_path: Path) -> None:
    code = "from importlib.resources import files; print(files('seeds') / 'articles.jsonl')"
    seeds = subprocess.run([installed, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    command = [str(installed.parent / "groundwire")]
    subprocess.run(
        [*command, "ingest", seeds.strip(), "--index", "index"], cwd=tmp_path, check=True, capture_output=True
    )
    ask = [*command, "ask", "How much did the Netherlands pay into PURL?", "--index", "index", "--json"]
    answer = json.loads(subprocess.run(ask, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)
    assert "EUR 500 million" in answer["citations"][0]["quote"]


@LOOPBACK
def test_the_wheel_serves_the_page_and_its_files(installed: Path, tmp_path: Path) -> None:
    command = str(installed.parent / "groundwire")
    (tmp_path / "story.txt").write_text("It rained in Oslo.", encoding="utf-8")
    ingest = [command, "ingest", "story.txt", "--index", "index"]
    subprocess.run(ingest, cwd=tmp_path, check=True, capture_output=True)
    cache = os.environ["XDG_CACHE_HOME"]
    with serving(tmp_path / "index", command=(command,), PYTHONPATH="", XDG_CACHE_HOME=cache) as server:
        answers = {path: server.get(path) for path in ("/healthz", "/", "/ui-static/page.js", "/ui-static/page.css")}
    assert {path: status for path, (status, _) in answers.items() if status != 200} == {}
    assert "Groundwire" in answers["/"][1]


def test_the_wheel_evaluates_itself_on_the_cases_that_it_carries(installed: Path, tmp_path: Path) -> None:
    command = [str(installed.parent / "groundwire"), "eval", "--runs", "runs", "--html", "--failures", "0"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "unseen (40)" in done.stdout
    assert len(list((tmp_path / "runs").glob("*.html"))) == 1


def test_its_packages_come_from_the_wheel(installed: Path, checkout: Path, tmp_path: Path) -> None:
    code = "import index, rag, ui, eval; print(index.__file__, rag.__file__, ui.__file__, eval.__file__)"
    shown = subprocess.run([installed, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert str(installed.parent.parent) in shown
    assert str(checkout) not in shown
