"""One pool: who in it may be F0, how it is resolved, and what it waits for."""

from functools import partial
from typing import Final

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from lims.domain import barcodes
from lims.domain.lifecycle import SubPoolState, TubeKind
from lims.domain.refusals import NotFound
from lims.web.access import current, needs
from lims.web.language import laboratory, now
from lims.web.parting_words import (
    because_words,
    pool_ways,
    position_words,
    reckoned_words,
    way_word,
)
from lims.web.pool_grid import grid_of
from lims.web.pool_words import next_for, sign_of, stand_word
from lims.web.pools.blueprint import BENCH, LAB, blueprint
from lims.work.views import pool_view, sub_pool_view
from lims.work.views.open_pools import pool_clock
from lims.work.views.pool_picture import pool_picture
from lims.work.views.tube_story import Sign, tube_story


@blueprint.get("/<barcode>")
@needs(*LAB)
def pool(barcode: str) -> Response | str:
    """Who in this pool may be F0: members by sign, the evidence, and what it waits for."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        stored = barcodes.normalise(barcode)
        line = pool_view.pool(session, stored, site_id=lab.site_id)
        if line is None:
            raise NotFound(came=barcode, where="pools")
        if line.master is not None:
            return redirect(url_for("pools.pool", barcode=line.master), 303)
        story = tube_story(session, stored, site_id=lab.site_id)
        resolution = sub_pool_view.resolution(session, story.tube_id)
        lines = sub_pool_view.sub_pools(session, story.tube_id)
        members = pool_view.members(session, story.tube_id, line.kind)
        picture = pool_picture(session, story.tube_id, line.kind, members, lines)
        clock = pool_clock(session, story.tube_id, site_id=lab.site_id, now=now())
    order, risks = list(_LIKELIEST_FIRST), picture.risks if picture else {}
    shown = sorted(
        members,
        key=lambda one: (order.index(one.sign), -round(risks.get(one.barcode, 0), 3), one.position),
    )
    unsettled = [member for member in shown if member.sign is not Sign.NEGATIVE]
    return render_template(
        "pools/pool.html",
        pool=line,
        story=story,
        clock=clock,
        picture=picture,
        members=unsettled,
        cleared=[member for member in shown if member.sign is Sign.NEGATIVE],
        stand_word=stand_word,
        sign_of=sign_of,
        next_for=next_for,
        laboratory_pool=line.kind is TubeKind.LAB_POOL,
        resolution=resolution,
        lines=lines,
        to_pipette=sum(one.state is SubPoolState.WANTED for one in lines),
        measuring=sum(one.order_state in ("queued", "plated") for one in lines),
        ways=pool_ways(resolution.strategy) if resolution and len(members) > 1 else [],
        bench=not current().roles.isdisjoint(BENCH),
        grid_of=partial(grid_of, members=members),
        way_word=way_word,
        because_words=because_words,
        reckoned_words=reckoned_words,
        position_words=position_words,
    )


_LIKELIEST_FIRST: Final = (
    Sign.POSITIVE,
    Sign.DISCORDANT,
    Sign.PRESUMPTIVE,
    Sign.INCONCLUSIVE,
    Sign.PRELIMINARY,
    Sign.RECOLLECT,
    Sign.WAITING,
    Sign.NEGATIVE,
)
