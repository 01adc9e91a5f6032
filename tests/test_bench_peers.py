import json
import os
import re
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eval.benchmarks.data_files import MissingDataError
from index.passage import Chunking
from tests.bench.peers import run
from tests.bench.peers.chunkers import Chunker, chunk_lines, placed
from tests.bench.peers.corpus import CHECKOUT, Corpus, chunked, sample_articles, sampled, squad_paragraphs
from tests.bench.peers.groundwire_worker import Groundwire
from tests.bench.peers.job import Document, Found, Job, Outcome, read_job, read_outcome, write_json
from tests.bench.peers.judge import MEASURES, Question, Verdict, judge, scores
from tests.bench.peers.table import Entry, better_than_ours, cost_table, ingest_bar, quality_table
from tests.bench.peers.worker import measure
from tests.fakes import FakeEmbedder
from tests.test_benchmarks_squad import folder as squad_folder

__all__ = ["squad_folder"]  # a fixture

PEER_REQUIREMENTS = CHECKOUT / "tests" / "bench" / "peers" / "requirements.txt"
FRANCE = Document(id="normans", title="The Normans of France", text="Rollo came from the north. He swore fealty.")
JOB = Job(
    model="model", documents=(FRANCE,), questions=("Who came?", "Who swore?"), k=3, cut=True, variant="", folder="f",
    cache=None,
)  # fmt: skip


def outcome(ingest_s: float, *, query_ms: float = 10.0, peak_mb: float = 100.0) -> Outcome:
    return Outcome(
        versions={"thing": "1.0"}, settings="no splitter", chunks=2, start_s=1.0, ingest_s=ingest_s,
        query_ms=(query_ms,) * 4, peak_mb=peak_mb, found=((Found("normans", "Rollo"),),),
    )  # fmt: skip


def entry(name: str, *rounds: Outcome, right: Sequence[float] = (1.0, 0.0)) -> Entry:
    return Entry(name, rounds, dict.fromkeys(MEASURES, right))


def bench(peers: Path, *questions: Question) -> run.Bench:
    corpus = Corpus((FRANCE,), questions or (Question("Where?", frozenset({"normans"}), ("France",)),), "one article")
    return run.Bench(peers, None, 1, corpus, chunked(corpus.articles, FakeEmbedder(), Chunking()))


def test_a_job_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    write_json(JOB, tmp_path / "job.json")
    assert read_job(tmp_path / "job.json") == JOB


def test_an_outcome_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    write_json(outcome(2.5), tmp_path / "outcome.json")
    assert read_outcome(tmp_path / "outcome.json") == outcome(2.5)


class Recorder:
    """Write down what it is asked to do."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def start(self, job: Job) -> None:
        self.asked.append("start")

    def ingest(self, job: Job) -> int:
        self.asked.append("ingest")
        return 7

    def search(self, question: str, k: int) -> Sequence[Found]:
        self.asked.append(f"{question} {k}")
        return [Found("normans", question)]

    def settings(self, job: Job) -> str:
        return "as told"

    def packages(self) -> Sequence[str]:
        return ["numpy"]


def test_a_system_is_started_fed_and_asked_one_question_untimed_before_all_of_them() -> None:
    system = Recorder()
    seen = measure(system, JOB)
    assert system.asked == ["start", "ingest", "Who came? 3", "Who came? 3", "Who swore? 3"]
    assert (seen.chunks, len(seen.query_ms)) == (7, 2)
    assert seen.found == ((Found("normans", "Who came?"),), (Found("normans", "Who swore?"),))


def test_a_chunk_of_another_article_is_no_hit_even_with_the_answer_in_it() -> None:
    question = Question("Where?", frozenset({"b"}), ("France",))
    found = [Found("a", "In France."), Found("b", "In the north.")]
    assert judge(found, question, {"a": "a", "b": "b"}) == Verdict(article=2, answer=0)


def test_what_is_not_found_has_rank_zero() -> None:
    assert judge([], Question("Where?", frozenset({"b"}), ("France",)), {}) == Verdict(0, 0)


def test_scores_count_what_is_within_k_and_nothing_behind_it() -> None:
    seen = scores([Verdict(1, 0), Verdict(6, 6), Verdict(0, 0)])
    assert seen["recall@1"] == [1.0, 0.0, 0.0]
    assert seen["recall@5"] == [1.0, 0.0, 0.0]
    assert seen["recall@10"] == [1.0, 1.0, 0.0]
    assert seen["MRR@10"] == pytest.approx([1.0, 1 / 6, 0.0])
    assert seen["hit@10"] == [0.0, 1.0, 0.0]
    assert tuple(seen) == MEASURES


def test_a_title_line_is_embedded_with_a_chunk_and_is_not_among_its_words() -> None:
    chunks = chunked([FRANCE], FakeEmbedder(), Chunking())
    (document,) = chunks.documents
    assert document.text == "The Normans of France\nRollo came from the north. He swore fealty."
    assert chunks.words == {document.id: FRANCE.text}
    assert chunks.article_of == {document.id: "normans"}


def test_an_answer_in_the_title_line_of_a_chunk_is_no_hit() -> None:
    here = bench(Path(sys.executable))
    (chunk,) = here.chunks.documents
    seen = run.judged(here, [[Found(chunk.id, chunk.text)]])
    assert (seen["recall@1"], seen["hit@10"]) == ([1.0], [0.0])


def test_squad_asks_the_answerable_questions_of_the_test_half(squad_folder: Path) -> None:
    corpus = squad_paragraphs(squad_folder, distractors=False)
    assert [article.title for article in corpus.articles] == ["Amazon", "Builders", "Comets", "Deserts"]
    assert corpus.questions == (
        Question("When was the tower of Gloucester built?", frozenset({"Builders-1"}), ("1222",)),
        Question("What covers the stones of the Atacama?", frozenset({"Deserts-3"}), ("Lichens",)),
    )


@pytest.mark.parametrize("official", [False, True])
def test_training_paragraphs_stand_beside_and_are_asked_nothing(squad_folder: Path, *, official: bool) -> None:
    paragraph = {"context": "A golden dome stands in Indiana.", "qas": []}
    if official:
        told = {"data": [{"title": "Notre_Dame", "paragraphs": [paragraph]}]}
        (squad_folder / "train-v1.1.json").write_text(json.dumps(told), encoding="utf-8")
    else:
        line = json.dumps({"title": "Notre_Dame", **paragraph})
        (squad_folder / "train-v1.1.jsonl").write_text(line + "\n", encoding="utf-8")
    corpus = squad_paragraphs(squad_folder, distractors=True)
    added = Document(id="train-0", title="Notre Dame", text="A golden dome stands in Indiana.")
    assert corpus.articles[-1] == added
    assert len(corpus.questions) == 2
    assert "1 of train-v1.1" in corpus.about


def test_without_the_training_set_the_paragraphs_of_the_other_are_the_corpus(squad_folder: Path) -> None:
    assert squad_paragraphs(squad_folder, distractors=True).articles == squad_paragraphs(
        squad_folder, distractors=False
    ).articles  # fmt: skip


def test_a_folder_without_squad_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="holds no dev"):
        squad_paragraphs(tmp_path, distractors=True)


def test_without_squad_the_sample_articles_are_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = run.load(tmp_path, small=True, embedder=FakeEmbedder())
    assert "the sample articles take its place" in capsys.readouterr().out
    assert corpus == sample_articles(FakeEmbedder())
    held = {article.id for article in corpus.articles}
    assert corpus.questions
    assert all(question.articles <= held for question in corpus.questions)


def test_a_sample_of_questions_keeps_their_order_and_is_the_same_every_time() -> None:
    questions = [Question(str(number), frozenset({"a"}), ("b",)) for number in range(50)]
    drawn = sampled(questions, 10, seed=0)
    assert drawn == sampled(questions, 10, seed=0)
    assert [int(q.text) for q in drawn] == sorted(int(q.text) for q in drawn)
    assert len(drawn) == 10


def test_ratios_are_taken_within_a_round() -> None:
    ours = entry("Groundwire", outcome(1.0), outcome(10.0), outcome(2.0))
    theirs = entry("Peer", outcome(4.0), outcome(50.0), outcome(12.0))
    assert ingest_bar([ours, theirs]) == ["ingest against Peer: 5.0 times as fast (4.0 to 6.0), bar 4: kept"]


def test_a_bar_that_is_missed_is_called_missed() -> None:
    assert ingest_bar([entry("Groundwire", outcome(1.0)), entry("Peer", outcome(3.9))])[0].endswith("bar 4: MISSED")


def test_a_cost_that_is_lower_in_every_round_is_told_as_better() -> None:
    ours = entry("Groundwire", outcome(1.0, peak_mb=100.0), outcome(1.0, peak_mb=100.0))
    lower = entry("Low", outcome(2.0, peak_mb=50.0), outcome(2.0, peak_mb=60.0))
    once = entry("Once", outcome(2.0, peak_mb=50.0), outcome(2.0, peak_mb=110.0))
    assert better_than_ours([ours, lower, once]) == ["Low: peak memory is 0.55 times ours"]


def test_a_measure_that_is_higher_by_more_than_chance_is_told_as_better() -> None:
    ours = entry("Groundwire", outcome(1.0), right=[0.0, 1.0] * 20)
    theirs = entry("Peer", outcome(2.0), right=[1.0, 1.0] * 20)
    assert better_than_ours([ours, theirs]) == [f"Peer: {m} is 1.000, ours 0.500 (p 0.000)" for m in MEASURES]


def test_a_measure_that_may_be_higher_by_chance_is_told_as_not_significant() -> None:
    ours = entry("Groundwire", outcome(1.0), right=[0.0, 1.0] * 20)
    chance = entry("Chance", outcome(2.0), right=[1.0, 1.0] + [0.0, 1.0] * 19)
    told = better_than_ours([ours, chance])
    assert told == [f"Chance: {m} is 0.525, ours 0.500 (p 1.000, not significant)" for m in MEASURES]


def test_a_measure_that_is_as_high_as_ours_or_lower_is_not_told() -> None:
    ours = entry("Groundwire", outcome(1.0), right=[0.0, 1.0])
    peers = [entry("Same", outcome(2.0), right=[1.0, 0.0]), entry("Lower", outcome(2.0), right=[0.0, 0.0])]
    assert better_than_ours([ours, *peers]) == []


def test_our_own_variants_are_no_peers() -> None:
    entries = [entry("Groundwire", outcome(1.0)), entry("Groundwire, meaning alone", outcome(0.5))]
    assert (better_than_ours(entries), ingest_bar(entries)) == ([], [])


def test_tables_have_a_row_for_each_system_and_a_ratio_for_each_peer() -> None:
    entries = [entry("Groundwire", outcome(2.0), outcome(4.0)), entry("Peer", outcome(10.0), outcome(10.0))]
    head, rule, ours, theirs = cost_table(entries)
    assert head.count("|") == rule.count("|") == ours.count("|") == theirs.count("|")
    assert ours == "| Groundwire | 2 | 1.0 | 3.0 (2.0–4.0) | 10.0 | 10.0 | 100 |"
    assert theirs == "| Peer | 2 | 1.0 = 1.0× | 10.0 = 3.8× | 10.0 = 1.0× | 10.0 = 1.0× | 100 = 1.0× |"
    assert quality_table(entries)[2].startswith("| Groundwire | 0.500 | 0.500 [0.000, 1.000] |")


def test_a_worker_that_fails_ends_the_run_with_its_own_words() -> None:
    with pytest.raises(RuntimeError, match=r"Nobody: the worker ended with 1\n.*nobody_worker"):
        run.work(bench(Path(sys.executable)), run.Contestant("Nobody", "nobody", ""), cut=True)


def test_a_peer_runs_offline_with_its_telemetry_off_and_a_home_of_its_own(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\nexit 3\n", encoding="utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(RuntimeError, match="Haystack: the worker ended with 3"):
        run.work(bench(python), run.CONTESTANTS[2], cut=True)
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text(encoding="utf-8").splitlines())
    assert {name: seen[name] for name in run.QUIET} == run.QUIET
    assert (seen["HF_HUB_OFFLINE"], seen["HAYSTACK_TELEMETRY_ENABLED"]) == ("1", "False")
    assert seen["HOME"] != os.environ.get("HOME")


def test_a_chunk_that_repeats_earlier_words_is_placed_behind_the_one_before() -> None:
    text = "rain, rain, rain, rain"
    assert list(placed(text, ["rain, rain", "rain, rain"], overlapping=False)) == [(0, 10), (12, 22)]


def test_chunks_that_overlap_are_placed_where_they_are() -> None:
    text = "to be or not to be"
    assert list(placed(text, ["to be or", "or not to", "to be"], overlapping=True)) == [(0, 8), (6, 15), (13, 18)]


def test_a_chunk_whose_words_the_text_has_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="the text has no 'sun' behind character 4"):
        list(placed("rain and snow", ["rain", "sun"], overlapping=False))


def test_a_line_names_the_chunker_the_text_and_the_place(tmp_path: Path) -> None:
    path = tmp_path / "finance.md"
    path.write_bytes(b"One.\r\nTwo.")
    lines = Chunker(name="Peer, 1 line", overlapping=False, cut=str.splitlines)
    assert [json.loads(line) for line in chunk_lines(lines, path)] == [
        {"chunker": "Peer, 1 line", "corpus": "finance", "start": 0, "end": 4},
        {"chunker": "Peer, 1 line", "corpus": "finance", "start": 6, "end": 10},
    ]


def test_peers_embed_with_the_torch_and_sentence_transformers_that_we_pin() -> None:
    def pins(path: Path) -> set[str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {line for line in lines if line.partition("==")[0] in {"torch", "sentence-transformers"}}

    assert len(pins(PEER_REQUIREMENTS)) == 2
    assert pins(PEER_REQUIREMENTS) == pins(CHECKOUT / "constraints.txt")


def test_the_versions_that_the_documentation_gives_are_those_that_are_pinned() -> None:
    text = (CHECKOUT / "docs" / "peers.md").read_text(encoding="utf-8")
    told = re.findall(r"([\w-]+) (\d+\.\d+\.\d+)[,.;]", " ".join(text.split()))
    pinned = PEER_REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    assert {f"{name}=={version}" for name, version in told} <= set(pinned)
    assert {name for name, _ in told} >= {"llama-index-core", "haystack-ai", "txtai"}


@pytest.mark.model
@pytest.mark.parametrize("variant", ["", "meaning"])
def test_our_own_worker_finds_the_article_that_answers(tmp_path: Path, variant: str) -> None:
    other = Document(id="dome", title="Notre Dame", text="A golden dome stands in Indiana.")
    job = replace(
        JOB, documents=(FRANCE, other), questions=("Who swore fealty?",), variant=variant, folder=str(tmp_path),
        cache=None,
    )  # fmt: skip
    seen = measure(Groundwire(), job)
    assert seen.found[0][0] == Found("normans", FRANCE.text)
    assert seen.chunks == 2
