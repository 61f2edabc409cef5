"""Does the day add up? The page, and every difference as a file."""

import csv
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, url_for

from lims.domain import barcodes
from lims.web import reconcile_words
from lims.web.access import needs
from lims.web.handoff_words import case_code
from lims.web.language import laboratory, local, now
from lims.web.reports import asked_day
from lims.work.access import Role
from lims.work.views.reconcile import Reconciliation, reconcile
from lims.work.views.reconcile_parts import SAID_OF_CASES, Difference

blueprint = Blueprint("reconciling", __name__, url_prefix="/reports/reconciliation")

READERS: Final = (Role.OPERATOR, Role.REVIEWER)
MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """A tube by its barcode or a case by its number, with its page; a swab without a tube has only
    the end of its id."""

    label: str
    page: str | None


@blueprint.get("")
@needs(*READERS)
def page() -> str:
    """Every sum of the day as it stands at this moment, and what does not add up by name."""
    day, today = asked_day(), local(now()).date()
    closed = day_closed(day)
    return render_template(
        "reports/reconciliation.html",
        closed=closed,
        shown=closed.differences[:MOST_SHOWN],
        left_out=max(0, len(closed.differences) - MOST_SHOWN),
        seen=_seen,
        say=reconcile_words,
        day=day,
        today=today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < today else None,
    )


@blueprint.get("/differences.csv")
@needs(*READERS)
def differences() -> Response:
    """All that does not add up: a tube's barcode, or the id of a case or a pool, and why."""
    day, written = asked_day(), StringIO()
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(("part", "subject", "why"))
    rows.writerows((one.part, one.subject, one.why) for one in day_closed(day).differences)
    response = Response("\ufeff" + written.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="differences-{day}.csv"'
    return response


def day_closed(day: date) -> Reconciliation:
    """The laboratory's calendar day, seen at one moment."""
    lab = laboratory()
    since = datetime.combine(day, time(), ZoneInfo(lab.timezone))
    with lab.snapshot() as session:
        return reconcile(session, site_id=lab.site_id, since=since, until=since + timedelta(days=1))


def _seen(one: Difference) -> Seen:
    try:
        subject = UUID(one.subject)
    except ValueError:
        return Seen(barcodes.shown(one.subject), url_for("tubes.page", barcode=one.subject))
    if one.why in SAID_OF_CASES:
        page = url_for("handoff.file", case_id=subject)
        return Seen(case_code(subject), page)
    return Seen(f"…{one.subject[-12:]}", None)
