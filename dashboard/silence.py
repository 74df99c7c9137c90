"""Notices a collector that takes questions and answers none: stopped, starved or stuck.

A question may take its time, so it is not cut short: while it waits, a sign of life is asked for beside it.
"""

import http.client
import time
from threading import Lock, Thread
from typing import Final

from urllib3.connection import HTTPConnection
from urllib3.response import HTTPResponse
from urllib3.util.wait import wait_for_read

LOOKS_AFTER_S: Final = 1.0
"""A question that takes longer has the collector asked for a sign of life, each time anew."""
SIGN_OF_LIFE_S: Final = 3.0
"""How long one may take. It needs no more than its event loop: under full load that is milliseconds."""


class Silent(Exception):
    """The collector gives no sign of life."""


class Watched(HTTPConnection):
    """A connection whose answer is waited for as long as the collector lives, and no longer than the time limit."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """The answer.

        Raises:
            Silent: the collector gives no sign of life; that is known to all that asks it until it does.
        """
        until_s = time.monotonic() + (self.timeout or 0.0)
        while not wait_for_read(self.sock, LOOKS_AFTER_S):
            if time.monotonic() > until_s:
                raise TimeoutError("timed out")
            if not lives(self.host, self.port):
                _await_life(self.host, self.port)
                raise Silent
        return super().getresponse()


def lives(host: str, port: int) -> bool:
    """Whether it answers anything, or is plainly not there: then the question itself finds out."""
    connection = http.client.HTTPConnection(host, port, timeout=SIGN_OF_LIFE_S)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except TimeoutError:
        return False
    except (OSError, http.client.HTTPException):
        return True
    finally:
        connection.close()
    return True


def is_known(host: str, port: int) -> bool:
    """Whether it was found silent, and has not answered since: no question need wait to find out again."""
    return (host, port) in _silent


_silent: Final[set[tuple[str, int]]] = set()
_lock: Final = Lock()


def _await_life(host: str, port: int) -> None:
    with _lock:
        if (host, port) in _silent:
            return
        _silent.add((host, port))
    Thread(target=_until_it_lives, args=(host, port), daemon=True).start()


def _until_it_lives(host: str, port: int) -> None:
    while not lives(host, port):
        pass  # it has waited: nothing is asked more often than a silent collector is waited for
    with _lock:
        _silent.discard((host, port))
