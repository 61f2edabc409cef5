"""Is this slip good? The one page about results that anybody may open, with the paper in hand."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from lims.domain import slip_codes
from lims.domain.outcomes import FindingOutcome
from lims.domain.refusals import Malformed
from lims.domain.result_slips import Worth
from lims.doors.pace import Pace
from lims.web.access import public
from lims.web.language import laboratory, later, now
from lims.work.views.slip_check import Checked, check_slip

blueprint = Blueprint("verify", __name__, url_prefix="/verify")

# Codes of 96 bits cannot be guessed at any pace: this keeps the database for the laboratory's own
# work. An address may be a whole mobile operator's: only wrong codes are counted against it.
PACE: Final = Pace(most=60, window=timedelta(minutes=1))
OF_SLIP: Final = Pace(most=60, window=timedelta(minutes=1))
OUTCOMES: Final = {
    FindingOutcome.NEGATIVE: later("Negative"),
    FindingOutcome.POSITIVE: later("Positive"),
    FindingOutcome.PRESUMPTIVE: later("Presumptive"),
    FindingOutcome.INCONCLUSIVE: later("Inconclusive"),
}


@blueprint.get("")
@public
def page() -> str | AnyResponse:
    """For whoever types the code: a telephone that does not read squares."""
    typed = request.args.get("code", "").strip()
    if typed:
        return redirect(url_for("verify.slip", code=typed[:80]), 303)
    return render_template("verify/page.html", typed="", checked=None, mistyped=False)


@blueprint.get("/<code>")
@public
def slip(code: str) -> Response:
    """Valid, withdrawn or unknown; of a person no more than the holder can compare."""
    address = request.remote_addr or ""
    PACE.refuse_spent(address, now())
    mistyped, checked = False, Checked(Worth.UNKNOWN)
    try:
        known = slip_codes.parse(code)
        OF_SLIP.spend(known, now())
        with laboratory().sessions.begin() as session:
            checked = check_slip(session, known)
    except Malformed:
        known, mistyped = code[:40], True
    status = 200
    if checked.worth is Worth.UNKNOWN:
        status = 404
        PACE.spend(address, now())
    body = render_template(
        "verify/page.html",
        typed=known if mistyped else slip_codes.shown(known),
        checked=checked,
        mistyped=mistyped,
        outcomes=OUTCOMES,
    )
    response = make_response(body, status)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
