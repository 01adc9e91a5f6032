"""LlamaIndex as its documentation begins: `VectorStoreIndex.from_documents` with a local embedding model."""

from collections.abc import Sequence
from typing import Any

from tests.bench.peers.job import Found, Job
from tests.bench.peers.worker import serve


class LlamaIndex:
    """Use the default splitter (SentenceSplitter) and the default, in-memory vector store."""

    _index: Any

    def start(self, job: Job) -> None:
        """Load the model by its path."""
        from llama_index.core import Settings
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self._model = HuggingFaceEmbedding(model_name=job.model, device="cpu")
        self._model.get_text_embedding("warm")
        self._splitter = Settings.node_parser

    def ingest(self, job: Job) -> int:
        """Index documents with their titles as metadata, or each chunk as a node."""
        from llama_index.core import Document, VectorStoreIndex
        from llama_index.core.schema import TextNode

        if job.cut:
            documents = [Document(text=d.text, doc_id=d.id, metadata={"title": d.title}) for d in job.documents]
            self._index = VectorStoreIndex.from_documents(documents, embed_model=self._model)
        else:
            nodes = [TextNode(text=d.text, id_=d.id) for d in job.documents]
            self._index = VectorStoreIndex(nodes=nodes, embed_model=self._model)
        return len(self._index.index_struct.nodes_dict)

    def search(self, question: str, k: int) -> Sequence[Found]:
        """Retrieve nodes."""
        nodes = self._index.as_retriever(similarity_top_k=k).retrieve(question)
        return [Found(node.node.ref_doc_id or node.node.node_id, node.node.text) for node in nodes]

    def settings(self, job: Job) -> str:
        """Return the splitter and the store."""
        size, overlap = self._splitter.chunk_size, self._splitter.chunk_overlap
        cut = f"SentenceSplitter {size} tokens, overlap {overlap}" if job.cut else "no splitter"
        return f"{cut}, batches of {self._model.embed_batch_size}, SimpleVectorStore in memory"

    def packages(self) -> Sequence[str]:
        """Return its own and what embeds."""
        return ["llama-index-core", "llama-index-embeddings-huggingface", "sentence-transformers", "torch"]


if __name__ == "__main__":
    serve(LlamaIndex())
