"""Result slips: one from a person's or a tube's page, or a class and a campaign at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from lims.db.laboratory import Laboratory
from lims.domain.days import typed_day
from lims.domain.refusals import NotFound
from lims.domain.result_slips import NotReleased, TooManySlips, Worth
from lims.web.access import current, needs
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, language, local, now, num, one_of_ours
from lims.web.pdf_answer import pdf_answer
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.aside import aside
from lims.work.audit import record
from lims.work.issue_slip import issue_slip, issue_slips
from lims.work.press import pressed
from lims.work.views import equipment, slip_list
from lims.work.views.slip_check import check_slip
from lims.work.views.slip_list import Swabbed
from lims.work.views.slip_paper import slips_on_paper
from reports.slip import Paper, Slip, slip_pdf

blueprint = Blueprint("slips", __name__, url_prefix="/slips")
LAB: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
MOST_SLIPS: Final = 5_000
MOST_DAYS: Final = 31
_AT_A_TIME: Final = 100  # read from the database while the press draws the ones before


@dataclass(frozen=True)
class Choice:
    """The form: days on the site's calendar, a campaign, a desk."""

    since: date
    until: date
    campaign_id: UUID | None
    desk: str | None

    @property
    def swabbed(self) -> Swabbed:
        """The same as the database reads it: moments, the last day included."""
        zone = ZoneInfo(laboratory().timezone)
        return Swabbed(
            datetime.combine(self.since, time.min, zone),
            datetime.combine(self.until + timedelta(days=1), time.min, zone),
            self.campaign_id,
            self.desk,
        )


@blueprint.get("")
@needs(*LAB)
def page() -> str | tuple[str, int]:
    """Whose slips: the days, the campaign, the desk, and how many are ready."""
    choice, lab = _choice(), laboratory()
    said = {name: text for name in ("since", "until") if (text := request.values.get(name))}
    faults = {name: _("Give a day: 21/11/2026.") for name, text in said.items() if not _day(text)}
    with lab.sessions.begin() as session:
        ready = slip_list.ready(session, choice.swabbed, site_id=lab.site_id)
        desks = slip_list.desks(session, choice.swabbed, site_id=lab.site_id)
        campaigns = equipment.campaigns(session, lab.site_id)
    shown = render_template(
        "slips/page.html",
        choice=choice,
        typed={name: said[name] for name in faults},
        faults=faults,
        ready=ready,
        desks=[(desk.actor, f"{desk.name} · {num(desk.swabs)}") for desk in desks],
        campaigns=[(one.campaign_id, one.name) for one in campaigns],
        most=MOST_SLIPS,
        local_only=current_app.config["PUBLIC_URL_LOCAL"],
        public_url=current_app.config["PUBLIC_URL"],
    )
    return (shown, 422) if faults else shown


@blueprint.post("")
@needs(*LAB)
def issue() -> AnyResponse:
    """Issue one person's slip, once, and open it."""
    lab = laboratory()
    finding_id = chosen_uuid(request.form, "finding_id")
    if finding_id is None:
        raise NotFound(where="finding_id")
    slip = in_transaction(
        lambda session: issue_slip(
            session,
            finding_id,
            site_id=lab.site_id,
            language=one_of_ours(request.form.get("language")) or language(),
            by=current().actor,
            now=now(),
        )
    )
    return redirect(url_for("slips.pdf", slip_id=slip.slip_id), 303)


@blueprint.get("/<uuid:slip_id>.pdf")
@needs(*LAB)
def pdf(slip_id: UUID) -> Response:
    """The slip, the same bytes each time while it is valid; every printing is recorded."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        found = _on_paper(lab, session, [slip_id], current_app.config["PUBLIC_URL"])
        if not found:
            raise NotFound(came=str(slip_id), where="slips")
        if check_slip(session, found[0].code).worth is not Worth.VALID:
            raise NotReleased(came="a result that a newer one has replaced", where="slip")
        record(
            session,
            site_id=lab.site_id,
            actor=current().actor,
            verb="print_slip",
            subject=str(slip_id),
            now=now(),
        )
    document = aside(lambda: slip_pdf(found[0]))
    return pdf_answer(document, name=f"slip-{found[0].code[:8]}")


@blueprint.post("/batch")
@needs(*LAB)
def batch() -> Response:
    """Issue all that are released, and send them as one PDF while it is being drawn."""
    choice, lab, me = _choice(), laboratory(), current()
    paper = Paper.A5 if request.form.get("paper") == "a5" else Paper.A4
    with lab.sessions.begin() as session:
        findings = slip_list.released_findings(
            session, choice.swabbed, site_id=lab.site_id, most=MOST_SLIPS + 1
        )
        if len(findings) > MOST_SLIPS:
            raise TooManySlips(came=f"more than {MOST_SLIPS}", where="slips")
        if not findings:
            raise NotReleased(came="nothing", where="slips")
        slips = issue_slips(
            session,
            findings,
            site_id=lab.site_id,
            language=one_of_ours(request.form.get("language")) or language(),
            by=me.actor,
            now=now(),
        )
        record(
            session,
            site_id=lab.site_id,
            actor=me.actor,
            verb="print_slips",
            subject=str(choice.campaign_id or lab.site_id),
            now=now(),
            slips=len(slips),
            since=choice.since.isoformat(),
            until=choice.until.isoformat(),
            desk=choice.desk,
        )
    ids = [slip.slip_id for slip in slips]
    days = " ".join(sorted({choice.since.isoformat(), choice.until.isoformat()}))
    drawn = pressed(
        _read(lab, ids, current_app.config["PUBLIC_URL"]), count=len(ids), paper=paper, title=days
    )
    response = Response(drawn, mimetype="application/pdf")
    name = f"slips-{days.replace(' ', '-to-')}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _read(lab: Laboratory, ids: Sequence[UUID], public_url: str) -> Iterator[Slip]:
    """Some at a time, each in a transaction of its own: none is open while the reader is slow."""
    for start in range(0, len(ids), _AT_A_TIME):
        with lab.sessions.begin() as session:
            some = _on_paper(lab, session, ids[start : start + _AT_A_TIME], public_url)
        yield from some


def _on_paper(
    lab: Laboratory, session: Session, ids: Sequence[UUID], public_url: str
) -> list[Slip]:
    return slips_on_paper(
        session, ids, site_id=lab.site_id, public_url=public_url, timezone=lab.timezone
    )


def _choice() -> Choice:
    """What the form says; today where it says nothing, and no more than a month."""
    said, today = request.values, local(now()).date()
    since = _day(said.get("since")) or today
    until = max(_day(said.get("until")) or since, since)
    return Choice(
        since,
        min(until, since + timedelta(days=MOST_DAYS - 1)),
        chosen_uuid(said, "campaign"),
        said.get("desk") or None,
    )


def _day(text: str | None) -> date | None:
    try:
        return typed_day(text or "")
    except ValueError:
        return None
