"""What can keep a page from showing data. Each says what is wrong, where, and what to do."""

from datetime import UTC, datetime
from pathlib import Path


class DashboardError(Exception):
    """Base of everything the dashboard raises on purpose."""


class NoStore(DashboardError):
    """Nothing has been stored yet and no collector runs."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no store at {path} and no collector runs: start one with `seamscope up`")


class CollectorDown(DashboardError):
    """A collector said it runs, and does not answer."""

    def __init__(self, address: str, reason: str, remedy: str = "look at its log, or start it again") -> None:
        super().__init__(f"the collector at {address} does not answer ({reason}): {remedy}")


class CollectorSilent(CollectorDown):
    """A collector takes questions and gives no sign of life.

    Attributes:
        since_ns: when it answered last, or was first asked.
    """

    def __init__(self, address: str, pid: int, since_ns: int) -> None:
        since = datetime.fromtimestamp(since_ns // 1_000_000_000, UTC)
        super().__init__(
            address,
            f"nothing since {since:%H:%M:%S} UTC, though process {pid} is there",
            "look at its log and at how busy the machine is; if it stays so, end it with "
            f"`kill -9 {pid}`: nothing acknowledged is lost, and `seamscope up` starts another",
        )
        self.since_ns = since_ns


class AccessDenied(DashboardError):
    """The collector wants a read token that we do not have."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"the collector at {address} refuses our read token: "
            "set SEAMSCOPE_READ_TOKEN to the collector's `read_token`"
        )


class StoreBusy(DashboardError):
    """Another process holds the file and is no collector we could ask."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"another process has {path} open: close it there (a `duckdb` shell, perhaps), or start the collector"
        )


class SchemaMismatch(DashboardError):
    """The store was written by another version."""

    def __init__(self, where: str, found: str, expected: int) -> None:
        older = found.isdecimal() and int(found) < expected
        remedy = (
            "start the collector of this version, which brings it up to date"
            if older
            else ("run the same version of seamscope on both sides")
        )
        super().__init__(f"{where} has schema {found}, this dashboard reads {expected}: {remedy}")


class QueryFailed(DashboardError):
    """A question could not be answered."""

    def __init__(self, question: str, reason: str) -> None:
        super().__init__(f"the question `{question}` could not be answered: {reason}")


class OutputRefused(DashboardError):
    """A file is not written: it exists, is a symbolic link, or its folder is missing."""


class ChildFailed(DashboardError):
    """A process that the command line started ended early or did not come up."""


class AlreadyRunning(DashboardError):
    """A collector already runs on the data folder."""

    def __init__(self, data_dir: Path, pid: int) -> None:
        super().__init__(
            f"a collector already runs on {data_dir} (pid {pid}): use it with `seamscope dashboard`, stop it, "
            "or name another folder with --data"
        )
