"""Whether a request shows the token it must."""

import hmac

from google.rpc import code_pb2
from pydantic import SecretStr

from collector.receive.answers import Refusal


def check_token(authorization: str | None, token: SecretStr | None) -> Refusal | None:
    """Why a request with this Authorization header may not write; None: it may."""
    if token is None:
        return None
    scheme, _, shown = (authorization or "").partition(" ")
    # compare_digest takes the same time for every wrong token, so none can be guessed letter by letter.
    if scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.get_secret_value().encode()):
        return None
    why = "the token is wrong" if authorization else "no token was sent"
    message = f"{why}; send 'Authorization: Bearer <write token>'"
    return Refusal(code_pb2.UNAUTHENTICATED, 401, "unauthenticated", message)
