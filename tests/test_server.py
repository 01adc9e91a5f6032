"""The real server on a real socket: its command, the official OpenAI client, and what it connects to."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import takewhile
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from index.errors import InputError
from ui.cli import groundwire
from ui.serving import AddressInUseError, address_of, bind, checked
from ui.settings import ServeSettings, load_settings

LOOPBACK = pytest.mark.allow_hosts(["127.0.0.1"])
DUTCH = "How much did the Netherlands pay into PURL?"
TOKEN = "a-token-of-the-test"
GROUNDWIRE = (sys.executable, "-m", "ui.cli")


@dataclass(frozen=True, slots=True)
class Server:
    """Hold a running server."""

    address: str
    process: subprocess.Popen[str]

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body."""
        return self._answer(Request(self.address + path))

    def post(self, path: str, body: bytes, kind: str = "application/json") -> tuple[int, str]:
        """Return status and body."""
        return self._answer(Request(self.address + path, body, {"content-type": kind}))

    def ask_on_the_page(self, question: str) -> str:
        """Return what the page is told when it asks, as its script does, by the queue of Gradio."""
        events = json.loads(self.get("/config")[1])["dependencies"]
        number = next(event["id"] for event in events if event["targets"][0][1] == "ask")
        sent = {"question": question, "serial": "1"}
        body = {"data": [None], "event_data": sent, "fn_index": number, "session_hash": "traced"}
        assert self.post("/gradio_api/queue/join", json.dumps(body).encode())[0] == 200
        with urlopen(f"{self.address}/gradio_api/queue/data?session_hash=traced", timeout=60) as stream:
            return "".join(line.decode() for line in takewhile(lambda line: b"close_stream" not in line, stream))

    def _answer(self, request: Request) -> tuple[int, str]:
        try:
            with urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()


def environment_of(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH")}
    return kept | {"HOME": str(home), **more}


@contextmanager
def serving(
    index: Path, *options: str, before: tuple[str, ...] = (), command: tuple[str, ...] = GROUNDWIRE, **variables: str
) -> Iterator[Server]:
    """Run `groundwire serve` until the block ends, on a port of its own."""
    line = [*before, *command, "serve", "--index", str(index), *options]
    process = subprocess.Popen(
        line,
        env=environment_of(index.parent, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        address = re.search(r"http://\S+", told)
        assert address, process.communicate(timeout=30)
        yield Server(address[0], process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def wait_until_ready(server: Server) -> None:
    for _ in range(1200):
        if server.get("/readyz")[0] == 200:
            return
        time.sleep(0.1)
    pytest.fail("the server did not get ready within 2 minutes")


@pytest.fixture(scope="module")
def seeds_index(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """Return an index of the sample articles, made with the real model."""
    home = tmp_path_factory.mktemp("served")
    ingest = [sys.executable, "-m", "ui.cli", "ingest", str(checkout / "seeds"), "--index", str(home / "index")]
    subprocess.run(ingest, env=environment_of(home), check=True, capture_output=True)
    return home / "index"


@pytest.fixture
def copied_index(seeds_index: Path, tmp_path: Path) -> Path:
    """Return a copy of the index, to write to; the model that was prepared with it lies beside it, in the same home."""
    copied = seeds_index.parent / tmp_path.name
    shutil.copytree(seeds_index, copied)
    return copied


@pytest.mark.model
@LOOPBACK
def test_the_official_openai_client_completes_a_plain_and_a_streamed_chat(seeds_index: Path) -> None:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionUserMessageParam

    with serving(seeds_index, "--no-page", "--token", TOKEN) as server:
        wait_until_ready(server)
        with OpenAI(base_url=f"{server.address}/v1", api_key=TOKEN) as client:
            models = [model.id for model in client.models.list()]
            messages: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": DUTCH}]
            plain = client.chat.completions.create(model="groundwire", messages=messages)
            chunks = [*client.chat.completions.create(model="groundwire", messages=messages, stream=True)]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert models == ["groundwire"]
    assert "EUR 500 million" in said
    assert said == plain.choices[0].message.content
    assert plain.model_extra is not None
    assert "EUR 500 million" in plain.model_extra["groundwire"]["citations"][0]["quote"]
    assert chunks[-1].model_extra is not None
    assert chunks[-1].model_extra["groundwire"]["status"] == "answered"


@pytest.mark.model
@LOOPBACK
def test_health_answers_at_once_and_ctrl_c_ends_it_well(seeds_index: Path) -> None:
    with serving(seeds_index, "--no-page") as server:
        health = server.get("/healthz")
        not_ready = server.get("/readyz")[0]
        server.process.send_signal(signal.SIGINT)
        _, stderr = server.process.communicate(timeout=60)
    assert health == (200, '{"status":"ok"}')
    assert not_ready == 503
    assert (server.process.returncode, stderr) == (0, "Stopped.\n")


@pytest.mark.model
@LOOPBACK
def test_the_command_serves_the_page_the_articles_and_the_runs_of_the_evaluation(seeds_index: Path) -> None:
    with serving(seeds_index) as server:
        wait_until_ready(server)
        page, articles, runs = (server.get(path) for path in ("/", "/collection", "/reports"))
        with urlopen(f"{server.address}/reports") as answered:
            policy = answered.headers["content-security-policy"]
        files = re.findall(r"/ui-static/page\.\w+\?v=\w+", page[1])
        kept = []
        for file in files:
            with urlopen(server.address + file) as answered:
                kept.append(answered.headers["cache-control"])
    assert (page[0], articles[0], runs[0]) == (200, 200, 200)
    assert "24 articles" in articles[1]
    assert "groundwire eval" in runs[1]
    assert "unsafe-eval" not in policy
    assert sorted(file.split("?")[0] for file in files) == ["/ui-static/page.css", "/ui-static/page.js"]
    assert kept == ["public, max-age=31536000, immutable"] * 2


@pytest.mark.trace
@LOOPBACK
def test_a_server_connects_to_nothing_outside(copied_index: Path, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None and os.environ.get("CI") == "true":
        pytest.fail("CI needs strace; apt-get install strace")
    if strace is None:
        pytest.skip("needs strace; apt-get install strace")
    log = tmp_path / "trace.log"
    traced = (strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(log))
    form = (
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.md"\r\n\r\n# Rome\n\nIt rained.\r\n--x--\r\n'
    )
    loud = "True"  # what a user's environment may say
    with serving(copied_index, "--allow-writes", before=traced, GRADIO_ANALYTICS_ENABLED=loud) as server:
        wait_until_ready(server)
        assert "EUR 500 million" in server.post("/api/v1/ask", json.dumps({"question": DUTCH}).encode())[1]
        assert "EUR 500 million" in server.ask_on_the_page(DUTCH)
        assert '"ingested":1' in server.post("/api/v1/articles", form, "multipart/form-data; boundary=x")[1]
        assert [server.get(path)[0] for path in ("/docs", "/", "/collection", "/reports")] == [200] * 4
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text(encoding="ascii")
        os.kill(int(children.split()[0]), signal.SIGINT)  # the server itself; strace hands nothing on
        server.process.wait(60)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    assert [line for line in lines if "AF_INET" in line] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "news.example"])
def test_an_address_that_others_reach_needs_a_token(host: str) -> None:
    with pytest.raises(InputError, match="there is no token; set GROUNDWIRE_TOKEN"):
        checked(ServeSettings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_alone_needs_no_token(host: str) -> None:
    assert checked(ServeSettings(host=host)).host == host


def test_a_short_token_is_refused() -> None:
    with pytest.raises(InputError, match="the token is short"):
        checked(ServeSettings(token="secret"))


def test_the_command_refuses_to_be_open_to_everybody(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ui.cli", "serve", "--no-page", "--host", "0.0.0.0", "--index", str(tmp_path)]
    done = subprocess.run(command, env=environment_of(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "can be reached from other machines, and there is no token" in done.stderr


@LOOPBACK
@pytest.mark.enable_socket
def test_the_next_free_port_is_taken() -> None:
    settings = ServeSettings()
    with bind(settings) as first, bind(settings) as second:
        assert first.getsockname()[1] < second.getsockname()[1]
        assert address_of(second, settings) == f"http://127.0.0.1:{second.getsockname()[1]}"


@LOOPBACK
@pytest.mark.enable_socket
def test_a_port_that_was_asked_for_is_taken_or_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUseError, match=f"port {port}: Address already in use; name another"):
            bind(ServeSettings(port=port))


@LOOPBACK
@pytest.mark.enable_socket
def test_nobody_listens_where_no_server_runs() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(URLError, match="Connection refused"):
        urlopen(address, timeout=5)


@pytest.mark.model
@LOOPBACK
def test_every_example_of_the_documentation_runs(copied_index: Path, tmp_path: Path, checkout: Path) -> None:
    documented = (checkout / "docs" / "http.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    curl (?:.*\\\n)*.*$", (checkout / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert "http://127.0.0.1:7860/" in shown[0]
    readme = [("bash", code.replace("http://127.0.0.1:7860", "$GROUNDWIRE")) for code in shown]
    examples = readme + re.findall(r"```(bash|python)\n(.*?)```", documented, re.DOTALL)
    runners = {"bash": ["bash", "-euc"], "python": [sys.executable, "-c"]}
    with serving(copied_index, "--allow-writes") as server:
        wait_until_ready(server)
        environment = environment_of(tmp_path, GROUNDWIRE=server.address)
        done = [
            subprocess.run(
                [*runners[kind], code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
            )
            for kind, code in examples
        ]
    wrong = [run for run in done if run.returncode or not run.stdout or '"cause"' in run.stdout]
    assert len(examples) >= 7
    assert [(run.args, run.stdout, run.stderr) for run in wrong] == []


def test_the_unit_of_systemd_is_one(checkout: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze; apt-get install systemd")
    serving_md = (checkout / "docs" / "serving.md").read_text(encoding="utf-8")
    unit = re.findall(r"```ini\n(.*?)```", serving_md, re.DOTALL)[0]
    written = tmp_path / "groundwire.service"
    written.write_text(unit.replace("/opt/groundwire/.venv/bin/groundwire", "/bin/true"), encoding="utf-8")
    done = subprocess.run([analyze, "verify", str(written)], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "groundwire" in line]
    assert (done.returncode, about_ours) == (0, [])


def test_the_container_and_the_unit_use_options_and_settings_that_there_are(checkout: Path) -> None:
    dockerfile = (checkout / "Dockerfile").read_text(encoding="utf-8")
    unit = re.findall(r"ExecStart=(.*)", (checkout / "docs" / "serving.md").read_text(encoding="utf-8"))[0]
    variables = dict(re.findall(r"(GROUNDWIRE_[A-Z]+)=(\S+)", dockerfile))
    settings = load_settings(variables)
    assert (settings.index, settings.serve.host, settings.serve.port) == (Path("/data/index"), "0.0.0.0", 7860)
    options = {name for parameter in groundwire.commands["serve"].params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", unit)) <= options
    assert re.findall(r"CMD \[(.*)\]\n?$", dockerfile) == ['"serve"']


def test_every_setting_of_the_server_is_documented(checkout: Path) -> None:
    serving_md = (checkout / "docs" / "serving.md").read_text(encoding="utf-8")
    assert [field.name for field in fields(ServeSettings) if f"`{field.name}`" not in serving_md] == []
