"""Conditions as messages: what, where, how much, since when, and the page that shows it. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from dashboard import words as said
from dashboard.alerts.conditions import Condition
from dashboard.alerts.state import Channel
from schemas.alerts import Alert, Kind, Measure, Rule
from schemas.reports import moment

BUCKET_NS: Final = 300 * 1_000_000_000
NAME_CHARS: Final = 80
ALSO: Final = 5  # names that the line lists


@dataclass(frozen=True, slots=True)
class Words:
    """Makes messages for one place."""

    dashboard_url: str
    zone: tzinfo
    environment: str = ""

    def begun(self, condition: Condition, at_ns: int) -> Alert:
        """The message that an episode began."""
        episode = sha256(f"{condition.key}\n{self.environment}\n{at_ns}".encode()).hexdigest()[:16]
        return self._alert(condition, episode, "open", self._what(condition, at_ns), at_ns)

    def ended(self, begun: Alert, now: Condition | None, at_ns: int) -> Alert:
        """The message that it ended, with how it is now where that is known."""
        lasted = said.duration(at_ns - _ns(begun))
        text = f"Over after {lasted}: {ENDED[begun.rule]} {_name(begun.workflow)}{_in(begun.environment)}"
        changed: dict[str, Any] = {"id": f"{begun.episode}-close", "kind": "close", "at": moment(at_ns)}
        if now and now.rule == "burn" and now.n:
            text += f"; now {_percent(now.value)} of {said.plural(now.n, 'run')} failed"
            changed |= {"value": now.value, "low": now.low, "high": now.high, "n": now.n}
        changed |= {"text": f"{text}.", "link": self._link(begun.workflow, _ns(begun) - 12 * BUCKET_NS, at_ns)}
        return Alert.model_validate(begun.model_dump() | changed)

    def _alert(self, found: Condition, episode: str, kind: Kind, text: str, at_ns: int) -> Alert:
        return Alert(
            id=f"{episode}-{kind}",
            episode=episode,
            kind=kind,
            rule=found.rule,
            urgency=found.urgency,
            workflow=found.workflow,
            step=found.step,
            also=found.also,
            environment=self.environment or None,
            text=text,
            measure=MEASURES[found.rule],
            value=found.value,
            low=found.low,
            high=found.high,
            limit=found.limit,
            n=found.n,
            since=moment(found.since_ns),
            at=moment(at_ns),
            link=self._link(found.workflow, found.shown_ns, at_ns),
        )

    def _what(self, found: Condition, at_ns: int) -> str:
        where = f"{_name(found.workflow)}{_in(self.environment or None)}"
        since = said.lately(found.since_ns, self.zone, at_ns)
        if found.rule == "burn":
            length = said.duration(at_ns - found.shown_ns)
            return (
                f"{where} burns its objective: {_percent(found.value)}{_band(found)} of {said.plural(found.n, 'run')} "
                f"failed in the last {length}, {_percent(found.limit)} is the line."
            )
        if found.rule == "storm":
            more = f" set off by {_name(found.cause)}," if found.cause else ""
            also = ", ".join(map(_name, found.also[:ALSO])) + (" …" if len(found.also) > ALSO else "")
            return (
                f"Retry storm in {where}, step {_name(found.step or '')}: {found.value:.2f} attempts an operation over "
                f"{said.plural(found.n, 'operation')},{more} since {since}{f'; also {also}' if also else ''}."
            )
        came = f"; near it {_name(found.cause)} was first seen" if found.cause else ""
        return (
            f"{where} delivers less since {since}: {_percent(found.value)}{_band(found)} of "
            f"{said.plural(found.n, 'run')} got through, {_percent(found.limit)} did before{came}."
        )

    def _link(self, workflow: str, since_ns: int, until_ns: int) -> str:
        """The page of the workflow's steps over whole buckets that hold the window."""
        since_ns, until_ns = since_ns // BUCKET_NS * BUCKET_NS, -(-until_ns // BUCKET_NS) * BUCKET_NS
        asked = {"workflow": workflow, "from": said.iso(max(0, since_ns)), "to": said.iso(until_ns)}
        if self.environment:
            asked["environment"] = self.environment
        return f"{self.dashboard_url.rstrip('/')}/steps?{urlencode(asked)}"


MEASURES: Final[Mapping[Rule, Measure]] = {"burn": "failed", "storm": "amplification", "drift": "observed"}
ENDED: Final[Mapping[Rule, str]] = {
    "burn": "the objective no longer burns in",
    "storm": "the retry storm in",
    "drift": "reliability rose again, or the lower level has lasted for two weeks, in",
}


def json_body(alert: Alert) -> dict[str, Any]:
    """What a webhook receives."""
    return alert.model_dump(mode="json")


def slack_body(alert: Alert) -> dict[str, Any]:
    """What Slack's incoming webhooks take: a line for notifications, and a block with the link."""
    mark = "✓" if alert.kind == "close" else {"page": "‼", "ticket": "!"}[alert.urgency]
    line = f"{mark} {alert.text}"
    block = f"{slack_text(line)}\n<{_escaped(alert.link)}|Show it in Seamscope>"
    return {
        "text": slack_text(line),
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": block, "verbatim": True}}],
    }


def slack_text(text: str) -> str:
    """The text for where Slack reads mrkdwn: it makes no link, no mention and no emphasis.

    Slack's three control signs are escaped; a word joiner, which has no width, breaks up what would be taken for
    emphasis or a bare address.
    """
    return _MARKS.sub(lambda found: found[0] + "\u2060", _escaped(text))


_MARKS: Final = re.compile(r"(?<!\w)[*_~`]|[*_~`](?!\w)|://|(?i:www)\.|@|:(?=[a-z_+-][\w+-]*:)")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


BODY: Final[Mapping[Channel, Callable[[Alert], dict[str, Any]]]] = {"webhook": json_body, "slack": slack_body}


def _ns(alert: Alert) -> int:
    return int(alert.since.timestamp()) * 1_000_000_000


def _in(environment: str | None) -> str:
    return f" ({_name(environment)})" if environment else ""


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _band(found: Condition) -> str:
    return (
        f" [{100 * found.low:.1f}, {100 * found.high:.1f}]" if found.low is not None and found.high is not None else ""
    )


def _name(text: str) -> str:
    """A name from a span in one line, shortened."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= NAME_CHARS else line[: NAME_CHARS - 1] + "…"
