"""Messages reach a real receiver, again where that failed, and everything is counted."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from dashboard.alerts.delivery import Answer, Receiver, delivered, pause_after, posted, receivers
from dashboard.alerts.state import Outbox
from schemas.alerts import AlertSettings
from tests.dashboard.alerts import conftest
from tests.dashboard.alerts.made import HOUR, NOW, alert

S = 10**9


def settings(**given: object) -> AlertSettings:
    return AlertSettings.model_validate(given)


def test_the_webhook_gets_json_with_its_token(receiver: conftest.Receiver) -> None:
    """POST, JSON, the bearer token, and an id that tells a repetition."""
    (to,) = receivers(settings(webhook=f"{receiver.url}/hook?key=1", webhook_token="s3cret"))
    assert to.send(alert()).is_taken
    (got,) = receiver.received
    assert got.path == "/hook?key=1"
    assert got.headers["Authorization"] == "Bearer s3cret"
    assert got.headers["Content-Type"] == "application/json; charset=utf-8"
    assert got.headers["Idempotency-Key"] == got.body["id"] == alert().id


def test_slack_gets_its_own_format_and_no_token(receiver: conftest.Receiver) -> None:
    """The webhook's token is nobody else's."""
    to = receivers(settings(webhook=receiver.url, webhook_token="s3cret", slack=f"{receiver.url}/services/T/B/X"))[1]
    assert to.send(alert("a < b")).is_taken
    (got,) = receiver.received
    assert got.body["text"] == "‼ a &lt; b"
    assert set(got.body) == {"text", "blocks", "unfurl_links", "unfurl_media"}
    assert "Authorization" not in got.headers


def test_a_redirect_is_not_followed(receiver: conftest.Receiver) -> None:
    """Neither message nor token go to where an answer points."""
    receiver.then(302, Location=f"{receiver.url}/elsewhere")
    answer = Receiver("webhook", receiver.url, "s3cret").send(alert())
    assert (answer.status, answer.is_final) == (302, True)
    assert len(receiver.received) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """Nothing is sent to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("untrusted.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, pytest.raises(ssl.SSLError):
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        answer = Receiver("slack", f"https://localhost:{listener.getsockname()[1]}/services/T/B/X").send(alert())
        thread.join()
    assert answer == Answer(None, "the receiver's certificate is not trusted")


def test_what_is_told_of_a_failure_holds_no_address() -> None:
    """A Slack address is a password: neither nobody listening nor a name that does not resolve show it."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/services/T/B/X", "http://nowhere.invalid/services/T/B/X"):
        answer = Receiver("slack", url).send(alert())
        assert not answer.is_taken
        assert not answer.is_final
        assert answer.problem
        assert "services" not in answer.problem
        assert "127.0.0.1" not in answer.problem


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.ns = NOW

    def __call__(self) -> int:
        return self.ns


def tried(outbox: Outbox, clock: Clock, *answers: Answer) -> Outbox:
    """The outbox after a try at the first moment it may be made, for each answer."""
    for answer in answers:
        clock.ns = max(clock.ns, outbox.next_ns)
        outbox = delivered(outbox, lambda _, given=answer: given, clock, lambda: 0.5)
    return outbox


BUSY, TAKEN = Answer(503, "HTTP 503"), Answer(200, "")


def test_pauses_grow_and_no_try_comes_early() -> None:
    """4, 8, 16 … s up to 300, a quarter more or less; in between nothing is sent."""
    assert [pause_after(n) for n in (1, 2, 3, 7, 8, 999)] == [4, 8, 16, 256, 300, 300]
    clock = Clock()
    box = tried(posted(Outbox(), [alert()], NOW), clock, BUSY)
    assert box.next_ns == NOW + 4 * S
    clock.ns = box.next_ns - 1
    assert delivered(box, lambda _: pytest.fail("too early"), clock, lambda: 0.5) is box
    for chance, pause in ((0.0, 6.0), (1.0, 10.0)):
        clock.ns = NOW + 4 * S
        assert delivered(box, lambda _: BUSY, clock, lambda chance=chance: chance).next_ns == clock.ns + pause * S


def test_a_receiver_may_ask_for_a_pause_but_not_for_silence() -> None:
    """`Retry-After` counts where it is longer, up to an hour."""
    for asked, pause in ((30.0, 30), (1.0, 4), (1e9, 3600)):
        clock = Clock()
        box = tried(posted(Outbox(), [alert()], NOW), clock, Answer(429, "HTTP 429", asked))
        assert box.next_ns == NOW + pause * S


def test_every_try_is_counted() -> None:
    """Two failures, then success; the next message has no pause and no retry."""
    box = tried(posted(Outbox(), [alert("a"), alert("b")], NOW), Clock(), BUSY, BUSY, TAKEN, TAKEN)
    assert (box.sent, box.failed, box.retried, box.dropped, box.problem) == (2, 2, 2, 0, None)
    assert box.waiting == ()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 302])
def test_what_a_receiver_refuses_is_dropped_and_counted(status: int) -> None:
    """The next message gets its turn; the problem stays until something is taken."""
    box = tried(posted(Outbox(), [alert("a"), alert("b")], NOW), Clock(), Answer(status, f"HTTP {status}"))
    assert (box.failed, box.dropped, box.problem) == (1, 1, f"HTTP {status}")
    assert [one.text for one in box.waiting] == ["b"]


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 503])
def test_what_may_pass_later_is_kept(status: int | None) -> None:
    box = tried(posted(Outbox(), [alert()], NOW), Clock(), Answer(status, "why"))
    assert (len(box.waiting), box.dropped, box.problem) == (1, 0, "why")


def test_at_most_a_hundred_wait_and_none_longer_than_a_day() -> None:
    """The oldest go first, and each is counted."""
    box = posted(Outbox(), [alert(str(n)) for n in range(103)], NOW)
    assert [box.waiting[0].text, len(box.waiting), box.dropped] == ["3", 100, 3]
    box = posted(box, [alert("new", NOW + 25 * HOUR)], NOW + 25 * HOUR)
    assert [[one.text for one in box.waiting], box.dropped] == [["new"], 103]


def test_retry_after_of_a_real_answer_is_read(receiver: conftest.Receiver) -> None:
    receiver.then(429, Retry_After="7")
    assert Receiver("slack", receiver.url).send(alert()) == Answer(429, "HTTP 429", 7.0)
