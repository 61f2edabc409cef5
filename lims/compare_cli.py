"""``lims compare NAME``: does another system still have what it took, or did all that it has come
here; 0 where it is so, else 1."""

import sys
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from lims.console import ACTOR, as_json, counted, say
from lims.report_many_cli import Day, day_at, opened

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from lims.work.views.comparisons import Compared


@click.command("compare")
@click.argument("name")
@click.option("--since", default=None, type=Day(), help="The first day; two weeks ago if left out.")
@click.option("--until", default="today", show_default=True, type=Day(), help="The last day.")
@click.option(
    "--send",
    "--fetch",
    "send",
    is_flag=True,
    help="Send what is not there once more; fetch what was not taken here.",
)
@as_json
def compare(
    *, name: str, since: date | str | None, until: date | str, send: bool, as_json: bool
) -> None:
    """Ask the system of this NAME what it has, and list each difference to what it took of us, or
    we of it.

    Of a register that is asked about people: how many it was asked about and answered, and who has
    no answer; --send asks once more what it refused.
    """
    from lims import log
    from lims.compare_register import sentences, stand_with
    from lims.domain.asking import ASKS
    from lims.domain.exchange import PULLED
    from lims.exchange.compare import Comparer
    from lims.exchange.pull import Puller
    from lims.work import comparing, pulling
    from lims.work.views.comparisons import newest_comparisons

    log.configure()
    with opened() as laboratory:
        zone, now = ZoneInfo(laboratory.timezone), laboratory.clock()
        last = day_at(until, laboratory.timezone, now)
        first = day_at(since, laboratory.timezone, now) if since else _weeks_before(last)
        if first > last:
            raise click.UsageError(f"--since {first} is after --until {last}.")
        since_at = datetime.combine(first, time(), zone)
        until_at = datetime.combine(last + timedelta(days=1), time(), zone)
        with laboratory.sessions.begin() as session:
            destination, kind = _destination(session, laboratory.site_id, name)
        if kind in ASKS:
            stood = stand_with(laboratory, destination, since=since_at, until=until_at, send=send)
            of_whom = {"destination": name, "since": str(first), "until": str(last)}
            say(of_whom | dict(stood), as_json=as_json, human=sentences)
            sys.exit(1 if stood["without_answer"] else 0)
        with laboratory.sessions.begin() as session:
            asked = comparing.ask(
                session, destination, since=since_at, until=until_at, by=ACTOR, now=now
            )
        if not Comparer(laboratory).one(asked, last=True):
            raise click.ClickException(f"{name} is being compared already: ask again in a while")
        with laboratory.sessions.begin() as session:
            found = newest_comparisons(session, laboratory.site_id, most=100_000)
            ended = found[destination].ended
            sent = 0
            if ended is None or ended.comparison_id != asked or ended.told is None:
                said = ended.said if ended is not None else None
                raise click.ClickException(f"{name} did not say what it has: {said}")
            if send and ended.to_send:
                sent = comparing.send_what_is_not_there(
                    session, destination, by=ACTOR, now=laboratory.clock()
                )
            if send and ended.to_fetch:
                sent = pulling.fetch_what_is_not_here(
                    session, destination, by=ACTOR, now=laboratory.clock()
                )
        if sent and kind in PULLED:
            Puller(laboratory).one(destination)  # where it is leased, whoever has it fetches them
    human = _sentences_of_pulled if kind in PULLED else _sentences
    say(_answer(name, first, last, ended, sent), as_json=as_json, human=human)
    sys.exit(1 if ended.gaps else 0)


def _weeks_before(last: date) -> date:
    from lims.work.comparing import DAYS

    return last - timedelta(days=DAYS - 1)


def _destination(session: "Session", site_id: Any, name: str) -> tuple[Any, str]:
    """Which one it is, and of which kind."""
    from sqlalchemy import select

    from lims.domain.asking import ASKS
    from lims.domain.exchange import COMPARES
    from lims.tables import Destination

    rows = session.execute(
        select(Destination.id, Destination.name, Destination.kind).where(
            Destination.site_id == site_id, Destination.kind.in_({*COMPARES, *ASKS})
        )
    )
    known = {row.name: (row.id, row.kind) for row in rows}
    if name not in known:
        there = "; ".join(sorted(known)) or "none yet"
        raise click.BadParameter(f"nothing that can be compared is called {name} ({there})")
    return known[name]


def _answer(name: str, first: date, last: date, ended: "Compared", sent: int) -> dict[str, Any]:
    return {
        "destination": name,
        "since": first.isoformat(),
        "until": last.isoformat(),
        "took": ended.told,
        "has": ended.held,
        "gaps": {str(gap): many for gap, many in ended.counts.items()},
        "sent_again": sent,
        "records": [
            {
                "record": str(one.record),
                "barcode": one.barcode,
                "area": one.place,
                "day": one.day.isoformat() if one.day else None,
                "code": one.code,
                "gap": str(one.gap),
                "ours": one.ours,
                "theirs": one.theirs,
            }
            for one in ended.shown
        ],
    }


_WORDS = {
    "missing": "is not there",
    "behind": "is there with an older word",
    "other": "says something else there",
    "stranger": "is there as ours, and was never owed to it",
    "untaken": "was not taken here",
    "unread": "came here, and could not be read",
    "vanished": "was taken here, and is listed there no more",
}


def _sentences_of_pulled(said: dict[str, Any]) -> str:
    period = f"{said['since']} to {said['until']}"
    lines = [
        f"{said['destination']}, {period}: has {said['has']:,}, {said['took']:,} were taken here."
    ]
    for one in said["records"]:
        lines.append(f"  {one['code'] or one['record']}: {_WORDS[one['gap']]}")
    if not said["records"]:
        lines.append("  Everything that it has is here.")
    if said["sent_again"]:
        lines.append(f"{counted(said['sent_again'], 'declaration')} asked for once more.")
    return "\n".join(lines)


def _sentences(said: dict[str, Any]) -> str:
    period = f"{said['since']} to {said['until']}"
    lines = [f"{said['destination']}, {period}: took {said['took']:,}, has {said['has']:,}."]
    for one in said["records"]:
        what = f"{one['area']}, {one['day']}" if one["area"] else one["barcode"] or one["record"]
        lines.append(f"  {what}: {_WORDS[one['gap']]}")
    if not said["records"]:
        lines.append("  Everything that it took is there.")
    if said["sent_again"]:
        lines.append(f"{counted(said['sent_again'], 'record')} will be sent once more.")
    return "\n".join(lines)
