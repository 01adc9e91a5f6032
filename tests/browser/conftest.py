"""A real Chromium on a server with a canned bot; a request to elsewhere or an error of the page fails every test."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHECKOUT = Path(__file__).parents[2]
CHROMIUM = next((p for p in ("/usr/lib/chromium/chromium", "/usr/bin/chromium") if Path(p).exists()), None)
CANNED = Path(__file__).parent / "canned_server.py"
SCREENSHOTS = CHECKOUT / "screenshots"
TOKEN = "a-token-of-the-test"
READY = "body[data-gw-ready]"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def needed() -> None:
    """Skip without a browser; in CI, fail."""
    missing = [n for n in ("playwright", "axe_playwright_python", "gradio") if not find_spec(n)]
    if not CHROMIUM or missing:
        said = f"no Chromium or no {', '.join(missing) or 'browser'}: apt-get install chromium, pip install .[dev]"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[str]:
    """Run a server until the block ends; the block gets its address, from the first line that it prints."""
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "GRADIO_ANALYTICS_ENABLED": "False"},
        )  # fmt: skip
        assert server.stdout
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found, (folder / "log").read_text()
        yield found[0]
        server.terminate()
        server.wait(20)
        server.stdout.close()


@pytest.fixture(scope="session")
def canned_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the server with canned answers; its index is in `index`."""
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="session")
def address(canned_folder: Path) -> Iterator[str]:
    needed()
    with serving(canned_folder, str(CANNED), str(canned_folder)) as at:
        yield at


@pytest.fixture(scope="session")
def empty_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an index without an article."""
    needed()
    folder = tmp_path_factory.mktemp("empty")
    with serving(folder, str(CANNED), str(folder), "--empty") as at:
        yield at


@pytest.fixture
def locked_address(tmp_path: Path) -> Iterator[str]:
    """Serve behind a token, which is `TOKEN`."""
    needed()
    with serving(tmp_path, str(CANNED), str(tmp_path), "--token", TOKEN) as at:
        yield at


@pytest.fixture(scope="session")
def seeds_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the sample articles with the real model and bot, by the command that everybody uses."""
    needed()
    folder = tmp_path_factory.mktemp("seeds")
    index = str(folder / "index")
    ingest = [sys.executable, "-m", "ui.cli", "ingest", str(CHECKOUT / "seeds"), "--index", index]
    subprocess.run(ingest, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, check=True, capture_output=True)
    with serving(folder, "-m", "ui.cli", "serve", "--index", index) as at:
        yield at


@pytest.fixture(scope="module")  # while it is open an event loop runs, and no test of another file may start one
def chromium() -> Iterator["Browser"]:
    needed()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu",
                                             "--disable-dev-shm-usage", "--disable-background-networking"])  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: "Browser", address: str) -> Iterator[Callable[..., Any]]:
    wrong: list[str] = []
    contexts = []

    def go(path: str = "/", at: str = "", *, ready: str = READY, expected: str = "", **settings: Any) -> "Page":  # noqa: ANN401 - those of Browser.new_context
        """Open a page, and wait until it is `ready`; what it complains of with the words `expected` is no fault."""

        def blame(what: str, *, when: bool) -> None:
            if when and not (expected and expected in what):
                wrong.append(what)

        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce",
                                          "locale": "en-GB", "timezone_id": "UTC", **settings})  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda r: blame(r.url, when=urlsplit(r.url).hostname not in ("127.0.0.1", None)))
        page.on("console", lambda m: blame(m.text, when=m.type == "error"))
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("response", lambda r: blame(f"{r.status} {r.url}", when=r.status >= 400))
        page.add_init_script("window.hurt = []; window.pwn = (n) => window.hurt.push(n);")
        page.goto((at or address) + path, wait_until="domcontentloaded")
        page.wait_for_selector(ready, state="attached")
        return page

    yield go
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def inspect() -> Callable[..., None]:
    """Run axe-core and keep a picture."""

    def look(page: "Page", name: str) -> None:
        script = next(Path(str(find_spec("axe_playwright_python").submodule_search_locations[0])).rglob("axe.min.js"))  # type: ignore[union-attr,index]

        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")
        page.evaluate(script.read_text(encoding="utf-8"))
        found = page.evaluate("tags => axe.run(document, {runOnly: tags})", TAGS)
        assert found["passes"]
        assert [(v["id"], [n["html"][:150] for n in v["nodes"]][:4]) for v in found["violations"]] == []

    return look
