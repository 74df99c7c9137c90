"""What is kept from one evaluation to the next, so that a restart neither says anything twice nor forgets to end it."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dashboard import words
from dashboard.errors import DashboardError
from dashboard.files_out import OWNER_ONLY, new_file
from schemas.alerts import Alert
from schemas.paths import alerts_path

Channel = Literal["webhook", "slack"]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Episode(_Kept):
    """One condition between evaluations."""

    count: int = 0
    """Evaluations in a row that speak for beginning, or once begun for ending."""
    alert: Alert | None = None
    """The message that it began; None: it has not."""


class Outbox(_Kept):
    """What one receiver is still to get, oldest first, and what became of the rest."""

    waiting: tuple[Alert, ...] = ()
    failures: int = 0
    """Tries in a row that failed."""
    next_ns: int = 0
    """No try before."""
    sent: int = 0
    failed: int = 0
    """Tries that were not taken."""
    retried: int = 0
    """Tries that were not the first."""
    dropped: int = 0
    """Messages that were given up."""
    problem: str | None = None
    """What the last try failed for; None: it did not."""

    @property
    def summary(self) -> str:
        """The counters in words."""
        counts = {name: getattr(self, name) for name in ("sent", "failed", "retried", "dropped")}
        told = ", ".join(f"{words.count(number)} {name}" for name, number in counts.items())
        return f"{told}, {words.count(len(self.waiting))} waiting"


class State(_Kept):
    """Everything that is kept."""

    format: Literal[1] = 1
    evaluated_ns: int = 0
    """When the rules were last evaluated."""
    problem: str | None = None
    """Why they could not be since; None: they were."""
    episodes: Mapping[str, Episode] = {}
    outboxes: Mapping[Channel, Outbox] = {}

    @property
    def open(self) -> list[Alert]:
        """What has begun and not ended, oldest first."""
        began = [episode.alert for episode in self.episodes.values() if episode.alert]
        return sorted(began, key=lambda alert: (alert.at, alert.episode))


class StateUnreadable(DashboardError):
    """The file is there and makes no sense; starting anew would repeat every message."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be read ({reason}): remove it to start anew; what is still wrong is then told again"
        )


class AlreadyWatched(DashboardError):
    """Another process evaluates the alerts of the data folder."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"another `seamscope alert` works on {data_dir}: one is enough, and two would say all twice")


def load(data_dir: Path) -> State | None:
    """What was kept; None where nothing was.

    Raises:
        StateUnreadable: the file is broken, or of another version.
    """
    path = alerts_path(data_dir)
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StateUnreadable(path, exc.strerror or type(exc).__name__) from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise StateUnreadable(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from exc


def save(data_dir: Path, state: State) -> None:
    """Keeps it: whole or not at all, readable by its owner only."""
    with new_file(alerts_path(data_dir), replace=True) as file:
        file.write(state.model_dump_json().encode())


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Holds the right to evaluate alerts of a data folder; it is lost with the process, however that ends.

    Raises:
        AlreadyWatched: another process has it.
    """
    path = alerts_path(data_dir).with_suffix(".lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, OWNER_ONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise AlreadyWatched(data_dir) from exc
        yield
    finally:
        os.close(descriptor)
