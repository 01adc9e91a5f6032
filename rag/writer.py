"""Writers: from a question and its evidence to a draft that points at its sources."""

from typing import Protocol

from rag.cite import Draft
from rag.question import Question
from rag.retrieve import Evidence

__all__ = ["Writer"]


class Writer(Protocol):
    """Write an answer. `NewsBot` takes anything with these members; its citations are checked whatever it writes."""

    @property
    def name(self) -> str:
        """Return the name that answers carry."""

    @property
    def model(self) -> str | None:
        """Return the language model behind the writer, if there is one."""

    def write(self, question: Question, evidence: Evidence) -> Draft:
        """Return a draft; one without sentences refuses."""
