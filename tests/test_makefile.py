"""The sample index is made anew when what it is made from or by has changed, and only then."""

import subprocess
import time
from os import utime
from pathlib import Path

import pytest


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return an environment that looks set up, with a sample index, both newer than the checkout."""
    (tmp_path / "seeds-index").mkdir()
    for age, name in enumerate(("seeds-index/CURRENT", ".ready")):
        (tmp_path / name).touch()
        utime(tmp_path / name, (time.time() - age,) * 2)
    return tmp_path


def would_do(checkout: Path, environment: Path, *options: str) -> str:
    """Return what `make chat` would do."""
    line = ["make", "-n", *options, "chat", f"VENV={environment}"]
    return subprocess.run(line, cwd=checkout, check=True, capture_output=True, text=True).stdout


def test_a_sample_index_that_is_new_is_served_as_it_is(checkout: Path, made: Path) -> None:
    done = would_do(checkout, made)
    assert ("groundwire serve" in done, "groundwire ingest" in done) == (True, False)


@pytest.mark.parametrize("changed", ["seeds/articles.jsonl", "index/passage.py", "index/readers/csv_rows.py"])
def test_the_sample_index_is_made_anew_when_its_articles_or_their_reading_change(
    changed: str, checkout: Path, made: Path
) -> None:
    assert (checkout / changed).exists()
    assert "groundwire ingest" in would_do(checkout, made, "-W", changed)
