"""Every error that Groundwire raises on purpose.

    GroundwireError
    ├── InputError                what the caller gave cannot be used
    │   ├── QuestionError         an empty question, or one over the limit
    │   ├── DateError             a date that is not one
    │   └── UnreadableError       a file, or a line of one, that holds no readable article
    ├── ArticleNotFoundError      no article (or revision) of that id
    ├── ModelError                the embedding model is missing, altered or unusable
    └── IndexFolderError          the index folder cannot be used
        ├── IndexMissingError     there is none
        ├── IndexMismatchError    another model, dimension, chunker or schema made it
        ├── IndexLockedError      another process is using it
        └── IndexDamagedError     its files contradict their checksums

Each message says where, what with its value, and what to do.
"""

__all__ = [
    "ArticleNotFoundError",
    "DateError",
    "GroundwireError",
    "IndexDamagedError",
    "IndexFolderError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "InputError",
    "ModelError",
    "QuestionError",
    "UnreadableError",
]


class GroundwireError(Exception):
    """Stand for everything that Groundwire raises on purpose; catch this to catch them all."""


class InputError(GroundwireError):
    """Say that a value given by the caller cannot be used."""


class QuestionError(InputError):
    """Say that a question is empty or too long."""


class DateError(InputError):
    """Say that a text is not a date in ISO 8601."""


class UnreadableError(InputError):
    """Say that a file, or a line of it, holds no readable article."""


class ArticleNotFoundError(GroundwireError):
    """Say that the index holds no article, or no revision of it, under that id."""


class ModelError(GroundwireError):
    """Say that the embedding model is missing, altered or unusable."""


class IndexFolderError(GroundwireError):
    """Say that an index folder cannot be used."""


class IndexMissingError(IndexFolderError):
    """Say that there is no index in the folder."""


class IndexMismatchError(IndexFolderError):
    """Say that the index was made with another model, dimension, chunker or schema."""


class IndexLockedError(IndexFolderError):
    """Say that another process is using the index: writing to it, or reading it for longer than a commit waits."""


class IndexDamagedError(IndexFolderError):
    """Say that a file of the index contradicts its checksum."""
