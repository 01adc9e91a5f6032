"""Nothing connects anywhere while it answers: watched from outside, in an empty home, with `CI` unset."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.model, pytest.mark.trace]


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI needs strace; apt-get install strace")
    return found or pytest.skip("needs strace; apt-get install strace")


def outside_connections(strace: str, home: Path, *command: str, stdin: str = "") -> list[str]:
    """Run a command and return its connects to internet addresses."""
    log = home / "trace.log"
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH")}
    traced = [strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(log), *command]
    environment["HOME"] = str(home)
    done = subprocess.run(traced, env=environment, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return re.findall(r".*AF_INET6?.*", log.read_text(encoding="utf-8", errors="replace"))


def test_the_watch_sees_a_connection(strace: str, tmp_path: Path) -> None:
    code = "import socket; s = socket.socket(); s.settimeout(1); s.connect_ex(('127.0.0.1', 9))"
    assert outside_connections(strace, tmp_path, sys.executable, "-c", code)


@pytest.mark.timeout(900)  # strace slows the preparing, which takes a minute without it
def test_preparing_ingest_search_ask_and_chat_connect_to_nothing(strace: str, tmp_path: Path, checkout: Path) -> None:
    question, index = "How much did the Netherlands pay into PURL?", ("--index", str(tmp_path / "index"))
    commands = {
        "prepare": [], "ingest": [str(checkout / "seeds"), *index], "search": [question, *index],
        "ask": [question, *index], "chat": [*index],
    }  # fmt: skip
    seen = {
        name: outside_connections(strace, tmp_path, sys.executable, "-m", "ui.cli", name, *words, stdin=question)
        for name, words in commands.items()
    }
    assert seen == {name: [] for name in commands}
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*") if path.name != "trace.log")
    assert left == [".cache", "index"]
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["groundwire"]
