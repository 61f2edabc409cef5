"""Which cases belong together? The clusters, and one of them with its people and their ties."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from lims.domain.clusters import USUAL, Tie
from lims.domain.refusals import NotFound
from lims.web.access import current, needs
from lims.web.feed import scope_of
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.work.access import Role
from lims.work.case_card import record_cluster_read
from lims.work.views.case_clusters import ClusterRow, case_clusters

blueprint = Blueprint("clusters", __name__, url_prefix="/handoff/clusters")

PAGE: Final = 50
_READERS: Final = (Role.TRACER, Role.OPERATOR)
_TIES: Final = {
    Tie.HOUSEHOLD: later("one household"),
    Tie.SWABBED_TOGETHER: later("swabbed into one tube"),
    Tie.HOUSE: later("one house number"),
    Tie.PHONE: later("one telephone"),
    Tie.BUILDING: later("one building"),
    Tie.LANE: later("one lane or hamlet"),
    Tie.WORKPLACE: later("one list (workplace, class)"),
    Tie.ZONE: later("one zone (estate, hospital …)"),
    Tie.LAB_POOL: later("one pool of the laboratory"),
}


@blueprint.get("")
@needs(*_READERS)
def page() -> str:
    """The largest first: how many, where, how new, who has them."""
    ties, found = _asked(), _found()
    number = min(max(request.args.get("page", 1, int), 1), 1_000)
    first = (number - 1) * PAGE
    return render_template(
        "handoff/clusters.html",
        clusters=found[first : first + PAGE],
        many=len(found),
        cases=sum(len(one.people) for one in found),
        ties=[(tie.value, tie_words(tie), "") for tie in Tie],
        chosen=tuple(ties),
        words=tie_words,
        before=_address(number - 1) if number > 1 else None,
        after=_address(number + 1) if len(found) > first + PAGE else None,
        query={"tie": sorted(ties)},
    )


@blueprint.get("/<uuid:case_id>")
@needs(*_READERS)
def one(case_id: UUID) -> str:
    """The cluster that this case belongs to now; its people are recorded as read."""
    me, lab, at = current(), laboratory(), now()
    shown = next((row for row in _found() if case_id in row.cluster.cases), None)
    if shown is None:
        raise NotFound(came=str(case_id), where="clusters")
    with lab.sessions.begin() as session:
        record_cluster_read(session, shown.cluster.cases, site_id=lab.site_id, by=me.actor, now=at)
    return render_template(
        "handoff/cluster.html",
        row=shown,
        people={person.case_id: person for person in shown.people},
        words=tie_words,
        back=_address(1),
    )


def tie_words(tie: Tie) -> str:
    return _(_TIES[tie])


def _found() -> list[ClusterRow]:
    lab = laboratory()
    with lab.sessions.begin() as session:
        return case_clusters(session, scope_of(current()), _asked(), site_id=lab.site_id, now=now())


def _asked() -> frozenset[Tie]:
    """What counts as a tie; nothing chosen is the usual."""
    chosen = frozenset(Tie(one) for one in request.args.getlist("tie") if one in set(Tie))
    return chosen or USUAL


def _address(number: int) -> str:
    ties = sorted(_asked()) if _asked() != USUAL else None
    return url_for("clusters.page", tie=ties, page=number if number > 1 else None)
