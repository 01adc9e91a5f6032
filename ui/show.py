"""Answers, hits, articles and reports as plain text for a terminal. Pure: values in, text out."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from index.article import Article
from index.ingest import IngestReport
from index.news_index import Hit
from rag.answer import Answer, Citation

__all__ = ["show_answer", "show_article", "show_articles", "show_hits", "show_report", "show_stats"]

_UNKNOWN = "unknown"


def show_answer(answer: Answer, *, width: int = 100) -> str:
    """Return the answer with its marks, then what each mark points at; of a refusal, the nearest passages."""
    labels = {hit.article.id: hit.article.label for hit in answer.hits}
    blocks = [_wrapped(answer.text, width)]
    blocks += [_wrapped(f"Note: {notice.text}", width) for notice in answer.notices]
    blocks += (
        ["\n".join(_citation(citation, labels, width) for citation in answer.citations)] if answer.citations else []
    )
    if answer.refusal and answer.refusal.nearest:
        blocks.append("Nearest passages:\n" + show_hits(answer.refusal.nearest, width=width))
    return "\n\n".join(blocks)


def show_hits(hits: Sequence[Hit], *, width: int = 100) -> str:
    """Return one block a hit: rank, score, where it stands, and its words."""
    return "\n".join(
        f"{hit.rank:>2}. {_origin(hit.article)}  (score {hit.score:.2f}, {printable(hit.passage.id)})\n"
        + _wrapped(hit.passage.text, width, indent="    ")
        for hit in hits
    )


def show_articles(articles: Sequence[Article]) -> str:
    """Return one line an article: its day, its source, its id and its title."""
    rows = [
        ((a.published or _UNKNOWN)[:10], printable(a.source or _UNKNOWN), printable(a.id), printable(a.label))
        for a in articles
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    )


def show_article(article: Article) -> str:
    """Return what is known of an article, and its text."""
    known = {
        "id": article.id, "revision": str(article.revision), "title": article.title, "source": article.source,
        "author": article.author, "published": article.published, "updated": article.updated, "url": article.url,
        "language": article.language, "text sha256": article.text_sha256, **article.metadata,
    }  # fmt: skip
    lines = [f"{name}: {printable(value)}" for name, value in known.items() if value]
    return "\n".join(lines) + "\n\n" + printable(article.text)


def show_report(report: IngestReport) -> str:
    """Return the totals, then a line for everything that was not ingested."""
    totals = ", ".join(f"{count} {outcome}" for outcome, count in report.totals.items() if count) or "nothing found"
    lines = [f"{totals}; {report.passages} passages"]
    for file in report.files:
        if file.outcome != "ingested":
            several = f" ({len(file.articles)} articles)" if len(file.articles) > 1 else ""
            reason = printable(file.reason or "") + (f": {printable(file.of)}" if file.of else "")
            lines.append(f"  {file.outcome:9} {printable(file.path)}{several}: {reason}")
    return "\n".join(lines)


def show_stats(stats: Mapping[str, Any]) -> str:
    """Return one line a figure."""
    published = stats["published"]
    sources = ", ".join(f"{printable(source)} ({count})" for source, count in stats["sources"].items()) or "none"
    rows = {
        "folder": stats["folder"],
        "articles": f"{stats['articles']} ({stats['revisions']} revisions, {stats['passages']} passages)",
        "published": f"{published['first'] or _UNKNOWN} to {published['last'] or _UNKNOWN}"
        + (f", {published['unknown']} without a date" if published["unknown"] else ""),
        "sources": sources,
        "model": f"{stats['model']} ({_engine(stats)}), passages {stats['chunking']}",
        "state": f"generation {stats['generation']}, commit {stats['commit_seq']}",
    }
    return "\n".join(f"{name:10} {value}" for name, value in rows.items())


def _engine(stats: Mapping[str, Any]) -> str:
    """Return what computed the vectors: what the fingerprint says behind the weights' checksum, if anything."""
    if not stats["fingerprint"]:
        return "not used yet"
    return f"{stats['dimension']}, {stats['fingerprint'].partition(' ')[2] or 'float32'}"


def printable(text: str) -> str:
    """Return text that is safe to print: an article may carry escape sequences that drive a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _citation(citation: Citation, labels: Mapping[str, str], width: int) -> str:
    origin = [
        citation.title or labels.get(citation.article_id, citation.article_id),
        citation.source,
        (citation.published or "")[:10],
    ]
    url = citation.url if citation.url and citation.url.startswith(("http://", "https://")) else None
    also = sorted({copy.source or copy.title or copy.article_id for copy in citation.also_in})
    heading = " | ".join(printable(part) for part in (*origin, url) if part)
    lines = [_wrapped(f"[{citation.number}] {heading}", width)]
    lines.append(_wrapped(f"“{' '.join(citation.quote.split())}”", width, indent="    "))
    lines.append(
        f"    {printable(citation.article_id)}@{citation.revision}, characters {citation.start}-{citation.end}"
    )
    if also:
        lines.append(_wrapped(f"also in: {', '.join(also)}", width, indent="    "))
    return "\n".join(lines)


def _origin(article: Article) -> str:
    parts = (article.label, article.source, (article.published or "")[:10])
    return " | ".join(printable(part) for part in parts if part)


def _wrapped(text: str, width: int, indent: str = "") -> str:
    lines = printable(text).splitlines()
    return "\n".join(textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent) for line in lines)
