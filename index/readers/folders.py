"""The files in folders, in an order that does not change from run to run."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from index.readers.file_bytes import NOT_A_FILE, why
from index.readers.formats import unknown_format
from index.readers.record import Unread, printable

__all__ = ["find_files"]

_ABOUT_THE_FOLDER = {"README", "LICENSE", "LICENCE", "COPYING"}
_Identity = tuple[int, int]  # device and inode: the same for a file and every link to it


def find_files(paths: Sequence[str | Path] | str | Path) -> Iterator[Path | Unread]:
    """Yield the files to read, in the order given, those of a folder sorted by name; and what cannot be read, with why.

    Folders are walked to any depth. Links are followed; a file or folder that is reached a second time, by a link or
    by a loop of links, is skipped and named. What begins with a dot inside a folder (``.git``, ``.DS_Store``) is passed
    over and not counted, because the user does not see it either; a README or a LICENSE inside a folder tells of the
    folder and is skipped. Given by name, either is taken. Times of files are never looked at.
    """
    seen: dict[_Identity, str] = {}
    for given in [paths] if isinstance(paths, str | Path) else paths:
        top = Path(given)
        waiting = [top] if str(given) else []
        if not waiting:  # Path("") would be the current folder
            yield Unread(where="''", outcome="failed", reason="no such file or folder; check the path")
        while waiting:
            path = waiting.pop()
            if path != top and path.stem.upper() in _ABOUT_THE_FOLDER:
                reason = "tells of its folder; give its own path to read it as an article"
                yield Unread(where=printable(path), outcome="skipped", reason=reason)
                continue
            found = _look_at(path, seen)
            if isinstance(found, list):
                waiting.extend(reversed(found))
            else:
                yield found


def _look_at(path: Path, seen: dict[_Identity, str]) -> Path | Unread | list[Path]:
    """Return a file to read, why not, or what a folder holds."""
    where = printable(path)
    try:
        state = path.stat()
        is_folder = stat.S_ISDIR(state.st_mode)
        if not is_folder and not stat.S_ISREG(state.st_mode):
            return Unread(where=where, outcome="skipped", reason=NOT_A_FILE)
        if not is_folder and (reason := unknown_format(path)):
            return Unread(where=where, outcome="skipped", reason=reason)
        identity = (state.st_dev, state.st_ino)
        if identity in seen:
            kind = "folder" if is_folder else "file"
            return Unread(where=where, outcome="skipped", reason=f"same {kind} as {seen[identity]}; it is read once")
        seen[identity] = where
        return _children(path) if is_folder else path
    except OSError as error:
        return Unread(where=where, outcome="failed", reason=why(error))
    except ValueError:  # a NUL in the path
        return Unread(where=where, outcome="failed", reason=why(FileNotFoundError()))


def _children(folder: Path) -> list[Path]:
    return sorted((child for child in folder.iterdir() if not child.name.startswith(".")), key=lambda child: child.name)
