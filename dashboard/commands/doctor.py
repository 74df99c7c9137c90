"""`doctor`: looks at everything a set-up can get wrong and says what to do about each."""

from typing import Any

import click

from dashboard.checks import Finding, Grade, examine
from dashboard.commands.options import FLAGS, load_settings, setting_options
from dashboard.rows import printable

MARKS = {Grade.OK: ("ok  ", "green"), Grade.NOTE: ("note", "yellow"), Grade.FAULT: ("BAD ", "red")}


@click.command()
@setting_options("data_dir", "host", "grpc_port", "http_port", "ui_host", "ui_port")
def doctor(**flags: Any) -> None:
    """Look for what is wrong, and say what to do.

    Checks versions, settings, data folder, ports, the running collector and the senders' environment. Every line
    that is not ok says what to do. The exit code is 1 if something is broken.
    """
    flag_names = {name: FLAGS[name] for name, value in flags.items() if value is not None}
    faults = 0
    for section, findings in examine(load_settings(flags), flag_names):
        click.echo(click.style(f"\n{section}", bold=True))
        for finding in findings:
            _show(finding)
            faults += finding.grade is Grade.FAULT
    click.echo(f"\n{faults} thing{'' if faults == 1 else 's'} to put right" if faults else "\nnothing is wrong")
    if faults:
        raise SystemExit(1)


def _show(finding: Finding) -> None:
    mark, colour = MARKS[finding.grade]
    click.echo(f"  {click.style(mark, fg=colour)}  {printable(finding.text)}")
    if finding.remedy:
        click.echo(f"        → {printable(finding.remedy)}")
