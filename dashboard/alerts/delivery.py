"""Brings messages to their receivers: in order, again with growing pauses where that fails, and all is counted."""

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from dashboard.alerts.messages import BODY
from dashboard.alerts.state import Channel, Outbox
from schemas.alerts import Alert, AlertSettings

NS: Final = 1_000_000_000
TIMEOUT_S: Final = 10.0
FIRST_PAUSE_S: Final = 4.0
PAUSE_GROWS: Final = 2.0
"""Five tries in the first minute, and from the eighth on one about every five minutes."""
LONGEST_PAUSE_S: Final = 300.0
JITTER: Final = 0.25  # of a pause, to either side: many senders must not come back at once
LONGEST_ASKED_S: Final = 3_600.0  # a receiver may ask for a pause, but not for silence
MOST_WAITING: Final = 100
OLDEST_NS: Final = 24 * 3_600 * NS
"""An older message helps nobody any more."""
TRY_AGAIN: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)  # beside all from 500 on


class Answer(NamedTuple):
    """What came of one try."""

    status: int | None
    """None: no answer."""
    problem: str
    asked_s: float = 0.0
    """The pause that the receiver asks for."""

    @property
    def is_taken(self) -> bool:
        """The receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """The receiver does not want it and will not."""
        return self.status is not None and self.status < 500 and not self.is_taken and self.status not in TRY_AGAIN


class Receiver(NamedTuple):
    """Where a channel's messages go."""

    channel: Channel
    url: str
    token: str | None = None

    def send(self, alert: Alert) -> Answer:
        """Tries once. What is told of it holds neither address nor token."""
        body = json.dumps(BODY[self.channel](alert), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "seamscope",
            "Idempotency-Key": alert.id,
        }
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(self.url, body, headers, method="POST")  # noqa: S310 - the settings take only http and https
        try:
            with _opener().open(request, timeout=TIMEOUT_S) as response:
                response.read(1024)
                return Answer(response.status, "")
        except HTTPError as exc:
            with exc:
                return Answer(exc.code, f"HTTP {exc.code}", _seconds(exc.headers.get("Retry-After")))
        except (OSError, HTTPException, ValueError) as exc:
            reason = exc.reason if isinstance(exc, URLError) else exc
            return Answer(None, _told(reason))


def receivers(settings: AlertSettings) -> list[Receiver]:
    """Where messages go."""
    found = []
    if settings.webhook is not None:
        token = settings.webhook_token.get_secret_value() if settings.webhook_token else None
        found.append(Receiver("webhook", settings.webhook.get_secret_value(), token))
    if settings.slack is not None:
        found.append(Receiver("slack", settings.slack.get_secret_value()))
    return found


def posted(outbox: Outbox, alerts: Sequence[Alert], at_ns: int) -> Outbox:
    """The outbox with more to send, without what is too old or too much."""
    waiting = [*outbox.waiting, *alerts]
    kept = [alert for alert in waiting if at_ns - int(alert.at.timestamp()) * NS < OLDEST_NS][-MOST_WAITING:]
    dropped = outbox.dropped + len(waiting) - len(kept)
    return outbox.model_copy(update={"waiting": tuple(kept), "dropped": dropped})


def delivered(
    outbox: Outbox,
    send: Callable[[Alert], Answer],
    now_ns: Callable[[], int],
    chance: Callable[[], float],
) -> Outbox:
    """The outbox after its first message was tried once, where its time has come.

    Args:
        send: tries once.
        now_ns: a clock.
        chance: evenly from 0 to 1.
    """
    if not outbox.waiting or now_ns() < outbox.next_ns:
        return outbox
    answer = send(outbox.waiting[0])
    update: dict[str, Any] = {"retried": outbox.retried + (outbox.failures > 0)}
    if answer.is_taken:
        update |= {"waiting": outbox.waiting[1:], "sent": outbox.sent + 1, "failures": 0, "next_ns": 0, "problem": None}
        return outbox.model_copy(update=update)
    update |= {"failed": outbox.failed + 1, "problem": answer.problem}
    if answer.is_final:
        update |= {"waiting": outbox.waiting[1:], "dropped": outbox.dropped + 1, "failures": 0, "next_ns": 0}
        return outbox.model_copy(update=update)
    pause_s = max(
        min(answer.asked_s, LONGEST_ASKED_S), pause_after(outbox.failures + 1) * (1 + JITTER * (2 * chance() - 1))
    )
    update |= {"failures": outbox.failures + 1, "next_ns": now_ns() + round(pause_s * NS)}
    return outbox.model_copy(update=update)


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row, before jitter."""
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * PAUSE_GROWS ** min(failures - 1, 30)))


def next_try_ns(outboxes: Mapping[Channel, Outbox]) -> int | None:
    """When something is to be tried next; None: nothing waits."""
    return min((outbox.next_ns for outbox in outboxes.values() if outbox.waiting), default=None)


class _NoRedirect(HTTPRedirectHandler):
    """A receiver that moved is told to whoever configured it: a message and its token go nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener() -> OpenerDirector:
    return build_opener(_NoRedirect, HTTPSHandler(context=ssl.create_default_context()))


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isascii() and text.isdecimal() else 0.0


def _told(reason: object) -> str:
    """What went wrong, without any text that could hold the address."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "the receiver's certificate is not trusted"
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    if isinstance(reason, OSError) and reason.strerror and not isinstance(reason, ssl.SSLError):
        return reason.strerror
    return type(reason).__name__
