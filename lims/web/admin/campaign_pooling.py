"""How many to a pool in a campaign: what the window found, what each size would cost, and why."""

from typing import Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.pooling.monitoring import Action, Alarm
from lims.domain.pooling.pool_size import LEAST_POOLS, LEAST_SENSITIVITY, Because
from lims.domain.refusals import InvalidBody, PolicyChanged, PoolAboveValidated
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, local, now, num
from lims.web.refusing import faults_of, said
from lims.web.shell import day_start
from lims.work.access import Role
from lims.work.campaigns import set_pool_size
from lims.work.views.campaign_pooling import campaign_pooling

_WHY: Final = {
    Because.FEWEST_TESTS: later("At this prevalence no other size takes fewer tests."),
    Because.KEPT: later("Another size would spare less than 3 %% of the tests: keep this one."),
    Because.VALIDATED: later(
        "Larger pools would take fewer tests, but the validation panel allows no more."
    ),
    Because.SITE: later(
        "Larger pools would take fewer tests, but the laboratory's policy allows no more."
    ),
    Because.SENSITIVITY: later(
        "Larger pools would take fewer tests, but find less than %(least)s %% of the carriers that"
        " single tests find."
    ),
    Because.POSITIVITY: later(
        "In larger pools more than a quarter would be positive, and everybody in them tested again."
    ),
    Because.ALONE: later("So many carry it that pools would spare nothing: test everybody alone."),
    Because.TOO_LITTLE: later(
        "Fewer than %(pools)s pools have answered: too few to change the size."
    ),
}
_ALARMS: Final = {
    Action.STOP_TWO_STAGE: later(
        "%(share)s %% of the pools are positive, more than %(limit)s %%: stop two-stage pooling, or"
        " make the pools smaller."
    ),
    Action.CHECK_SENSITIVITY: later(
        "Pools find %(share)s %% of the prevalence that single tests find, less than %(limit)s %%:"
        " check the pools' sensitivity and make them smaller."
    ),
}


@blueprint.get("/campaigns/<uuid:campaign_id>/pooling")
@needs(Role.ADMIN, Role.OPERATOR)
def pooling(campaign_id: UUID) -> str:
    """Prevalence now by area, the advice with its reason, and what other sizes would cost."""
    return _page(campaign_id)


@blueprint.post("/campaigns/<uuid:campaign_id>/pooling")
@needs(Role.ADMIN, Role.OPERATOR)
def resize(campaign_id: UUID) -> Response | tuple[str, int]:
    """The size a person chose, advised or not; pools that are made stay."""
    try:
        with laboratory().sessions.begin() as session:
            changed = set_pool_size(
                session,
                campaign_id,
                _number("pool_size"),
                shown=_number("shown"),
                by=current().actor,
                now=now(),
            )
    except InvalidBody as refusal:
        return _page(campaign_id, faults_of(refusal)["pool_size"]), 422
    except (PolicyChanged, PoolAboveValidated) as refusal:
        return _page(campaign_id, said(refusal)), int(status_of(type(refusal)))
    flash(
        _("Kept: it holds for new pools. Pools that are made stay as they are.")
        if changed
        else _("It was so already."),
        "good",
    )
    return redirect(url_for("admin.pooling", campaign_id=campaign_id), 303)


def _number(field: str) -> int:
    sent = request.form.get(field, "")
    return int(sent) if sent.isdecimal() and len(sent) < 4 else 0


def _page(campaign_id: UUID, fault: str | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        seen = campaign_pooling(
            session,
            campaign_id,
            site_id=lab.site_id,
            today=local(now()).date(),
            day_start=day_start(),
            timezone=lab.timezone,
        )
    return render_template(
        "admin/campaign_pooling.html",
        seen=seen,
        why=_reason(seen.advice.because),
        alarms=[_alarm(one) for one in seen.alarms],
        typed=request.form.get("pool_size") if fault else None,
        fault=fault,
    )


def _reason(because: Because) -> str:
    return _(
        _WHY[because],
        least=num(LEAST_SENSITIVITY * 100),
        pools=num(LEAST_POOLS),
    )


def _alarm(alarm: Alarm) -> str:
    share, limit = num(alarm.value * 100, 1), num(alarm.rule.limit * 100)
    return _(_ALARMS[alarm.rule.action], share=share, limit=limit)
