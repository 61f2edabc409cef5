"""The voice list: whom to ring now about cases nobody has, and what came of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.escalation import Reached
from lims.domain.refusals import InvalidBody, NotFound, Refusal
from lims.web import handoff_words, roster_words
from lims.web.access import current, needs
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory, ngettext, now
from lims.web.refusing import faults_of, said
from lims.web.transaction import in_transaction
from lims.work.access import Role, SignedIn
from lims.work.views import calls as views
from lims.work.views import duty
from lims.work.voice import Reader, Said, claim_by_word, record_call

blueprint = Blueprint("calls", __name__, url_prefix="/handoff/calls")


@blueprint.get("")
@needs(Role.TRACER, Role.OPERATOR)
def page() -> str:
    """Who waits longest first; those that were spoken with below."""
    me, lab = current(), laboratory()
    reader = _reader(me)
    with lab.sessions.begin() as session:
        teams = views.to_ring(session, reader, site_id=lab.site_id, now=now())
        latest = views.latest_calls(session, reader, site_id=lab.site_id)
        on_call = duty.on_call(
            session,
            site_id=lab.site_id,
            now=now(),
            team_id=None if reader.everything else me.team_id,
        )
    return render_template(
        "handoff/calls.html",
        now_due=[one for one in teams if one.cases and one.numbers],
        unreachable=[one for one in teams if one.cases and not one.numbers],
        spoken=[one for one in teams if not one.cases],
        latest=latest,
        on_call=on_call if reader.everything or me.team_id else (),
        call_ids={one.team_id: uuid7() for one in teams},
        as_of=now().isoformat(),
        outcomes=list(Reached),
        roster=roster_words,
        may_claim_for=lambda team_id: reader.everything or team_id == me.team_id,
        may_plan=bool(me.roles & {Role.OPERATOR, Role.ADMIN}),
    )


@blueprint.post("/<uuid:team_id>")
@needs(Role.TRACER, Role.OPERATOR)
def record(team_id: UUID) -> Response:
    """Keep what came of a call."""
    me, lab = current(), laboratory()
    try:
        given = Said(
            _uuid("call_id") or uuid7(),
            team_id,
            _uuid("contact"),
            _outcome(),
            request.form.get("note", ""),
        )
        kept = in_transaction(
            lambda session: record_call(
                session,
                given,
                reader=_reader(me),
                as_of=_as_of(),
                site_id=lab.site_id,
                by=me.actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        flash(" ".join(faults_of(refusal).values()) or said(refusal), "bad")
    except Refusal as refusal:
        flash(said(refusal), "bad")
    else:
        flash(
            ngettext(
                "Kept, for %(num)s case. Nobody has claimed it by that.",
                "Kept, for %(num)s cases. Nobody has claimed them by that.",
                kept.cases,
            ),
            "good",
        )
    return redirect(url_for("calls.page"), 303)


@blueprint.post("/<uuid:team_id>/claim")
@needs(Role.TRACER, Role.OPERATOR)
def take(team_id: UUID) -> Response:
    """The team said on the telephone that it takes them."""
    me, lab = current(), laboratory()
    reader = _reader(me)
    if not reader.everything and team_id != me.team_id:
        raise NotFound(came=str(team_id), where="teams")
    made = in_transaction(
        lambda session: claim_by_word(
            session,
            team_id,
            reader=reader,
            as_of=_as_of(),
            site_id=lab.site_id,
            by=me.actor,
            now=now(),
        )
    )
    if made.claimed:
        flash(
            ngettext("%(num)s case claimed.", "%(num)s cases claimed.", len(made.claimed)), "good"
        )
    for lost in made.lost:
        case = UUID(lost.where.removeprefix("case "))
        flash(
            _(
                "%(team)s was faster with %(case)s.",
                team=team_name(lost.team),
                case=handoff_words.case_code(case),
            ),
            "bad",
        )
    if not made.claimed and not made.lost:
        flash(_("They were claimed or withdrawn meanwhile."), "bad")
    return redirect(url_for("calls.page"), 303)


def _reader(me: SignedIn) -> Reader:
    return Reader(everything=Role.OPERATOR in me.roles, team_id=me.team_id)


def _uuid(field: str) -> UUID | None:
    try:
        return UUID(request.form.get(field, ""))
    except ValueError:
        return None


def _outcome() -> Reached:
    try:
        return Reached(request.form.get("outcome", ""))
    except ValueError:
        raise InvalidBody(
            errors=[{"pointer": "#/outcome", "detail": "what came of the call"}], where="call"
        ) from None


def _as_of() -> datetime:
    """When the page was shown; what is unreadable, or still to come, is now."""
    try:
        at = datetime.fromisoformat(request.form.get("as_of", ""))
    except ValueError:
        return now()
    return min(at, now()) if at.tzinfo else now()
