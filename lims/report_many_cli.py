"""``lims report situation|positives``: reports about many people, for whoever holds this shell."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from lims.console import ACTOR, counted, out, settings, write
from lims.domain.days import day_of

if TYPE_CHECKING:
    from lims.db.laboratory import Laboratory

_FORMS = ("pdf", "xlsx", "json")
_LISTS = ("pdf", "xlsx", "csv")


class Day(click.ParamType[date | str]):
    """A day of the site: 2026-11-21, or today, or yesterday."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | str:
        if isinstance(value, date):
            return value
        if value in ("today", "yesterday"):
            return str(value)
        try:
            return day_of(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day: give YYYY-MM-DD, today or yesterday", param, ctx)


day_option = click.option(
    "--day",
    "asked_day",
    default="today",
    show_default=True,
    type=Day(),
    help="A day of the site: YYYY-MM-DD, today or yesterday.",
)
tongue_option = click.option(
    "--language", "tongue", type=click.Choice(["vi", "en"]), help="The site's, unless given."
)
form_option = click.option(
    "--form",
    type=click.Choice([*_FORMS, "csv"]),
    help="What to write, where the file's ending says nothing.",
)


def _form(asked: str | None, to: Path, among: tuple[str, ...]) -> str:
    form = asked or to.suffix.removeprefix(".").lower()
    if form not in among:
        endings = ", ".join(f".{one}" for one in among)
        came = f"--form {asked}" if asked else f"--out {to.name}"
        raise click.UsageError(f"{came}: give --out a name ending in {endings}, or say --form.")
    return form


def day_at(asked: date | str, timezone: str, now: datetime) -> date:
    """The day that was asked for, on the site's calendar."""
    if isinstance(asked, date):
        return asked
    today = now.astimezone(ZoneInfo(timezone)).date()
    return today if asked == "today" else date.fromordinal(today.toordinal() - 1)


@contextmanager
def opened() -> "Iterator[Laboratory]":
    """The laboratory, its connections closed however the verb ends."""
    from lims.opening import open_laboratory

    laboratory = open_laboratory(settings(), name="lims report")
    try:
        yield laboratory
    finally:
        laboratory.engine.dispose()


@click.command("situation")
@day_option
@tongue_option
@form_option
@out
def report_situation(
    *, asked_day: date | str, tongue: str | None, form: str | None, out: Path
) -> None:
    """The situation of a day: stages, positivity, turnaround, open pools, overdue, kits."""
    from lims.db.laboratory import utc_now
    from lims.work.situation_apart import Asked, situation_drawn
    from reports.saying import Tongue
    from reports.situation import Form

    wanted, now = Form(_form(form, out, _FORMS)), utc_now()
    with opened() as laboratory:
        day = day_at(asked_day, laboratory.timezone, now)
        click.echo(f"Looking at {day} …", err=True)
        asked = Asked(
            site_id=laboratory.site_id,
            timezone=laboratory.timezone,
            day=day,
            now=now,
            tongue=Tongue(tongue or laboratory.language),
            form=wanted,
        )
        answered = situation_drawn(laboratory.engine, asked)
    write(answered.file, out)
    situation = answered.situation
    positive = f"{counted(situation.swabs, 'swab')}, {situation.positive:,} positive"
    told = "nobody was tested" if situation.empty else positive
    click.echo(f"{day}: {told}. Written to {out}.", err=True)


@click.command("positives")
@click.option("--team", help="The team's name; without it, the cases of every team.")
@day_option
@click.option("--open", "every_open", is_flag=True, help="Every open case, of whatever day.")
@click.option(
    "--since-last", is_flag=True, help="What is new since the last list taken at this shell."
)
@click.option("--on-foot", is_flag=True, help="The sheet for a team that goes from door to door.")
@click.option(
    "--laboratory", "for_laboratory", is_flag=True, help="With Ct and identity numbers too."
)
@tongue_option
@form_option
@out
def report_positives(
    *,
    team: str | None,
    asked_day: date | str,
    every_open: bool,
    since_last: bool,
    on_foot: bool,
    for_laboratory: bool,
    tongue: str | None,
    form: str | None,
    out: Path,
) -> None:
    """The F0 of a day for a tracing team. It is recorded who took it, and who is on it."""
    from lims.db.ids import uuid7
    from lims.db.laboratory import utc_now
    from lims.domain.tracing_lists import ListForm
    from lims.web.language import speaking
    from lims.web.names import who
    from lims.work.take_list import Days, ListAsked, drawn, keep_list, read_list
    from lims.work.views.administration import teams
    from reports.saying import Saying, Tongue

    wanted, now = ListForm(_form(form, out, ("pdf",) if on_foot else _LISTS)), utc_now()
    with opened() as laboratory, laboratory.sessions.begin() as session:
        saying = Saying(Tongue(tongue or laboratory.language), laboratory.timezone)
        known = {one.name: one.team_id for one in teams(session, laboratory.site_id)}
        if team is not None and team not in known:
            there = "; ".join(sorted(known)) or "none yet"
            raise click.BadParameter(f"no team is called {team} (there is: {there})")
        day = day_at(asked_day, laboratory.timezone, now)
        days = None if every_open or since_last else Days(day, day)
        asked = ListAsked(
            team_id=None if team is None else known[team],
            days=days,
            progressive=since_last,
            form=ListForm.SHEET if on_foot else wanted,
            for_laboratory=for_laboratory,
        )
        with speaking(saying.tongue.value):  # the name stands across every page
            by_name = who(ACTOR)
        read = read_list(
            session,
            asked,
            saying,
            site_id=laboratory.site_id,
            by=ACTOR,
            by_name=by_name,
            now=now,
        )
    click.echo(f"{counted(len(read.cases), 'case')}; writing {wanted.value} …", err=True)
    file = drawn(read)
    with opened() as laboratory, laboratory.sessions.begin() as session:
        keep_list(session, uuid7(), read, file, site_id=laboratory.site_id, by=ACTOR)
    write(file, out)
    destroy = read.listed.destroy_by
    click.echo(f"Written to {out}; recorded. Destroy it by {destroy}.", err=True)
