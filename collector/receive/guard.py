"""Keeps web pages away: a page in the user's browser can reach loopback too."""

from urllib.parse import urlsplit

from google.rpc import code_pb2
from starlette.datastructures import Headers

from collector.receive.answers import Refusal
from collector.receive.binding import is_loopback
from schemas.settings import Settings

EXPORTS = frozenset({"/v1/traces", "/v1/logs"})
"""Where web pages of listed origins may send."""


def check_browser(path: str, headers: Headers, settings: Settings) -> Refusal | None:
    """Why a request that a web page may have made is refused; None: it is served.

    Two ways are closed. A foreign page that sends to us says so in Origin or Sec-Fetch-Site; only origins the user
    listed may send spans, and no page may use anything else. A page whose own name was pointed at 127.0.0.1 (DNS
    rebinding) says that name in Host; on loopback only loopback names are served.
    """
    host = headers.get("host")
    if host is not None and is_loopback(settings.host) and not is_loopback(_host_name(host)):
        return _forbidden(f"Host {host[:80]!r} is not a name of this machine; use 127.0.0.1 or localhost")
    origin = headers.get("origin")
    if origin is not None:
        if path in EXPORTS and origin in settings.cors_origins:
            return None
        return _forbidden(
            f"web pages of {origin[:80]!r} may not do this; list the origin in cors_origins to let it send"
        )
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return _forbidden("web pages of other sites may not do this; list their origin in cors_origins")
    return None


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _forbidden(message: str) -> Refusal:
    return Refusal(code_pb2.PERMISSION_DENIED, 403, "cross_site", message)
