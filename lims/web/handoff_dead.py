"""The dead letters of the hand-off: who was not told, why, and sending it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import Refusal
from lims.web.access import current, needs
from lims.web.language import laboratory, ngettext, now
from lims.web.refusing import said
from lims.work import deadletters, subscribe
from lims.work.access import Role
from lims.work.deadletters import DeadLetter

blueprint = Blueprint("dead", __name__, url_prefix="/handoff/dead")


@dataclass(frozen=True)
class Receiver:
    """One recipient with the notices that did not reach it."""

    subscription_id: UUID
    team: str
    host: str
    disabled_why: str | None
    letters: Sequence[DeadLetter]


@blueprint.get("")
@needs(Role.OPERATOR)
def page() -> str:
    """Grouped by recipient, because one dead receiver is one fault."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        letters = deadletters.dead(session, site_id=lab.site_id)
    return render_template("handoff/dead.html", receivers=_by_receiver(letters))


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
        letters = deadletters.dead(session, site_id=laboratory().site_id)
        subscribe.enable(session, subscription_id, by=by, now=now())
        deadletters.resend(session, subscription_id=subscription_id, by=by, now=now())
    _told(sum(letter.subscription_id == subscription_id for letter in letters))
    return redirect(url_for("dead.page"), 303)


def _told(n: int) -> None:
    flash(ngettext("%(num)s notice will be sent again.", "%(num)s notices will be sent again.", n))


def _by_receiver(letters: Sequence[DeadLetter]) -> list[Receiver]:
    return [
        Receiver(subscription_id, first.team, first.receiver, first.disabled_why, (first, *rest))
        for subscription_id, group in groupby(letters, key=lambda one: one.subscription_id)
        for first, *rest in [list(group)]
    ]
