"""Where the servers listen, and who may reach them there."""

import ipaddress
import socket
from typing import Final

from collector.errors import CollectorError
from schemas.settings import Settings

BACKLOG: Final = 1024
"""Connections the kernel keeps waiting while the event loop is busy."""


class CannotListen(CollectorError):
    """An address cannot be listened on: it is taken, not ours, or would be open to others unprotected."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`: a loopback address, with or without brackets, or localhost."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings) -> None:
    """Refuses to be open to other machines without being told so.

    Raises:
        CannotListen: the address is not loopback, there is no write token, and `insecure` is not set.
    """
    if is_loopback(settings.host) or settings.write_token is not None or settings.insecure:
        return
    raise CannotListen(
        f"host {settings.host} is reachable from other machines, and anyone there could write spans — "
        "set a write token (SEAMSCOPE_WRITE_TOKEN), or say --insecure to allow it, or use 127.0.0.1"
    )


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    """The family and the one address that `host` stands for; IPv4 where there is a choice.

    Raises:
        CannotListen: the name means nothing.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as exc:
        raise CannotListen(f"host {host!r} is not an address of this machine: {exc}") from exc
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return socket.AddressFamily(family), str(address[0])


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket.

    Args:
        setting: the setting that `port` came from, for the message.

    Raises:
        CannotListen: the port is taken or the address is not ours.
    """
    family, address = resolve(host, port)
    # The protocol is named because asyncio turns Nagle's algorithm off only then: an answer in two pieces takes 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError as exc:
        sock.close()
        flag = setting.replace("_", "-")
        raise CannotListen(
            f"cannot listen on {host}:{port}: {exc.strerror} — is another collector running? "
            f"Choose another port with --{flag} (0 picks a free one)"
        ) from exc
    return sock
