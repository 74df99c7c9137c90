"""`report`: the weekly summary, to a file or to standard output."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from dashboard.analytics.storms import Limits
from dashboard.commands.export import STANDARD_OUTPUT, destination
from dashboard.commands.options import environment_option, load_settings, setting_options, workflow_option
from dashboard.reader import connect, held
from dashboard.reports.build import weekly
from dashboard.reports.formats import RENDER
from dashboard.reports.weeks import NoSuchWeek, Week, last_complete
from schemas.zones import zone_of


@click.command()
@click.option("--week", "week_text", metavar="YYYY-Www", help="ISO week, as 2026-W46 [default: the last complete one]")
@click.option("--format", "form", type=click.Choice(list(RENDER)), default="html", show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=STANDARD_OUTPUT,
    show_default=True,
    help="file to write, `-` for standard output",
)
@click.option("--force", is_flag=True, help="replace a file that exists")
@workflow_option
@click.option("--all-workflows", is_flag=True, help="every workflow that ran; what is done where none is named")
@environment_option
@setting_options("data_dir", "time_zone")
def report(
    week_text: str | None,
    form: str,
    output: Path,
    force: bool,
    workflows: tuple[str, ...],
    all_workflows: bool,
    environment: str | None,
    **flags: Any,
) -> None:
    """Write the weekly reliability summary.

    What users got, what the chain delivers and where it leaks, what changed, storms, silent failures, latency that
    moved, and what to fix first: HTML in one file that opens offline and prints, Markdown for a chat, CSV, or JSON
    after docs/reports.schema.json. The same data give the same bytes. Reads through the running collector, or from
    the store's file where none runs.
    """
    if workflows and all_workflows:
        raise click.UsageError("--workflow and --all-workflows exclude each other")
    settings = load_settings(flags)
    zone, now_ns = zone_of(settings.time_zone), time.time_ns()
    try:
        week = Week.parse(week_text, zone) if week_text else last_complete(now_ns, zone)
    except NoSuchWeek as exc:
        raise click.BadParameter(str(exc), param_hint="--week") from exc
    with held(connect(settings)) as reader:
        summary = weekly(
            reader,
            week,
            now_ns=now_ns,
            zone_name=settings.time_zone,
            workflows=workflows,
            environment=environment or "",
            limits=Limits.of(settings.storms),
        )
    with destination(output, force) as file:
        file.write(RENDER[form](summary))
    if output != STANDARD_OUTPUT:
        click.echo(f"{summary.week}: {len(summary.workflows)} workflows written to {output}")
    for note in summary.notes:
        click.echo(note.text, file=sys.stderr)
