"""Who may open the WebSocket that pages are, and what a stranger who tries can make of it."""

import http.client
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from schemas.paths import store_path
from tests.chromium import served
from tests.dashboard import stores

pytestmark = pytest.mark.slow


@pytest.fixture
def calls() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy to the world that lets nothing through, its address, and what it was asked for."""
    asked: list[bytes] = []

    class Asked(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().strip())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def upgrade(address: str, origin: str) -> int:
    """The status of the answer to a browser that opens the WebSocket from a page of `origin`."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    headers = {
        "Origin": origin,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_foreign_page_is_refused_and_has_the_dashboard_call_nobody(
    tmp_path: Path, calls: tuple[str, list[bytes]]
) -> None:
    """Its own page gets the WebSocket, that of another site gets 403, and neither makes the server ask the Internet."""
    stores.write(store_path(tmp_path), [])
    proxy, asked = calls
    with served(tmp_path, HTTP_PROXY=proxy, HTTPS_PROXY=proxy, http_proxy=proxy, https_proxy=proxy) as address:
        assert upgrade(address, address) == 101
        assert upgrade(address, "http://evil.test") == 403
    assert asked == []
