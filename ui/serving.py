"""From settings to a socket that answers: the rules of binding, and the limits of the server."""

import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from index.errors import GroundwireError, InputError
from ui.guard import is_loopback
from ui.settings import ServeSettings

__all__ = ["AddressInUseError", "address_of", "bind", "checked", "run"]

FIRST_PORT = 7860
_PORTS_TRIED = 100
_LEAST_TOKEN_CHARACTERS = 16
_MOST_CONNECTIONS = 2_000
_BACKLOG = 2_048
_SWITCH_S = 0.0005  # ten times as often as usual: who is told busy must not wait for the threads that answer


class AddressInUseError(GroundwireError):
    """Say that the server cannot listen where it was told to."""


def checked(settings: ServeSettings) -> ServeSettings:
    """Return settings that a server may run with; raise `InputError` for those that would be open to everybody."""
    if settings.token and len(settings.token) < _LEAST_TOKEN_CHARACTERS:
        least = f"at least {_LEAST_TOKEN_CHARACTERS} characters"
        raise InputError(f"the token is short; give {least}, as `openssl rand -hex 16` makes them")
    if not is_loopback(settings.host) and not settings.token:
        cause = f"`host` {settings.host!r} can be reached from other machines, and there is no token"
        raise InputError(f"{cause}; set GROUNDWIRE_TOKEN, or leave --host out")
    for name in ("workers", "questions_per_minute", "uploads_per_minute", "logins_per_minute", "answer_timeout_s"):
        if getattr(settings, name) < 1:
            raise InputError(f"`{name}` is {getattr(settings, name)}; give 1 or more")
    return settings


def bind(settings: ServeSettings) -> socket.socket:
    """Return a listening socket on the port of the settings; where they name none, on 7860 or the next free one."""
    ports = [settings.port] if settings.port else range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    reason = ""
    for port in ports:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, port))
            listening.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            listening.close()
            reason = getattr(error, "strerror", None) or str(error)
        else:
            return listening
    tried = f"port {ports[0]}" if settings.port else f"ports {ports[0]} to {ports[-1]}"
    raise AddressInUseError(f"{settings.host}, {tried}: {reason}; name another with --host and --port")


def address_of(listening: socket.socket, settings: ServeSettings) -> str:
    """Return the address to open in a browser on this machine."""
    port = listening.getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{port}"


def run(app: ASGIApp, listening: socket.socket, settings: ServeSettings) -> None:
    """Serve until Ctrl-C or SIGTERM; then let the requests end that are worked on, and return."""
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="on", log_level="warning", access_log=False, server_header=False,
        proxy_headers=bool(settings.proxies), forwarded_allow_ips=settings.proxies or None,
        limit_concurrency=_MOST_CONNECTIONS, timeout_keep_alive=5, timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=16_384,
    )  # fmt: skip
    sys.setswitchinterval(_SWITCH_S)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:  # the server has ended by now, and says so in this way
        return
    finally:
        listening.close()
