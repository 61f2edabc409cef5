"""``lims report …``: paper for people, written to a file by somebody at this machine's shell."""

from pathlib import Path
from uuid import UUID

import click

from lims.console import ACTOR, out, settings, write


@click.group()
def report() -> None:
    """Documents to print or to send, as PDF."""


@report.command("labels")
@click.option("--count", type=click.IntRange(1, 2000), help="How many new labels.")
@click.option("--title", help="The line above the bars: site or campaign.")
@click.option("--again", type=click.UUID, help="The id of an earlier print, for the same labels.")
@click.option(
    "--sheet",
    default="a4-48",
    show_default=True,
    type=click.Choice(["a4-48", "a4-24", "roll-50-25"]),
)
@click.option("--copies", default=1, show_default=True, type=click.IntRange(1, 4))
@out
def report_labels(
    *, count: int | None, title: str | None, again: UUID | None, sheet: str, copies: int, out: Path
) -> None:
    """Tube labels that no sheet has carried before, or those of an earlier print again."""
    from lims.db.ids import uuid7
    from lims.db.laboratory import utc_now
    from lims.opening import open_laboratory
    from lims.work.labels import MOST_LABELS, TooManyLabels, labels_of, print_labels
    from reports.labels import SHEETS, label_sheet

    if (again is None) != bool(count and title):
        raise click.UsageError("Give --count and --title for new labels, or --again alone.")
    if (count or 0) * copies > MOST_LABELS:  # before serials are spent on it
        raise TooManyLabels(came=f"{count} × {copies}", where="copies")
    laboratory = open_laboratory(settings(), name="lims report")
    with laboratory.sessions.begin() as session:
        batch = (
            labels_of(session, again)
            if again
            else print_labels(
                session,
                site_id=laboratory.site_id,
                batch_id=uuid7(),
                count=count or 0,
                title=title or "",
                by=ACTOR,
                now=utc_now(),
            )
        )
    laboratory.engine.dispose()
    if len(batch.barcodes) * copies > MOST_LABELS:
        raise TooManyLabels(came=f"{len(batch.barcodes)} × {copies}", where="copies")
    write(label_sheet(batch.barcodes, title=batch.title, copies=copies, layout=SHEETS[sheet]), out)
    click.echo(
        f"{len(batch.barcodes)} labels, {batch.barcodes[0]} to {batch.barcodes[-1]}, in {out}; "
        f"the same again: --again {batch.batch_id}",
        err=True,
    )
