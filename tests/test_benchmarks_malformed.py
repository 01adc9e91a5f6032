"""Files of public sets that are broken: each is said with its place and its field, and no other set suffers for it."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from eval.benchmarks import SUITES, Options
from eval.benchmarks.__main__ import run
from eval.benchmarks.beir import load_queries
from eval.benchmarks.data_files import WHICH_FILE
from eval.benchmarks.squad import load
from index.errors import InputError
from tests.fakes import FakeEmbedder

PARAGRAPH = {"title": "Owls", "context": "Owls hunt mice.", "qas": []}
ASKED = {"id": "1", "question": "What do owls hunt?", "answers": [{"text": "mice", "answer_start": 10}]}
PASSAGE = {"title": "Owls", "text": "Owls hunt mice.", "sentences": ["Owls hunt mice."]}
CLAPNQ = {"id": "1", "input": "what do owls hunt", "passages": [PASSAGE], "output": []}
FACT = {"title": "Owls", "fact": "Owls hunt mice."}
QUERY = {"query": "What do owls hunt?", "answer": "mice", "question_type": "inference_query", "evidence_list": [FACT]}
CLAIM = {
    "claim": "Owls hunt.", "label": "supported", "evidence": ["Owls hunt mice."],
    "meta": {"id": "1", "claim_title": "Owls", "chunk_idx": [0]},
}  # fmt: skip
TASK = {
    "task_id": "1", "conversation_id": "1", "input": [{"speaker": "user", "text": "What do owls hunt?"}],
    "contexts": [{"document_id": "owls-0-15", "text": "Owls hunt mice."}], "answerability": ["ANSWERABLE"],
}  # fmt: skip
CHAT = {"question": "Who needs a lift?", "answer": "Adam", "evidence": "20260105_14:00", "type": "Single"}
REFERENCE = {"content": "Owls", "start_index": 0, "end_index": 4}
RESULT = {"question_id": "1", "search_result": [{"text": "Owls hunt mice.", "publish_date": "2022/06/10"}]}
QUIZ = {
    "question_id": "1", "question_date": "2022/06/17", "question_sentence": "What do owls hunt?",
    "choices": ["mice", "hay"], "answer": ["0"],
}  # fmt: skip
UNANSWERABLE = {"dev-unanswerable.jsonl": [CLAPNQ]}
FOUND = {"20220617_gcs.jsonl": [RESULT]}
BEIR = {
    "corpus.jsonl": [{"_id": "1", "text": "Owls hunt mice."}], "queries.jsonl": [{"_id": "q", "text": "What hunts?"}],
    "qrels/test.tsv": b"q\t1\t1\n",
}  # fmt: skip


def without(row: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != field}


def table(*rows: Mapping[str, str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def excerpts(references: str) -> dict[str, Any]:
    """Return the files of the set of chunking, with what a question's `references` read."""
    row = {"question": "What hunts mice?", "references": references, "corpus_id": "owls"}
    return {"owls.md": b"Owls hunt mice.", "questions_df.csv": table(row)}


def archive(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as files:
        files.writestr(name, content)
    return packed.getvalue()


def write(folder: Path, files: Mapping[str, Any]) -> None:
    """Write files: bytes as they are, of JSON Lines each item as a line, else one JSON value."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif path.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        else:
            path.write_text(json.dumps(content), encoding="utf-8")


def broken(sentence: str, suite: str, files: Mapping[str, Any], said: str) -> Any:  # noqa: ANN401 - pytest's own
    return pytest.param(suite, files, said, id=sentence)


MALFORMED = [
    broken("an object without data", "squad", {"dev-v2.0.json": {}}, "dev-v2.0.json: there is no `data`"),
    broken("a list for an object", "squad", {"dev-v2.0.json": []}, "dev-v2.0.json: is [], not an object"),
    broken("no JSON", "squad", {"dev-v2.0.json": b"{"},
           "dev-v2.0.json: is not JSON (EOF while parsing an object at line 1 column 1)"),
    broken("bytes that are no UTF-8", "squad", {"dev-v2.0.json": b"\xff"},
           "dev-v2.0.json: cannot be read ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte)"),
    broken("a file that is named gzip and is not", "squad", {"dev-v2.0.jsonl.gz": b"{}"},
           "dev-v2.0.jsonl.gz: cannot be read (Not a gzipped file (b'{}'))"),
    broken("a gzip that breaks off", "squad", {"dev-v2.0.jsonl.gz": gzip.compress(b"{}" * 99)[:-9]},
           "dev-v2.0.jsonl.gz: cannot be read (Compressed file ended before the end-of-stream marker was reached)"),
    broken("a row that is no object", "squad", {"dev-v2.0.jsonl": [PARAGRAPH, 5]},
           "dev-v2.0.jsonl:2: is 5, not an object"),
    broken("a paragraph without its questions", "squad", {"dev-v2.0.jsonl": [without(PARAGRAPH, "qas")]},
           "dev-v2.0.jsonl:1: there is no `qas`"),
    broken("a paragraph without its questions in the official file", "squad",
           {"dev-v2.0.json": {"data": [{"title": "Owls", "paragraphs": [{"context": "Owls."}]}]}},
           "dev-v2.0.json: there is no `data[0].paragraphs[0].qas`"),
    broken("words that are a number", "squad", {"dev-v2.0.jsonl": [{**PARAGRAPH, "context": 5}]},
           "dev-v2.0.jsonl:1: `context` is 5, not a valid string"),
    broken("an answer without its words", "squad",
           {"dev-v2.0.jsonl": [{**PARAGRAPH, "qas": [{**ASKED, "answers": [{"answer_start": 1}]}]}]},
           "dev-v2.0.jsonl:1: there is no `qas[0].answers[0].text`"),
    broken("a question without a passage", "clapnq", {"dev-answerable.jsonl": [without(CLAPNQ, "passages")],
           **UNANSWERABLE}, "dev-answerable.jsonl:1: there is no `passages`"),
    broken("an empty list of passages", "clapnq", {"dev-answerable.jsonl": [{**CLAPNQ, "passages": []}],
           **UNANSWERABLE}, "dev-answerable.jsonl:1: `passages` is empty"),
    broken("a query without its evidence", "multihop_rag",
           {"MultiHopRAG.json": [QUERY, without(QUERY, "evidence_list")]},
           "MultiHopRAG.json: there is no `[1].evidence_list`"),
    broken("a fact without its name", "multihop_rag", {"MultiHopRAG.json": [QUERY], "facts.jsonl": [FACT]},
           "facts.jsonl:1: there is no `fact_id`"),
    broken("an article without its words", "multihop_rag", {"MultiHopRAG.json": [QUERY], "corpus.json": [{}]},
           "corpus.json: there is no `[0].body`"),
    broken("a table without the column of excerpts", "chunking",
           {"owls.md": b"Owls", "questions_df.csv": table({"question": "Who?", "corpus_id": "owls"})},
           "questions_df.csv:2: there is no `references`"),
    broken("excerpts that are no JSON", "chunking", excerpts("["),
           "questions_df.csv:2: `references` is not JSON (EOF while parsing a list at line 1 column 1)"),
    broken("a question without excerpts", "chunking", excerpts("[]"), "questions_df.csv:2: `references` is empty"),
    broken("an excerpt of no characters", "chunking", excerpts(json.dumps([{**REFERENCE, "content": ""}])),
           "questions_df.csv:2: `references[0].content` is empty"),
    broken("a field longer than Python reads", "chunking", excerpts(json.dumps([REFERENCE]) + " " * 140_000),
           "questions_df.csv:2: is not CSV (field larger than field limit (131072))"),
    broken("a sentence without its number", "wice", {"claim-dev.jsonl": [{**CLAIM, "evidence": ["Owls.", "Mice."]}]},
           "claim-dev.jsonl:1: `meta.chunk_idx` has 1 numbers for 2 sentences"),
    broken("a claim without its page", "wice", {"claim-dev.jsonl": [without(CLAIM, "meta")]},
           "claim-dev.jsonl:1: there is no `meta`"),
    broken("a task without its passages", "mtrag", {"reference.jsonl": [without(TASK, "contexts")]},
           "reference.jsonl:1: there is no `contexts`"),
    broken("a conversation without a message", "mtrag", {"reference.jsonl": [{**TASK, "input": []}]},
           "reference.jsonl:1: `input` is empty"),
    broken("a list for an object of questions", "lihua", {"query_set.json": []},
           "query_set.json: is [], not an object"),
    broken("a question without evidence", "lihua", {"query_set.json": {"7": without(CHAT, "evidence")}},
           "query_set.json: there is no `7.evidence`"),
    broken("an archive that is none", "lihua", {"query_set.json": {"7": CHAT}, "LiHuaWorld.zip": b"no archive"},
           "LiHuaWorld.zip: cannot be read (File is not a zip file)"),
    broken("a chat that is no UTF-8", "lihua",
           {"query_set.json": {"7": CHAT}, "LiHuaWorld.zip": archive("a.txt", b"\xff")},
           "LiHuaWorld.zip: cannot be read ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte)"),
    broken("a judged query of blanks", "beir", {**BEIR, "queries.jsonl": [{"_id": "q", "text": " "}]},
           "queries.jsonl:1: the query q has no words, and is judged"),
    broken("a document without its name", "beir", {**BEIR, "corpus.jsonl": [{"text": "Owls."}]},
           "corpus.jsonl:1: there is no `_id`"),
    broken("a query without its words", "beir", {**BEIR, "queries.jsonl": [{"_id": "q"}]},
           "queries.jsonl:1: there is no `text`"),
    broken("results without their question", "realtime_qa",
           {"20220617_qa.jsonl": [QUIZ], "20220617_gcs.jsonl": [without(RESULT, "question_id")]},
           "20220617_gcs.jsonl:1: there is no `question_id`"),
    broken("a question without its name", "realtime_qa", {"20220617_qa.jsonl": [without(QUIZ, "question_id")], **FOUND},
           "20220617_qa.jsonl:1: there is no `question_id`"),
    broken("an answer that is no list", "realtime_qa", {"20220617_qa.jsonl": [{**QUIZ, "answer": "A"}], **FOUND},
           "20220617_qa.jsonl:1: `answer` is 'A', not a valid array"),
    broken("an answer that numbers no choice", "realtime_qa", {"20220617_qa.jsonl": [{**QUIZ, "answer": ["2"]}],
           **FOUND}, "20220617_qa.jsonl:1: `answer` is '2', not the number of a choice"),
    broken("a day that is none", "realtime_qa", {"20220617_qa.jsonl": [{**QUIZ, "question_date": "Friday"}], **FOUND},
           "20220617_qa.jsonl:1: `question_date` is 'Friday', not a day"),
]  # fmt: skip

NO_QUESTION = [
    broken("paragraphs without a question", "squad", {"dev-v2.0.json": {"data": []}}, "question"),
    broken("empty files", "clapnq", {"dev-answerable.jsonl": [], "dev-unanswerable.jsonl": []}, "question"),
    broken("an empty list", "multihop_rag", {"MultiHopRAG.json": [], "corpus.json": []}, "question"),
    broken("a heading alone", "chunking", {"owls.md": b"", "questions_df.csv": b"question,references,corpus_id\n"},
           "question"),
    broken("an empty file", "wice", {"claim-dev.jsonl": []}, "question"),
    broken("an empty file of tasks", "mtrag", {"reference.jsonl": []}, "question"),
    broken("an empty object", "lihua", {"query_set.json": {}, "LiHuaWorld.zip": archive("none", b"")}, "question"),
    broken("no judgement of a query", "beir", {**BEIR, "qrels/test.tsv": b"query-id\tcorpus-id\tscore\n"}, "question"),
    broken("weeks without a question", "realtime_qa", {"20220617_qa.jsonl": [], **FOUND}, "question"),
    broken("an empty corpus", "beir", {**BEIR, "corpus.jsonl": []}, "document"),
    broken("tasks without a passage", "mtrag", {"reference.jsonl": [{**TASK, "contexts": []}]}, "document"),
]  # fmt: skip


def complaint(suite: str, folder: Path) -> str:
    """Run a set and return what it says against its files."""
    with pytest.raises(InputError) as error:
        SUITES[suite](Options(folder=folder, part="all" if suite != "beir" else "test", embedder=FakeEmbedder()))
    return str(error.value)


@pytest.mark.parametrize(("suite", "files", "said"), MALFORMED)
def test_a_malformed_file_is_said_with_its_line_its_field_and_what_to_do(
    tmp_path: Path, suite: str, files: Mapping[str, Any], said: str
) -> None:
    write(tmp_path, files)
    assert complaint(suite, tmp_path) == f"{tmp_path}/{said}; {WHICH_FILE}"


@pytest.mark.parametrize(("suite", "files", "missing"), NO_QUESTION)
def test_a_set_without_a_question_or_a_document_is_an_error_not_figures_of_nothing(
    tmp_path: Path, suite: str, files: Mapping[str, Any], missing: str
) -> None:
    write(tmp_path, files)
    assert complaint(suite, tmp_path).startswith(f"{tmp_path}: no {missing} ")


def test_a_malformed_set_ends_with_status_2_and_the_others_are_run(tmp_path: Path) -> None:
    write(tmp_path / "squad", {"dev-v2.0.json": {}})
    done = CliRunner().invoke(run, ["squad", "clapnq", "--data", str(tmp_path)])
    assert (done.exit_code, done.stderr) == (
        2, f"eval.benchmarks: squad: {tmp_path}/squad/dev-v2.0.json: there is no `data`; {WHICH_FILE}\n",
    )  # fmt: skip
    assert done.stdout.startswith("clapnq: not measured\n")


ODD = [
    pytest.param(
        "squad", {"dev-v2.0.json": b"\xef\xbb\xbf" + json.dumps({"data": []}).encode()}, id="a byte-order mark"
    ),
    pytest.param(
        "squad",
        {"dev-v2.0.json": b'{"data": [{"title": "\\ud83d", "paragraphs": []}]}'},
        id="half a pair of surrogates",
    ),
]


@pytest.mark.parametrize(("suite", "files"), ODD)
def test_what_programs_write_though_they_should_not_is_read(
    tmp_path: Path, suite: str, files: Mapping[str, Any]
) -> None:
    write(tmp_path, files)
    assert complaint(suite, tmp_path).startswith(f"{tmp_path}: no question ")  # it was read to its end


def test_a_query_of_blanks_that_nobody_judged_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {**BEIR, "queries.jsonl": [*BEIR["queries.jsonl"], {"_id": "z", "text": ""}]})
    assert [query.id for query in load_queries(tmp_path, "test")] == ["q"]


def test_a_question_without_an_answer_needs_no_list_of_answers(tmp_path: Path) -> None:
    asked = {"id": 262, "question": "What do owls read?", "is_impossible": True}
    write(
        tmp_path, {"dev-v2.0.json": {"data": [{"title": "Owls", "paragraphs": [{"context": "Owls.", "qas": [asked]}]}]}}
    )
    assert [question.id for paragraph in load(tmp_path) for question in paragraph.questions] == ["262"]
