"""A readable page for each way the laboratory says no; the API's problem types point here."""

from flask import Blueprint, render_template

from lims.domain.identity import name_key
from lims.domain.refusals import NotFound
from lims.doors.statuses import status_of
from lims.web.access import public
from lims.web.refusing import every_kind, title

blueprint = Blueprint("problems", __name__, url_prefix="/problems")


@blueprint.get("")
@public
def every() -> str:
    """All of them, so that a message can be looked up before it happens."""
    kinds = sorted(every_kind(), key=lambda kind: name_key(title(kind)))
    return render_template("problems/list.html", kinds=[(kind, title(kind)) for kind in kinds])


@blueprint.get("/<slug>")
@public
def one(slug: str) -> str:
    """What happened, and what to do."""
    for kind in every_kind():
        if kind.slug == slug:
            return render_template(
                "problems/one.html", kind=kind, title=title(kind), status=status_of(kind)
            )
    raise NotFound(came=slug, where="problems")
