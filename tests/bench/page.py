"""The chat page in a real browser: `make bench-page` serves the sample articles and visits them several times.

A round starts a server of its own and a browser that has seen nothing. It takes the time until the page can be used and
the bytes for that, once cold and once from the browser's cache; the time from Enter to the first citation for the first
question of the server, and for those after it; and the same two figures for the page of the collection. The server, the
browser and this script share the machine.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHECKOUT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = next((p for p in ("/usr/lib/chromium/chromium", "/usr/bin/chromium") if Path(p).exists()), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
FIRST = "How much did the Netherlands pay into PURL?"
QUESTIONS = (
    "How many people were killed in Kyiv?", "What did Macron say in Paris?", "When did Trump and Putin meet in Alaska?",
    "How much did Canada pay into PURL?", "What did Putin say about foreign troops?",
)  # fmt: skip
READY, CITED = "body[data-gw-ready]", ".gw-cite"


@dataclass
class Figures:
    """Hold what the rounds measured, under the names of the rows of the table."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)


@dataclass
class Transfer:
    """Count what a page takes from the network; what comes from the browser's cache counts nothing."""

    bytes: float = 0
    requests: int = 0

    @classmethod
    def of(cls, context: BrowserContext, page: Page) -> "Transfer":
        counted = cls()
        session = context.new_cdp_session(page)
        session.send("Network.enable")

        def finished(event: dict[str, float]) -> None:
            counted.bytes += event["encodedDataLength"]
            counted.requests += event["encodedDataLength"] > 0

        session.on("Network.loadingFinished", finished)
        return counted


@contextmanager
def serving(index: Path, figures: Figures) -> Iterator[str]:
    """Run a server with the page until the block ends; the block gets its address when the model is loaded."""
    command = [sys.executable, "-m", "ui.cli", "serve", "--index", str(index)]
    environment = {**os.environ, "GROUNDWIRE_QUESTIONS_PER_MINUTE": "1000"}
    started = time.perf_counter()
    server = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = re.findall(r"http://\S+", server.stdout.readline())[0]
        while httpx.get(f"{address}/readyz").status_code != 200:
            time.sleep(0.1)
        figures.add("server ready after its start (s)", time.perf_counter() - started)
        yield address
    finally:
        server.terminate()
        server.wait()


def opened_in_s(page: Page, address: str, sign: str) -> float:
    """Open an address and return how long it took until an element is there."""
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(sign, state="attached")
    return time.perf_counter() - started


def cited_in_s(page: Page, question: str, turn: int) -> float:
    """Ask, and return the time from Enter to the first citation; then wait for the rest."""
    page.fill("#gw-question", question)
    started = time.perf_counter()
    page.press("#gw-question", "Enter")
    page.wait_for_selector(f"#t-{turn} {CITED}", state="attached")
    took = time.perf_counter() - started
    page.wait_for_selector(f"#t-{turn}[data-state=done]")
    page.wait_for_timeout(500)  # a reader reads; what may be asked next is tried out meanwhile
    return took


def visit(browser: Browser, address: str, figures: Figures) -> None:
    """Visit a server that has just started, with a browser that has seen nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    moved = Transfer.of(context, page)
    figures.add("page usable, cold (s)", opened_in_s(page, address, READY))
    page.wait_for_timeout(1000)  # what is loaded late counts too
    figures.add("transferred, cold (kB)", moved.bytes / 1000)
    figures.add("requests, cold", moved.requests)
    figures.add("first citation, first question (s)", cited_in_s(page, FIRST, 1))
    for turn, question in enumerate(QUESTIONS, start=2):
        figures.add("first citation, warm (s)", cited_in_s(page, question, turn))
    before = moved.bytes
    figures.add("page usable, again (s)", opened_in_s(page, address, READY))
    page.wait_for_timeout(1000)
    figures.add("transferred, again (kB)", (moved.bytes - before) / 1000)
    context.close()
    context = browser.new_context()
    page = context.new_page()
    moved = Transfer.of(context, page)
    figures.add("collection shown, cold (s)", opened_in_s(page, f"{address}/collection", "main table"))
    page.wait_for_timeout(300)
    figures.add("collection transferred, cold (kB)", moved.bytes / 1000)
    context.close()


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("bench-page: no Chromium; apt-get install chromium")
    bars = {
        "page usable, cold (s)": "<= 1.5", "transferred, cold (kB)": "<= 600", "first citation, warm (s)": "<= 0.5",
    }  # fmt: skip
    figures = Figures()
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        index = Path(made) / "index"
        ingest = [sys.executable, "-m", "ui.cli", "ingest", "seeds", "--index", str(index)]
        subprocess.run(ingest, cwd=CHECKOUT, check=True, capture_output=True)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for _ in range(options.rounds):
            with serving(index, figures) as address:
                visit(browser, address, figures)
        browser.close()
    load = Path("/proc/loadavg").read_text(encoding="ascii").split()[0]
    print(f"{options.rounds} rounds, {os.cpu_count()} cores, load at the end {load}\n")
    print("| what | median | worst | bar |\n|---|---:|---:|---|")
    for name, values in figures.values.items():
        print(f"| {name} | {median(values):.2f} | {max(values):.2f} | {bars.get(name, 'reported')} |")


if __name__ == "__main__":
    main()
