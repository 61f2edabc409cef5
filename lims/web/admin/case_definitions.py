"""When is somebody an F0: the definition that judges, those before it, and a form for the next."""

from datetime import timedelta
from typing import Final

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.case_definition import ALWAYS, MAY_CONFIRM, CaseDefinition
from lims.domain.days import typed_day
from lims.domain.outcomes import Basis
from lims.domain.refusals import InvalidBody
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import ticked
from lims.web.definition_words import ground, standing
from lims.web.language import day, laboratory, local, now
from lims.web.language import gettext as _
from lims.web.refusing import faults_of
from lims.work.access import Fault, Role
from lims.work.case_definitions import add_definition, earliest_day, first_moment
from lims.work.views.case_definitions import Standing, versions

_CHOSEN: Final = tuple(one for one in MAY_CONFIRM if one not in ALWAYS)


@blueprint.get("/case-definitions", endpoint="case_definitions")
@needs(Role.ADMIN, Role.OPERATOR)
def read() -> str:
    """What judges, and the same as a form to change it into the next version."""
    return _page({}, {}, None)


@blueprint.post("/case-definitions")
@needs(Role.ADMIN)
def add_version() -> Response | tuple[str, int]:
    """From the day that is given on; what was judged before stays as it was."""
    lab, form = laboratory(), request.form
    grounds = ALWAYS | ticked("grounds", Basis)
    try:
        new = _typed(grounds)
        with lab.sessions.begin() as session:
            add_definition(
                session,
                new,
                timezone=lab.timezone,
                site_id=lab.site_id,
                by=current().actor,
                now=now(),
            )
    except InvalidBody as refusal:
        return _page(form.to_dict(), faults_of(refusal), grounds), 422
    flash(
        _(
            "Evidence from %(day)s on is judged by %(name)s.",
            day=day(new.valid_from.date()),
            name=new.name,
        ),
        "good",
    )
    return redirect(url_for("admin.case_definitions"), 303)


def _typed(grounds: frozenset[Basis]) -> CaseDefinition:
    """Raises InvalidBody for what is no day or no number."""
    form = request.form
    hours = form.get("second_within_h", "").strip()
    if not (hours.isascii() and hours.isdecimal() and len(hours) < 4):
        raise _no_value("second_within_h", Fault.SECOND_WITHIN, hours)
    try:
        begins = typed_day(form.get("valid_from", ""))
    except ValueError as fault:
        raise _no_value("valid_from", Fault.DAY, form.get("valid_from", "")) from fault
    return CaseDefinition(
        name=" ".join(form.get("name", "").split()),
        valid_from=first_moment(begins, laboratory().timezone),
        source=form.get("source", ""),
        grounds=grounds,
        second_within=timedelta(hours=int(hours)),
    )


def _no_value(field: str, fault: Fault, came: str) -> InvalidBody:
    return InvalidBody(
        errors=[{"pointer": f"#/{field}", "detail": fault}],
        where="case definition",
        came=came[:80],
    )


def _page(typed: dict[str, str], faults: dict[str, str], grounds: frozenset[Basis] | None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        every = versions(session, site_id=lab.site_id, now=now())
    last = next(one for one in every if one.standing is not Standing.REPLACED).definition
    return render_template(
        "admin/case_definitions.html",
        versions=every,
        begins=lambda at: day(local(at).date()),
        ground=ground,
        standing=standing,
        hours=lambda length: int(length / timedelta(hours=1)),
        always=[ground(one) for one in ALWAYS],
        offered=[(one.value, ground(one), None) for one in _CHOSEN],
        chosen={one.value for one in (last.grounds if grounds is None else grounds)},
        typed=typed or {"second_within_h": str(int(last.second_within / timedelta(hours=1)))},
        faults=faults,
        earliest=earliest_day(lab.timezone, now()),
        may_change=Role.ADMIN in current().roles,
    )
