"""The loaders of the sets that retrieval is fitted on: which questions fit, which test, and what each has to find."""

import csv
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from eval.fit.retrieval_sets import LOADERS, Need, RetrievalSet, Stretch

OWLS, BEES, COAL = "Owls hunt mice at night.", "Bees dance to name a meadow.", "The last pit of Durham closed."


def write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def of_documents(*names: str) -> tuple[Need, ...]:
    return tuple(Need(documents=frozenset({name})) for name in names)


def read(folder: Path, name: str) -> tuple[RetrievalSet, dict[str, tuple[bool, tuple[Need, ...]]]]:
    """Return a set, and for each of its questions whether it fits and its needs."""
    data = LOADERS[name](folder)
    return data, {question.text: (question.fits, question.needs) for question in data.questions}


def test_articles_of_squad_fit_and_test_in_turns_and_need_their_paragraph(tmp_path: Path) -> None:
    rows = []
    for title, text in (("Bees", BEES), ("Coal", COAL), ("Owls", OWLS)):
        answers = [{"text": text.split()[0], "answer_start": 0}]
        asked = [{"id": title, "question": f"{title}?", "is_impossible": False, "answers": answers},
                 {"id": f"{title}-no", "question": f"No {title}?", "is_impossible": True, "answers": []}]  # fmt: skip
        rows.append({"title": title, "context": text, "qas": asked})
    write_lines(tmp_path / "squad" / "dev-v2.0.jsonl", rows)
    data, questions = read(tmp_path, "squad")
    assert questions == {
        "Bees?": (True, of_documents("Bees-0")),
        "Coal?": (False, of_documents("Coal-1")),
        "Owls?": (True, of_documents("Owls-2")),
    }
    assert ([article.text for article in data.articles], data.by_document) == ([BEES, COAL, OWLS], True)


def test_passages_of_clapnq_fit_and_test_by_title_and_those_with_the_same_words_are_one(tmp_path: Path) -> None:
    def row(name: str, title: str, text: str) -> dict[str, object]:
        passage = {"title": title, "text": text, "sentences": [text]}
        return {"id": name, "input": f"{name}?", "passages": [passage], "output": [{"selected_sentences": [text]}]}

    answerable = [row("owls", "Owls", OWLS), row("bees", "Bees", BEES), row("hives", "Bees", BEES)]
    write_lines(tmp_path / "clapnq" / "clapnq_dev_answerable.jsonl", answerable)
    write_lines(tmp_path / "clapnq" / "clapnq_dev_unanswerable.jsonl", [row("coal", "Coal", COAL)])
    data, questions = read(tmp_path, "clapnq")
    assert questions == {  # titles: Bees fits, Coal tests, Owls fits
        "owls?": (True, of_documents("owls")),
        "bees?": (True, of_documents("bees")),
        "hives?": (True, of_documents("bees")),
    }
    assert [article.id for article in data.articles] == ["owls", "bees", "coal"]


def test_conversations_of_mtrag_fit_and_test_in_turns_by_the_question_that_stands_alone(tmp_path: Path) -> None:
    def task(name: str, question: str, document: str, text: str) -> dict[str, object]:
        return {
            "task_id": question, "conversation_id": name, "answerability": ["ANSWERABLE"],
            "input": [{"speaker": "user", "text": question}],
            "contexts": [{"document_id": document, "text": text, "title": ""}],
        }  # fmt: skip

    tasks = [
        task("b", "Which pit of Durham closed?", "coal", COAL), task("a", "Who hunts mice?", "owls", OWLS),
        task("a", "Who dances to name a meadow?", "bees", BEES), task("c", "x" * 3000, "owls", OWLS),
    ]  # fmt: skip
    write_lines(tmp_path / "mtrag" / "reference.jsonl", tasks)
    _, questions = read(tmp_path, "mtrag")
    assert questions == {
        "Which pit of Durham closed?": (False, of_documents("coal")),
        "Who hunts mice?": (True, of_documents("owls")),
        "Who dances to name a meadow?": (True, of_documents("bees")),
    }


def test_questions_of_lihua_world_fit_and_test_by_their_chats_and_need_each(tmp_path: Path) -> None:
    folder = tmp_path / "lihua-world"
    folder.mkdir()
    with zipfile.ZipFile(folder / "LiHuaWorld.zip", "w") as archive:
        for day, words in ((5, OWLS), (6, BEES), (7, COAL)):
            archive.writestr(f"2026010{day}.txt", f"Time: 2026010{day}_14:00\n{words}\n")
    evidence = {"Owls?": "20260105_14:00", "Bees?": "20260106_14:00<and>20260107_14:00", "Coal?": "20260107_14:00"}
    rows = {q: {"question": q, "answer": "", "evidence": times, "type": "Single"} for q, times in evidence.items()}
    rows["Null?"] = {"question": "Null?", "answer": "", "evidence": "N/A", "type": "Null"}
    (folder / "query_set.json").write_text(json.dumps(rows), encoding="utf-8")
    _, questions = read(tmp_path, "lihua")
    assert questions == {
        "Owls?": (True, of_documents("20260105_14:00")),
        "Bees?": (False, of_documents("20260106_14:00", "20260107_14:00")),
        "Coal?": (False, of_documents("20260107_14:00")),  # with "Bees?", which needs the same chat
    }


def test_queries_of_multihop_rag_fit_and_test_by_their_evidence_and_need_every_fact(tmp_path: Path) -> None:
    def query(name: str, *facts: tuple[str, str]) -> dict[str, object]:
        evidence = [{"title": title, "fact": fact} for title, fact in facts]
        return {"id": name, "query": name, "answer": "", "question_type": "inference_query", "evidence_list": evidence}

    folder = tmp_path / "multihop-rag"
    write_lines(folder / "facts.jsonl", [{"fact_id": "owls", "title": "Owls", "fact": OWLS}])
    write_lines(folder / "partial_chunks.jsonl", [{"chunk_id": "coal", "title": "Coal", "text": COAL}])
    queries = [query("Owls?", ("Owls", OWLS)), query("Both?", ("Bees", BEES), ("Ants", COAL)), query("Null?"),
               query("Coal?", ("Coal", COAL))]  # fmt: skip
    write_lines(folder / "queries.jsonl", queries)
    data, questions = read(tmp_path, "multihop_rag")
    assert questions == {  # groups: Ants fits, Coal tests, Owls fits
        "Owls?": (True, (Need(fact=OWLS),)),
        "Both?": (True, (Need(fact=BEES), Need(fact=COAL))),
        "Coal?": (False, (Need(fact=COAL),)),
    }
    assert ([article.id for article in data.articles], data.by_document) == (["owls", "coal"], False)


def test_corpora_of_the_chunking_evaluation_fit_and_test_in_turns_and_need_their_stretches(tmp_path: Path) -> None:
    folder = tmp_path / "chunking_evaluation"
    (folder / "corpora").mkdir(parents=True)
    with (folder / "questions_df.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "references", "corpus_id"])
        for name, text in (("owls", OWLS), ("bees", BEES)):
            (folder / "corpora" / f"{name}.md").write_text(text, encoding="utf-8")
            writer.writerow([f"{name}?", json.dumps([{"content": text[:4], "start_index": 0, "end_index": 4}]), name])
    _, questions = read(tmp_path, "chunking")
    assert questions == {
        "bees?": (True, (Need(stretches=(Stretch(document="bees", start=0, end=4),)),)),
        "owls?": (False, (Need(stretches=(Stretch(document="owls", start=0, end=4),)),)),
    }
