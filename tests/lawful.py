"""What holds of every answer, whoever wrote it."""

from index import NewsIndex
from rag import Answer

__all__ = ["assert_lawful"]


def assert_lawful(answer: Answer, index: NewsIndex) -> None:
    for citation in answer.citations:
        article = index.article(citation.article_id, citation.revision)
        assert article.text[citation.start : citation.end] == citation.quote
        assert article.text_sha256 == citation.text_sha256
    for sentence in answer.sentences:
        assert answer.text[sentence.start : sentence.end] == sentence.text
        marks = "".join(f"[{number}]" for number in sentence.citations)
        assert answer.text[sentence.end :].startswith(marks)
