"""Files in, articles out: plain text, Markdown, JSON, JSON Lines, CSV and TSV.

    for found in find_files(["seeds/", "story.md"]):
        items = [found] if isinstance(found, Unread) else read_articles(found)

Whatever gives no article comes out as an `Unread` with its reason; nothing is dropped silently.
"""

from index.readers.folders import find_files
from index.readers.formats import read_articles
from index.readers.record import Unread

__all__ = ["Unread", "find_files", "read_articles"]
