"""What can go wrong on the read side. Every message says what was wrong and what to do about it."""


class DashboardError(Exception):
    """Base of all errors of the dashboard and the command line."""


class StoreMissing(DashboardError):
    """No collector runs on the data folder and it holds no store."""


class StoreBusy(DashboardError):
    """The store cannot be read just now: another process holds the file, or the collector does not answer."""


class SchemaMismatch(DashboardError):
    """The store was written by another schema version."""


class QueryError(DashboardError):
    """A query was refused or failed.

    Attributes:
        status: the read API's HTTP status (400, 401, 408, …); None when the file was read directly.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class OutputRefused(DashboardError):
    """A file is not written because it exists, is a symbolic link, or lies in no folder."""


class ChildFailed(DashboardError):
    """A process that the command line started ended early or did not come up."""
