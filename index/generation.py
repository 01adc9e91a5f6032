"""Generations: the derived files of one state of the store, written once, checked by sum, pointed at by ``CURRENT``.

    <index folder>/CURRENT            "gen-000042"
    <index folder>/gen-000042/        vectors.faiss, words/, manifest.json

Everything here can be thrown away: the store builds it again without embedding anything.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout

from index.embed import sha256_of
from index.errors import IndexDamagedError, IndexLockedError
from index.lexical import WordIndex
from index.store import Identity, Store
from index.vectors import VectorIndex

__all__ = ["Generation", "current_generation", "load", "publish", "published_seq", "writer_lock"]

_POINTER = "CURRENT"
_MANIFEST = "manifest.json"
_VECTORS = "vectors.faiss"
_WORDS = "words"
_LOCK = "lock"
_HOLDER = "lock.holder"
_LOCK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Generation:
    """Hold the searchable form of one state of the store. `number` is 0 for one that lives in memory alone."""

    number: int
    commit_seq: int
    vectors: VectorIndex
    words: WordIndex


def current_generation(folder: Path) -> int:
    """Return the number of the generation that the pointer names; 0 when none has been published."""
    try:
        name = (folder / _POINTER).read_text(encoding="ascii").strip()
        return int(name.removeprefix("gen-"))
    except (FileNotFoundError, ValueError):
        return 0


def published_seq(folder: Path) -> int:
    """Return the number of the commit that the current generation holds; 0 when there is none, or a damaged one."""
    try:
        return _manifest(folder / _name(current_generation(folder))).commit_seq
    except IndexDamagedError:
        return 0


def load(folder: Path, store: Store, identity: Identity) -> Generation:
    """Load the current generation; where it is behind the store, missing or damaged, build the state in memory."""
    seq = store.commit_seq()
    number = current_generation(folder)
    if number:
        try:
            return _read(folder / _name(number), number, seq, identity)
        except (_BehindError, IndexDamagedError, OSError):
            pass  # derived: the store holds everything that is needed, and the next write publishes anew
    vectors = VectorIndex.build(store.vectors(identity.dimension))
    return Generation(0, seq, vectors, WordIndex.build(store.passage_words()))


def publish(folder: Path, store: Store, identity: Identity, *, at: datetime) -> int:
    """Write the next generation from the store and point at it; remove the earlier ones; return its number.

    Needs the writer's lock. A crash at any instruction leaves the earlier pointer, or the new one, and a whole store.
    """
    number = current_generation(folder) + 1
    target = folder / _name(number)
    building = folder / f"tmp-{number:06d}"
    for leftover in (building, target):
        shutil.rmtree(leftover, ignore_errors=True)
    building.mkdir()
    keys = store.passage_keys()
    VectorIndex.build(store.vectors(identity.dimension)).save(building / _VECTORS)
    WordIndex.build(store.passage_words(), building / _WORDS)
    files = {str(path.relative_to(building)): path for path in sorted(building.rglob("*")) if path.is_file()}
    manifest = {
        "generation": number, "commit_seq": store.commit_seq(), "at": at.isoformat(), "passages": len(keys),
        **asdict(identity),
        "versions": {name: version(name) for name in ("faiss-cpu", "tantivy", "numpy")},
        "files": {name: {"size": path.stat().st_size, "sha256": sha256_of(path)} for name, path in files.items()},
    }  # fmt: skip
    (building / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    for path in (*files.values(), building / _MANIFEST, building / _WORDS, building):
        _sync(path)
    building.rename(target)
    _sync(folder)
    _point_at(folder, target.name)
    _remove_others(folder, keep=target.name)
    return number


@contextmanager
def writer_lock(folder: Path, *, at: datetime) -> Iterator[None]:
    """Hold the one writer's lock of an index folder; raise `IndexLockedError` when another process keeps it.

    The kernel frees it when its holder dies. What stands inside the file is for the message alone.
    """
    lock = FileLock(folder / _LOCK, timeout=_LOCK_TIMEOUT_S)
    try:
        lock.acquire()
    except Timeout as error:
        raise IndexLockedError(
            f"{folder}: {_holder(folder)} is writing to it; wait until it is done and try again"
        ) from error
    holder_file = folder / _HOLDER
    try:
        holder_file.write_text(f"process {os.getpid()} (since {at:%Y-%m-%d %H:%M:%S} UTC)", encoding="utf-8")
        yield
    finally:
        holder_file.unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    try:
        return (folder / _HOLDER).read_text(encoding="utf-8")
    except FileNotFoundError:  # it has just taken the lock, or just let go
        return "another process"


class _BehindError(Exception):
    """Say that the store has gone on since the generation was written."""


def _read(folder: Path, number: int, seq: int, identity: Identity) -> Generation:
    manifest = _manifest(folder)
    if manifest.commit_seq != seq:
        raise _BehindError
    for name, expected in manifest.sha256.items():
        path = folder / name
        if sha256_of(path) != expected:
            raise IndexDamagedError(f"{path}: differs from its checksum in the manifest; the next write builds it anew")
    vectors = VectorIndex.load(folder / _VECTORS, rows=manifest.passages, dimension=identity.dimension)
    return Generation(number, seq, vectors, WordIndex.load(folder / _WORDS, rows=manifest.passages))


@dataclass(frozen=True, slots=True)
class _Manifest:
    """Hold what of a manifest decides whether its generation can be used."""

    commit_seq: int
    passages: int
    sha256: dict[str, str]


def _manifest(folder: Path) -> _Manifest:
    path = folder / _MANIFEST
    try:
        values = json.loads(path.read_bytes())
        sums = {name: file["sha256"] for name, file in values["files"].items()}
        return _Manifest(int(values["commit_seq"]), int(values["passages"]), sums)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise IndexDamagedError(f"{path}: is no manifest ({error!r}); the next write builds it anew") from error


def _name(number: int) -> str:
    return f"gen-{number:06d}"


def _point_at(folder: Path, name: str) -> None:
    temporary = folder / f"{_POINTER}.tmp"
    temporary.write_text(f"{name}\n", encoding="ascii")
    _sync(temporary)
    temporary.replace(folder / _POINTER)
    _sync(folder)


def _remove_others(folder: Path, *, keep: str) -> None:
    for path in [*folder.glob("gen-*"), *folder.glob("tmp-*")]:
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)  # a reader that still maps the files keeps them until it lets go


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
