"""`groundwire eval`: tables, run files, gates, exit statuses; answers come from files and servers, without a model."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from eval.__main__ import main as main_of_eval
from eval.command import evaluate
from eval.run import read_run
from eval.show import show_failures
from tests.answer_server import ANSWERED, ANSWERS, Server
from tests.fakes import KYIV, FakeEmbedder, write_articles
from tests.scored import QUOTE, status_of_eval


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_articles(tmp_path / "cases.jsonl", *ANSWERED)
    write_articles(tmp_path / "articles.jsonl", KYIV)
    write_articles(tmp_path / "good.jsonl", *ANSWERS)
    write_articles(tmp_path / "bad.jsonl", {"id": "toll", "text": "No answer."}, {"id": "far", "text": "Italy.\x1b[2J"})
    (tmp_path / "gates.toml").write_text("[cases]\nanswered = 1.0\nrefused_far = 1.0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status(*arguments: str) -> int:
    return status_of_eval("cases.jsonl", "--runs", "runs", *arguments)


def failing_with(number: int) -> Callable[..., None]:
    """Return a function that fails as the system does with an error of this number."""

    def fail(*given: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_the_table_is_printed_and_the_run_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("--answers", "good.jsonl") == 0
    assert "evidence_complete       1.000 [0.21 1.00]" in capsys.readouterr().out
    [kept] = (folder / "runs").glob("*-cases.json")
    assert json.loads(kept.read_text(encoding="utf-8"))["metrics"]["score"] == 1.0


def test_the_figures_of_a_kind_are_printed_with_their_intervals(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status("--answers", "good.jsonl")
    sure, none = "1.000 [0.21 1.00]   ", "-".ljust(20)
    shown = capsys.readouterr().out
    assert ("fact".ljust(22) + sure * 3 + none).rstrip() in shown
    assert ("far".ljust(22) + none * 3 + sure).rstrip() in shown


def test_failures_are_printed_with_question_answer_and_evidence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status("--answers", "bad.jsonl")
    shown = capsys.readouterr().out
    assert "toll (cases, fact): refused\n  question: How many died?\n  answer:   No answer." in shown
    assert f"not cited: Toll in Kyiv: “{QUOTE}”" in shown


def test_cases_without_an_answer_are_counted_and_listed_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_articles(folder / "short.jsonl", {"id": "toll", "text": "No answer."})
    status("--answers", "short.jsonl")
    shown = capsys.readouterr().out
    assert shown.startswith("Cases without an answer, which score 0: 1 missing.\n\nfar (cases, far): missing\n")


def test_cases_without_an_answer_are_counted_where_no_failure_is_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_articles(folder / "short.jsonl", {"id": "toll", "text": "No answer."})
    status("--answers", "short.jsonl", "--failures", "0")
    assert "score 0: 1 missing.\n\n2 more failures are in the run file." in capsys.readouterr().out


def test_an_answer_cannot_drive_the_terminal(folder: Path) -> None:
    status("--answers", "bad.jsonl")
    [kept] = (folder / "runs").glob("*.json")
    shown = show_failures(read_run(kept)["failures"], most=2)  # shown by itself: the command's echo would hide a fault
    assert ("Italy.\N{REPLACEMENT CHARACTER}[2J" in shown, "\x1b" in shown) == (True, False)


def test_json_is_one_document_of_the_documented_shape(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status("--answers", "good.jsonl", "--json")
    document = json.loads(capsys.readouterr().out)
    assert {"suite", "n", "metrics", "by_kind", "failures", "settings"} <= set(document)
    assert (document["suite"], document["n"], document["failures"]) == ("cases", 2, [])


def test_below_a_gate_the_status_is_1_and_says_which(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("--answers", "bad.jsonl", "--gate", "gates.toml") == 1
    assert "below the gate: cases: refused_far is 0.0000, the gate is 1.0000" in capsys.readouterr().err


def test_at_its_gates_the_status_is_0(folder: Path) -> None:
    assert status("--answers", "good.jsonl", "--gate", "gates.toml") == 0


def test_gates_are_written_from_todays_numbers(folder: Path) -> None:
    status("--answers", "good.jsonl", "--write-gates", "new.toml")
    assert "[cases]\nquote_fidelity = 1.0\n" in (folder / "new.toml").read_text(encoding="utf-8")


def test_a_report_is_written_beside_the_run(folder: Path) -> None:
    status("--answers", "good.jsonl", "--html")
    [kept] = (folder / "runs").glob("*.html")
    assert kept.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_run_in_the_folder_of_the_user_is_said_to_be_on_the_page_and_another_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("eval.run.runs_folder", lambda: folder / "users")
    said = []
    for where in ([], ["--runs", "runs"]):
        evaluate.main(["cases.jsonl", "--answers", "good.jsonl", *where], standalone_mode=False)
        said.append("lists it at /reports" in capsys.readouterr().err)
    assert (said, len(list((folder / "users").glob("*.json")))) == ([True, False], 1)


def test_two_runs_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status("--answers", "bad.jsonl")
    [earlier] = (folder / "runs").glob("*.json")
    earlier.rename("earlier.json")
    capsys.readouterr()
    status("--answers", "good.jsonl", "--compare", "earlier.json")
    shown = capsys.readouterr().out
    assert "toll         refused -> right: How many died?" in shown
    assert "not enough cases to tell" in shown


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes every later run fail the test."""
    return lambda: monkeypatch.setattr("eval.run.run", lambda *given, **named: pytest.fail("the run has begun"))


def test_a_run_that_shares_no_case_with_the_earlier_one_is_refused_before_it_begins(
    folder: Path, capsys: pytest.CaptureFixture[str], no_run: Callable[[], None]
) -> None:
    status("--answers", "good.jsonl")
    [earlier] = (folder / "runs").glob("*.json")
    earlier.rename("earlier.json")
    write_articles(folder / "cases.jsonl", *({**case, "id": f"new {case['id']}"} for case in ANSWERED))
    no_run()
    assert status("--answers", "good.jsonl", "--compare", "earlier.json") == 2
    assert "no case in common; the earlier one has the suites cases" in capsys.readouterr().err


def test_gates_of_other_suites_are_refused_before_the_run_begins(
    folder: Path, capsys: pytest.CaptureFixture[str], no_run: Callable[[], None]
) -> None:
    (folder / "others.toml").write_text("[test]\nanswered = 1.0\n", encoding="utf-8")
    no_run()
    assert status("--answers", "good.jsonl", "--gate", "others.toml") == 2
    assert "no gate for cases; the file has gates for test" in capsys.readouterr().err


def test_a_run_is_kept_whatever_fails_behind_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status("--answers", "good.jsonl")
    [earlier] = (folder / "runs").glob("*.json")
    earlier.rename("earlier.json")
    monkeypatch.setattr("eval.compare.compare_runs", lambda first, second: 1 / 0)
    command = ["cases.jsonl", "--answers", "good.jsonl", "--runs", "runs", "--compare", "earlier.json"]
    with pytest.raises(ZeroDivisionError):
        evaluate.main(command, standalone_mode=False)
    assert len(list((folder / "runs").glob("*.json"))) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runs", "cases.jsonl"], "cases.jsonl: cannot be written (Not a directory); make that possible, or name"),
        (["--runs", "cases.jsonl/runs"], "cases.jsonl/runs: cannot be written (Not a directory)"),
        (["--write-gates", "gone/new.toml"], "gone/new.toml: cannot be written (No such file or directory)"),
        (["--write-gates", "."], ".: cannot be written (Is a directory)"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_run_begins(
    folder: Path, capsys: pytest.CaptureFixture[str], no_run: Callable[[], None], arguments: list[str], said: str
) -> None:
    no_run()
    assert status("--answers", "good.jsonl", *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_may_not_be_written_to_is_refused_before_the_run_begins(
    folder: Path, capsys: pytest.CaptureFixture[str], no_run: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_run()
    monkeypatch.setattr("eval.command.TemporaryFile", failing_with(errno.EACCES))  # root may write everywhere
    assert status("--answers", "good.jsonl") == 2
    assert "runs: cannot be written (Permission denied)" in capsys.readouterr().err


def test_a_run_that_fails_writes_no_gates_and_leaves_those_there_are(folder: Path) -> None:
    (folder / "old.toml").write_text("# mine\n", encoding="utf-8")
    for name in ("old.toml", "new.toml"):
        status("--answers", "gone.jsonl", "--write-gates", name)
    assert ((folder / "old.toml").read_text(encoding="utf-8"), (folder / "new.toml").exists()) == ("# mine\n", False)


def test_the_table_is_printed_though_the_run_cannot_be_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eval.run.write_run", failing_with(errno.ENOSPC))
    assert status("--answers", "good.jsonl") == 2
    captured = capsys.readouterr()
    assert "evidence_complete       1.000 [0.21 1.00]" in captured.out
    assert captured.err.startswith("groundwire: runs: cannot be written (No space left on device); make that possible")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--answers", "gone.jsonl"], "gone.jsonl"),
        (["--answers", "good.jsonl", "--url", "http://x"], "two systems"),
        (["--url", "ftp://x"], "no address"),
        (["--url", "http://x", "--model", "llama"], "our dialect, which names no model; leave out --model"),
        (["--answers", "good.jsonl", "--gate", "gone.toml"], "gone.toml"),
        (["--answers", "good.jsonl", "--compare", "good.jsonl"], "cannot be read as a run"),
        (["nonesuch", "--answers", "good.jsonl"], "nonesuch"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_what_cannot_run_has_status_2_and_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert status(*arguments) == 2
    captured = capsys.readouterr()
    assert (captured.out, said in captured.err, "Traceback" in captured.err) == ("", True, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--answers", "good.jsonl", "--model", "m"], "--model is for a server at --url; leave it out with --answers"),
        (["--answers", "good.jsonl", "--token-file", "t"], "--token-file is for a server at --url; leave it out with"),
        (["--model", "m"], "--model is for a server at --url; leave it out with our own bot"),
        (["--token-file", "t"], "--token-file is for a server at --url; leave it out with our own bot"),
        (["--answers", "good.jsonl", "-k", "8"], "-k is for our own bot; leave it out with --answers"),
        (["--url", "http://x", "-k", "3"], "-k is for our own bot; leave it out with --url"),
        (["--url", "http://x", "--writer", "quoter"], "--writer is for our own bot; leave it out with --url"),
        (["--articles", "a", "--index", "i"], "--articles is for a fresh index; leave it out with --index"),
    ],
)
def test_an_option_that_means_nothing_beside_another_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert status(*arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("suites", "named"), [([], "our own suites"), (["dev", "unseen"], "dev, unseen")])
def test_articles_for_our_own_suites_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], suites: list[str], named: str
) -> None:
    assert status_of_eval(*suites, "--articles", "articles.jsonl", "--answers", "good.jsonl", "--runs", "runs") == 2
    assert f"--articles is for a FILE of cases; leave it out with {named}" in capsys.readouterr().err


def test_python_m_eval_does_the_same(folder: Path, checkout: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "eval",
        "cases.jsonl",
        "--runs",
        "runs",
        "--answers",
        "bad.jsonl",
        "--gate",
        "gates.toml",
    ]
    done = subprocess.run(command, env={"PYTHONPATH": str(checkout)}, capture_output=True, text=True, check=False)
    assert (done.returncode, "refused_far             0.000" in done.stdout) == (1, True)


def test_python_m_eval_says_what_it_cannot_do(folder: Path, checkout: Path) -> None:
    command = [sys.executable, "-m", "eval", "nonesuch"]
    done = subprocess.run(command, env={"PYTHONPATH": str(checkout)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.startswith("eval: nonesuch: neither a suite")) == (2, True)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ZeroDivisionError("by a mouse"), "ZeroDivisionError: by a mouse\neval: this is an error of"),
        (KeyboardInterrupt(), "Stopped. A run that was not finished is not kept.\n"),
    ],
)
def test_python_m_eval_stopped_by_anything_is_not_below_a_gate(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    said: str,
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise raised

    monkeypatch.setattr("eval.run.run", fail)
    monkeypatch.setattr(sys, "argv", ["eval", "cases.jsonl", "--runs", "runs", "--answers", "good.jsonl"])
    with pytest.raises(SystemExit) as stop:
        main_of_eval()
    assert (stop.value.code, said in capsys.readouterr().err) == (2, True)


def test_a_reader_of_the_output_of_python_m_eval_that_leaves_early_is_no_error(folder: Path, checkout: Path) -> None:
    command = [sys.executable, "-m", "eval", "cases.jsonl", "--runs", "runs", "--answers", "good.jsonl"]
    env = {"PYTHONPATH": str(checkout)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate()
    assert (process.returncode, err.startswith("wrote runs/")) == (0, True)


def test_a_reader_that_leaves_early_hides_no_missed_gate(folder: Path, checkout: Path) -> None:
    command = [sys.executable, "-m", "eval", "cases.jsonl", "--answers", "bad.jsonl", "--gate", "gates.toml"]
    env = {"PYTHONPATH": str(checkout), "XDG_DATA_HOME": str(folder)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate()
    assert (process.returncode, "below the gate" in err) == (1, True)


def figures(output: str) -> Mapping[str, float]:
    found: Mapping[str, float] = json.loads(output)["metrics"]
    return found


def test_a_server_of_ours_is_scored(folder: Path, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    status("--url", server, "--json")
    assert figures(capsys.readouterr().out)["score"] == 1.0
    assert Server.asked[0] == ("/api/v1/ask", None, {"question": "How many died?", "history": []})


def test_a_server_of_openais_dialect_is_scored(folder: Path, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "token").write_text("secret\n", encoding="utf-8")
    status("--url", f"{server}/v1", "--model", "llama", "--token-file", "token", "--json")
    assert figures(capsys.readouterr().out)["score"] == 1.0
    path, token, body = Server.asked[0]
    assert (path, token, body["model"]) == ("/v1/chat/completions", "Bearer secret", "llama")


def test_a_run_without_a_single_answer_could_not_run(
    folder: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("--url", f"{server}/elsewhere/ask") == 2
    assert "no case was answered: ServerError: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cases.jsonl", "--limit", "5"], "--limit is for public sets; leave it out with cases.jsonl"),
        (["--data", "sets"], "--data is for public sets; leave it out with our own suites"),
    ],
)
def test_what_suites_of_cases_cannot_do_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert status_of_eval(*arguments, "--answers", "good.jsonl", "--runs", "runs") == 2
    assert said in capsys.readouterr().err


def test_our_bot_answers_with_the_embedder_of_the_settings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate.main(
        ["cases.jsonl", "--runs", "runs", "--json", "--writer", "quoter"],
        obj=SimpleNamespace(embedder=FakeEmbedder), standalone_mode=False,
    )  # fmt: skip
    settings = json.loads(capsys.readouterr().out)["settings"]
    told = {name: settings[name] for name in ("system", "embedder", "writer", "model")}
    assert told == {"system": "groundwire", "embedder": "fake", "writer": "quoter", "model": None}


@pytest.mark.model
def test_our_own_bot_answers_over_a_fresh_index(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["settings"]["system"], document["metrics"]["quote_fidelity"]) == ("groundwire", 1.0)
