"""`alert`: evaluates the alert rules and brings messages to their receivers, once or each minute."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from dashboard.alerts.delivery import Receiver, delivered, next_try_ns, posted, receivers
from dashboard.alerts.episodes import advance
from dashboard.alerts.messages import Words
from dashboard.alerts.state import Outbox, State, load, only_one, save
from dashboard.alerts.watch import Watch
from dashboard.analytics.storms import Limits
from dashboard.commands.options import load_settings, setting_options
from dashboard.endpoint import url_of
from dashboard.errors import DashboardError
from dashboard.reader import connect
from dashboard.rows import printable
from schemas.alerts import AlertSettings
from schemas.settings import Settings
from schemas.zones import zone_of

NS: Final = 1_000_000_000
EVERY: Final = timedelta(minutes=1)
ONCE_TRIES: Final = 5
"""How often `--once` tries before it leaves a message to the next time: about a minute."""


@click.command()
@click.option("--once", is_flag=True, help="evaluate once, deliver, and end; for cron")
@setting_options("data_dir", "time_zone")
def alert(once: bool, **flags: Any) -> None:
    """Tell a webhook or Slack when reliability breaks, and when it is over.

    Burn of an objective, retry storms and falls of reliability, as section `alerts` of the settings says; each minute.
    `seamscope up` and `seamscope demo` start it by themselves where that section is there. One message is sent when
    an episode begins and one when it ends, also across restarts. With `--once` the exit code is 1 if the store cannot
    be asked or a message could not be delivered; it is kept for the next time.
    """
    settings = load_settings(flags)
    if settings.alerts is None:
        raise click.UsageError(
            "no alerts are configured: write section [alerts] into seamscope.toml, see docs/alerts.md"
        )
    if not settings.data_dir.is_dir():
        raise click.ClickException(f"there is no data folder {settings.data_dir} yet: seamscope up")
    with only_one(settings.data_dir):
        desk = Desk(settings, settings.alerts)
        if once:
            desk.once()
        else:
            desk.forever()


class Desk:
    """Evaluates, keeps, delivers.

    A message is kept before it is sent: whatever ends the process in between, it repeats one at most and loses none.
    """

    def __init__(
        self,
        settings: Settings,
        alerts: AlertSettings,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._alerts, self._now_ns, self._sleep = settings, alerts, now_ns, sleep
        self._data_dir: Path = settings.data_dir
        zone = zone_of(settings.time_zone)
        url = settings.public_url or url_of(settings.ui_host, settings.ui_port)
        self._words = Words(url, zone, alerts.environment)
        self._watch = Watch(alerts, settings.time_zone, Limits.of(settings.storms))
        self._receivers: list[Receiver] = receivers(alerts)
        self.state = load(self._data_dir) or State()

    def once(self) -> None:
        """One evaluation, and a few tries to deliver what there is to say.

        Raises:
            ClickException: the store cannot be asked, or something could not be delivered.
        """
        self.evaluate()
        for _ in range(ONCE_TRIES - 1):
            self.deliver()
            due_ns = next_try_ns(self.state.outboxes)
            if due_ns is None:
                break
            self._sleep(max(0, due_ns - self._now_ns()) / NS)
        else:
            self.deliver()
        if self.state.problem:
            raise click.ClickException(self.state.problem)
        unsent = {name: box for name, box in self.state.outboxes.items() if box.problem}
        if unsent:
            told = "; ".join(f"{name}: {box.problem}, {len(box.waiting)} kept" for name, box in unsent.items())
            raise click.ClickException(f"not everything was delivered: {told}")

    def forever(self) -> None:
        """An evaluation each minute, and tries to deliver when they are due. Survives what goes wrong in one turn."""
        while True:
            turn_ns = self._now_ns() + round(EVERY.total_seconds()) * NS
            try:
                self._turn(turn_ns)
            except Exception as exc:  # a full disk must not end what would tell of it, nor the collector beside it
                _say(f"this turn failed ({type(exc).__name__}: {exc}); the next is in a minute")
            self._sleep(max(0, turn_ns - self._now_ns()) / NS)

    def _turn(self, until_ns: int) -> None:
        self.evaluate()
        while True:
            self.deliver()
            due_ns = next_try_ns(self.state.outboxes)
            if due_ns is None or due_ns >= until_ns:
                return
            self._sleep(max(0, due_ns - self._now_ns()) / NS)

    def evaluate(self) -> None:
        """Asks the store and keeps what there is to say. A store that cannot be asked changes nothing but `problem`."""
        at_ns = self._now_ns()
        try:
            found = self._watch.evaluate(connect(self._settings), at_ns)
        except DashboardError as exc:
            if self.state.problem != str(exc):
                _say(f"alerts are not evaluated: {exc}")
            self._keep(self.state.model_copy(update={"problem": str(exc)}))
            return
        episodes, alerts = advance(
            self.state.episodes,
            found,
            self._words,
            at_ns,
            open_after=self._alerts.open_after,
            close_after=self._alerts.close_after,
        )
        boxes = {
            receiver.channel: posted(self.state.outboxes.get(receiver.channel, Outbox()), alerts, at_ns)
            for receiver in self._receivers
        }
        self._keep(State(evaluated_ns=at_ns, episodes=episodes, outboxes=boxes))
        for told in alerts:
            click.echo(f"{told.kind:<5}  {printable(told.text)}")

    def deliver(self) -> None:
        """Tries what is due; the first failure of a receiver ends its turn."""
        for receiver in self._receivers:
            while True:
                before = self.state.outboxes.get(receiver.channel, Outbox())
                after = delivered(before, receiver.send, self._now_ns, random.random)
                if after is before:
                    break
                self._keep(self.state.model_copy(update={"outboxes": {**self.state.outboxes, receiver.channel: after}}))
                if after.problem and after.problem != before.problem:
                    _say(f"a message could not be delivered to the {receiver.channel}: {after.problem}")

    def _keep(self, state: State) -> None:
        save(self._data_dir, state)
        self.state = state


def _say(text: str) -> None:
    click.echo(f"seamscope alert: {printable(text)}", err=True)
