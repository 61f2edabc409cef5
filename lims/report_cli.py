"""``lims report …``: paper for people, written to a file by somebody at this machine's shell."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import click

from lims.console import ACTOR, counted, out, settings, write, write_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from lims.db.laboratory import Laboratory
    from lims.settings import Settings
    from lims.work.issue_slip import IssuedSlip
    from reports.slip import Slip

Language = Literal["vi", "en"]
_AT_A_TIME = 200  # slips read together: some two seconds of drawing, so that one sees it move
language = click.option(
    "--language", type=click.Choice(["vi", "en"]), help="The larger one; the site's by default."
)


@contextmanager
def opened(chosen: "Settings") -> "Iterator[Laboratory]":
    """The laboratory for as long as one document takes."""
    from lims.opening import open_laboratory

    laboratory = open_laboratory(chosen, name="lims report")
    try:
        yield laboratory
    finally:
        laboratory.engine.dispose()


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
    from lims.work.labels import MOST_LABELS, TooManyLabels, labels_of, print_labels
    from reports.labels import SHEETS, label_sheet

    if (again is None) != bool(count and title):
        raise click.UsageError("Give --count and --title for new labels, or --again alone.")
    if (count or 0) * copies > MOST_LABELS:  # before serials are spent on it
        raise TooManyLabels(came=f"{count} × {copies}", where="copies")
    with opened(settings()) as laboratory, laboratory.sessions.begin() as session:
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
    if len(batch.barcodes) * copies > MOST_LABELS:
        raise TooManyLabels(came=f"{len(batch.barcodes)} × {copies}", where="copies")
    write(label_sheet(batch.barcodes, title=batch.title, copies=copies, layout=SHEETS[sheet]), out)
    click.echo(
        f"{counted(len(batch.barcodes), 'label')}, {batch.barcodes[0]} to {batch.barcodes[-1]}, "
        f"in {out}; "
        f"the same again: --again {batch.batch_id}",
        err=True,
    )


@report.command("slip")
@click.option("--tube", help="The result slips of everybody in this tube.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="Swabbed on this day, or from it to --until."
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last of those days; without it, one day.",
)
@click.option("--campaign", help="Of this campaign only, by its name.")
@click.option("--paper", type=click.Choice(["a5", "a4"]), default="a4", show_default=True)
@language
@out
def report_slip(
    *,
    tube: str | None,
    since: datetime | None,
    until: datetime | None,
    campaign: str | None,
    paper: str,
    language: Language | None,
    out: Path,
) -> None:
    """Result slips: of a tube, or of everybody swabbed in some days who has a final result."""
    from reports.slip import Paper, slip_pages

    if (tube is None) == (since is None):
        raise click.UsageError("Give --tube, or --since with --until and --campaign.")
    chosen = settings()
    if chosen.public_url_is_own:
        click.echo(
            f"LIMS_PUBLIC_URL is not set: the square on each slip leads to {chosen.public_url}.",
            err=True,
        )
    with opened(chosen) as laboratory:
        with laboratory.sessions.begin() as session:
            findings = (
                _of_tube(session, laboratory, tube)
                if tube is not None
                else _of_days(session, laboratory, since, until or since, campaign)
            )
            issued = _issue(session, laboratory, findings, language or chosen.language)
        slips = _drawn(laboratory, chosen, issued)
        write_pieces(slip_pages(slips, count=len(issued), paper=Paper(paper)), out)
    click.echo(f"{counted(len(issued), 'slip')} in {out}.", err=True)


def _of_tube(session: "Session", laboratory: "Laboratory", tube: str) -> "Sequence[UUID]":
    from lims.domain import barcodes
    from lims.work.views.tube_story import tube_story

    barcode = barcodes.parse(tube)
    story = tube_story(session, barcode, site_id=laboratory.site_id)
    found = [holder.finding_id for holder in story.holders if holder.finding_id is not None]
    if not found:
        raise click.ClickException(
            f"no result is known yet of anybody in {barcodes.shown(barcode)}: a slip is of a final "
            "result; the page of the tube says what it waits for"
        )
    return found


def _of_days(
    session: "Session",
    laboratory: "Laboratory",
    since: datetime | None,
    until: datetime | None,
    campaign: str | None,
) -> "Sequence[UUID]":
    from zoneinfo import ZoneInfo

    from lims.work.views import equipment, slip_list

    zone = ZoneInfo(laboratory.timezone)
    if since is None or until is None or until < since:
        raise click.BadParameter(
            f"{until:%Y-%m-%d} is before --since {since:%Y-%m-%d}: give the last day"
            if since and until
            else "give --since, the first day",
            param_hint="--until",
        )
    named = {one.name: one.campaign_id for one in equipment.campaigns(session, laboratory.site_id)}
    if campaign is not None and campaign not in named:
        there = "; ".join(sorted(named)) or "none yet"
        raise click.BadParameter(
            f"no campaign is called {campaign} (there is: {there})", param_hint="--campaign"
        )
    swabbed = slip_list.Swabbed(
        since.replace(tzinfo=zone),
        (until + timedelta(days=1)).replace(tzinfo=zone),
        named[campaign] if campaign is not None else None,
    )
    return slip_list.released_findings(session, swabbed, site_id=laboratory.site_id, most=1_000_000)


def _issue(
    session: "Session", laboratory: "Laboratory", findings: "Sequence[UUID]", language: Language
) -> "Sequence[IssuedSlip]":
    """Raises NotReleased, said as a sentence, where a single result is not final."""
    from lims.db.laboratory import utc_now
    from lims.work.audit import record
    from lims.work.issue_slip import issue_slip, issue_slips

    site_id, now = laboratory.site_id, utc_now()
    if len(findings) == 1:
        issued: Sequence[IssuedSlip] = [
            issue_slip(session, findings[0], site_id=site_id, language=language, by=ACTOR, now=now)
        ]
    else:
        issued = issue_slips(
            session, findings, site_id=site_id, language=language, by=ACTOR, now=now
        )
    if not issued:
        raise click.ClickException(
            "nobody swabbed then has a final result yet: look at --since, --until and --campaign, "
            "or at /results for what waits for its final word"
        )
    record(
        session,
        site_id=site_id,
        actor=ACTOR,
        verb="print_slips",
        subject=str(site_id),
        now=now,
        slips=len(issued),
    )
    return issued


def _drawn(
    laboratory: "Laboratory", chosen: "Settings", issued: "Sequence[IssuedSlip]"
) -> "Iterator[Slip]":
    from lims.work.views.slip_paper import slips_on_paper

    ids = [slip.slip_id for slip in issued]
    for start in range(0, len(ids), _AT_A_TIME):
        if start:
            click.echo(f"{start:,} of {counted(len(ids), 'slip')} drawn …", err=True)
        with laboratory.sessions.begin() as session:
            some = slips_on_paper(
                session,
                ids[start : start + _AT_A_TIME],
                site_id=laboratory.site_id,
                public_url=chosen.public_url,
                timezone=laboratory.timezone,
            )
        yield from some


@report.command("run")
@click.argument("plate")
@language
@out
def report_run(*, plate: str, language: Language | None, out: Path) -> None:
    """The report of one run, by its plate: wells, controls, what was done, who released."""
    from lims.db.laboratory import utc_now
    from lims.tables import Site
    from lims.web.paper import run_on_paper
    from lims.work.views.plate_view import run_page
    from lims.work.views.run_record import run_record
    from reports.run_report import run_pdf

    chosen = settings()
    with opened(chosen) as laboratory, laboratory.sessions.begin() as session:
        run = run_page(session, plate, site_id=laboratory.site_id)
        record = run_record(session, run.run_id)
        site = session.get_one(Site, laboratory.site_id).name
    report = run_on_paper(
        run,
        record,
        laboratory=site,
        issued_at=utc_now(),
        timezone=laboratory.timezone,
        language=language or chosen.language,
    )
    write(run_pdf(report), out)


@report.command("reswab")
@language
@out
def report_reswab(*, language: Language | None, out: Path) -> None:
    """Everybody who is to be swabbed again, door by door, with a box for each new label."""
    from lims.db.laboratory import utc_now
    from lims.tables import Site
    from lims.web.paper import reswab_on_paper
    from lims.work.audit import record
    from lims.work.views.reswabs import every_door
    from reports.reswab import reswab_pdf

    chosen = settings()
    now = utc_now()
    with opened(chosen) as laboratory, laboratory.sessions.begin() as session:
        road = every_door(session, site_id=laboratory.site_id)
        site = session.get_one(Site, laboratory.site_id).name
        record(
            session,
            site_id=laboratory.site_id,
            actor=ACTOR,
            verb="print_reswab_sheet",
            subject=str(laboratory.site_id),
            now=now,
            doors=len(road.doors),
        )
    sheet = reswab_on_paper(
        road,
        laboratory=site,
        issued_at=now,
        timezone=laboratory.timezone,
        language=language or chosen.language,
    )
    write(reswab_pdf(sheet), out)
    beyond = f" {counted(road.left_out, 'more is', 'more are')} not on it." if road.left_out else ""
    click.echo(f"{counted(len(road.doors), 'door')} in {out}.{beyond}", err=True)
