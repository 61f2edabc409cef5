"""``lims reconcile --day D``: exit 0 where the day adds up, 1 where it does not."""

import sys
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from lims.console import as_json, counted, say
from lims.report_many_cli import day_at, day_option, opened

if TYPE_CHECKING:
    from lims.work.views.reconcile import Reconciliation


@click.command("reconcile")
@day_option
@as_json
def reconcile_day(*, asked_day: date | str, as_json: bool) -> None:
    """Does the day add up: swabs, results, findings, cases, notices; right while it is running."""
    from lims.db.laboratory import utc_now
    from lims.work.views.reconcile import reconcile

    with opened() as laboratory:
        day = day_at(asked_day, laboratory.timezone, utc_now())
        since = datetime.combine(day, time(), ZoneInfo(laboratory.timezone))
        with laboratory.snapshot() as session:
            closed = reconcile(
                session,
                site_id=laboratory.site_id,
                since=since,
                until=since + timedelta(days=1),
            )
    say(_answer(day, closed), as_json=as_json, human=_sentences)
    sys.exit(0 if closed.clean else 1)


def _answer(day: date, closed: "Reconciliation") -> dict[str, Any]:
    return {
        "day": day.isoformat(),
        "clean": closed.clean,
        "equations": [
            {"name": one.name, "whole": one.whole, "terms": dict(one.terms), "holds": one.holds}
            for one in closed.equations
        ],
        "found": dict(closed.swabs.found),
        "waiting": {
            step: {"swabs": one.swabs, "oldest_at": one.oldest_at.isoformat()}
            for step, one in closed.swabs.waiting.items()
        },
        "cases": closed.told.cases,
        "claimed": closed.told.claimed,
        "differences": [
            {"part": str(one.part), "subject": one.subject, "why": one.why}
            for one in closed.differences
        ],
    }


def _sentences(said: dict[str, Any]) -> str:
    lines = [f"{said['day']}: {_verdict(said)}"]
    for one in said["equations"]:
        terms = " + ".join(f"{name} {count:,}" for name, count in one["terms"].items())
        mark = "" if one["holds"] else "   <- does not add up"
        lines.append(f"  {one['name']:<11} {one['whole']:>9,} = {terms}{mark}")
    for step, one in said["waiting"].items():
        since = datetime.fromisoformat(one["oldest_at"])
        lines.append(f"  waiting: {one['swabs']:,} ({step}, the oldest since {since:%d/%m %H:%M})")
    lines += [f"  {one['subject']}: {one['why']}" for one in said["differences"]]
    return "\n".join(lines)


def _verdict(said: dict[str, Any]) -> str:
    if said["clean"]:
        return "everything adds up"
    many = counted(len(said["differences"]), "thing")
    return f"{many} {'does' if len(said['differences']) == 1 else 'do'} not add up"
