"""Haystack as its documentation shows it: an indexing pipeline and a query pipeline over the in-memory store."""

from collections.abc import Sequence
from typing import Any

from tests.bench.peers.job import Found, Job
from tests.bench.peers.worker import serve


class Haystack:
    """Use DocumentSplitter's defaults, and cosine or dot product as the store's default has it."""

    def start(self, job: Job) -> None:
        """Build both pipelines; their models are loaded when they are warm."""
        from haystack import Pipeline
        from haystack.components.preprocessors import DocumentSplitter
        from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
        from haystack.components.writers import DocumentWriter
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack.utils import ComponentDevice
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )

        cpu = ComponentDevice.from_str("cpu")
        self._store = InMemoryDocumentStore()
        self._splitter = DocumentSplitter()
        embedder = SentenceTransformersDocumentEmbedder(model=job.model, device=cpu, progress_bar=False)
        self._batch = embedder.batch_size
        self._indexing, self._querying = Pipeline(), Pipeline()
        for name, component in (("embedder", embedder), ("writer", DocumentWriter(document_store=self._store))):
            self._indexing.add_component(name, component)
        self._indexing.connect("embedder", "writer")
        if job.cut:
            self._indexing.add_component("splitter", self._splitter)
            self._indexing.connect("splitter", "embedder")
        question = SentenceTransformersTextEmbedder(model=job.model, device=cpu, progress_bar=False)
        self._querying.add_component("embedder", question)
        self._querying.add_component("retriever", InMemoryEmbeddingRetriever(document_store=self._store))
        self._querying.connect("embedder.embedding", "retriever.query_embedding")
        self._indexing.warm_up()
        self._querying.warm_up()
        question.run(text="warm")

    def ingest(self, job: Job) -> int:
        """Run the indexing pipeline; titles go along as metadata, which is not embedded by default."""
        from haystack import Document

        documents = [Document(id=d.id, content=d.text, meta={"title": d.title, "of": d.id}) for d in job.documents]
        self._indexing.run({"splitter" if job.cut else "embedder": {"documents": documents}})
        return int(self._store.count_documents())

    def search(self, question: str, k: int) -> Sequence[Found]:
        """Run the query pipeline."""
        result: Any = self._querying.run({"embedder": {"text": question}, "retriever": {"top_k": k}})
        return [Found(d.meta["of"], d.content or "") for d in result["retriever"]["documents"]]

    def settings(self, job: Job) -> str:
        """Return the splitter and the store."""
        s = self._splitter
        cut = (
            f"DocumentSplitter {s.split_length} {s.split_by}s, overlap {s.split_overlap}" if job.cut else "no splitter"
        )
        return f"{cut}, batches of {self._batch}, InMemoryDocumentStore"

    def packages(self) -> Sequence[str]:
        """Return its own and what embeds."""
        return ["haystack-ai", "sentence-transformers-haystack", "sentence-transformers", "torch"]


if __name__ == "__main__":
    serve(Haystack())
