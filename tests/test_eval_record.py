"""A run says what it was made of, is the same every time, and refuses what is no suite and no run."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from eval.run import from_file, our_bot, read_run, run, write_run
from eval.suites import Suite, UnusedEmbedder, find_suites
from index.errors import InputError
from tests.fakes import KYIV, NOW, FakeEmbedder, write_articles
from tests.scored import CASES, REFUSAL, TOLL, Scored, saying, suite


def test_a_run_names_its_articles_settings_and_versions(scored: Scored) -> None:
    settings = scored(toll=TOLL)["settings"]
    assert (settings["system"], settings["corpora"]["mine"]["articles"]) == ("fake", 2)
    assert {"python", "numpy", "ir-measures"} <= set(settings["versions"])


def test_another_text_is_another_corpus(tmp_path: Path) -> None:
    def checksum(folder: str, text: str) -> str:
        (tmp_path / folder).mkdir()
        made = suite(tmp_path / folder, {"id": "n", "question": "?", "refuse": True})
        write_articles(made.articles[0], {**KYIV, "text": text})
        document = run([made], saying({}), started=NOW)
        return str(document["settings"]["corpora"]["mine"]["sha256"])

    assert checksum("a", "It rained.") == checksum("b", "It rained.") != checksum("c", "It snowed.")


def test_other_cases_have_another_checksum(tmp_path: Path) -> None:
    def checksum(*cases: Mapping[str, Any]) -> str:
        document = run([suite(tmp_path, *cases)], saying({}), started=NOW)
        return str(document["settings"]["cases_sha256"]["mine"])

    assert checksum(CASES[2]) == checksum(CASES[2]) != checksum({**CASES[2], "question": "How many in Kyiv?"})


def test_other_answers_have_another_checksum(tmp_path: Path) -> None:
    def checksum(text: str) -> str:
        answers = write_articles(tmp_path / "answers.jsonl", {"id": "toll", "text": text})
        document = run([suite(tmp_path)], from_file(answers, embedder=UnusedEmbedder()), started=NOW)
        return str(document["settings"]["answers_sha256"])

    assert checksum("19.") == checksum("19.") != checksum("20.")


def test_our_bot_is_named_by_what_was_fitted_too(tmp_path: Path, checkout: Path) -> None:
    settings = run([suite(tmp_path)], our_bot(embedder=FakeEmbedder()), started=NOW)["settings"]
    fitted = [
        sha256((checkout / "rag" / name).read_bytes()).hexdigest() for name in ("reader.safetensors", "quoter.json")
    ]
    assert [settings["reader_sha256"], settings["quoter_sha256"]] == fitted


def test_two_runs_of_our_bot_are_the_same_but_for_their_time(tmp_path: Path) -> None:
    def scores() -> dict[str, Any]:
        document = run([suite(tmp_path)], our_bot(embedder=FakeEmbedder()), started=NOW)
        del document["timings_ms"]
        for case in document["cases"]:
            del case["ms"]
        return document

    assert scores() == scores()


@pytest.mark.model
def test_two_processes_score_our_bot_the_same_whatever_their_hashes(tmp_path: Path, checkout: Path) -> None:
    own = checkout / "eval" / "cases" / "unseen"
    few = (own / "cases.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[::8]
    (tmp_path / "few.jsonl").write_text("".join(few), encoding="utf-8")
    found = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "eval", "few.jsonl", "--articles", str(own / "articles.jsonl"), "--runs", seed]
        env = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONHASHSEED": seed}
        subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
        [kept] = (tmp_path / seed).glob("*.json")
        document = read_run(kept)
        untimed = [{name: value for name, value in case.items() if name != "ms"} for case in document["cases"]]
        found.append((document["metrics"], document["settings"], untimed))
    assert len(found[0][2]) == 5
    assert found[0] == found[1]


def test_our_bot_is_described_by_its_writer_and_its_embedder(tmp_path: Path) -> None:
    document = run([suite(tmp_path)], our_bot(embedder=FakeEmbedder(), k=3), started=NOW)
    described = {name: document["settings"][name] for name in ("system", "writer", "model", "k", "embedder")}
    assert described == {"system": "groundwire", "writer": "quoter", "model": None, "k": 3, "embedder": "fake"}


def test_progress_is_told_case_by_case(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    run([suite(tmp_path)], saying({}), started=NOW, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_articles_that_cannot_be_read_stop_the_run(tmp_path: Path) -> None:
    made = suite(tmp_path)
    made.articles[0].write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"articles\.jsonl"):
        run([made], saying({}), started=NOW)


def test_a_file_of_cases_brings_its_articles_from_beside_it(tmp_path: Path) -> None:
    made = suite(tmp_path)
    assert find_suites([str(tmp_path)]) == [Suite(tmp_path.name, made.cases, made.articles)]


def test_cases_without_articles_are_refused(tmp_path: Path) -> None:
    write_articles(tmp_path / "mine.jsonl", CASES[2])
    with pytest.raises(InputError, match="--articles PATH"):
        find_suites([str(tmp_path / "mine.jsonl")])


def test_a_suite_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="neither a suite"):
        find_suites(["nonesuch"])


def test_two_suites_of_one_name_are_refused(tmp_path: Path) -> None:
    suite(tmp_path)
    with pytest.raises(InputError, match="two suites are called"):
        find_suites([str(tmp_path), str(tmp_path)])


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 0}'])
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json"):
        read_run(tmp_path / "run.json")


def test_a_run_survives_being_written(tmp_path: Path, scored: Scored) -> None:
    document = scored(toll=TOLL)
    (tmp_path / "run.json").write_text(json.dumps(document), encoding="utf-8")
    assert read_run(tmp_path / "run.json") == document


def test_runs_of_one_second_are_all_kept(tmp_path: Path, scored: Scored) -> None:
    documents = [scored(toll=TOLL), scored(toll=REFUSAL), scored()]
    kept = [write_run(document, tmp_path / "runs") for document in documents]
    names = [f"{NOW:%Y%m%dT%H%M%SZ}-{name}.json" for name in ("mine", "mine-2", "mine-3")]
    assert [(path.name, read_run(path)) for path in kept] == list(zip(names, documents, strict=True))
