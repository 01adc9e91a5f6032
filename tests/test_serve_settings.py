"""Settings of the server, and how often one client may do a thing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from index.errors import InputError
from ui.cli import groundwire
from ui.rate_limit import RateLimit
from ui.settings import ServeSettings, load_settings

from .test_verify_answer import TEXTS, answered


def test_a_file_sets_the_server_and_a_variable_wins(tmp_path: Path) -> None:
    (tmp_path / "groundwire.toml").write_text(
        'port = 8080\nallow_writes = true\nhosts = "a.example"\n', encoding="utf-8"
    )
    settings = load_settings({"GROUNDWIRE_PORT": "9090", "GROUNDWIRE_PAGE": "off"}, index=tmp_path)
    assert settings.serve == ServeSettings(port=9090, allow_writes=True, hosts="a.example", page=False)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("GROUNDWIRE_PORT", "http", "GROUNDWIRE_PORT is 'http'; give a whole number"),
        ("GROUNDWIRE_PORT", "-1", "give a whole number"),
        ("GROUNDWIRE_ALLOW_WRITES", "perhaps", "give true or false"),
        ("GROUNDWIRE_HOST", "", "give a text that is not empty"),
        ("GROUNDWIRE_SERVE", "x", "there is no setting 'GROUNDWIRE_SERVE'"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(name: str, value: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        load_settings({name: value}, index=tmp_path)


def test_the_token_is_not_shown() -> None:
    assert "hidden" not in repr(ServeSettings(token="hidden-from-everybody"))


def test_a_bucket_fills_again_at_an_even_pace() -> None:
    now = [0.0]
    limit = RateLimit(2, clock=lambda: now[0])
    waits = [limit.wait_s("a") for _ in range(3)]
    now[0] = 29.0
    waits.append(limit.wait_s("a"))
    now[0] = 30.0
    waits.append(limit.wait_s("a"))
    assert waits == pytest.approx([0, 0, 30, 1, 0])


def test_a_flood_of_clients_is_forgotten_oldest_first() -> None:
    limit = RateLimit(1, clock=lambda: 0.0)
    limit.wait_s("first")
    for number in range(10_000):
        limit.wait_s(str(number))
    assert limit.wait_s("first") == 0
    assert limit.wait_s("9999") == 60


def test_the_command_checks_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_text(json.dumps({"answer": answered(), "texts": TEXTS}), encoding="utf-8")
    done = CliRunner().invoke(groundwire, ["verify-answer", str(file)], standalone_mode=False)
    assert (done.return_value, done.output) == (
        0, "supported: At least 19 people were killed in Kyiv on Thursday. (verbatim)\n",
    )  # fmt: skip


def test_the_command_names_a_citation_that_does_not_stand(tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_text(json.dumps({"answer": answered(), "texts": []}), encoding="utf-8")
    done = CliRunner().invoke(groundwire, ["verify-answer", str(file), "--json"], standalone_mode=False)
    assert done.return_value == 1
    assert json.loads(done.output)["rejected"][0]["reason"] == "no text of article 'kyiv' was given"


@pytest.mark.parametrize("text", ["{", "[]", '{"answer": 1, "texts": []}', '{"answer": {}, "texts": 1}'])
def test_the_command_refuses_what_is_no_answer(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answer.json"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(groundwire, ["verify-answer", str(file)], standalone_mode=False)
    assert isinstance(done.exception, InputError)
