"""What can keep a page from showing data. Each says what is wrong, where, and what to do."""

from pathlib import Path


class DashboardError(Exception):
    """Base of everything the dashboard raises on purpose."""


class NoStore(DashboardError):
    """Nothing has been stored yet and no collector runs."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no store at {path} and no collector runs: start one with `seamscope up`")


class CollectorDown(DashboardError):
    """A collector said it runs, and does not answer."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"the collector at {address} does not answer ({reason}): look at its log, or start it again")


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
