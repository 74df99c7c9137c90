"""Command-line flags that are settings, and what is in force once files, environment and flags are laid together."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import BaseModel, SecretStr

from schemas.alerts import WITH_SECRETS
from schemas.settings import ENV_PREFIX, Settings

Command = TypeVar("Command", bound=Callable[..., Any])

FLAGS: dict[str, str] = {
    "data_dir": "--data",
    "host": "--host",
    "grpc_port": "--grpc-port",
    "http_port": "--http-port",
    "ui_host": "--ui-host",
    "ui_port": "--ui-port",
    "insecure": "--insecure",
    "time_zone": "--time-zone",
}
"""Setting to its flag. Tokens have none: a command line can be read by every user of the machine."""


def setting_options(*names: str, data_dir_default: str | None = None) -> Callable[[Command], Command]:
    """Gives a command the flags of these settings; it receives them by the setting's name, None where not given.

    Args:
        data_dir_default: what the help calls the default folder of a command that has one of its own.
    """

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _option(name, data_dir_default if name == "data_dir" else None)(command)
        return command

    return decorate


def _option(name: str, default: str | None) -> Callable[[Command], Command]:
    field = Settings.model_fields[name]
    text = f"{field.description} [default: {default or field.get_default(call_default_factory=True)}]"
    if field.annotation is bool:
        return click.option(FLAGS[name], name, is_flag=True, default=None, help=field.description)
    if field.annotation is Path:
        path = click.Path(file_okay=False, path_type=Path)
        return click.option(FLAGS[name], name, type=path, default=None, metavar="DIR", help=text)
    kind = click.IntRange(0, 65535) if field.annotation is int else click.STRING
    return click.option(FLAGS[name], name, type=kind, default=None, help=text)


class Name(click.ParamType[str]):
    """A name that must not be empty: an empty one is mostly a variable that is not set, and would mean all."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it is written."""
        if not (text := str(value)).strip():
            self.fail("the name is empty (a variable that is not set?): leave the flag out to count all", param, ctx)
        return text


workflow_option = click.option(
    "--workflow", "workflows", type=Name(), multiple=True, metavar="NAME", help="only this workflow; may be repeated"
)
environment_option = click.option(
    "--environment",
    type=Name(),
    metavar="NAME",
    help="only runs of this environment; `all` for all; by default all but development",
)


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that give a child process exactly these settings, whatever its working directory."""
    return {ENV_PREFIX + name.upper(): _as_text(getattr(settings, name)) for name in sorted(settings.model_fields_set)}


def _as_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, BaseModel):
        return value.model_dump_json(context=WITH_SECRETS)
    if isinstance(value, Path):
        return str(value.expanduser().absolute())
    return str(value)


def child_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the settings laid over it."""
    return {**os.environ, **as_environment(settings)}


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings in force, `~` in the data folder resolved."""
    settings = Settings.load(flags)
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})
