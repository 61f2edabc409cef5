"""Ending what was wrongly said of a person and a zone, from their own page or their case's."""

from uuid import UUID

from flask import flash, request
from sqlalchemy.orm import Session

from lims.domain.refusals import InvalidBody, NotFound
from lims.domain.zones import Tie
from lims.web.access import current
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of
from lims.work.zones import Belonging, Left, leave_zone


def end_tie(session: Session, person_id: UUID) -> Left:
    """What the form names. Raises NotFound, InvalidBody for no reason."""
    form = request.form
    try:
        given = Belonging(person_id, UUID(form.get("zone", "")), Tie(form.get("tie", "")))
    except ValueError as fault:
        raise NotFound(came=form.get("zone", ""), where="zones") from fault
    return leave_zone(
        session,
        given,
        form.get("reason", ""),
        site_id=laboratory().site_id,
        by=current().actor,
        now=now(),
    )


def say_ended(left: Left) -> None:
    """What became of those who were told is said at once."""
    if not left.ended:
        flash(_("It had ended already."), "good")
    elif left.told:
        flash(
            _("Ended. The zone's team was told of the open case, and goes on hearing of it."),
            "good",
        )
    else:
        flash(_("Ended. The zone's team was told of no open case, and hears of none."), "good")


def say_refused(refusal: InvalidBody) -> None:
    flash(" ".join(faults_of(refusal).values()), "bad")
