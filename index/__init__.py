"""What Groundwire knows and how to find it: articles, passages, vectors, words."""

from index.article import Article
from index.embed import BUNDLED_MODEL, Embedder, SentenceTransformerEmbedder
from index.errors import (
    ArticleNotFoundError,
    DateError,
    GroundwireError,
    IndexDamagedError,
    IndexFolderError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    InputError,
    ModelError,
    QuestionError,
    UnreadableError,
)
from index.fast_embed import FastEmbedder
from index.ingest import FileReport, IngestReport
from index.news_index import Hit, NewsIndex
from index.passage import Chunking, Passage

__all__ = [
    "BUNDLED_MODEL",
    "Article",
    "ArticleNotFoundError",
    "Chunking",
    "DateError",
    "Embedder",
    "FastEmbedder",
    "FileReport",
    "GroundwireError",
    "Hit",
    "IndexDamagedError",
    "IndexFolderError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "IngestReport",
    "InputError",
    "ModelError",
    "NewsIndex",
    "Passage",
    "QuestionError",
    "SentenceTransformerEmbedder",
    "UnreadableError",
]
