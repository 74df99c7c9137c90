"""HTTP to servers of this machine. For each request, httpx itself would first read all certificates that the machine
trusts, which takes longer than most of our answers."""

import ssl
from functools import partial
from typing import Final

import httpx

TRUSTS_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Client: Final = partial(httpx.Client, verify=TRUSTS_NOBODY)
request: Final = partial(httpx.request, verify=TRUSTS_NOBODY)
get: Final = partial(request, "GET")
options: Final = partial(request, "OPTIONS")
post: Final = partial(request, "POST")
