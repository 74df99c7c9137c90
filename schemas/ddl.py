"""The SQL that makes a store, read from the files beside this module in the order `_order` gives."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Statement(NamedTuple):
    """One SQL statement and the file it stands in, so that an error can name it."""

    name: str
    sql: str


class Migration(NamedTuple):
    """The statements that make a store of schema `version` out of one of the version before."""

    version: int
    statements: Statement


@cache
def tables() -> tuple[Statement, ...]:
    """One statement per stored table, in creation order. They expect the schema `store` to exist."""
    return _read("tables")


@cache
def macros() -> tuple[Statement, ...]:
    """One statement per macro, in creation order: contract views that want to be told a window."""
    return _read("macros")


@cache
def views() -> tuple[Statement, ...]:
    """One statement per contract view, in creation order; each can be run again."""
    return _read("views")


@cache
def migrations() -> tuple[Migration, ...]:
    """What leads from each older schema version to the present one, oldest first."""
    root = files("schemas") / "sql" / "migrations"
    names = sorted(path.name for path in root.iterdir() if path.name.endswith(".sql"))
    return tuple(
        Migration(int(name.removesuffix(".sql")), Statement(f"migrations/{name}", (root / name).read_text("utf-8")))
        for name in names
    )


def _read(folder: str) -> tuple[Statement, ...]:
    root = files("schemas") / "sql" / folder
    names = (root / "_order").read_text("utf-8").split()
    return tuple(Statement(f"{folder}/{name}.sql", (root / f"{name}.sql").read_text("utf-8")) for name in names)
