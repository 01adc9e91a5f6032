"""Groundwire by its public API: `NewsIndex`, a file of articles in, passages out, everything on disk."""

import json
from collections.abc import Sequence
from pathlib import Path

from index.news_index import NewsIndex
from index.scope import Filters
from index.tokens import count_tokens
from tests.bench.peers.job import Found, Job
from tests.bench.peers.worker import serve


class Groundwire:
    """Ingest a JSON Lines file into a new index folder; the variant "meaning" ranks without words."""

    def start(self, job: Job) -> None:
        """Write the file, open the index, and load the model and the vocabulary that passages are counted in."""
        self._articles = Path(job.folder) / "articles.jsonl"
        rows = [{"id": d.id, "title": d.title, "text": d.text} for d in job.documents]
        self._articles.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        cache = Path(job.cache) if job.cache else None
        self._index = NewsIndex.open(Path(job.folder) / "index", create=True, cache=cache)
        self._index.embedder.embed_queries(["warm"])
        count_tokens(["warm"])
        self._meaning_alone = job.variant == "meaning"

    def ingest(self, job: Job) -> int:
        """Ingest the file and return the passages made."""
        report = self._index.ingest(self._articles)
        held = len(self._index.articles())
        if held != len(job.documents):
            raise RuntimeError(f"{held} of {len(job.documents)} articles were ingested: {report.to_json()['totals']}")
        return report.passages

    def search(self, question: str, k: int) -> Sequence[Found]:
        """Search by meaning and words, or by meaning alone."""
        if self._meaning_alone:
            hits = self._index.find(question, k=k, filters=Filters(), dense_weight=1.0)
        else:
            hits = self._index.search(question, k=k)
        return [Found(hit.article.id, hit.passage.text) for hit in hits]

    def settings(self, job: Job) -> str:
        """Return the chunker, the embedder, and what ranks."""
        stats = self._index.stats()
        ranked = "meaning" if self._meaning_alone else "meaning and words"
        return f"{stats['chunking']} tokens, {stats['fingerprint'].split()[-1]}, {ranked}, on disk"

    def packages(self) -> Sequence[str]:
        """Return ours and what embeds."""
        return ["groundwire", "openvino", "faiss-cpu", "tantivy"]


if __name__ == "__main__":
    serve(Groundwire())
