"""The first page: what needs me, oldest and latest first, and the day so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template

from lims.web.access import current, signed_in_only
from lims.web.counting import counting
from lims.web.item_words import action, label, path, why
from lims.web.language import now
from lims.web.shell import only_team, stages_of
from lims.work.views.stages import STAGE_OF, Item, Stage, Waiting

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class Need:
    """One line of "what needs me"."""

    item: Item
    count: int
    label: str
    why: str
    oldest_at: datetime | None
    limit_min: float | None
    path: str
    action: str


@blueprint.get("/")
@signed_in_only
def page() -> str:
    """Everything that waits for somebody of my roles."""
    me = current()
    mine = stages_of(me)
    items = counting().waiting(only_team(me), now())
    return render_template(
        "home.html",
        needs=needs_of(items, mine),
        stages=mine,
        Stage=Stage,
        so_far=counting().today(now()) if mine else None,
    )


@blueprint.get("/stages")
@signed_in_only
def stages() -> str:
    """The navigation alone, for `stages.js`."""
    return render_template("_way.html")


def needs_of(items: Iterable[Waiting], mine: Iterable[Stage]) -> list[Need]:
    """What waits at my stages: late things first, then the end of the way before its start."""
    mine = frozenset(mine)
    order = list(Stage)
    waits = [
        item
        for item in items
        if item.count and STAGE_OF[item.item] in mine and item.item is not Item.RECEIVED_TODAY
    ]
    waits.sort(key=lambda wait: (not wait.late, -order.index(STAGE_OF[wait.item])))
    return [_need(wait) for wait in waits]


def _need(wait: Waiting) -> Need:
    return Need(
        item=wait.item,
        count=wait.count,
        label=label(wait.item, wait.count),
        why=why(wait.item),
        oldest_at=wait.oldest_at,
        limit_min=wait.limit.total_seconds() / 60 if wait.limit else None,
        path=path(wait.item),
        action=action(wait.item),
    )
