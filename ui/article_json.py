"""An article as JSON: the same field names on the command line and over HTTP."""

from dataclasses import fields
from typing import Any

from index.article import Article

__all__ = ["article_json"]


def article_json(article: Article, *, text: bool) -> dict[str, Any]:
    """Return the documented JSON form, with the text and its checksum or without."""
    left_out = set() if text else {"text"}
    shape = {f.name: getattr(article, f.name) for f in fields(article) if f.name not in left_out}
    return {**shape, "metadata": dict(article.metadata), **({"text_sha256": article.text_sha256} if text else {})}
