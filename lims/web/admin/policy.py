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
from lims.web.language import gettext, laboratory, later, ngettext, now, num
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


def _always(name: str, said: str) -> Words:
    return Words(name, said, said)


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
    Setting.HOURS_TO_NAME: Words(
        later("Hours to name"),
        later("So long after a positive pool, everybody in it is cleared or named."),
        later("So long after a positive pool, everybody in it is cleared or named."),
    ),
    Setting.HOURS_TO_CONFIRM: Words(
        later("Hours to confirm"),
        later("So long after a positive pool, everybody in it has the last word."),
        later("So long after a positive pool, everybody in it has the last word."),
    ),
    Setting.SECONDARY_ATTACK_PERCENT: Words(
        later("Household attack rate (percent)"),
        later("Of those who live with a carrier, so many catch it; sub-pools are planned by it."),
        later("Sub-pools are planned as if nobody caught it at home."),
    ),
    Setting.SUB_POOL_DRAWS: Words(
        later("Draws into one sub-pool"),
        later("Sub-pools planned by probability take no more tubes than this."),
        later("Sub-pools planned by probability take no more tubes than this."),
    ),
    Setting.RUN_DRAWS: Words(
        later("Draws for one run"),
        later("What the bench can pipette into sub-pools before the next run."),
        later("What the bench can pipette into sub-pools before the next run."),
    ),
    Setting.RELEASE_FROM_DAY: Words(
        later("Release tests from day"),
        later("A swab taken so many days after the case's own may end isolation."),
        later("A swab taken so many days after the case's own may end isolation."),
    ),
    Setting.RELEASE_CT: Words(
        later("Release from Ct"),
        later("A release test ends isolation when it is negative, or positive from this Ct on."),
        later("A release test ends isolation when it is negative, or positive from this Ct on."),
    ),
    Setting.REINFECTION_DAYS: Words(
        later("A new infection from day"),
        later("Within so many days of the first swab, a positive is the same infection still."),
        later("Within so many days of the first swab, a positive is the same infection still."),
    ),
    Setting.ROSTER_AFTER_MIN: _always(
        later("Nobody claims a case: the next in the roster"),
        later("Then the next on call of each team is to be rung, and the ward's other teams hear."),
    ),
    Setting.PROVINCE_AFTER_MIN: _always(
        later("Nobody claims a case: the province"),
        later("Then the province's teams hear of it, where they had not."),
    ),
    Setting.VOICE_AFTER_MIN: _always(
        later("Nobody claims a case: the voice list"),
        later("Then the national desk hears, and everybody who was told is rung in turn."),
    ),
    Setting.MONITOR_WINDOW_DAYS: Words(
        later("Days that disagreements are counted over"),
        later("The monitors of the recall page look at so many days."),
        later("The monitors of the recall page look at so many days."),
    ),
    Setting.EXPECTED_REFUTED_PERCENT: Words(
        later("Rapid positives that PCR does not confirm, expected per cent"),
        later("More than chance gives around this share is a signal."),
        later("More than chance gives around this share is a signal."),
    ),
    Setting.EXPECTED_EMPTY_POOLS_PERCENT: Words(
        later("Positive pools in which nobody is found, expected per cent"),
        later("More than chance gives around this share is a signal."),
        later("More than chance gives around this share is a signal."),
    ),
    Setting.DECLARATION_DAYS: _always(
        later("How long declarations are kept"),
        later("Then what people declared is forgotten; who was swabbed is known here as before."),
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
    return int(sent) if sent.isdecimal() and len(sent) < 5 else -1


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


# Other days stand in their names: "from day 7".
_DAYS_SAID: Final = frozenset({Setting.MONITOR_WINDOW_DAYS, Setting.DECLARATION_DAYS})


def _words(setting: Setting, value: int) -> tuple[str, str]:
    """Its name, and what this value of it means."""
    said_of = _WORDS[setting]
    return gettext(said_of.name), gettext(said_of.on if value else said_of.off)


def _value(setting: Setting, value: int) -> str:
    if setting.is_switch:
        return _("on") if value else _("off")
    if setting in _DAYS_SAID:
        return ngettext("%(num)s day", "%(num)s days", value)
    if setting.is_minutes:
        return ngettext("%(num)s minute", "%(num)s minutes", value)
    return _("%(hours)s h", hours=num(value)) if setting.is_hours else num(value)
