"""Settings: from ``groundwire.toml``, overridden by ``GROUNDWIRE_*`` variables, then by options.

The only reader of configuration files; the environment is handed in by `ui/cli.py`, which alone reads it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_config_path, user_data_path

from index.embed import BUNDLED_MODEL
from index.errors import InputError

__all__ = ["ServeSettings", "Settings", "load_settings"]

_FILE = "groundwire.toml"
_PREFIX = "GROUNDWIRE_"
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Hold what `groundwire serve` may be told.

    `port` 0 is 7860, or the next free one. `hosts` are further names under which the server is reached, `proxies` the
    addresses of proxies whose `X-Forwarded-For` is believed; in both, a comma stands between several. `queue_size`
    questions may wait while `workers` are worked on. `uploads_per_minute` and `logins_per_minute` are for one client,
    as `questions_per_minute` is.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = field(default="", repr=False)
    allow_writes: bool = False
    page: bool = True
    hosts: str = ""
    proxies: str = ""
    queue_size: int = 64
    workers: int = 2
    questions_per_minute: int = 30
    uploads_per_minute: int = 30
    logins_per_minute: int = 10
    answer_timeout_s: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold every setting: the folders, the model and its precision for a new index, and what the server is told."""

    index: Path
    model: str
    precision: str
    cache: Path
    serve: ServeSettings = ServeSettings()


_KINDS: dict[str, Any] = {f.name: f.type for kind in (Settings, ServeSettings) for f in fields(kind)}
del _KINDS["serve"]
_FOR_SERVE = {f.name for f in fields(ServeSettings)}


def load_settings(environment: Mapping[str, str], *, index: Path | None = None) -> Settings:
    """Read the settings that hold for an index folder: `index`, else `GROUNDWIRE_INDEX`, else the user's data folder.

    Raises `InputError` naming the file or the variable for a key that does not exist, or a value that does not fit.
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
    given: dict[str, Any] = {}
    for name, value in values.items():
        shown = prefix + (name.upper() if prefix else name)
        if name not in _KINDS:
            known = ", ".join(prefix + (key.upper() if prefix else key) for key in _KINDS)
            raise InputError(f"{where}: there is no setting {shown!r}; use one of {known}")
        given[name] = _converted(value, _KINDS[name], f"{where}: {shown} is {value!r}")
    for_serve = {name: value for name, value in given.items() if name in _FOR_SERVE}
    others = {name: value for name, value in given.items() if name not in _FOR_SERVE}
    return replace(settings, **others, serve=replace(settings.serve, **for_serve))


def _converted(value: object, kind: type, wrong: str) -> object:
    """Return a value as the kind of its setting; from a variable it comes as text."""
    if kind is bool:
        switch = value if isinstance(value, bool) else _SWITCH.get(str(value).lower())
        if switch is None:
            raise InputError(f"{wrong}; give true or false")
        return switch
    if kind is int:
        digits = str(value) if not isinstance(value, bool) else ""
        if not digits.isascii() or not digits.isdecimal():
            raise InputError(f"{wrong}; give a whole number")
        return int(digits)
    if not isinstance(value, str) or not value:
        raise InputError(f"{wrong}; give a text that is not empty")
    return Path(value).expanduser() if kind is Path else value
