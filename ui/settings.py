"""Settings: from ``groundwire.toml``, overridden by ``GROUNDWIRE_*`` variables, then by options.

The only reader of the environment and of configuration files.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path

from index.embed import BUNDLED_MODEL
from index.errors import InputError

__all__ = ["Settings", "load_settings"]

_FILE = "groundwire.toml"
_PREFIX = "GROUNDWIRE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold every setting: the index folder, the model and its precision for a new index, where it is kept prepared."""

    index: Path
    model: str
    precision: str
    cache: Path


def load_settings(environment: Mapping[str, str], *, index: Path | None = None) -> Settings:
    """Read the settings that hold for an index folder: `index`, else `GROUNDWIRE_INDEX`, else the user's data folder.

    Raises `InputError` naming the file or the variable for a key that does not exist.
    """
    settings = Settings(
        index=user_data_path("groundwire") / "index",
        model=BUNDLED_MODEL,
        precision="int8",
        cache=user_cache_path("groundwire"),
    )
    user_file = user_config_path("groundwire") / _FILE
    settings = _overridden(settings, _read(user_file), where=str(user_file))
    variables = {name: value for name, value in environment.items() if name.startswith(_PREFIX)}
    named = {name.removeprefix(_PREFIX).lower(): value for name, value in variables.items()}
    folder = index or Path(named.get("index", settings.index))
    settings = _overridden(settings, _read(folder / _FILE), where=str(folder / _FILE))
    settings = _overridden(settings, named, where="the environment", prefix=_PREFIX)
    return replace(settings, index=folder)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not TOML ({error}); correct it or remove it") from error


def _overridden(settings: Settings, values: Mapping[str, object], *, where: str, prefix: str = "") -> Settings:
    kinds = {field.name: field.type for field in fields(Settings)}
    for name, value in values.items():
        shown = prefix + (name.upper() if prefix else name)
        if name not in kinds:
            known = ", ".join(prefix + (key.upper() if prefix else key) for key in kinds)
            raise InputError(f"{where}: there is no setting {shown!r}; use one of {known}")
        if not isinstance(value, str) or not value:
            raise InputError(f"{where}: {shown} is {value!r}; give a text that is not empty")
    paths = {name: Path(str(value)).expanduser() for name, value in values.items() if kinds[name] is Path}
    texts = {name: str(value) for name, value in values.items() if kinds[name] is str}
    return replace(settings, **paths, **texts)  # type: ignore[arg-type] # each group has the type of its fields
