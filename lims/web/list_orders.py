"""A team's standing orders for lists: which hours, what file, and an end."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody
from lims.domain.tracing_lists import Arrival, ListForm
from lims.web.access import current, needs
from lims.web.language import gettext as _
from lims.web.language import laboratory, language, now
from lims.web.positives import OVERSEES, TAKERS, shown_page, team_of
from lims.web.refusing import faults_of
from lims.web.transaction import in_transaction
from lims.work.scheduled_lists import end_order, order_list

blueprint = Blueprint("list_orders", __name__, url_prefix="/handoff/list/orders")

_MOST_HOURS: Final = 24


@blueprint.post("")
@needs(*TAKERS)
def order() -> Response | tuple[str, int]:
    """From now on a list by itself, of what is new since the one before."""
    me, lab, typed = current(), laboratory(), request.form.to_dict()
    at, form = now(), typed.get("order_form", "")
    try:
        in_transaction(
            lambda session: order_list(
                session,
                site_id=lab.site_id,
                team_id=team_of(me, typed.get("order_team", "")),
                form=ListForm(form) if form in set(ListForm) else ListForm.XLSX,
                language=language(),
                hours=_hours(typed.get("hours", "")),
                arrival=Arrival.EMAIL if typed.get("arrival") == Arrival.EMAIL else Arrival.BOARD,
                email=typed.get("email", ""),
                timezone=lab.timezone,
                mail=current_app.config["MAIL"],
                by=me.actor,
                now=at,
            )
        )
    except InvalidBody as refusal:
        faults = faults_of(refusal)
        return shown_page(typed, faults | {"order_team": faults.get("team", "")}), 422
    flash(_("A list will be made at these hours."), "good")
    return redirect(url_for("positives.page"), 303)


@blueprint.post("/<uuid:schedule_id>/end")
@needs(*TAKERS)
def end(schedule_id: UUID) -> Response:
    """No list of it is made any more; those that are kept stay until they expire."""
    me, lab, at = current(), laboratory(), now()
    team_id = None if me.roles & OVERSEES else team_of(me, "")
    in_transaction(
        lambda session: end_order(
            session, schedule_id, team_id, site_id=lab.site_id, by=me.actor, now=at
        )
    )
    flash(_("No further list is made of this order."), "good")
    return redirect(url_for("positives.page"), 303)


def _hours(typed: str) -> list[int]:
    """7, 13 19 → the hours; nothing at all where one of them is no hour."""
    parts = typed.replace(",", " ").replace(";", " ").split()[: _MOST_HOURS + 1]
    hours = [part.removesuffix(":00").removesuffix("h").removesuffix("g") for part in parts]
    if not all(hour.isascii() and hour.isdigit() and len(hour) <= 2 for hour in hours):
        return []
    return [int(hour) for hour in hours]
