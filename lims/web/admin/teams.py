"""The tracing teams: a commune's, a province's, the national desk."""

from flask import render_template, request
from werkzeug.wrappers import Response

from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import kept
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.work.access import Role
from lims.work.teams import create_team
from lims.work.views import administration


@blueprint.get("/teams", endpoint="teams")
@needs(Role.ADMIN, Role.OPERATOR)
def every() -> str:
    """The list, and the form for one more."""
    return _page({}, {})


@blueprint.post("/teams")
@needs(Role.ADMIN, Role.OPERATOR)
def create_one() -> Response | tuple[str, int]:
    """A team; nobody is told anything until it has a subscription."""
    lab, form = laboratory(), request.form
    return kept(
        lambda session: create_team(
            session,
            site_id=lab.site_id,
            name=form.get("name", ""),
            phone=form.get("phone", ""),
            by=current().actor,
            now=now(),
        ),
        page=_page,
        to="admin.subscriptions",
        said=_("The team is there. Now say which area it is told of."),
    )


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        teams = administration.teams(session, lab.site_id)
    return render_template("admin/teams.html", teams=teams, typed=typed, faults=faults)
