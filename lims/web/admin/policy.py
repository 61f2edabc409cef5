"""Laboratory policy: what the laboratory has chosen for itself, and who changed it when and why."""

from dataclasses import dataclass
from typing import Final

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.policy import BOUNDS, Setting
from lims.domain.refusals import InvalidBody, NotFound, PolicyChanged
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.language import gettext, laboratory, later, now, num
from lims.web.language import gettext as _
from lims.web.refusing import faults_of, said
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.policy import change_policy
from lims.work.views.policy import policy


@dataclass(frozen=True)
class Words:
    """What a setting decides, and what each choice means."""

    name: str
    on: str
    off: str


_WORDS: Final = {
    Setting.SECOND_REVIEWER: Words(
        later("Second reviewer for positives"),
        later("Two people sign each positive; the second one's word is final and is told."),
        later("One reviewer's word on a positive is final."),
    ),
    Setting.IDENTITY_HOLDS: Words(
        later("Results wait for the identity conflict"),
        later("Nothing is released of a person whose identity conflict is open."),
        later("Results go out; the identity conflict is only shown."),
    ),
    Setting.POOLS_OF_POOLS: Words(
        later("Pools of pools"),
        later("A pool may be made of pools, when your validation covers the dilution."),
        later("A pool is made of single tubes only."),
    ),
    Setting.MAX_POOL_SIZE: Words(
        later("Largest pool"),
        later("No pool takes more tubes or swabs than this."),
        later("No pool takes more tubes or swabs than this."),
    ),
}


@blueprint.get("/policy", endpoint="policy")
@needs(Role.ADMIN, Role.OPERATOR)
def read() -> str:
    """Every setting as it stands, and every change of it."""
    return _page()


@blueprint.post("/policy/<setting>")
@needs(Role.ADMIN)
def change(setting: str) -> Response | tuple[str, int]:
    """Set one choice, with a reason."""
    if setting not in set(Setting):
        raise NotFound(came=setting, where="policy")
    lab, asked = laboratory(), Setting(setting)
    try:
        changed = in_transaction(
            lambda session: change_policy(
                session,
                asked,
                _number("became"),
                shown=_number("shown"),
                reason=request.form.get("reason", ""),
                site_id=lab.site_id,
                by=current().actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _page(asked, faults_of(refusal)), 422
    except PolicyChanged as refusal:
        return _page(asked, {"became": said(refusal)}), int(status_of(type(refusal)))
    flash(_("Kept.") if changed else _("It was so already."), "good")
    return redirect(url_for("admin.policy"), 303)


def _number(field: str) -> int:
    sent = request.form.get(field, "")
    return int(sent) if sent.isdecimal() and len(sent) < 4 else -1


def _page(asked: Setting | None = None, faults: dict[str, str] | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        stands = policy(session, site_id=lab.site_id)
    return render_template(
        "admin/policy.html",
        policy=stands,
        settings=list(Setting),
        words=_words,
        value=_value,
        bounds=BOUNDS,
        asked=asked,
        faults=faults or {},
        typed=request.form if asked else {},
        may_change=Role.ADMIN in current().roles,
    )


def _words(setting: Setting, value: int) -> tuple[str, str]:
    """Its name, and what this value of it means."""
    said_of = _WORDS[setting]
    return gettext(said_of.name), gettext(said_of.on if value else said_of.off)


def _value(setting: Setting, value: int) -> str:
    if setting.is_switch:
        return _("on") if value else _("off")
    return num(value)
