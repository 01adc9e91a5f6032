"""txtai as its documentation begins: `Embeddings(path=..., content=True)`, and `hybrid=True` as a variant."""

from collections.abc import Sequence
from typing import Any

from tests.bench.peers.job import Found, Job
from tests.bench.peers.worker import serve


class Txtai:
    """Index each document whole, which is its default; what is longer than the model reads is cut off there."""

    def start(self, job: Job) -> None:
        """Load the model by its path."""
        from txtai import Embeddings

        more = {"hybrid": True} if job.variant == "hybrid" else {}
        self._embeddings: Any = Embeddings(path=job.model, content=True, gpu=False, **more)
        self._embeddings.transform("warm")

    def ingest(self, job: Job) -> int:
        """Index the documents; titles are stored beside the text, which alone is embedded."""
        self._embeddings.index({"id": d.id, "text": d.text, "title": d.title} for d in job.documents)
        return int(self._embeddings.count())

    def search(self, question: str, k: int) -> Sequence[Found]:
        """Search."""
        return [Found(row["id"], row["text"]) for row in self._embeddings.search(question, k)]

    def settings(self, job: Job) -> str:
        """Return what is indexed and how."""
        config = self._embeddings.config
        ranked = "meaning and words" if job.variant == "hybrid" else "meaning"
        store = (
            f"{config.get('backend', 'faiss')} and {config['content'] if config['content'] is not True else 'sqlite'}"
        )
        return f"no splitter, batches of 32, {ranked}, {store} in temporary files"

    def packages(self) -> Sequence[str]:
        """Return its own and what embeds."""
        return ["txtai", "transformers", "faiss-cpu", "torch"]


if __name__ == "__main__":
    serve(Txtai())
