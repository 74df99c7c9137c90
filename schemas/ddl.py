"""The SQL that makes a store, read from the files beside this module in the order `_order` gives."""

from functools import cache
from hashlib import sha256
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
def contract_digest() -> str:
    """Tells the views and macros of one build from those of another."""
    return sha256("\n".join(statement.sql for statement in (*views(), *macros())).encode()).hexdigest()[:16]


@cache
def contract_for_session() -> tuple[Statement, ...]:
    """Views and macros for one connection alone, before whatever a store that is only read holds of that name."""
    return tuple(
        Statement(name, sql.replace("create or replace ", "create or replace temporary ", 1))
        for name, sql in (*views(), *macros())
    )


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
