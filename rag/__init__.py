"""From a question to a checked answer."""

from rag.answer import Answer, Citation, Event, Refusal, Sentence
from rag.bot import NewsBot
from rag.cite import Draft
from rag.quoter import Quoter
from rag.writer import Writer

__all__ = [
    "Answer",
    "Citation",
    "Draft",
    "Event",
    "NewsBot",
    "Quoter",
    "Refusal",
    "Sentence",
    "Writer",
]
