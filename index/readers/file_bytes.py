"""The bytes of a file, never more than the limit, and never from anything that is not a regular file."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from index.errors import UnreadableError

__all__ = ["MAX_BYTES", "NOT_A_FILE", "open_file", "over_limit", "read_bytes", "why"]

MAX_BYTES = 25_000_000  # of a file that is read whole, or of a line of one that is not
NOT_A_FILE = "is no regular file but a pipe, a socket or a device; give a file or a folder"


def open_file(path: Path) -> BinaryIO:
    """Open a regular file; raise `UnreadableError` for a pipe or a device, which could block or never end."""
    # Without O_NONBLOCK, a pipe that nobody writes to would wait here for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError(NOT_A_FILE)
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file; raise `UnreadableError` where they are over the limit."""
    with open_file(path) as stream:
        data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UnreadableError(over_limit(max(len(data), os.fstat(stream.fileno()).st_size)))
    return data


def over_limit(size_bytes: int) -> str:
    """Return the reason for refusing so many bytes.

    >>> over_limit(50_000_000)
    'is 50 MB, over the limit of 25 MB; split it'
    """
    return f"is {-(-size_bytes // 1_000_000)} MB, over the limit of {MAX_BYTES // 1_000_000} MB; split it"


def why(error: OSError) -> str:
    """Return the reason that an error of the operating system stands for."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "no such file or folder; check the path"
    if isinstance(error, PermissionError):
        return "permission denied; allow reading it, or leave it out"
    return f"cannot be read ({error.strerror or error}); check the path and the disk"
