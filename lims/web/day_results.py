"""Which results came on this day? Newest first, narrowed as asked, a hundred a page."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import ResultStatus
from lims.domain.outcomes import FindingOutcome
from lims.web.access import needs
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, local, now
from lims.web.reports import asked_day, saying_here
from lims.work.access import Role
from lims.work.situation import midnights
from lims.work.views.day_results import After, ResultsAsked, day_results

blueprint = Blueprint("results", __name__, url_prefix="/results")

READERS: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
_CAMPAIGNS: Final = text(
    "SELECT id, name FROM campaign WHERE site_id = :site ORDER BY opened_at DESC LIMIT 200"
)


@blueprint.get("")
@needs(*READERS)
def page() -> str:
    """The filters stand in the address: they name no person."""
    lab, day = laboratory(), asked_day()
    start, end = midnights(day, lab.timezone)
    asked = _asked(ResultsAsked(start=start, end=end))
    with lab.sessions.begin() as session:
        found = day_results(session, asked, site_id=lab.site_id)
        campaigns = [
            (str(row.id), row.name) for row in session.execute(_CAMPAIGNS, {"site": lab.site_id})
        ]
        area = _area_name(session, asked)
    kept = {name: said for name, said in request.args.items() if said and name != "after"}
    return render_template(
        "results/page.html",
        found=found,
        asked=asked,
        area=area,
        area_word=request.args.get("area", ""),
        campaigns=campaigns,
        outcomes=[(str(one), _(_OUTCOMES[one])) for one in FindingOutcome],
        statuses=[(str(one), _status_words(one)) for one in _SHOWN_STATES],
        status_words=_status_words,
        day=day,
        today=local(now()).date(),
        saying=saying_here(),
        narrowed=bool(kept.keys() - {"day"}),
        following=_address(kept | {"after": found.after.word()}) if found.after else None,
        first=_address(kept),
    )


def _address(asked: dict[str, str]) -> str:
    return f"{url_for('results.page')}?{urlencode(asked)}"


_SHOWN_STATES: Final = (ResultStatus.PRELIMINARY, ResultStatus.FINAL, ResultStatus.CORRECTED)


def _asked(day: ResultsAsked) -> ResultsAsked:
    """What we do not know we do not ask for: the page then shows the whole day."""
    args = request.args
    outcome, status = args.get("outcome", ""), args.get("status", "")
    scheme, _separator, code = args.get("area", "").partition(":")
    return replace(
        day,
        outcome=FindingOutcome(outcome) if outcome in set(FindingOutcome) else None,
        status=ResultStatus(status) if status in set(ResultStatus) else None,
        campaign_id=_uuid(args.get("campaign", "")),
        area=(scheme, code) if scheme and code else None,
        after=After.of(args.get("after", "")),
    )


def _uuid(said: str) -> UUID | None:
    try:
        return UUID(said) if said else None
    except ValueError:
        return None


def _area_name(session: Session, asked: ResultsAsked) -> str | None:
    if asked.area is None:
        return None
    scheme, code = asked.area
    found = session.execute(
        text("SELECT full_name FROM area WHERE scheme = :scheme AND code = :code"),
        {"scheme": scheme, "code": code},
    ).scalar()
    return found or f"{scheme} {code}"


_OUTCOMES: Final = {
    FindingOutcome.NEGATIVE: later("Negative"),
    FindingOutcome.POSITIVE: later("Positive"),
    FindingOutcome.PRELIMINARY: later("Preliminary"),
    FindingOutcome.PRESUMPTIVE: later("Presumptive"),
    FindingOutcome.INCONCLUSIVE: later("Inconclusive"),
    FindingOutcome.DISCORDANT: later("Discordant"),
    FindingOutcome.RECOLLECT: later("Swab again"),
}


def _status_words(status: ResultStatus) -> str:
    match status:
        case ResultStatus.PRELIMINARY:
            return _("not final")
        case ResultStatus.FINAL:
            return _("final")
        case ResultStatus.CORRECTED:
            return _("corrected")
        case ResultStatus.CANCELLED:
            return _("cancelled")
