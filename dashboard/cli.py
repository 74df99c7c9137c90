"""The command `seamscope`: finds the subcommand, and turns what can go wrong into one readable line."""

from importlib import import_module
from typing import Any

import click

from dashboard.errors import DashboardError
from schemas.settings import SettingsError

COMMANDS = {
    "up": "run",
    "demo": "run",
    "collect": "run",
    "dashboard": "run",
    "ingest": "ingest",
    "report": "report",
    "check": "check",
    "alert": "alert",
    "sql": "sql",
    "export": "export",
    "rebuild": "rebuild",
    "forget": "forget",
    "doctor": "doctor",
}
"""Subcommand to its module in `dashboard.commands`. Only the one asked for is imported: a collector that starts in
half a second must not wait for Arrow."""
INTERRUPTED = 130


class Commands(click.Group):
    """The subcommands, imported when asked for; errors of ours end as a message and exit code 1, never a traceback.

    Ctrl-C is exit code 130, as in a shell: 1 is an answer of `check`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a new user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"dashboard.commands.{COMMANDS[cmd_name]}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the subcommand."""
        try:
            return super().invoke(ctx)
        except (DashboardError, SettingsError) as exc:
            raise click.ClickException(str(exc)) from exc
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            raise SystemExit(INTERRUPTED) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="seamscope")
def main() -> None:
    """Shows where agent workflows break: in the seams between their steps.

    Start with `seamscope demo`, or with `seamscope up` and your own agents.
    """


if __name__ == "__main__":
    main()
