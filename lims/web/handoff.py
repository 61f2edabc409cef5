"""The hand-off: which F0 has nobody yet? Claim it, open its file, see who was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Flask, flash, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.lifecycle import CaseState
from lims.domain.refusals import InvalidBody, NotFound, Refusal, WrongScope
from lims.web import handoff_words, roster_words, triage_words
from lims.web.access import current, needs
from lims.web.board_filters import Filters, asked_for, hours_asked, query_of
from lims.web.feed import scope_of
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of, said
from lims.web.shell import day_start
from lims.web.zone_ties import end_tie, say_ended, say_refused
from lims.work.access import Role, SignedIn
from lims.work.acknowledge import acknowledge
from lims.work.case_card import fetch_case
from lims.work.claim import AlreadyClaimed, CaseOver, claim, release_claim, take_over
from lims.work.escalate import patience_of
from lims.work.views import alerts as alert_views
from lims.work.views import board as views
from lims.work.views import calls, duty
from lims.work.views.asked_about import asked_about
from lims.work.views.board import Asked, CaseRow, Scope
from lims.work.views.case_file import case_file
from lims.work.views.case_steps import case_steps, person_of_case, zones_of
from lims.work.views.triage import classified
from lims.work.voice import Reader

blueprint = Blueprint("handoff", __name__, url_prefix="/handoff")

_OVERSEES: Final = frozenset({Role.OPERATOR})
_READS_CT: Final = frozenset({Role.REVIEWER})
_BOARD: Final = (Role.TRACER, Role.OPERATOR)
_FILE: Final = (*_BOARD, Role.REVIEWER)
_OPEN: Final = frozenset({CaseState.PRESUMPTIVE, CaseState.CONFIRMED})


@blueprint.get("")
@needs(*_BOARD)
def page() -> str:
    """New cases first, without reloading; beneath them the positive pools."""
    me, lab, scope, asked = current(), laboratory(), scope_of(current()), asked_for()
    with lab.sessions.begin() as session:
        board = views.board(
            session, scope, asked, site_id=lab.site_id, now=now(), day_start=day_start()
        )
        warned = alert_views.alerts(session, scope, site_id=lab.site_id)
        areas = [(a.value, a.label) for a in views.areas(session, scope, site_id=lab.site_id)]
        teams = [(t.value, team_name(t.label)) for t in views.teams(session, site_id=lab.site_id)]
        to_ring = calls.how_many(
            session, Reader(scope.everything, scope.team_id), site_id=lab.site_id, now=now()
        )
        on_call = (
            duty.on_call(
                session,
                site_id=lab.site_id,
                now=now(),
                team_id=None if scope.everything else scope.team_id,
            )
            if scope.everything or scope.team_id
            else ()
        )
    return render_template(
        "handoff/board.html",
        board=board,
        alerts=warned,
        to_ring=to_ring,
        on_call=on_call,
        filters=Filters(areas, teams if scope.everything else [], asked, hours_asked()),
        may_claim=_may_claim(me),
        oversees=scope.everything,
        no_team=not scope.everything and scope.team_id is None,
        rendered=uuid7(),
        first_corrected=views.FIRST_CORRECTED,
        query=query_of(asked),
        first=query_of(replace(asked, page=1)),
        following=query_of(replace(asked, page=asked.page + 1)),
    )


@blueprint.get("/figures")
@needs(*_BOARD)
def figures() -> str:
    """The cards and the early warnings alone, for `board.js`."""
    lab, scope = laboratory(), scope_of(current())
    with lab.sessions.begin() as session:
        counted = views.figures(
            session, scope, asked_for(), site_id=lab.site_id, day_start=day_start()
        )
        warned = alert_views.alerts(session, scope, site_id=lab.site_id)
    return render_template("handoff/_live.html", figures=counted, alerts=warned)


@blueprint.get("/cases/<uuid:case_id>/row")
@needs(*_BOARD)
def row(case_id: UUID) -> tuple[str, int]:
    """One row for `board.js`; 204 when this board, narrowed as it is, does not show the case."""
    lab, asked = laboratory(), asked_for()
    with lab.sessions.begin() as session:
        shown = views.case_row(
            session, scope_of(current()), asked, case_id, site_id=lab.site_id, now=now()
        )
    if shown is None:
        return "", 204
    return render_template("handoff/_row.html", case=shown, may_claim=_may_claim(current())), 200


@blueprint.get("/cases/<uuid:case_id>")
@needs(*_FILE)
def file(case_id: UUID) -> str:
    """Everything a team needs to find the person; reading it is recorded."""
    me, lab = current(), laboratory()
    with lab.sessions.begin() as session:
        shown = _visible(
            views.case_row(
                session, _file_scope(me), Asked(), case_id, site_id=lab.site_id, now=now()
            ),
            case_id,
        )
        _record_reading(session, me, case_id)
        whole = case_file(session, case_id, with_ct=bool(me.roles & _READS_CT))
        triage = classified(session, case_id)
        asked = asked_about(session, shown.person_id, site_id=lab.site_id)
        steps = case_steps(session, case_id)
        zones = zones_of(session, person_of_case(session, case_id), now=now())
    return render_template(
        "handoff/case.html",
        case=shown,
        file=whole,
        steps=steps,
        zones=zones,
        ends_at=url_for("handoff.leave", case_id=case_id) if me.roles & set(_BOARD) else None,
        teams=[(team.value, team_name(team.label)) for team in whole.teams],
        may_claim=_may_claim(me),
        may_assign=bool(me.roles & _OVERSEES),
        mine=me.team_id is not None and shown.team_id == me.team_id,
        with_ct=bool(me.roles & _READS_CT),
        is_open=shown.state in _OPEN,
        triage=triage,
        asked=asked,
        words=triage_words,
        may_triage=shown.state in _OPEN and bool(me.roles & set(_BOARD)),
    )


@blueprint.post("/cases/<uuid:case_id>/claim")
@needs(*_BOARD)
def take(case_id: UUID) -> Response:
    """Claim for one's own team, or (operators) for the team chosen."""
    me, lab = current(), laboratory()
    try:
        with lab.sessions.begin() as session:
            _check_visible(session, me, case_id)
            claim(session, case_id, _claiming_team(me), by=me.actor, now=now())
    except (AlreadyClaimed, CaseOver) as refusal:
        flash(said(refusal), "bad")
        return redirect(url_for("handoff.page"), 303)
    flash(_("%(case)s is yours.", case=handoff_words.case_code(case_id)), "good")
    return redirect(url_for("handoff.file", case_id=case_id), 303)


@blueprint.post("/cases/<uuid:case_id>/release")
@needs(*_BOARD)
def release(case_id: UUID) -> Response:
    """Give the case back, with the reason."""
    me, lab = current(), laboratory()
    try:
        with lab.sessions.begin() as session:
            shown = _check_visible(session, me, case_id)
            if not me.roles & _OVERSEES and shown.team_id != me.team_id:
                raise WrongScope(where=f"case {case_id}", came="a case of another team")
            release_claim(session, case_id, by=me.actor, now=now(), reason=_reason())
    except Refusal as refusal:
        flash(_plainly(refusal), "bad")
        return redirect(url_for("handoff.file", case_id=case_id), 303)
    flash(_("Given back: the case waits for a team again."), "good")
    return redirect(url_for("handoff.page"), 303)


@blueprint.post("/cases/<uuid:case_id>/take-over")
@needs(*_BOARD)
def move(case_id: UUID) -> Response:
    """Take a case over from another team, with the reason."""
    me, lab = current(), laboratory()
    try:
        with lab.sessions.begin() as session:
            _check_visible(session, me, case_id)
            team = _claiming_team(me)
            take_over(session, case_id, team, by=me.actor, now=now(), reason=_reason())
    except Refusal as refusal:
        flash(_plainly(refusal), "bad")
    else:
        flash(_("The case has changed hands."), "good")
    return redirect(url_for("handoff.file", case_id=case_id), 303)


@blueprint.post("/cases/<uuid:case_id>/zone")
@needs(*_BOARD)
def leave(case_id: UUID) -> Response:
    """Whoever traces them learns first that they never worked there."""
    me, lab = current(), laboratory()
    try:
        with lab.sessions.begin() as session:
            _check_visible(session, me, case_id)
            left = end_tie(session, person_of_case(session, case_id))
    except InvalidBody as refusal:
        say_refused(refusal)
    else:
        say_ended(left)
    return redirect(url_for("handoff.file", case_id=case_id), 303)


@blueprint.post("/cases/<uuid:case_id>/seen")
@needs(*_BOARD)
def seen(case_id: UUID) -> Response:
    """The team knows of a correction."""
    me, lab = current(), laboratory()
    with lab.sessions.begin() as session:
        _check_visible(session, me, case_id)
        team = _claiming_team(me)
        acknowledge(session, case_id, team, site_id=lab.site_id, by=me.actor, now=now())
    return redirect(url_for("handoff.page"), 303)


def init_app(app: Flask) -> None:
    """Give the hand-off's templates its words."""
    app.jinja_env.globals["say"] = handoff_words
    app.jinja_env.globals["late_min"] = late_min
    app.jinja_env.globals["roster"] = roster_words


def late_min() -> int:
    """After so many minutes an unclaimed case is late: then the next in the roster is named."""
    if "late_min" not in g:
        lab = laboratory()
        with lab.sessions.begin() as session:
            g.late_min = patience_of(session, lab.site_id).roster // timedelta(minutes=1)
    minutes: int = g.late_min
    return minutes


def _file_scope(me: SignedIn) -> Scope:
    """A reviewer judged the evidence and may read what became of it."""
    return Scope(everything=bool(me.roles & (_OVERSEES | {Role.REVIEWER})), team_id=me.team_id)


def _may_claim(me: SignedIn) -> bool:
    return me.team_id is not None and Role.TRACER in me.roles


def _record_reading(session: Session, me: SignedIn, case_id: UUID) -> None:
    """Audited; what the tracer's team was told of the case is thereby fetched."""
    team_id = me.team_id if Role.TRACER in me.roles else None
    site_id = laboratory().site_id
    fetch_case(session, case_id, team_id, site_id=site_id, by=me.actor, now=now())


def _claiming_team(me: SignedIn) -> UUID:
    """An operator says for which team; a tracer claims for their own, whatever the form says."""
    chosen = request.form.get("team", "") if me.roles & _OVERSEES else ""
    try:
        team_id = UUID(chosen) if chosen else me.team_id
    except ValueError:
        team_id = None
    if team_id is None:
        raise WrongScope(where="claim", came="nobody's team")
    return team_id


def _reason() -> str:
    """The two forms may stand on one page, so their fields have two names."""
    return request.form.get("reason") or request.form.get("why", "")


def _plainly(refusal: Refusal) -> str:
    """A fault of a field by its own sentence, anything else by its kind and what to do."""
    faults = faults_of(refusal) if isinstance(refusal, InvalidBody) else {}
    return " ".join(faults.values()) or said(refusal)


def _check_visible(session: Session, me: SignedIn, case_id: UUID) -> CaseRow:
    site_id = laboratory().site_id
    found = views.case_row(session, scope_of(me), Asked(), case_id, site_id=site_id, now=now())
    return _visible(found, case_id)


def _visible(found: CaseRow | None, case_id: UUID) -> CaseRow:
    """Raises NotFound: a case of somebody else's area does not exist for this reader."""
    if found is None:
        raise NotFound(came=str(case_id), where="cases")
    return found
