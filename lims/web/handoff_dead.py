"""The dead letters of the hand-off: who was not told, why, and sending it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import NotFound, Refusal
from lims.domain.telling import Failure
from lims.web.access import current, needs
from lims.web.language import laboratory, ngettext, now
from lims.web.refusing import said
from lims.work import deadletters, subscribe
from lims.work.access import Role
from lims.work.deadletters import DeadGroup, DeadLetter

blueprint = Blueprint("dead", __name__, url_prefix="/handoff/dead")


@dataclass(frozen=True)
class Receiver:
    """One recipient with the notices that did not reach it."""

    subscription_id: UUID
    team: str
    host: str
    disabled_why: str | None
    notices: int
    letters: Sequence[DeadLetter]


@dataclass(frozen=True)
class Reason:
    """How many failed for one reason, at how many teams; `may_go`: some receiver is in use."""

    failure: Failure | None
    notices: int
    teams: int
    may_go: bool


@blueprint.get("")
@needs(Role.OPERATOR)
def page() -> str:
    """By reason, because what is mended once is sent again once; and by recipient."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        letters = deadletters.dead(session, site_id=lab.site_id)
        groups = deadletters.groups(session, site_id=lab.site_id)
    return render_template(
        "handoff/dead.html",
        receivers=_by_receiver(letters, groups),
        reasons=_by_reason(groups),
    )


@blueprint.post("/reasons/<failure>/resend")
@needs(Role.OPERATOR)
def resend_reason(failure: str) -> Response:
    """All that failed for this reason, to every recipient that is in use."""
    lab = laboratory()
    try:
        why = Failure(failure)
    except ValueError as error:
        raise NotFound(came=failure, where="reasons") from error
    with lab.sessions.begin() as session:
        n = deadletters.resend_because(
            session, why, site_id=lab.site_id, by=current().actor, now=now()
        )
    _told(n)
    return redirect(url_for("dead.page"), 303)


@blueprint.post("/<uuid:notice_id>/resend")
@needs(Role.OPERATOR)
def resend_one(notice_id: UUID) -> Response:
    try:
        with laboratory().sessions.begin() as session:
            n = deadletters.resend(session, ids=[notice_id], by=current().actor, now=now())
    except Refusal as refusal:
        flash(said(refusal), "bad")
    else:
        _told(n)
    return redirect(url_for("dead.page"), 303)


@blueprint.post("/receivers/<uuid:subscription_id>/resend")
@needs(Role.OPERATOR)
def resend_all(subscription_id: UUID) -> Response:
    """Everything to one recipient, which is thereby in use again."""
    by = current().actor
    with laboratory().sessions.begin() as session:
        groups = deadletters.groups(session, site_id=laboratory().site_id)
        waiting = sum(one.waiting for one in groups if one.subscription_id == subscription_id)
        subscribe.enable(session, subscription_id, by=by, now=now())
        n = deadletters.resend(session, subscription_id=subscription_id, by=by, now=now())
    _told(n + waiting)
    return redirect(url_for("dead.page"), 303)


def _told(n: int) -> None:
    flash(ngettext("%(num)s notice will be sent again.", "%(num)s notices will be sent again.", n))


def _by_receiver(letters: Sequence[DeadLetter], groups: Sequence[DeadGroup]) -> list[Receiver]:
    notices: Counter[UUID] = Counter()
    for one in groups:
        notices[one.subscription_id] += one.notices
    return [
        Receiver(
            subscription_id,
            first.team,
            first.receiver,
            first.disabled_why,
            notices[subscription_id],
            (first, *rest),
        )
        for subscription_id, group in groupby(letters, key=lambda one: one.subscription_id)
        for first, *rest in [list(group)]
    ]


def _by_reason(groups: Sequence[DeadGroup]) -> list[Reason]:
    """The most frequent first."""
    found: dict[Failure | None, list[DeadGroup]] = {}
    for one in groups:
        found.setdefault(one.failure, []).append(one)
    reasons = [
        Reason(
            failure,
            sum(one.notices for one in those),
            len({one.team for one in those}),
            any(one.disabled_why is None for one in those),
        )
        for failure, those in found.items()
    ]
    return sorted(reasons, key=lambda reason: -reason.notices)
