"""Triage of F0: what is known of a person's health, and the cases that nobody has classified."""

from dataclasses import replace
from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from lims.domain.days import typed_day
from lims.domain.refusals import InvalidBody, NotFound, Refusal
from lims.domain.triage import Clinical, Illness, Signs
from lims.web import handoff_words, triage_words
from lims.web.access import current, needs
from lims.web.feed import scope_of
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of, said
from lims.web.transaction import in_transaction
from lims.work.access import Fault, Role
from lims.work.triage import record_clinical
from lims.work.views import board
from lims.work.views.asked_about import asked_about
from lims.work.views.board import Asked, CaseRow
from lims.work.views.triage import Classified, classified, unclassified

blueprint = Blueprint("triage", __name__, url_prefix="/handoff")

_NOT_A_NUMBER = -1  # out of every bound, so that the verb says what it wants


@blueprint.get("/unclassified")
@needs(Role.TRACER, Role.OPERATOR)
def worklist() -> str:
    """Whom to ask next: open cases without a colour, the longest open first."""
    lab, page = laboratory(), min(max(request.args.get("page", 1, int), 1), 1_000)
    with lab.sessions.begin() as session:
        cases, more = unclassified(session, scope_of(current()), site_id=lab.site_id, page=page)
    return render_template(
        "handoff/unclassified.html",
        cases=cases,
        more=more,
        page=page,
        say=handoff_words,
        words=triage_words,
    )


@blueprint.get("/cases/<uuid:case_id>/triage")
@needs(Role.TRACER, Role.OPERATOR)
def ask(case_id: UUID) -> str:
    """The form, with what is known already."""
    return _form(case_id, None, {})


@blueprint.post("/cases/<uuid:case_id>/triage")
@needs(Role.TRACER, Role.OPERATOR)
def keep(case_id: UUID) -> Response | tuple[str, int]:
    """Keep what was asked; the colour follows."""
    lab, me = laboratory(), current()
    _row_of(case_id)
    try:
        known = _typed()
        judged = in_transaction(
            lambda session: record_clinical(
                session,
                _record_id(),
                case_id,
                known,
                site_id=lab.site_id,
                by=me.actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _form(case_id, request.form, faults_of(refusal)), 422
    except Refusal as refusal:
        flash(said(refusal), "bad")
        return redirect(url_for("handoff.file", case_id=case_id), 303)
    if judged.colour:
        flash(_("Classified: %(colour)s.", colour=triage_words.colour(judged.colour)), "good")
    else:
        flash(_("Kept. Still to ask: %(facts)s.", facts=triage_words.missing(judged.missing)), "")
    return redirect(url_for("handoff.file", case_id=case_id), 303)


def _form(case_id: UUID, typed: MultiDict[str, str] | None, faults: dict[str, str]) -> str:
    row = _row_of(case_id)
    with laboratory().sessions.begin() as session:
        known = classified(session, case_id)
        registered = asked_about(session, row.person_id, site_id=laboratory().site_id).doses
    return render_template(
        "handoff/triage.html",
        case_id=case_id,
        code=handoff_words.case_code(case_id),
        name=row.name,
        ask_age=row.birth_year is None,
        registered=registered,
        values=_values(_by_hand(known)) if typed is None else _sent(typed),
        faults=faults,
        record_id=request.form.get("record_id") or str(uuid4()),
        words=triage_words,
    )


def _row_of(case_id: UUID) -> CaseRow:
    """Raises NotFound: a case of somebody else's area does not exist for this reader."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        row = board.case_row(
            session, scope_of(current()), Asked(), case_id, site_id=lab.site_id, now=now()
        )
    if row is None:
        raise NotFound(came=str(case_id), where="cases")
    return row


def _by_hand(known: Classified | None) -> Clinical:
    """Without what a register said: whoever keeps the form would say it in its place."""
    if known is None:
        return Clinical()
    return replace(known.known, doses=None) if known.by_register else known.known


def _values(known: Clinical) -> dict[str, object]:
    asked = known.illnesses is not None
    return {
        "age_years": "" if known.age_years is None else known.age_years,
        "asked_illness": "yes" if asked else "",
        "illnesses": sorted(known.illnesses or ()),
        "doses": "" if known.doses is None else known.doses,
        "spo2_percent": known.spo2_percent or "",
        "signs": known.signs or "",
        "onset_on": known.onset_on or "",
    }


def _sent(typed: MultiDict[str, str]) -> dict[str, object]:
    return {**typed.to_dict(), "illnesses": typed.getlist("illnesses")}


def _typed() -> Clinical:
    """Raises InvalidBody for an onset that is no day."""
    form = request.form
    ticked = {one for one in Illness if one.value in form.getlist("illnesses")}
    asked = ticked or "asked_illness" in form
    onset = form.get("onset_on", "").strip()
    try:
        onset_on = typed_day(onset) if onset else None
    except ValueError:
        errors = [{"pointer": "#/onset_on", "detail": Fault.ONSET}]
        raise InvalidBody(errors=errors, where="triage", came=onset[:20]) from None
    signs = form.get("signs", "")
    return Clinical(
        age_years=_number("age_years"),
        illnesses=frozenset(ticked) if asked else None,
        doses=_number("doses"),
        spo2_percent=_number("spo2_percent"),
        signs=Signs(signs) if signs in set(Signs) else None,
        onset_on=onset_on,
    )


def _number(field: str) -> int | None:
    sent = request.form.get(field, "").strip()
    if not sent:
        return None
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 4 else _NOT_A_NUMBER


def _record_id() -> UUID:
    try:
        return UUID(request.form.get("record_id", ""))
    except ValueError:
        return uuid4()
