"""Make the picture of the page that README shows: `make picture`. It needs an index of the sample articles."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHECKOUT = Path(__file__).resolve().parents[2]
CHROMIUM = next((p for p in ("/usr/lib/chromium/chromium", "/usr/bin/chromium") if Path(p).exists()), None)
QUESTION = "What did Macron and Putin say about foreign troops?"


def main() -> None:
    """Ask, open the first citation, and save what is seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    command = [sys.executable, "-m", "ui.cli", "serve", "--index", str(options.index.resolve())]
    server = subprocess.Popen(command, env={**os.environ}, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = re.findall(r"http://\S+", server.stdout.readline())[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
            page.goto(address, wait_until="domcontentloaded")
            page.wait_for_selector(".gw-examples")  # they have been tried: now it is quiet
            page.fill("#gw-question", QUESTION)
            page.press("#gw-question", "Enter")
            page.wait_for_selector("#t-1 .gw-next .gw-suggest")
            page.locator("#t-1 .gw-cite").first.click()
            page.screenshot(path=options.picture)
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
