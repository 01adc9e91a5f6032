"""Generations: the derived files of one state of the store, written once, checked by sum, pointed at by ``CURRENT``.

    <index folder>/CURRENT            "gen-000042"
    <index folder>/gen-000042/        vectors.faiss, vectors-000041.faiss, words/, manifest.json

Everything here can be thrown away: the store builds it again without embedding anything.

A generation after an addition holds the files of the one before it, as links, and beside them what was added. Its
vectors lie in files of which each is at least twice as large as the next: so there are few, and a vector is written
again only when what follows has grown to half of its file. Tantivy merges its segments by a rule of that kind itself.
After a delete, or when it is told to, a generation is built whole.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from index.errors import IndexDamagedError, IndexLockedError
from index.lexical import WordIndex
from index.manifest import FileSum, Manifest, VectorFile, installed_versions
from index.store import Identity, Store
from index.vectors import Rows, VectorIndex

__all__ = ["Generation", "current_generation", "load", "publish", "published_seq", "writer_lock"]

_POINTER = "CURRENT"
_VECTORS = "vectors.faiss"
_WORDS = "words"
_LOCK = "lock"
_HOLDER = "lock.holder"
_LOCK_TIMEOUT_S = 2.0
_LARGER = 2  # how many times the vectors of a file are more than those of the next, at least


@dataclass(frozen=True, slots=True)
class Generation:
    """Hold the searchable form of one state of the store. `number` is 0 for one that is not on disk as it is.

    `loaded` are the vectors of its files by the files' checksums, so that the next one need not read them again.
    """

    number: int
    commit_seq: int
    vectors: VectorIndex
    words: WordIndex
    loaded: Mapping[str, VectorIndex] = field(default_factory=dict)


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
        return Manifest.read(folder / _name(current_generation(folder))).commit_seq
    except IndexDamagedError:
        return 0


def load(folder: Path, store: Store, identity: Identity, *, earlier: Generation | None = None) -> Generation:
    """Load the current generation; what it lacks comes from the store.

    Where it is missing or damaged, or holds what has been deleted, all comes from the store. `earlier` is one that was
    loaded before: the vectors that it shares with the current one are not read again.
    """
    number = -1
    while number != current_generation(folder):  # once more where it was replaced while it was read
        number = current_generation(folder)
        with suppress(_UnusableError, IndexDamagedError, OSError):
            return _loaded(folder / _name(number), store, identity, earlier)
    # Derived: the store holds everything that is needed, and the next write publishes anew.
    seq, row_of_slot = store.commit_seq(), store.row_of_slot()
    vectors = VectorIndex.joined([VectorIndex.build(store.vectors(identity.dimension))], row_of_slot)
    return Generation(0, seq, vectors, WordIndex.build(store.passage_words(), row_of_slot=row_of_slot))


def publish(folder: Path, store: Store, identity: Identity, *, at: datetime, whole: bool = False) -> int:
    """Write the next generation and point at it; remove the earlier ones; return its number.

    It adds to the current one, unless that cannot be used, or `whole` asks for one from the store alone. Needs the
    writer's lock. A crash at any instruction leaves the earlier pointer, or the new one, and a whole store.
    """
    number = current_generation(folder) + 1
    base = None if whole else _base(folder / _name(number - 1), store, identity)
    target = folder / _name(number)
    building = folder / f"tmp-{number:06d}"
    for leftover in (building, target):
        shutil.rmtree(leftover, ignore_errors=True)
    building.mkdir()
    vectors = _write_vectors(building, store, identity.dimension, base, number)
    _write_words(building / _WORDS, store, base)
    files = [path for path in sorted(building.rglob("*")) if path.is_file()]
    sums = {str(path.relative_to(building)): _sum(path, building, base) for path in files}
    manifest = Manifest(
        generation=number, commit_seq=store.commit_seq(), passages=store.passage_count(), identity=identity,
        vectors=vectors, files=sums, versions=installed_versions(),
    )  # fmt: skip
    written = manifest.write(building, at=at)
    written_now = [path for path in files if path.stat().st_nlink == 1]  # what is linked was synced when it was written
    for path in (*written_now, written, building / _WORDS, building):
        _sync(path)
    building.rename(target)
    _sync(folder)
    _point_at(folder, target.name)
    _remove_others(folder, keep=target.name)
    return number


@contextmanager
def writer_lock(folder: Path, *, at: datetime, timeout_s: float | None = None) -> Iterator[None]:
    """Hold the one writer's lock of an index folder; raise `IndexLockedError` when another process keeps it.

    By default it waits 2 seconds for it. The kernel frees it when its holder dies. What stands inside the file is for
    the message alone.
    """
    lock = FileLock(folder / _LOCK, timeout=_LOCK_TIMEOUT_S if timeout_s is None else timeout_s)
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


class _UnusableError(Exception):
    """Say that a generation holds what the store holds no more, or was made with something else."""


@dataclass(frozen=True, slots=True)
class _Base:
    """Hold a sound generation to which something can be added: its folder and its manifest."""

    folder: Path
    manifest: Manifest


def _usable(folder: Path, store: Store, identity: Identity, *, in_memory: Sequence[str] = ()) -> _Base:
    """Return a sound generation that holds nothing but what the store holds too, unchanged."""
    manifest = Manifest.read(folder)
    seq = manifest.commit_seq
    with store.reading():
        added = store.passage_count(after=seq)
        is_part = not store.deleted_since(seq) and manifest.passages + added == store.passage_count()
    if not is_part or manifest.identity != identity:
        raise _UnusableError
    manifest.check(folder, leaving_out=in_memory)
    return _Base(folder, manifest)


def _base(folder: Path, store: Store, identity: Identity) -> _Base | None:
    """Return the generation to add to; None where it cannot be used, or other versions of FAISS or Tantivy wrote it."""
    try:
        base = _usable(folder, store, identity)
    except (_UnusableError, IndexDamagedError):
        return None
    return base if base.manifest.versions == installed_versions() else None


def _loaded(folder: Path, store: Store, identity: Identity, earlier: Generation | None) -> Generation:
    held = earlier.loaded if earlier else {}
    base = _usable(folder, store, identity, in_memory=list(held))
    manifest, parts = base.manifest, {}
    for file in manifest.vectors:
        key = manifest.files[file.file].sha256
        path = folder / file.file
        parts[key] = held.get(key) or VectorIndex.load(path, rows=file.rows, dimension=identity.dimension)
    seq, row_of_slot = store.commit_seq(), store.row_of_slot()
    is_behind = seq != manifest.commit_seq
    latest = [VectorIndex.build(store.vectors(identity.dimension, after=manifest.commit_seq))] if is_behind else []
    vectors = VectorIndex.joined([*parts.values(), *latest], row_of_slot)
    if is_behind:
        return Generation(0, seq, vectors, _words_with_latest(base, store, row_of_slot), parts)
    words = WordIndex.load(folder / _WORDS, rows=manifest.passages, row_of_slot=row_of_slot)
    return Generation(manifest.generation, seq, vectors, words, parts)


def _words_with_latest(base: _Base, store: Store, row_of_slot: Rows) -> WordIndex:
    """Return the words of a generation and of what was committed after it, by files that are gone at once."""
    with tempfile.TemporaryDirectory(prefix="groundwire-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary) / _WORDS
        _write_words(folder, store, base)
        return WordIndex.load(folder, rows=store.passage_count(), row_of_slot=row_of_slot)


def _write_vectors(
    building: Path, store: Store, dimension: int, base: _Base | None, number: int
) -> tuple[VectorFile, ...]:
    kept: list[VectorFile] = []
    if base:
        kept = _kept(base.manifest.vectors, store.passage_count(after=base.manifest.commit_seq))
        for file in kept:
            _link(base.folder / file.file, building / file.file)
    vectors = store.vectors(dimension, after=kept[-1].commit_seq if kept else 0)
    if kept and not len(vectors):
        return tuple(kept)
    name = f"vectors-{number:06d}.faiss" if kept else _VECTORS
    VectorIndex.build(vectors).save(building / name)
    return (*kept, VectorFile(file=name, rows=len(vectors), commit_seq=store.commit_seq()))


def _kept(files: Sequence[VectorFile], added: int) -> list[VectorFile]:
    """Return the files that stay when so many vectors are added; those of the others are written with these anew."""
    kept = list(files)
    while kept and kept[-1].rows < _LARGER * added:
        added += kept.pop().rows
    return kept


def _write_words(folder: Path, store: Store, base: _Base | None) -> None:
    if base is None:
        WordIndex.build(store.passage_words(), folder)
        return
    folder.mkdir()
    for name in base.manifest.files:
        if name.startswith(f"{_WORDS}/") and not name.endswith(".lock"):  # a lock would be shared, too
            _link(base.folder / name, folder / Path(name).name)
    seq = base.manifest.commit_seq
    if store.passage_count(after=seq):
        WordIndex.extend(folder, store.passage_words(after=seq), first=base.manifest.passages)


def _link(held: Path, place: Path) -> None:
    """Make a second name for a file, which is never changed; where the disk has no links, a copy."""
    try:
        os.link(held, place)
    except OSError:
        shutil.copyfile(held, place)


def _sum(path: Path, building: Path, base: _Base | None) -> FileSum:
    """Return the checksum of a file; of one that the generation before has too, the one that was compared already."""
    name = str(path.relative_to(building))
    held = base.manifest.files.get(name) if base else None
    if base and held and (base.folder / name).samefile(path):
        return held
    return FileSum.of(path)


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
