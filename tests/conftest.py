"""What tests rely on: no network, no user's settings, the same examples on every run, a small index, a tiny model."""

import asyncio
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from starlette.testclient import TestClient

from eval.run import run
from index import NewsIndex
from index.prepare import Recipe, prepare
from tests.answer_server import Server
from tests.fakes import KYIV, NOW, PARIS, FakeEmbedder, FakeReader, write_articles
from tests.scored import Scored, saying, suite
from tests.served import HERE, MakeClient
from tests.tiny_network import recipe
from ui.engine import Answering, Engine
from ui.service import Service, create_app
from ui.settings import ServeSettings

# Speed benchmarks are run by `make bench`, never by pytest.
collect_ignore = ["bench"]

# The same examples on every run, so that a red build can be made red again; and a slow machine is no failure.
settings.register_profile("groundwire", derandomize=True, deadline=None)
settings.load_profile("groundwire")

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the folder that holds pyproject.toml."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Return the folder of data that is not part of the project, beside the checkout; skip where there is none."""
    folder = CHECKOUT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the data folder ../shared beside the checkout, and there is none")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _settings_of_the_user_stay_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the user's settings and folders from tests and their children; the prepared model lies beside Python."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GROUNDWIRE_")]:
            patch.delenv(name)
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.setenv("XDG_CACHE_HOME", str(Path(sys.prefix) / "cache"))  # where make prepares it too
        yield


@pytest.fixture(autouse=True)
def _no_model_reads_unless_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the `Quoter` read by words, except in tests that load the real models."""
    if not request.node.get_closest_marker("model"):
        monkeypatch.setattr("rag.quoter.reader_beside", lambda index: FakeReader())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def empty(folder: Path, embedder: FakeEmbedder) -> Iterator[NewsIndex]:
    with NewsIndex.open(folder, create=True, embedder=embedder) as opened:
        yield opened


@pytest.fixture
def index(tmp_path: Path, empty: NewsIndex) -> NewsIndex:
    """Return an index that holds KYIV and PARIS."""
    empty.ingest(write_articles(tmp_path / "a.jsonl", KYIV, PARIS))
    return empty


@pytest.fixture
def tiny(tmp_path: Path) -> Recipe:
    """Return the recipe of the tiny network, with a count of builds of its own."""
    return recipe(tmp_path / "source")


@pytest.fixture(scope="session")
def _prepared_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare the tiny network once for all tests that only use it."""
    folder = tmp_path_factory.mktemp("tiny")
    prepare(recipe(folder / "source"), folder / "cache")
    return folder / "cache"


@pytest.fixture
def tiny_cache(_prepared_once: Path, tmp_path: Path) -> Path:
    """Return a cache that holds the tiny network."""
    return Path(shutil.copytree(_prepared_once, tmp_path / "cache"))


@pytest.fixture
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def with_page(app: Service, engine: Engine, runs: Path | None) -> None:
    """Mount the page. Outside of a running event loop Gradio makes some of its own, and closes none of them."""
    from ui.page import mount_page  # Gradio takes seconds to import

    mount_page(app, engine, runs=runs)


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[MakeClient]:
    """Return what makes clients of a service over KYIV and PARIS; with `page=True` the page is mounted, over `runs`."""
    opened: list[TestClient] = []

    def make(
        bot: Answering | None = None, *, base_url: str = HERE, runs: Path | None = None, **chosen: object
    ) -> TestClient:
        index = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
        index.ingest([write_articles(tmp_path / "a.jsonl", KYIV, PARIS)], now=NOW)
        made_by: dict[str, Any] = {"make_bot": lambda _: bot} if bot else {}
        serve = ServeSettings(**{"page": False, "questions_per_minute": 1000} | chosen)  # type: ignore[arg-type] # a test names what there is
        engine = Engine(lambda: index, settings=serve, clock=lambda: 0.0, now=lambda: NOW, **made_by)
        app = create_app(engine)
        if serve.page:
            asyncio.run(with_page(app, engine, runs))
        client = TestClient(app, base_url=base_url, raise_server_exceptions=False, follow_redirects=False)
        opened.append(client)
        client.__enter__()
        engine.wait_until_ready(10)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


@pytest.fixture
def scored(tmp_path: Path) -> Scored:
    """Return what scores replies, by case, to the cases over KYIV and PARIS."""

    def of(**replies: Mapping[str, Any] | Exception) -> dict[str, Any]:
        return run([suite(tmp_path)], saying(replies), started=NOW)

    return of


@pytest.fixture
def server(socket_enabled: None) -> Iterator[str]:
    """Return the address of a server that answers as `Server` does."""
    Server.asked.clear()
    httpd = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()
