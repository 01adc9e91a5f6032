"""The manifest of a generation: what its files hold, and the checksum of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from index.embed import sha256_of
from index.errors import IndexDamagedError
from index.store import Identity

__all__ = ["FileSum", "Manifest", "VectorFile", "installed_versions"]

_NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorFile:
    """Say which vectors a file holds: those of the commits up to `commit_seq` that no file before it holds."""

    file: str
    rows: int
    commit_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSum:
    """Hold the size of a file in bytes and the SHA-256 of its content."""

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "FileSum":
        """Return those of a file."""
        return cls(size=path.stat().st_size, sha256=sha256_of(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Say what a generation holds. `files` has every other file of its folder, by its path in it.

    `versions` are those of the packages that wrote the files.
    """

    generation: int
    commit_seq: int
    passages: int
    identity: Identity
    vectors: tuple[VectorFile, ...]
    files: Mapping[str, FileSum]
    versions: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a generation's folder; raise `IndexDamagedError` where there is none."""
        path = folder / _NAME
        try:
            values = json.loads(path.read_bytes())
            manifest = cls(
                generation=int(values["generation"]), commit_seq=int(values["commit_seq"]),
                passages=int(values["passages"]),
                identity=Identity(**{name: values[name] for name in Identity.__dataclass_fields__}),
                vectors=tuple(VectorFile(**file) for file in values["vectors"]),
                files={name: FileSum(**file) for name, file in values["files"].items()},
                versions=dict(values["versions"]),
            )  # fmt: skip
            if sum(file.rows for file in manifest.vectors) != manifest.passages:
                raise ValueError("the vectors are not as many as the passages")
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise IndexDamagedError(f"{path}: is no manifest ({error!r}); the next write builds it anew") from error
        return manifest

    def write(self, folder: Path, *, at: datetime) -> Path:
        """Write the manifest into its generation's folder."""
        values = {
            "generation": self.generation, "commit_seq": self.commit_seq, "at": at.isoformat(),
            "passages": self.passages, **asdict(self.identity),
            "versions": dict(self.versions),
            "vectors": [asdict(file) for file in self.vectors],
            "files": {name: asdict(file) for name, file in self.files.items()},
        }  # fmt: skip
        path = folder / _NAME
        path.write_text(json.dumps(values, indent=1), encoding="utf-8")
        return path

    def check(self, folder: Path, *, leaving_out: Sequence[str] = ()) -> None:
        """Compare every file with its size and its checksum; raise `IndexDamagedError` at the first that differs.

        Files of the sums in `leaving_out` are not read: what they held is in memory already.
        """
        for name, expected in self.files.items():
            path = folder / name
            try:
                is_sound = path.stat().st_size == expected.size and (
                    expected.sha256 in leaving_out or sha256_of(path) == expected.sha256
                )
            except OSError as error:
                raise IndexDamagedError(f"{path}: {error.strerror}; the next write builds it anew") from error
            if not is_sound:
                raise IndexDamagedError(
                    f"{path}: differs from its checksum in the manifest; the next write builds it anew"
                )


def installed_versions() -> dict[str, str]:
    """Return the versions of the packages that would write a generation now."""
    return {name: version(name) for name in ("faiss-cpu", "tantivy", "numpy")}
